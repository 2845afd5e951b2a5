/*
 * The way from a backup to a target, over archives made to order: sealed metas
 * without segments behind them, as nothing here reads further.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog.h"
#include "layout.h"
#include "repo.h"
#include "text.h"
#include "waychoice.h"
#include "waypath.h"

#define SYSTEM 7312345678901234567ULL
#define SEGMENT (16U << 20)
/* Second n of the tests' own day. */
#define AT(n) ((1767225600LL + (n)) * 1000000LL)

static char dir[64];
static struct conf *conf;
static struct repo *repo;
static struct deadline never;
static size_t into; /* the repository that things are put into */
/* The segments that another server wrote, as their records tell. */
static uint64_t stray_from, stray_to;

static int
setup(void **state)
{
	char text[512];
	const struct conf_cluster *c;
	struct fault f = FAULT_INIT;

	(void)state;
	never = deadline_never();
	strcpy(dir, "/tmp/test-waypath.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(text, sizeof text,
	    "[cluster main]\nrepo = r1\nrepo = r2\nencryption = off\n"
	    "[repo r1]\nurl = file://%s/1\n"
	    "[repo r2]\nurl = file://%s/2\n",
	    dir, dir);
	assert_int_equal(conf_parse(&conf, "test", text, strlen(text), &f), 0);
	assert_int_equal(conf_cluster(conf, NULL, &c, &f), 0);
	assert_int_equal(repo_open(&repo, c, SYSTEM, &f), 0);
	assert_int_equal(archive_mark_make(repo, 0, &never, &f), 0);
	assert_int_equal(archive_mark_make(repo, 1, &never, &f), 0);
	into = 0;
	stray_from = stray_to = 0;
	return 0;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	repo_free(repo);
	conf_free(conf);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

static void
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

static void
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

static void
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
static void
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

static void
history(uint32_t timeline, const char *text)
{
	struct walmeta m = {.size = strlen(text), .version = "test"};
	char name[WALNAME_SIZE];

	walname_format_history(timeline, name);
	put_wal(name, OBJECT_HISTORY, &m, text);
}

/* A backup over segment segno alone, ended at second stop. */
static void
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

/* Backup A on segment 10, B on 20; commits at second 100 * segno; a named
 * point in 15. */
static void
plain_archive(uint64_t from, uint64_t to)
{
	uint64_t k;

	backup(A, 1, 10, 1000);
	backup(B, 1, 20, 2000);
	for (k = from; k <= to; k++)
		segment(1, k, (int64_t)k * 100 + 50, k == 15 ? "here" : NULL);
}

static int
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

/* There is a way, and that is its last segment. */
static void
ends(const char *id, const struct waypath_goal *g, uint64_t last)
{
	struct fault f = FAULT_INIT;
	struct waypath w;

	assert_int_equal(find(id, g, &w, &f), 0);
	assert_int_equal(w.last_segno, last);
	waypath_free(&w);
}

static const char *
pick(const struct waypath_goal *g, uint32_t *timeline, struct fault *f)
{
	static char id[LAYOUT_ID];
	const struct catalog_backup *h;
	struct catalog c;
	int rc;

	fault_clear(f);
	assert_int_equal(catalog_read(repo, &c, &never, f), 0);
	rc = waychoice_pick(repo, &c, g, &h, timeline, &never, f);
	snprintf(id, sizeof id, "%s", rc == 0 ? h->head.id : "");
	catalog_free(&c);
	return id;
}

static void
latest_goes_to_the_first_absent_segment(void **state)
{
	struct waypath_goal g = {.target = WAYPATH_LATEST};
	struct fault f = FAULT_INIT;
	struct waypath w;

	(void)state;
	plain_archive(10, 30);
	assert_int_equal(find(A, &g, &w, &f), 0);
	assert_int_equal(w.last_segno, 30);
	assert_int_equal(w.segments, 21);
	assert_true(w.target_seen);
	waypath_free(&w);
}

static void
a_hole_is_never_an_end(void **state)
{
	struct waypath_goal g = {.target = WAYPATH_LATEST};
	struct fault f = FAULT_INIT;
	struct waypath w;

	(void)state;
	plain_archive(10, 24);
	segment(1, 26, 0, NULL);
	assert_int_equal(find(A, &g, &w, &f), FAULT_ABSENT);
	assert_non_null(strstr(f.text, "000000010000000000000019"));
	/* but a target before it is reached */
	g.target = WAYPATH_TIME;
	g.time_us = AT(1800);
	ends(A, &g, 18);
	/* and one behind it is not, with the hole named */
	g.time_us = AT(2600);
	assert_int_equal(find(A, &g, &w, &f), FAULT_ABSENT);
}

static void
wal_of_another_server_is_never_a_way(void **state)
{
	struct waypath_goal g = {.target = WAYPATH_LATEST};
	struct fault f = FAULT_INIT;
	struct waypath w;

	(void)state;
	stray_from = 15;
	stray_to = 22;
	plain_archive(10, 30);
	assert_int_equal(find(A, &g, &w, &f), FAULT_ABSENT);
	assert_non_null(
	    strstr(f.text, "00000001000000000000000F does not go on where "
			   "00000001000000000000000E ends, as if"));
	/* The backup behind it, and where its server's WAL ends. */
	assert_int_equal(find(B, &g, &w, &f), FAULT_ABSENT);
	assert_non_null(strstr(f.text, "000000010000000000000017 does not"));
	g.target = WAYPATH_TIME;
	g.time_us = AT(1400);
	ends(A, &g, 14);
	g.time_us = AT(2200);
	ends(B, &g, 22);
	g.time_us = AT(1500);
	assert_int_equal(find(A, &g, &w, &f), FAULT_ABSENT);
}

static void
a_time_needs_a_later_commit(void **state)
{
	struct waypath_goal g = {.target = WAYPATH_TIME};
	struct fault f = FAULT_INIT;
	struct waypath w;

	(void)state;
	plain_archive(10, 30);
	/* At the commit itself: inclusive needs the next, exclusive not. */
	g.time_us = AT(1550);
	ends(A, &g, 16);
	g.exclusive = true;
	ends(A, &g, 15);
	/* After the newest commit PostgreSQL would end with an error. */
	g.exclusive = false;
	g.time_us = AT(3050);
	assert_int_equal(find(A, &g, &w, &f), FAULT_CONFIG);
	/* Before the backup's end there is no consistent state. */
	g.time_us = AT(999);
	assert_int_equal(find(A, &g, &w, &f), FAULT_CONFIG);
}

static void
an_lsn_needs_the_record_after_it(void **state)
{
	struct waypath_goal g = {.target = WAYPATH_LSN};
	struct fault f = FAULT_INIT;
	struct waypath w;

	(void)state;
	plain_archive(10, 30);
	g.lsn = walname_lsn(14, SEGMENT) + 100;
	ends(A, &g, 15);
	g.lsn = walname_lsn(30, SEGMENT) + 100;
	ends(A, &g, 30);
	g.lsn = walname_lsn(31, SEGMENT) + 100;
	assert_int_equal(find(A, &g, &w, &f), FAULT_CONFIG);
}

static void
immediate_needs_the_backups_own_wal_only(void **state)
{
	struct waypath_goal g = {.target = WAYPATH_IMMEDIATE};
	struct fault f = FAULT_INIT;
	struct waypath w;

	(void)state;
	plain_archive(11, 30);
	assert_int_equal(find(A, &g, &w, &f), FAULT_ABSENT);
	assert_int_equal(find(B, &g, &w, &f), 0);
	assert_int_equal(w.segments, 1);
	waypath_free(&w);
}

static void
the_newest_backup_before_the_target_is_chosen(void **state)
{
	struct waypath_goal g = {.target = WAYPATH_TIME};
	struct fault f = FAULT_INIT;
	uint32_t t;

	(void)state;
	plain_archive(10, 30);
	g.time_us = AT(1999);
	assert_string_equal(pick(&g, &t, &f), A);
	g.time_us = AT(2000);
	assert_string_equal(pick(&g, &t, &f), B);
	g.time_us = AT(999);
	assert_string_equal(pick(&g, &t, &f), "");
	assert_int_equal(f.code, FAULT_CONFIG);
	g = (struct waypath_goal){.target = WAYPATH_NAME, .name = "here"};
	assert_string_equal(pick(&g, &t, &f), A);
	g.name = "nowhere";
	assert_string_equal(pick(&g, &t, &f), "");
	g = (struct waypath_goal){.target = WAYPATH_XID, .xid = 1550};
	assert_string_equal(pick(&g, &t, &f), A);
	g.xid = 2550;
	assert_string_equal(pick(&g, &t, &f), B);
	g = (struct waypath_goal){.target = WAYPATH_LATEST};
	assert_string_equal(pick(&g, &t, &f), B);
	assert_int_equal(t, 1);
}

/* Tiers leave a backup alone with the WAL of its own range. */
static void
targets_behind_what_pruning_let_go_are_found(void **state)
{
	struct waypath_goal g = {.target = WAYPATH_NAME, .name = "there"};
	struct fault f = FAULT_INIT;
	struct catalog c;
	struct waypath w;
	uint32_t t;

	(void)state;
	backup(A, 1, 10, 1000);
	backup(B, 1, 20, 2000);
	segment(1, 10, 1050, NULL);
	for (uint64_t k = 20; k <= 26; k++)
		segment(1, k, (int64_t)k * 100 + 50, k == 25 ? "there" : NULL);
	assert_string_equal(pick(&g, &t, &f), B);
	g.name = "nowhere";
	assert_string_equal(pick(&g, &t, &f), "");
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_non_null(strstr(f.text, "00000001000000000000000B"));
	g = (struct waypath_goal){.target = WAYPATH_XID, .xid = 2550};
	assert_string_equal(pick(&g, &t, &f), B);
	/* A time that went: what is on both sides of it is told. */
	g = (struct waypath_goal){.target = WAYPATH_TIME, .time_us = AT(1500)};
	assert_string_equal(pick(&g, &t, &f), A);
	assert_int_equal(find(A, &g, &w, &f), FAULT_ABSENT);
	assert_non_null(strstr(f.text, "from backup " A));
	assert_null(strstr(f.text, B));
	assert_int_equal(catalog_read(repo, &c, &never, &f), 0);
	waychoice_add_next(repo, &c, &g, &never, &f);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_non_null(strstr(f.text, "the end of backup " B));
	catalog_free(&c);
	/* A gap that no backup stands behind is a loss. */
	segment(1, 28, 2850, NULL);
	g = (struct waypath_goal){.target = WAYPATH_XID, .xid = 2850};
	assert_string_equal(pick(&g, &t, &f), "");
	assert_int_equal(f.code, FAULT_ABSENT);
}

/* Forked off timeline 1 in segment 25. */
#define FORK "1\t0/19000100\tno recovery target specified\n"

static void
a_new_timeline_is_followed_once_its_first_segment_is_there(void **state)
{
	struct waypath_goal g = {.target = WAYPATH_LATEST};
	struct fault f = FAULT_INIT;
	struct waypath w;
	uint32_t t;

	(void)state;
	plain_archive(10, 26);
	history(2, FORK);
	/* The incident: with only the history file there, "latest" leads
	 * PostgreSQL to replay timeline 1's segment 25 beyond the fork. */
	assert_string_equal(pick(&g, &t, &f), B);
	assert_int_equal(t, 1);
	assert_int_equal(find(A, &g, &w, &f), 0);
	assert_int_equal(w.timeline, 1);
	waypath_free(&w);

	segment(2, 25, 2580, NULL);
	segment(2, 26, 2650, NULL);
	assert_string_equal(pick(&g, &t, &f), B);
	assert_int_equal(t, 2);
	assert_int_equal(find(A, &g, &w, &f), 0);
	assert_int_equal(w.timeline, 2);
	assert_string_equal(w.last_name, "00000002000000000000001A");
	waypath_free(&w);
	/* The old one to its end, when asked for. */
	g.timeline = 1;
	assert_int_equal(find(A, &g, &w, &f), 0);
	assert_string_equal(w.last_name, "00000001000000000000001A");
	waypath_free(&w);
}

/* The same incident, asked for: to name the timeline makes it no less wrong. */
static void
a_timeline_that_was_asked_for_must_have_begun(void **state)
{
	struct waypath_goal g = {.target = WAYPATH_LATEST, .timeline = 2};
	struct fault f = FAULT_INIT;
	struct waypath w;

	(void)state;
	plain_archive(10, 26);
	history(2, FORK);
	assert_int_equal(find(A, &g, &w, &f), FAULT_ABSENT);
	g.target = WAYPATH_IMMEDIATE; /* is reached before the fork */
	assert_int_equal(find(A, &g, &w, &f), 0);
	waypath_free(&w);
	segment(2, 25, 2580, NULL);
	g.target = WAYPATH_LATEST;
	assert_int_equal(find(A, &g, &w, &f), 0);
	assert_string_equal(w.last_name, "000000020000000000000019");
	waypath_free(&w);
}

static void
a_backup_beyond_the_fork_leads_nowhere_else(void **state)
{
	struct waypath_goal g = {.target = WAYPATH_LATEST};
	struct fault f = FAULT_INIT;
	struct waypath w;
	uint32_t t;

	(void)state;
	plain_archive(10, 26);
	backup("20260103T000000Z-full-0000000c", 1, 26, 2600);
	history(2, FORK);
	segment(2, 25, 2580, NULL);
	/* The newest timeline cannot be reached from the newest backup. */
	assert_string_equal(pick(&g, &t, &f), B);
	assert_int_equal(t, 2);
	g.timeline = 2;
	assert_int_equal(
	    find("20260103T000000Z-full-0000000c", &g, &w, &f), FAULT_CONFIG);
	g.timeline = 3;
	assert_int_equal(find(A, &g, &w, &f), FAULT_ABSENT);
}

/* In the first repository, an object of a backup that did not put it. */
static void
put_of(const char *id, const char *what, const char *text)
{
	struct fault f = FAULT_INIT;
	char key[LAYOUT_KEY];
	struct store *s;

	assert_int_equal(layout_base("main", SYSTEM, id, what, key, &f), 0);
	assert_int_equal(repo_store(repo, 0, &s, &f), 0);
	assert_int_equal(store_put(s, key, text, strlen(text), &never, &f), 0);
}

static void
an_unfinished_backup_is_counted_not_listed(void **state)
{
	struct fault f = FAULT_INIT;
	struct catalog c;

	(void)state;
	backup(A, 1, 10, 1000);
	put_of(B, "pack/00000001", "x");
	assert_int_equal(catalog_read(repo, &c, &never, &f), 0);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.unfinished, 1);
	catalog_free(&c);
}

