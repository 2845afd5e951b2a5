#!/bin/sh
# The main jobs again with the programs of the sanitizers' build. What it finds
# goes to a file: a command that PostgreSQL runs may be tried again, and
# succeed.
. "$(dirname "$0")/../lib/pitrkit.sh"

s3_start # once for all
PITRKIT_CEPH_DIR=$S3_DIR
BUILD=$TOP/build/asan
mkdir "$T/found"
ASAN_OPTIONS=detect_leaks=1:log_path=$T/found/asan
UBSAN_OPTIONS=print_stacktrace=1:log_path=$T/found/ubsan
export PITRKIT_CEPH_DIR BUILD ASAN_OPTIONS UBSAN_OPTIONS

cat >"$T/wrong.c" <<'EOF'
#include <stdlib.h>
int
main(int argc, char **argv)
{
	char *p = malloc(1);

	p[0] = argv[0][0];
	return p[argc];
}
EOF
${CC:-cc} -O0 -fsanitize=address,undefined -o "$T/wrong" "$T/wrong.c" ||
	bail "no sanitizer"
nok "a byte beyond an object would be found" "$T/wrong"
atleast "... which goes to a file" "$(ls "$T/found" | wc -l)" 1
rm -f "$T/found"/*

for t in 20-walpush 40-main-job-15-file 40-main-job-15-s3 40-main-job-18-s3; do
	ok "$t passes" sh "$TOP/tests/e2e/$t.t"
done
is "no memory error, no undefined operation, no leak" \
	"$(cat "$T"/found/* 2>/dev/null)" ""

done_testing
