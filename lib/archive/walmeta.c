#include "walmeta.h"

#include <string.h>

#include "object.h"

/*
 *	u16 version, u16 length of the fixed part (these four bytes included)
 *	fixed part, then the points: u16 length of what follows, u64 lsn,
 *	i64 time, the name
 *
 * and sections: u16 kind, u16 length of what follows. Of kind 1: u16 number of
 * pushes, u16 length of each.
 * Appendable four ways without a new version: the fixed part may grow, a
 * point may grow (its name is counted), so may a push, and sections of other
 * kinds may follow.
 */
#define WALMETA_VERSION 1
#define WALMETA_FIXED_MIN 114
#define WALMETA_FIXED 162 /* with the edges */
#define WALMETA_HAS_WAL 1U
#define WALMETA_SWITCHED 2U
#define WALMETA_HEAD 4U
#define WALMETA_TAIL 8U
#define WALMETA_OVERWRITES 16U
#define WALMETA_OWES 32U
#define WALMETA_SECTION_PUSHES 1
#define WALMETA_YEAR_2200 INT64_C(7258118400000000)

/* All points with the longest names, and all pushes: a segment that is full of
 * both must not fail to be archived for it. */
_Static_assert(WALMETA_FIXED + WAL_POINTS * (2 + 17 + WAL_POINT_NAME) + 4 + 4 +
		       WALMETA_PUSHES * WALMETA_PUSH <=
		   OBJECT_META_MAX,
    "a segment's meta fits into a header");

static uint16_t
walmeta_flags(const struct walmeta *m)
{
	const struct wal_summary *s = &m->summary;
	const struct wal_joint *j = &s->joint;

	return (uint16_t)((m->segment_size != 0 ? WALMETA_HAS_WAL : 0U) |
			  (s->switched ? WALMETA_SWITCHED : 0U) |
			  (j->head ? WALMETA_HEAD : 0U) |
			  (j->tail ? WALMETA_TAIL : 0U) |
			  (j->overwrites ? WALMETA_OVERWRITES : 0U) |
			  (j->owes ? WALMETA_OWES : 0U));
}

static int
walmeta_put_joint(const struct wal_joint *j, struct buf *out, struct fault *f)
{
	int rc;

	(void)((rc = buf_put_u32(out, j->carried, f)) ||
	       (rc = buf_put_u32(out, j->carried_crc, f)) ||
	       (rc = buf_put_u64(out, j->first, f)) ||
	       (rc = buf_put_u64(out, j->first_prev, f)) ||
	       (rc = buf_put_u64(out, j->last, f)) ||
	       (rc = buf_put_u64(out, j->whole, f)) ||
	       (rc = buf_put_u32(out, j->left, f)) ||
	       (rc = buf_put_u32(out, j->owed, f)));
	return rc;
}

static int
walmeta_put_points(
    const struct wal_summary *s, uint32_t n, struct buf *out, struct fault *f)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		size_t len = strnlen(s->points[i].name, WAL_POINT_NAME - 1);

		(void)((rc = buf_put_u16(out, (uint16_t)(17 + len), f)) ||
		       (rc = buf_put_u64(out, s->points[i].lsn, f)) ||
		       (rc = buf_put_u64(
			    out, (uint64_t)s->points[i].time_us, f)) ||
		       (rc = buf_put_u8(out, (uint8_t)len, f)) ||
		       (rc = buf_put(out, s->points[i].name, len, f)));
	}
	return rc;
}

int
walmeta_encode(const struct walmeta *m, struct buf *out, struct fault *f)
{
	const struct wal_summary *s = &m->summary;
	uint32_t n = s->n_points < WAL_POINTS ? s->n_points : WAL_POINTS;
	char version[sizeof(m->version)] = "";
	int rc;

	memcpy(
	    version, m->version, strnlen(m->version, sizeof(m->version) - 1));
	(void)((rc = buf_put_u16(out, WALMETA_VERSION, f)) ||
	       (rc = buf_put_u16(out, WALMETA_FIXED, f)) ||
	       (rc = buf_put_u64(out, m->size, f)) ||
	       (rc = buf_put_u64(out, (uint64_t)m->pushed_us, f)) ||
	       (rc = buf_put(out, version, sizeof(version), f)) ||
	       (rc = buf_put_u16(out, walmeta_flags(m), f)) ||
	       (rc = buf_put_u16(out, m->magic, f)) ||
	       (rc = buf_put_u32(out, m->timeline, f)) ||
	       (rc = buf_put_u64(out, m->address, f)) ||
	       (rc = buf_put_u32(out, m->segment_size, f)) ||
	       (rc = buf_put_u64(out, s->end_lsn, f)) ||
	       (rc = buf_put_u64(out, (uint64_t)s->first_commit_us, f)) ||
	       (rc = buf_put_u64(out, (uint64_t)s->last_commit_us, f)) ||
	       (rc = buf_put_u32(out, s->commits, f)) ||
	       (rc = buf_put_u32(out, s->xid_first, f)) ||
	       (rc = buf_put_u32(out, s->xid_last, f)) ||
	       (rc = buf_put_u32(out, s->xid_min, f)) ||
	       (rc = buf_put_u32(out, s->xid_max, f)) ||
	       (rc = buf_put_u32(out, s->n_points, f)) ||
	       (rc = buf_put_u16(out, (uint16_t)n, f)) ||
	       (rc = walmeta_put_joint(&s->joint, out, f)) ||
	       (rc = walmeta_put_points(s, n, out, f)));
	return rc;
}

