#!/bin/sh
# The main jobs again, every program under valgrind: it sees what the
# sanitizers do not, the use of bytes that were never written, and looks into
# the libraries as well. What it finds goes to a file: a command that
# PostgreSQL runs may be tried again, and succeed.
. "$(dirname "$0")/../lib/pitrkit.sh"

s3_start # once for all
PITRKIT_CEPH_DIR=$S3_DIR
mkdir "$T/found" "$T/build"

# Programs of the same names that run the real ones; all else is linked. The
# fronts start their workers by exec, which valgrind follows.
for f in "$BUILD"/*; do
	name=$(basename "$f")
	if [ -f "$f" ] && [ -x "$f" ] && [ -e "$TOP/cmd/$name" -o \
		-e "$TOP/cmd/$name.c" ]; then
		cat >"$T/build/$name" <<EOF
#!/bin/sh
exec valgrind -q --trace-children=yes --child-silent-after-fork=yes \\
	--leak-check=full --errors-for-leak-kinds=definite,indirect \\
	--show-leak-kinds=definite,indirect \\
	--log-file="$T/found/$name.%p" "$f" "\$@"
EOF
		chmod +x "$T/build/$name"
	else
		ln -s "$f" "$T/build/$name"
	fi
done
BUILD=$T/build
export PITRKIT_CEPH_DIR BUILD

for t in 20-walpush 40-main-job-15-file 40-main-job-17-s3; do
	ok "$t passes" sh "$TOP/tests/e2e/$t.t"
done
atleast "of programs that were watched" "$(ls "$T/found" | wc -l)" 50
# Its remarks about itself, as of a system call that it does not know, begin
# with "--".
is "no unset byte used, no wild address, no leak" \
	"$(grep -h '^==' "$T"/found/* 2>/dev/null | head -n 60)" ""

done_testing