static void
an_unreadable_head_stops_the_choice(void **state)
{
	struct fault f = FAULT_INIT;
	struct catalog c;

	(void)state;
	backup(A, 1, 10, 1000);
	put_of(B, "head", "PITRKIT\nnot");
	assert_int_equal(catalog_read(repo, &c, &never, &f), FAULT_CORRUPT);
}

/* ---- several repositories ---- */

/* What pushing and copying leave behind when a repository was away for a time:
 * each has a part, and together they are the archive. */
static void
wal_may_lie_in_any_repository(void **state)
{
	struct waypath_goal g = {.target = WAYPATH_LATEST};
	struct fault f = FAULT_INIT;
	struct waypath w;
	uint64_t k;

	(void)state;
	backup(A, 1, 10, 1000);
	for (k = 10; k <= 30; k++) {
		into = k % 3 == 0 || k > 25;
		segment(1, k, (int64_t)k * 100 + 50, NULL);
	}
	assert_int_equal(find(A, &g, &w, &f), 0);
	assert_int_equal(w.last_segno, 30);
	assert_int_equal(w.segments, 21);
	waypath_free(&w);
	/* What none has is a hole, wherever the next one lies. */
	for (into = 0; into < 2; into++) {
		segment(1, 32 + into, 0, NULL);
		assert_int_equal(find(A, &g, &w, &f), FAULT_ABSENT);
		assert_non_null(strstr(f.text, "00000001000000000000001F"));
		assert_non_null(strstr(f.text, "000000010000000000000020"));
	}
}

