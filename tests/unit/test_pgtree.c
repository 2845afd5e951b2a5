#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pgtree.h"

/* A data directory of our own, and the names that the walk tells of it. */

static char root[64], space[80];
static char names[64 << 10];  /* "\nD base\nF base/5/1\n…" */
static const char *vanishing; /* removed when it is told of this folder */

static void
note(const char *what, const char *path)
{
	size_t n = strlen(names);

	snprintf(names + n, sizeof names - n, "%s %s\n", what, path);
}

static bool
told(const char *what, const char *path)
{
	char line[600];

	snprintf(line, sizeof line, "\n%s %s\n", what, path);
	return strstr(names, line) != NULL;
}

static int
on_folder(void *ctx, const char *path, uint32_t mode, int64_t mtime_us,
    struct fault *f)
{
	char full[300];

	(void)ctx;
	(void)f;
	assert_int_equal(mode, 0700);
	assert_true(mtime_us > 0);
	note("D", path);
	if (vanishing != NULL && strcmp(path, "base/6") == 0) {
		snprintf(full, sizeof full, "%s/%s", root, vanishing);
		assert_int_equal(unlink(full), 0);
	}
	return 0;
}

static int
on_file(void *ctx, const struct pgtree_file *t, struct fault *f)
{
	char b[8];

	(void)ctx;
	(void)f;
	note(t->relation ? "R" : "F", t->path);
	if (t->fd >= 0) {
		assert_true(t->size == (uint64_t)read(t->fd, b, sizeof b));
		(void)close(t->fd);
	}
	if (strncmp(t->path, "pg_tblspc/16500/", 16) == 0)
		assert_int_equal(t->space, 16500);
	else
		assert_int_equal(t->space, 0);
	if (strcmp(t->path, "base/5/16384.2") == 0)
		assert_int_equal(t->segment, 2);
	return 0;
}

static int
on_space(void *ctx, uint32_t oid, const char *path, struct fault *f)
{
	(void)ctx;
	(void)f;
	assert_int_equal(oid, 16500);
	note("S", path);
	return 0;
}

static void
on_left_out(void *ctx, const char *path, const char *why)
{
	(void)ctx;
	assert_non_null(why);
	note("X", path);
}

static void
folder(const char *path)
{
	char full[300];

	snprintf(full, sizeof full, "%s/%s", root, path);
	assert_int_equal(mkdir(full, 0700), 0);
}

static void
file(const char *path)
{
	char full[300];
	int fd;

	snprintf(full, sizeof full, "%s/%s", root, path);
	fd = open(full, O_CREAT | O_EXCL | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "abc", 3), 3);
	(void)close(fd);
}

static void
link_to(const char *target, const char *path)
{
	char full[300];

	snprintf(full, sizeof full, "%s/%s", root, path);
	assert_int_equal(symlink(target, full), 0);
}

static int
setup(void **state)
{
	static const char *const folders[] = {"d", "d/base", "d/base/5",
	    "d/base/6", "d/global", "d/pg_tblspc", "d/pg_wal",
	    "d/pg_wal/archive_status", "d/pg_wal/summaries", "d/pg_replslot",
	    "d/pg_replslot/one", "d/pg_snapshots", "d/pg_xact", "s",
	    "s/PG_15_202209061", "s/PG_15_202209061/5", "s/PG_14_202107181",
	    NULL};

	(void)state;
	snprintf(root, sizeof root, "/tmp/test_pgtree.XXXXXX");
	assert_non_null(mkdtemp(root));
	for (const char *const *p = folders; *p != NULL; p++)
		folder(*p);
	snprintf(space, sizeof space, "%s/s", root);
	link_to(space, "d/pg_tblspc/16500");
	snprintf(root + strlen(root), sizeof root - strlen(root), "/d");
	strcpy(names, "\n");
	vanishing = NULL;
	return 0;
}

static int
drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	(void)state;
	root[strlen(root) - 2] = '\0';
	return nftw(root, drop, 16, FTW_DEPTH | FTW_PHYS);
}

static int
walk(bool sizes_only, struct fault *f)
{
	static const struct pgtree_events ev = {
	    on_folder, on_file, on_space, on_left_out};
	const struct pgtree_params p = {
	    .root = root,
	    .major = 15,
	    .catalog_version = 202209061,
	    .sizes_only = sizes_only,
	};

	return pgtree_walk(&p, &ev, NULL, f);
}

static void
what_belongs_to_a_backup_is_told(void **state)
{
	static const char *const wanted[] = {"PG_VERSION", "postgresql.conf",
	    "postgresql.auto.conf", "base/5/PG_VERSION", "base/5/notes.txt",
	    "base/5/pg_filenode.map", "pg_xact/0000", "current_logfiles",
	    "pg_xact/backup_label", NULL};
	static const char *const relations[] = {"base/5/16384",
	    "base/5/16384.2", "base/5/16384_fsm", "base/5/16390_init",
	    "global/1262", NULL};
	struct fault f = FAULT_INIT;

	(void)state;
	for (const char *const *p = wanted; *p != NULL; p++)
		file(*p);
	for (const char *const *p = relations; *p != NULL; p++)
		file(*p);
	file("pg_tblspc/16500/PG_15_202209061/5/16400");
	assert_int_equal(walk(false, &f), 0);
	for (const char *const *p = wanted; *p != NULL; p++)
		assert_true(told("F", *p));
	for (const char *const *p = relations; *p != NULL; p++)
		assert_true(told("R", *p));
	assert_true(told("R", "pg_tblspc/16500/PG_15_202209061/5/16400"));
	assert_true(told("S", space));
	assert_true(told("D", "pg_tblspc"));
	assert_true(told("D", "pg_tblspc/16500/PG_15_202209061"));
	assert_false(told("D", "pg_tblspc/16500"));
	/* a folder comes before what is in it */
	assert_true(
	    strstr(names, "D base/5\n") < strstr(names, "R base/5/16384\n"));
	strcpy(names, "\n");
	assert_int_equal(walk(true, &f), 0);
	assert_true(told("R", "base/5/16384.2"));
}

