#include <string.h>

#include "buf.h"
#include "wal_record.h"

/* Resource managers and their operations. */
#define RM_XLOG 0
#define XLOG_BACKUP_END 0x50
#define XLOG_RESTORE_POINT 0x70
#define RM_XACT 1
#define XACT_OPERATION 0x70
#define XACT_COMMIT 0x00
#define XACT_ABORT 0x20
#define XACT_COMMIT_PREPARED 0x30
#define XACT_ABORT_PREPARED 0x40
#define XACT_HAS_INFO 0x80

/* xinfo: the parts that follow it, in this order. */
#define HAS_DATABASE (1U << 0)
#define HAS_SUBXACTS (1U << 1)
#define HAS_RELATIONS (1U << 2)
#define HAS_STATS (1U << 8) /* 15+ */
#define HAS_INVALIDATIONS (1U << 3)
#define HAS_TWOPHASE (1U << 4)

/* Block references and what stands in their place. */
#define ID_MAIN_SHORT 255
#define ID_MAIN_LONG 254
#define ID_ORIGIN 253
#define ID_TOPLEVEL_XID 252
#define ID_BLOCK_MAX 32
#define BLOCK_HAS_IMAGE 0x10
#define BLOCK_SAME_RELATION 0x80
#define IMAGE_HAS_HOLE 0x01

#define EPOCH_2000_US INT64_C(946684800000000)

/* The bytes up to the end of the page or record, as one piece. */
static const unsigned char *
piece(struct wal_record *r, size_t *n)
{
	size_t room;

	if (r->at % r->page == 0)
		r->at += r->at == 0 ? WAL_LONG_HEADER : WAL_PAGE_HEADER;
	room = r->page - r->at % r->page;
	*n = room < r->left ? room : r->left;
	return (r->segment + r->at);
}

static void
advance(struct wal_record *r, size_t n)
{
	r->at += n;
	r->left -= n;
}

int
wal_record_take(struct wal_record *r, void *out, size_t n)
{
	unsigned char *to = out;

	if (n > r->left)
		return (-1);
	while (n > 0) {
		size_t have;
		const unsigned char *p = piece(r, &have);

		if (have > n)
			have = n;
		memcpy(to, p, have);
		advance(r, have);
		to += have;
		n -= have;
	}
	return (0);
}

static int
skip(struct wal_record *r, uint64_t n)
{
	if (n > r->left)
		return (-1);
	while (n > 0) {
		size_t have;

		(void)piece(r, &have);
		if (have > n)
			have = (size_t)n;
		advance(r, have);
		n -= have;
	}
	return (0);
}

uint32_t
wal_record_crc(struct wal_record *r, uint32_t crc)
{
	while (r->left > 0) {
		size_t have;
		const unsigned char *p = piece(r, &have);

		crc = wal_crc32c(crc, p, have);
		advance(r, have);
	}
	return (crc);
}

static int
take_u32(struct wal_record *r, uint32_t *out)
{
	unsigned char b[4];

	if (wal_record_take(r, b, sizeof(b)) != 0)
		return (-1);
	*out = bytes_get_u32(b);
	return (0);
}

static int
take_u64(struct wal_record *r, uint64_t *out)
{
	unsigned char b[8];

	if (wal_record_take(r, b, sizeof(b)) != 0)
		return (-1);
	*out = bytes_get_u64(b);
	return (0);
}

/* The rest of a block reference, its id being taken; *data grows by what it
 * has among the data behind all references. */
static int
skip_block(struct wal_record *r, int version, uint64_t *data)
{
	unsigned char head[3], image[5];
	/* 15 moved the compression bits to make room for LZ4 and Zstandard. */
	unsigned compressed = version == 13 || version == 14 ? 0x02 : 0x1C;
	uint64_t rest = 4; /* block number */

	if (wal_record_take(r, head, sizeof(head)) != 0)
		return (-1);
	*data += bytes_get_u16(head + 1);
	if (head[0] & BLOCK_HAS_IMAGE) {
		if (wal_record_take(r, image, sizeof(image)) != 0)
			return (-1);
		*data += bytes_get_u16(image);
		if ((image[4] & IMAGE_HAS_HOLE) && (image[4] & compressed))
			rest += 2; /* length of the hole */
	}
	if (!(head[0] & BLOCK_SAME_RELATION))
		rest += 12;
	return (skip(r, rest));
}

/* From behind the record's header to its main data, all of it and no more
 * being left then. */
static int
find_main(struct wal_record *r, int version)
{
	uint64_t data = 0;
	uint32_t main_len;
	unsigned char id, len;
	int rc;

	for (;;) {
		if (wal_record_take(r, &id, 1) != 0)
			return (-1);
		if (id == ID_MAIN_SHORT) {
			if (wal_record_take(r, &len, 1) != 0)
				return (-1);
			main_len = len;
			break;
		}
		if (id == ID_MAIN_LONG) {
			if (take_u32(r, &main_len) != 0)
				return (-1);
			break;
		}
		if (id == ID_ORIGIN)
			rc = skip(r, 2);
		else if (id == ID_TOPLEVEL_XID)
			rc = skip(r, 4);
		else if (id <= ID_BLOCK_MAX)
			rc = skip_block(r, version, &data);
		else
			rc = -1;
		if (rc != 0)
			return (-1);
	}
	return (data + main_len == r->left ? skip(r, data) : -1);
}

