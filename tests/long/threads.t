#!/bin/sh
# The unit tests in a build that notices two threads at the same bytes, and
# locks taken in an order that can come to a standstill.
. "$(dirname "$0")/../lib/pitrkit.sh"

export TSAN_OPTIONS=second_deadlock_stack=1
cat >"$T/race.c" <<'EOF'
#include <pthread.h>
static int n;
static void *
add(void *arg)
{
	for (int i = 0; i < 100000; i++)
		n++;
	return arg;
}
int
main(void)
{
	pthread_t a, b;

	pthread_create(&a, NULL, add, NULL);
	pthread_create(&b, NULL, add, NULL);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	return 0;
}
EOF
${CC:-cc} -O0 -fsanitize=thread -pthread -o "$T/race" "$T/race.c" ||
	bail "no sanitizer"
nok "a race would be found" "$T/race"

cd "$TOP" || bail "$TOP"
s3_start # for test_store_s3
export PITRKIT_CEPH_DIR="$S3_DIR"
for u in tests/unit/test_*.c; do
	u=$(basename "$u" .c)
	ok "$u: no race" "$TOP/build/tsan/tests/unit/$u"
done

done_testing
