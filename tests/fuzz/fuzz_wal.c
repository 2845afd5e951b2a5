#include "../lib/walmake.h"

/*
 * The first byte chooses: a segment of these bytes as they are (behind a good
 * first header), or a good segment of records with these bodies, so that what
 * stands behind the CRC is reached.
 */

#define SIZE (1U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static unsigned char segment[SIZE];

static void
records(struct walmake *m, const uint8_t *data, size_t n)
{
	static const uint16_t magic[] = {0xD10D, 0xD110, 0xD118, 0xD1FF};

	m->magic = magic[data[0] & 3];
	while (n > 4 && m->at < SIZE - 1024) {
		size_t len = (size_t)data[3] * (data[2] & 0x80 ? 40 : 1);

		if (len > n - 4)
			len = n - 4;
		walmake_record(m, data[0] & 1, data[1], data[2], data + 4, len);
		data += 4 + len;
		n -= 4 + len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct walname name = {WALNAME_SEGMENT, 3, 0, 5, 0};
	struct wal_sought sought = {5 * (uint64_t)SIZE, 5 * SIZE + 200, false};
	const struct wal_watch watch = {NULL, NULL, &sought};
	struct fault f = FAULT_INIT;
	struct wal_summary s;
	struct wal_header h;
	struct walmake m;

	(void)wal_header(data, n, &h, &f);
	if (n < 2 || n > SIZE / 2)
		return (0);
	walmake_begin(
	    &m, segment, SIZE, 1024U << ((data[0] >> 2) % 7), data[1] * 300U);
	if (data[0] & 1) {
		walmake_put(&m, data + 2, n - 2);
		if (n > 64)
			memcpy(segment + 40, data + 40, n - 40);
		if (data[0] & 2)
			name.kind = WALNAME_PARTIAL;
	} else if (n > 8) {
		/* The last of them may run out of the segment. */
		if (data[1] & 1)
			walmake_filler(&m, SIZE - m.at - data[1] * 100U);
		records(&m, data + 2, n - 2);
	}
	if (wal_walk_watched(segment, SIZE, &name, &watch, &s, &f) == 0)
		(void)wal_joint_check(&s.joint, &s.joint, &f);
	return (0);
}