static void
what_does_not_is_not(void **state)
{
	static const char *const out[] = {"backup_label", "backup_label.old",
	    "tablespace_map", "tablespace_map.old", "backup_manifest",
	    "postmaster.pid", "postmaster.opts", "recovery.signal",
	    "standby.signal", "postgresql.auto.conf.tmp",
	    "current_logfiles.tmp", "global/pg_control",
	    "global/pg_internal.init", "base/5/pg_internal.init.4711",
	    "base/5/t3_16384", "base/5/t3_16384_fsm", "pgsql_tmp_x",
	    "base/5/pgsql_tmp4711.0", "pg_wal/000000010000000000000001",
	    "pg_wal/archive_status/000000010000000000000001.done",
	    "pg_replslot/one/state", "pg_snapshots/00000003-00000002-1",
	    "pg_tblspc/16500/somebody_elses",
	    "pg_tblspc/16500/PG_14_202107181/1",
	    /* an unlogged relation */
	    "base/5/16390", "base/5/16390.1", "base/5/16390_fsm", NULL};
	struct fault f = FAULT_INIT;

	(void)state;
	folder("base/pgsql_tmp");
	file("base/pgsql_tmp/pgsql_tmp4711.0");
	file("base/5/16390_init");
	for (const char *const *p = out; *p != NULL; p++)
		file(*p);
	assert_int_equal(walk(false, &f), 0);
	for (const char *const *p = out; *p != NULL; p++) {
		assert_false(told("F", *p));
		assert_false(told("R", *p));
	}
	assert_true(told("R", "base/5/16390_init"));
	assert_true(told("D", "pg_replslot"));
	assert_false(told("D", "pg_replslot/one"));
	assert_true(told("D", "pg_wal/archive_status"));
	assert_true(told("D", "pg_wal/summaries"));
	assert_false(told("D", "base/pgsql_tmp"));
	assert_false(told("D", "pg_tblspc/16500/PG_14_202107181"));
}

static void
links_count_as_what_they_lead_to(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	folder("../conf");
	file("../conf/in_it");
	file("../server.crt");
	link_to("../server.crt", "server.crt");
	link_to("../conf", "conf.d");
	link_to("nowhere", "dangling");
	link_to("self", "self");
	link_to("..", "base/up");
	assert_int_equal(mkfifo(strcat(strcpy(space, root), "/pipe"), 0600), 0);
	assert_int_equal(walk(false, &f), 0);
	assert_true(told("F", "server.crt"));
	assert_true(told("D", "conf.d"));
	assert_true(told("F", "conf.d/in_it"));
	assert_true(told("X", "dangling"));
	assert_true(told("X", "self"));
	assert_true(told("X", "base/up"));
	assert_true(told("X", "pipe"));
	assert_false(told("F", "pipe"));
}

static void
pg_wal_may_be_a_link(void **state)
{
	struct fault f = FAULT_INIT;
	char full[300], other[300];

	(void)state;
	snprintf(full, sizeof full, "%s/pg_wal", root);
	snprintf(other, sizeof other, "%s/../wal", root);
	assert_int_equal(rename(full, other), 0);
	link_to("../wal", "pg_wal");
	file("pg_wal/000000010000000000000001");
	assert_int_equal(walk(false, &f), 0);
	assert_true(told("D", "pg_wal"));
	assert_true(told("D", "pg_wal/archive_status"));
	assert_false(told("F", "pg_wal/000000010000000000000001"));
}

static void
what_vanishes_is_passed_over(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	file("base/6/1");
	file("base/6/2");
	vanishing = "base/6/1";
	assert_int_equal(walk(false, &f), 0);
	assert_false(told("R", "base/6/1"));
	assert_true(told("R", "base/6/2"));
}

static void
a_tablespace_in_place_is_part_of_the_data_directory(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	folder("pg_tblspc/16600");
	folder("pg_tblspc/16600/PG_15_202209061");
	folder("pg_tblspc/16600/PG_15_202209061/5");
	file("pg_tblspc/16600/PG_15_202209061/5/16400");
	folder("pg_tblspc/16600/PG_14_202107181");
	assert_int_equal(walk(false, &f), 0);
	assert_true(told("D", "pg_tblspc/16600"));
	assert_true(told("R", "pg_tblspc/16600/PG_15_202209061/5/16400"));
	assert_false(told("D", "pg_tblspc/16600/PG_14_202107181"));
}

static void
too_deep_and_too_long_are_told(void **state)
{
	char path[300] = "pg_xact";
	struct fault f = FAULT_INIT;

	(void)state;
	for (int i = 0; i < PGTREE_DEPTH; i++) {
		strcat(path, "/d");
		folder(path);
	}
	assert_int_equal(walk(false, &f), FAULT_CONFIG);
	assert_non_null(strstr(f.text, "deep"));
}

static void
a_root_that_is_not_there_is_told(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	root[strlen(root) - 1] = 'x';
	assert_int_equal(walk(false, &f), FAULT_SYSTEM);
}

#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(what_belongs_to_a_backup_is_told),
	    T(what_does_not_is_not),
	    T(links_count_as_what_they_lead_to),
	    T(pg_wal_may_be_a_link),
	    T(what_vanishes_is_passed_over),
	    T(a_tablespace_in_place_is_part_of_the_data_directory),
	    T(too_deep_and_too_long_are_told),
	    T(a_root_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests_name("pgtree", tests, NULL, NULL);
}
