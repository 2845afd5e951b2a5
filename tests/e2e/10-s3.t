#!/bin/sh
# The S3 client keeps its promises on a real server, and when the network or
# the server does not keep theirs.
. "$(dirname "$0")/../lib/pitrkit.sh"

s3_start
s3_bucket S3_BUCKET
proxy_start proxy tls
PROXY_RULES=$T/proxy.rules
export S3_HTTP S3_HTTPS S3_CA_FILE S3_CA_PATH S3_PIN S3_ACCESS_KEY_ID \
	S3_SECRET_FILE S3_REGION S3_BUCKET PROXY_URL PROXY_RULES

for s in "$TOP"/tests/integration/test_*.c; do
	p=$BUILD/tests/integration/$(basename "$s" .c)
	tests=$("$p") && [ -n "$tests" ] || bail "$p is not built"
	for t in $tests; do
		ok "$(echo "$t" | tr _ ' ')" "$p" "$t"
	done
done
done_testing