static void
the_newest_of_all_repositories_is_taken(void **state)
{
	struct waypath_goal g = {.target = WAYPATH_LATEST};
	struct fault f = FAULT_INIT;
	struct catalog c;
	struct waypath w;
	uint32_t t;

	(void)state;
	plain_archive(10, 26);
	into = 1;
	backup("20260103T000000Z-full-0000000c", 1, 22, 2200);
	assert_string_equal(pick(&g, &t, &f), "20260103T000000Z-full-0000000c");
	history(2, FORK);
	segment(2, 25, 2580, NULL);
	assert_int_equal(find(B, &g, &w, &f), 0);
	assert_int_equal(w.timeline, 2);
	assert_string_equal(w.last_name, "000000020000000000000019");
	waypath_free(&w);
	into = 0; /* the next one, where timeline 2 was not seen before */
	segment(2, 26, 2680, NULL);
	assert_int_equal(find(B, &g, &w, &f), 0);
	assert_string_equal(w.last_name, "00000002000000000000001A");
	waypath_free(&w);
	assert_int_equal(catalog_read(repo, &c, &never, &f), 0);
	assert_int_equal(c.n, 3);
	assert_int_equal(c.backups[1].repo, 0);
	assert_int_equal(c.backups[2].repo, 1);
	catalog_free(&c);
}