/* A count and that many items. */
static int
skip_array(struct wal_record *r, uint32_t item)
{
	uint32_t n;

	if (take_u32(r, &n) != 0)
		return (-1);
	return (skip(r, (uint64_t)n * item));
}

/* COMMIT PREPARED and ROLLBACK PREPARED run without a transaction of their
 * own; the one they end is told behind everything else. */
static int
take_prepared_xid(
    struct wal_record *r, uint8_t info, int version, uint32_t *xid)
{
	uint32_t parts, stats = version >= 15 && version <= 17 ? 12 : 16;

	if (!(info & XACT_HAS_INFO) || take_u32(r, &parts) != 0 ||
	    !(parts & HAS_TWOPHASE))
		return (-1);
	if (((parts & HAS_DATABASE) && skip(r, 8) != 0) ||
	    ((parts & HAS_SUBXACTS) && skip_array(r, 4) != 0) ||
	    ((parts & HAS_RELATIONS) && skip_array(r, 12) != 0) ||
	    ((parts & HAS_STATS) && skip_array(r, stats) != 0) ||
	    ((parts & HAS_INVALIDATIONS) && skip_array(r, 16) != 0))
		return (-1);
	return (take_u32(r, xid));
}

static void
note_xid(struct wal_summary *s, uint32_t xid)
{
	if (s->xid_first == 0) {
		s->xid_first = xid;
		s->xid_min = xid;
		s->xid_max = xid;
	}
	s->xid_last = xid;
	if (xid < s->xid_min)
		s->xid_min = xid;
	if (xid > s->xid_max)
		s->xid_max = xid;
}

static int
take_time(struct wal_record *r, int64_t *us)
{
	uint64_t v;

	if (take_u64(r, &v) != 0)
		return (-1);
	return (__builtin_add_overflow((int64_t)v, EPOCH_2000_US, us) ? -1 : 0);
}

static void
note_end(struct wal_record *r, uint8_t info, uint32_t xid, int version,
    struct wal_summary *s)
{
	int operation = info & XACT_OPERATION;
	int64_t us;

	if (operation != XACT_COMMIT && operation != XACT_ABORT &&
	    operation != XACT_COMMIT_PREPARED &&
	    operation != XACT_ABORT_PREPARED)
		return;
	if (find_main(r, version) != 0 || take_time(r, &us) != 0)
		return;
	if (s->commits++ == 0) {
		s->first_commit_us = us;
		s->last_commit_us = us;
	}
	if (us < s->first_commit_us)
		s->first_commit_us = us;
	if (us > s->last_commit_us)
		s->last_commit_us = us;
	if ((operation == XACT_COMMIT_PREPARED ||
		operation == XACT_ABORT_PREPARED) &&
	    take_prepared_xid(r, info, version, &xid) != 0)
		return;
	if (xid != 0)
		note_xid(s, xid);
}

static void
note_point(
    struct wal_record *r, uint64_t lsn, int version, struct wal_summary *s)
{
	char name[WAL_POINT_NAME];
	int64_t us;

	if (find_main(r, version) != 0 || take_time(r, &us) != 0 ||
	    wal_record_take(r, name, sizeof(name)) != 0)
		return;
	if (s->n_points < WAL_POINTS) {
		name[sizeof(name) - 1] = '\0';
		memcpy(s->points[s->n_points].name, name, sizeof(name));
		s->points[s->n_points].lsn = lsn;
		s->points[s->n_points].time_us = us;
	}
	s->n_points++;
}

void
wal_record_note(
    struct wal_record *r, uint64_t lsn, int version, struct wal_summary *s)
{
	unsigned char h[WAL_RECORD_HEADER];

	if (wal_record_take(r, h, sizeof(h)) != 0)
		return;
	if (h[17] == RM_XACT)
		note_end(r, h[16], bytes_get_u32(h + 4), version, s);
	else if (h[17] == RM_XLOG && (h[16] & 0xF0) == XLOG_RESTORE_POINT)
		note_point(r, lsn, version, s);
}

bool
wal_record_ends_backup(struct wal_record *r, int version, uint64_t start)
{
	unsigned char h[WAL_RECORD_HEADER];
	uint64_t began;

	return (wal_record_take(r, h, sizeof(h)) == 0 && h[17] == RM_XLOG &&
		(h[16] & 0xF0) == XLOG_BACKUP_END &&
		find_main(r, version) == 0 && take_u64(r, &began) == 0 &&
		began == start);
}