void
walmeta_put_push(const struct walmeta_push *p, unsigned char out[WALMETA_PUSH])
{
	bytes_set_u32(out, p->timeline);
	bytes_set_u32(out + 4, p->log);
	bytes_set_u32(out + 8, p->seg);
	bytes_set_u16(out + 12, p->flags);
	out[14] = p->asked;
	out[15] = p->quorum;
	bytes_set_u32(out + 16, p->held);
	bytes_set_u32(out + 20, p->duration_ms);
	bytes_set_u64(out + 24, (uint64_t)p->durable_us);
}

bool
walmeta_take_push(
    const unsigned char in[WALMETA_PUSH], struct walmeta_push *out)
{
	uint64_t us = bytes_get_u64(in + 24);

	/* What is compared as bytes has none that are not set. */
	memset(out, 0, sizeof *out);
	out->timeline = bytes_get_u32(in);
	out->log = bytes_get_u32(in + 4);
	out->seg = bytes_get_u32(in + 8);
	out->flags = bytes_get_u16(in + 12);
	out->asked = in[14];
	out->quorum = in[15];
	out->held = bytes_get_u32(in + 16);
	out->duration_ms = bytes_get_u32(in + 20);
	out->durable_us = (int64_t)us;
	return out->timeline != 0 && out->held != 0 && us != 0 &&
	       us <= (uint64_t)WALMETA_YEAR_2200;
}

int
walmeta_encode_pushes(
    const struct walmeta_push *p, size_t n, struct buf *out, struct fault *f)
{
	unsigned char one[WALMETA_PUSH];
	int rc = 0;

	if (n == 0)
		return 0;
	if (n > WALMETA_PUSHES)
		n = WALMETA_PUSHES;
	(void)((rc = buf_put_u16(out, WALMETA_SECTION_PUSHES, f)) ||
	       (rc = buf_put_u16(out, (uint16_t)(4 + n * WALMETA_PUSH), f)) ||
	       (rc = buf_put_u16(out, (uint16_t)n, f)) ||
	       (rc = buf_put_u16(out, WALMETA_PUSH, f)));
	for (size_t i = 0; rc == 0 && i < n; i++) {
		walmeta_put_push(&p[i], one);
		rc = buf_put(out, one, sizeof one, f);
	}
	return rc;
}

static int
walmeta_i64(struct bytes *b, int64_t *out)
{
	uint64_t v;

	if (bytes_u64(b, &v) != 0)
		return -1;
	*out = (int64_t)v;
	return 0;
}

static int
walmeta_take_fixed(struct bytes *b, struct walmeta *m, uint16_t *n_stored)
{
	struct wal_summary *s = &m->summary;
	uint16_t flags;

	if (bytes_u64(b, &m->size) != 0 || walmeta_i64(b, &m->pushed_us) != 0 ||
	    bytes_copy(b, m->version, sizeof(m->version)) != 0 ||
	    bytes_u16(b, &flags) != 0 || bytes_u16(b, &m->magic) != 0 ||
	    bytes_u32(b, &m->timeline) != 0 || bytes_u64(b, &m->address) != 0 ||
	    bytes_u32(b, &m->segment_size) != 0 ||
	    bytes_u64(b, &s->end_lsn) != 0 ||
	    walmeta_i64(b, &s->first_commit_us) != 0 ||
	    walmeta_i64(b, &s->last_commit_us) != 0 ||
	    bytes_u32(b, &s->commits) != 0 ||
	    bytes_u32(b, &s->xid_first) != 0 ||
	    bytes_u32(b, &s->xid_last) != 0 || bytes_u32(b, &s->xid_min) != 0 ||
	    bytes_u32(b, &s->xid_max) != 0 || bytes_u32(b, &s->n_points) != 0 ||
	    bytes_u16(b, n_stored) != 0)
		return -1;
	m->version[sizeof(m->version) - 1] = '\0';
	s->switched = (flags & WALMETA_SWITCHED) != 0;
	s->joint.head = (flags & WALMETA_HEAD) != 0;
	s->joint.tail = (flags & WALMETA_TAIL) != 0;
	s->joint.overwrites = (flags & WALMETA_OVERWRITES) != 0;
	s->joint.owes = (flags & WALMETA_OWES) != 0;
	if ((flags & WALMETA_HAS_WAL) == 0)
		return m->segment_size == 0 ? 0 : -1;
	return walname_segment_size_ok(m->segment_size) ? 0 : -1;
}

