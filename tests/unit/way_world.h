#ifndef WAY_WORLD_H
#define WAY_WORLD_H

/*
 * Archives made to order, in two repositories: heads, histories and sealed
 * metas without segments behind them, as who looks for a way reads no further.
 */

#include "repo_world.h"

#include "catalog.h"
#include "layout.h"
#include "text.h"
#include "waychoice.h"
#include "waypath.h"

#define SEGMENT (16U << 20)
/* Second n of the tests' own day. */
#define AT(n) ((1767225600LL + (n)) * 1000000LL)

static size_t into; /* the repository that things are put into */
/* The segments that another server wrote, as their records tell. */
static uint64_t stray_from, stray_to;

static inline int
setup(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	repo_world_dir("way");
	repo_world_open(
	    "[cluster main]\nrepo = r1\nrepo = r2\nencryption = off\n"
	    "[repo r1]\nurl = file://%s/1\n"
	    "[repo r2]\nurl = file://%s/2\n",
	    dir, dir);
	assert_int_equal(archive_mark_make(repo, 0, &never, &f), 0);
	assert_int_equal(archive_mark_make(repo, 1, &never, &f), 0);
	into = 0;
	stray_from = stray_to = 0;
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	return repo_world_end();
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

/* ---- what is in it ---- */

static inline void
put(const char *key, const struct object_params *p, const char *content)
{
	struct buf b = BUF_INIT(1U << 20);
	struct fault f = FAULT_INIT;
	struct store *s;

	assert_int_equal(
	    object_seal_all(p, content, strlen(content), &b, &f), 0);
	assert_int_equal(repo_store(repo, into, &s, &f), 0);
	assert_int_equal(store_put(s, key, b.data, b.len, &never, &f), 0);
	buf_free(&b);
}

static inline void
put_wal(const char *name, enum object_kind kind, struct walmeta *m,
    const char *content)
{
	struct buf meta = BUF_INIT(OBJECT_META_MAX);
	struct fault f = FAULT_INIT;
	struct object_params p = {
	    .id = {"main", SYSTEM, kind, name}, .codec = CODEC_ZSTD};
	struct walname n;
	char key[LAYOUT_KEY];

	assert_int_equal(walname_parse(name, &n, &f), 0);
	assert_int_equal(layout_wal("main", SYSTEM, name, &n, key, &f), 0);
	assert_int_equal(walmeta_encode(m, &meta, &f), 0);
	p.meta = meta.data;
	p.meta_len = meta.len;
	put(key, &p, content);
	buf_free(&meta);
}

static inline void
put_edges(struct wal_joint *j, uint64_t segno)
{
	uint64_t lsn = walname_lsn(segno, SEGMENT);
	bool stray = segno >= stray_from && segno <= stray_to;

	*j = (struct wal_joint){.head = true,
	    .tail = true,
	    .first = lsn + 40,
	    .first_prev = lsn - (stray ? 72 : 64),
	    .last = lsn + SEGMENT - (stray ? 72 : 64)};
}

/* A segment whose newest commit is at second commit (0: none), and whose xids
 * are 100 * segno up to that plus 99. */
static inline void
segment(uint32_t timeline, uint64_t segno, int64_t commit, const char *point)
{
	struct walmeta m = {
	    .size = SEGMENT,
	    .magic = 0xD110,
	    .timeline = timeline,
	    .segment_size = SEGMENT,
	    .address = walname_lsn(segno, SEGMENT),
	    .version = "test",
	};
	char name[WALNAME_SIZE];

	m.summary.end_lsn = m.address + SEGMENT;
	m.summary.first_commit_us = m.summary.last_commit_us =
	    commit == 0 ? CLOCK_NONE : AT(commit);
	m.summary.xid_min = (uint32_t)segno * 100;
	m.summary.xid_max = m.summary.xid_min + 99;
	m.summary.xid_first = m.summary.xid_min;
	m.summary.xid_last = m.summary.xid_max;
	if (point != NULL) {
		m.summary.n_points = 1;
		snprintf(m.summary.points[0].name, WAL_POINT_NAME, "%s", point);
		m.summary.points[0].lsn = m.address + 4096;
	}
	if (stray_to > 0)
		put_edges(&m.summary.joint, segno);
	walname_format(timeline, segno, SEGMENT, name);
	put_wal(name, OBJECT_WAL, &m, "");
}

static inline void
history(uint32_t timeline, const char *text)
{
	struct walmeta m = {.size = strlen(text), .version = "test"};
	char name[WALNAME_SIZE];

	walname_format_history(timeline, name);
	put_wal(name, OBJECT_HISTORY, &m, text);
}

/* A backup over segment segno alone, ended at second stop. */
static inline void
backup(const char *id, uint32_t timeline, uint64_t segno, int64_t stop)
{
	struct head h = {
	    .type = "full",
	    .source = "stream",
	    .version = "test",
	    .host = "here",
	    .pg_version = 150018,
	    .system_id = SYSTEM,
	    .segment_size = SEGMENT,
	    .timeline = timeline,
	    .stop_timeline = timeline,
	    .start_lsn = walname_lsn(segno, SEGMENT) + 40,
	    .stop_lsn = walname_lsn(segno, SEGMENT) + 8192,
	    .start_us = AT(stop) - 1,
	    .stop_us = AT(stop),
	    .done_us = AT(stop) + 1,
	    .manifest_size = 1,
	};
	struct buf b = BUF_INIT(HEAD_MAX);
	struct fault f = FAULT_INIT;
	struct object_params p = {.codec = CODEC_ZSTD};
	char key[LAYOUT_KEY];
	char name[LAYOUT_KEY];

	snprintf(h.id, sizeof h.id, "%s", id);
	assert_int_equal(head_encode(&h, &b, &f), 0);
	assert_int_equal(buf_terminate(&b, &f), 0);
	assert_int_equal(layout_base("main", SYSTEM, id, "head", key, &f), 0);
	assert_int_equal(layout_base_name(id, "head", name, &f), 0);
	p.id = (struct object_id){"main", SYSTEM, OBJECT_HEAD, name};
	put(key, &p, (const char *)b.data);
	buf_free(&b);
}

#define A "20260101T000000Z-full-0000000a"
#define B "20260102T000000Z-full-0000000b"
#define C "20260103T000000Z-full-0000000c"

/* Backup A on segment 10, B on 20; commits at second 100 * segno; a named
 * point in 15. */
static inline void
plain_archive(uint64_t from, uint64_t to)
{
	uint64_t k;

	backup(A, 1, 10, 1000);
	backup(B, 1, 20, 2000);
	for (k = from; k <= to; k++)
		segment(1, k, (int64_t)k * 100 + 50, k == 15 ? "here" : NULL);
}

/* Forked off timeline 1 in segment 25. */
#define FORK "1\t0/19000100\tno recovery target specified\n"

/* ---- where one wants to go ---- */

#define GOAL(...) (&(const struct waypath_goal){__VA_ARGS__})
#define LATEST GOAL(.target = WAYPATH_LATEST)
#define IMMEDIATE GOAL(.target = WAYPATH_IMMEDIATE)
#define TIME(n) GOAL(.target = WAYPATH_TIME, .time_us = AT(n))
#define LSN(segno, offset)                                                     \
	GOAL(.target = WAYPATH_LSN,                                            \
	    .lsn = walname_lsn(segno, SEGMENT) + (offset))
#define XID(n) GOAL(.target = WAYPATH_XID, .xid = (n))
#define NAME(s) GOAL(.target = WAYPATH_NAME, .name = (s))

static inline int
find(const char *id, const struct waypath_goal *g, struct waypath *w,
    struct fault *f)
{
	struct head h;
	size_t i = 0;
	int rc;

	fault_clear(f);
	assert_int_equal(catalog_find(repo, &i, id, &h, &never, f), 0);
	rc = waypath_find(repo, &h, g, w, &never, f);
	head_free(&h);
	return rc;
}

/* There is a way, it follows that timeline, and this is its last segment.
 * Returns how many segments there are on it. */
static inline uint64_t
ends(const char *id, const struct waypath_goal *g, uint32_t timeline,
    uint64_t last)
{
	struct fault f = FAULT_INIT;
	char name[WALNAME_SIZE];
	struct waypath w;

	if (find(id, g, &w, &f) != 0)
		fail_msg("%s", f.text);
	walname_format(timeline, last, SEGMENT, name);
	assert_string_equal(w.last_name, name);
	assert_int_equal(w.last_segno, last);
	assert_int_equal(w.timeline, timeline);
	waypath_free(&w);
	return w.segments;
}

/* There is none, and the line says that. */
static inline void
fails(const char *id, const struct waypath_goal *g, enum fault_code code,
    const char *told)
{
	struct fault f = FAULT_INIT;
	struct waypath w;

	assert_int_equal(find(id, g, &w, &f), code);
	if (strstr(f.text, told) == NULL)
		fail_msg("%s: nothing of %s", f.text, told);
}

#endif