static void
a_backup_in_two_repositories_is_one(void **state)
{
	struct fault f = FAULT_INIT;
	struct catalog c;
	struct head h;
	size_t i = 0;

	(void)state;
	for (into = 0; into < 2; into++)
		backup(A, 1, 10, 1000);
	assert_int_equal(catalog_read(repo, &c, &never, &f), 0);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.backups[0].repo, 0);
	catalog_free(&c);
	/* Damaged in one, whole in the other. */
	into = 1;
	backup(B, 1, 20, 2000);
	put_of(B, "head", "PITRKIT\nnot");
	assert_int_equal(catalog_read(repo, &c, &never, &f), 0);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.backups[1].repo, 1);
	catalog_free(&c);
	assert_int_equal(catalog_find(repo, &i, B, &h, &never, &f), 0);
	assert_int_equal(i, 1);
	head_free(&h);
	/* Begun in the first, finished in the second. */
	put_of("20260103T000000Z-full-0000000c", "pack/00000001", "x");
	backup("20260103T000000Z-full-0000000c", 1, 22, 2200);
	assert_int_equal(catalog_read(repo, &c, &never, &f), 0);
	assert_int_equal(c.n, 3);
	assert_int_equal(c.unfinished, 0);
	catalog_free(&c);
}

static void
hundreds_of_heads_come_in_order(void **state)
{
	struct fault f = FAULT_INIT;
	struct catalog c;
	char id[LAYOUT_ID];
	unsigned k;

	(void)state;
	for (k = 0; k < 300; k++) {
		snprintf(id, sizeof id, "20260101T%06uZ-full-%08x", k,
		    (k * 7919) & 0xffff);
		into = k & 1;
		backup(id, 1, 10, 1000 + (k * 37) % 300);
	}
	assert_int_equal(catalog_read(repo, &c, &never, &f), 0);
	assert_int_equal(c.n, 300);
	for (k = 1; k < c.n; k++)
		assert_true(
		    c.backups[k - 1].head.stop_us < c.backups[k].head.stop_us);
	catalog_free(&c);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(latest_goes_to_the_first_absent_segment),
	    TEST(a_hole_is_never_an_end),
	    TEST(wal_of_another_server_is_never_a_way),
	    TEST(a_time_needs_a_later_commit),
	    TEST(an_lsn_needs_the_record_after_it),
	    TEST(immediate_needs_the_backups_own_wal_only),
	    TEST(the_newest_backup_before_the_target_is_chosen),
	    TEST(targets_behind_what_pruning_let_go_are_found),
	    TEST(a_new_timeline_is_followed_once_its_first_segment_is_there),
	    TEST(a_timeline_that_was_asked_for_must_have_begun),
	    TEST(a_backup_beyond_the_fork_leads_nowhere_else),
	    TEST(an_unfinished_backup_is_counted_not_listed),
	    TEST(an_unreadable_head_stops_the_choice),
	    TEST(wal_may_lie_in_any_repository),
	    TEST(the_newest_of_all_repositories_is_taken),
	    TEST(a_backup_in_two_repositories_is_one),
	    TEST(hundreds_of_heads_come_in_order),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