/* What was pushed by an older version tells nothing of its edges. */
static void
walmeta_take_joint(struct bytes *b, struct wal_joint *j)
{
	if (bytes_u32(b, &j->carried) != 0 ||
	    bytes_u32(b, &j->carried_crc) != 0 ||
	    bytes_u64(b, &j->first) != 0 || bytes_u64(b, &j->first_prev) != 0 ||
	    bytes_u64(b, &j->last) != 0 || bytes_u64(b, &j->whole) != 0 ||
	    bytes_u32(b, &j->left) != 0 || bytes_u32(b, &j->owed) != 0)
		*j = (struct wal_joint){.head = false};
}

static int
walmeta_take_point(struct bytes *b, struct wal_summary *s, size_t i)
{
	struct bytes p;
	uint16_t len;
	uint8_t name_len;

	if (bytes_u16(b, &len) != 0 || bytes_sub(b, len, &p) != 0 ||
	    bytes_u64(&p, &s->points[i].lsn) != 0 ||
	    walmeta_i64(&p, &s->points[i].time_us) != 0 ||
	    bytes_u8(&p, &name_len) != 0 || name_len >= WAL_POINT_NAME)
		return -1;
	return bytes_copy(&p, s->points[i].name, name_len);
}

/* What does not fit, or is none, is passed over: it says nothing of this
 * segment. */
static void
walmeta_take_pushes(struct bytes *b, struct walmeta *m)
{
	struct bytes one;
	uint16_t n, len;

	if (bytes_u16(b, &n) != 0 || bytes_u16(b, &len) != 0 ||
	    len < WALMETA_PUSH)
		return;
	while (n-- > 0 && m->n_pushes < WALMETA_PUSHES &&
	       bytes_sub(b, len, &one) == 0)
		m->n_pushes +=
		    walmeta_take_push(one.p, &m->pushes[m->n_pushes]);
}

static void
walmeta_take_sections(struct bytes *b, struct walmeta *m)
{
	struct bytes one;
	uint16_t kind, len;

	while (bytes_u16(b, &kind) == 0 && bytes_u16(b, &len) == 0 &&
	       bytes_sub(b, len, &one) == 0)
		if (kind == WALMETA_SECTION_PUSHES)
			walmeta_take_pushes(&one, m);
}

int
walmeta_decode(const void *p, size_t len, struct walmeta *out, struct fault *f)
{
	struct bytes all = {p, len}, fixed;
	struct walmeta m;
	uint16_t version, fixed_len, n_stored;

	memset(&m, 0, sizeof(m));
	if (bytes_u16(&all, &version) != 0 || bytes_u16(&all, &fixed_len) != 0)
		goto corrupt;
	if (version != WALMETA_VERSION)
		return fault_set(f, FAULT_CORRUPT,
		    "WAL meta of version %u, which this pitrkit does not know",
		    version);
	if (fixed_len < WALMETA_FIXED_MIN ||
	    bytes_sub(&all, fixed_len - 4U, &fixed) != 0 ||
	    walmeta_take_fixed(&fixed, &m, &n_stored) != 0 ||
	    n_stored > WAL_POINTS || n_stored > m.summary.n_points)
		goto corrupt;
	walmeta_take_joint(&fixed, &m.summary.joint);
	for (size_t i = 0; i < n_stored; i++)
		if (walmeta_take_point(&all, &m.summary, i) != 0)
			goto corrupt;
	walmeta_take_sections(&all, &m);
	*out = m;
	return 0;
corrupt:
	return fault_set(f, FAULT_CORRUPT, "malformed WAL meta");
}
