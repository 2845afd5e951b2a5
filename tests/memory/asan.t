#!/bin/sh
# The unit tests again, in a build that stops at the first access beyond an
# object, use after free, undefined operation or leak.
. "$(dirname "$0")/../lib/pitrkit.sh"

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
cat >"$T/leak.c" <<'EOF'
#include <stdlib.h>
#include <string.h>
int
main(int argc, char **argv)
{
	char *p = malloc(16);

	if (argc == 1)
		p[0] = argv[0][0]; /* and never freed */
	else
		memset(p, 1, strlen(argv[1]));
	return p[0] == '\0';
}
EOF
${CC:-cc} -O0 -fsanitize=address,undefined -o "$T/leak" "$T/leak.c" ||
	bail "no sanitizer"
nok "a leak would be found" "$T/leak"
nok "an overflow would be found" "$T/leak" xxxxxxxxxxxxxxxxx

cd "$TOP" || bail "$TOP"
s3_start # for test_store_s3
export PITRKIT_CEPH_DIR="$S3_DIR"
for u in "$TOP"/tests/unit/test_*.c; do
	u=$(basename "$u" .c)
	ok "$u: no memory error, no undefined operation, no leak" \
		"$TOP/build/asan/tests/unit/$u"
done

done_testing
