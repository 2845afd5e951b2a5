#!/bin/sh
# The unit tests under valgrind, which sees what the sanitizers do not: the use
# of bytes that were never written, also by the libraries. In the short run
# those of the parsers, in the long one all.
. "$(dirname "$0")/../lib/pitrkit.sh"

parsers="autoconf buf clock conf control fault head history json label
	manifest text untar wal walmeta walname xml"
if [ "$PITRKIT_SUITE" = long ]; then
	# Without pgread: valgrind itself reads the head of what is mapped, so
	# the page cache cannot be left as it was.
	units=$(cd "$TOP/tests/unit" && ls test_*.c |
		sed 's/^test_//; s/\.c$//; /^pgread$/d')
else
	units=$parsers
fi

cd "$TOP" || bail "$TOP"
s3_start # for test_store_s3
export PITRKIT_CEPH_DIR="$S3_DIR"
for u in $units; do
	ok "$u: no unset byte used, nothing lost" \
		valgrind -q --error-exitcode=99 --leak-check=full \
		--errors-for-leak-kinds=definite,indirect \
		"$BUILD/tests/unit/test_$u"
done

done_testing
