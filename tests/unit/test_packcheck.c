/* Every pack that a manifest names is there and whole, or the backup is not. */
#include "repo_world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "layout.h"
#include "packcheck.h"

#define A "20260101T000000Z-full-0000000a"
#define SIZE 4096

static struct fault bf = FAULT_INIT;
static struct buf sealed;
static struct object_sealer *sealer;
static struct manifest_writer *writer;
static struct head head;
static unsigned told;
static char first[LAYOUT_KEY];
static uint64_t first_size;

static int
setup(void **state)
{
	const struct object_params params = {
	    .id = {"main", SYSTEM, OBJECT_MANIFEST, A "/manifest"},
	    .codec = CODEC_ZSTD};

	(void)state;
	repo_world_dir("packcheck");
	repo_world_open(ONE_REPO, dir);
	buf_init(&sealed, 64U << 20);
	assert_int_equal(
	    object_seal_begin(&sealer, &params, buf_sink, &sealed, &bf), 0);
	assert_int_equal(manifest_writer_new(&writer, sealer, &bf), 0);
	memset(&head, 0, sizeof head);
	strcpy(head.id, A);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	manifest_writer_free(writer);
	object_seal_free(sealer);
	buf_free(&sealed);
	return repo_world_end();
}

/* A pack in the manifest, of one file. */
static void
named_with(const char *id, uint32_t number, uint64_t size, const char *path)
{
	struct manifest_piece piece = {
	    .path = path, .mode = 0600, .length = 1, .file_size = 1};
	struct manifest_extent extent = {
	    .where = {1024, 100, 0, 1}, .pieces = &piece, .n_pieces = 1};
	struct manifest_pack p = {
	    .size = size, .extents = &extent, .n_extents = 1};
	char name[LAYOUT_KEY];
	char what[16];

	layout_pack(number, what);
	assert_int_equal(layout_base_name(id, what, name, &bf), 0);
	p.name = name;
	assert_int_equal(manifest_put_pack(writer, &p, &bf), 0);
}

/* Of another file each time. */
static void
named(const char *id, uint32_t number, uint64_t size)
{
	static uint32_t files;
	char path[80];

	snprintf(path, sizeof path, "base/%u", files++);
	named_with(id, number, size, path);
}

/*
 * An object in the repository. It is written past the store, which syncs every
 * object and its folders: with thousands that takes minutes on a busy disk.
 */
static void
put(const char *id, const char *what, size_t size)
{
	static const char zeros[2 * SIZE];
	char key[LAYOUT_KEY];
	char path[LAYOUT_KEY + sizeof dir + 8];
	FILE *o;

	assert_int_equal(layout_base("main", SYSTEM, id, what, key, &bf), 0);
	snprintf(path, sizeof path, "%s/repo/%s", dir, key);
	for (char *p = path + strlen(dir); (p = strchr(p + 1, '/')) != NULL;) {
		*p = '\0';
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
		*p = '/';
	}
	o = fopen(path, "w");
	assert_non_null(o);
	assert_int_equal(fwrite(zeros, 1, size, o), size);
	assert_int_equal(fclose(o), 0);
}

static void
stored(const char *id, uint32_t number, size_t size)
{
	char what[16];

	layout_pack(number, what);
	put(id, what, size);
}

static void
tell(void *ctx, const char *name, uint64_t want, uint64_t size)
{
	(void)ctx;
	assert_int_equal(want, SIZE);
	if (told++ > 0)
		return;
	snprintf(first, sizeof first, "%s", name);
	first_size = size;
}

static void
put_manifest(void)
{
	struct store *s;
	char key[LAYOUT_KEY];

	assert_int_equal(manifest_writer_end(writer, &head.totals, &bf), 0);
	assert_int_equal(object_seal_end(sealer, NULL, &bf), 0);
	assert_int_equal(
	    layout_base("main", SYSTEM, A, "manifest", key, &bf), 0);
	assert_int_equal(repo_store(repo, 0, &s, &bf), 0);
	assert_int_equal(
	    store_put(s, key, sealed.data, sealed.len, &never, &bf), 0);
}

static int
check(struct fault *f)
{
	char classes[PACKCHECK_CLASSES];

	fault_clear(f);
	told = 0;
	return packcheck_run(repo, 0, &head, tell, NULL, classes, &never, f);
}

static void
whole_when_all_are_there(void **state)
{
	struct fault f = FAULT_INIT;
	uint32_t k;

	(void)state;
	/* In the order in which workers finished, and more than is named. */
	for (k = 0; k < 40; k++) {
		named(A, (k * 7) % 40 + 3, SIZE);
		stored(A, k + 3, SIZE);
	}
	stored(A, 1, SIZE);
	stored(A, 99, 1);
	named(A, 5, SIZE); /* twice */
	put_manifest();
	assert_int_equal(check(&f), 0);
	assert_int_equal(told, 0);
}

static void
a_missing_one_is_named(void **state)
{
	struct fault f = FAULT_INIT;
	uint32_t k;

	(void)state;
	for (k = 0; k < 10; k++) {
		named(A, k, SIZE);
		if (k != 4 && k != 9)
			stored(A, k, SIZE);
	}
	put_manifest();
	assert_int_equal(check(&f), FAULT_CORRUPT);
	assert_int_equal(told, 2);
	assert_string_equal(first, A "/pack/00000004");
	assert_true(first_size == UINT64_MAX);
	assert_non_null(strstr(f.text, "2 of its packs"));
	assert_non_null(strstr(f.text, A "/pack/00000004"));
}

static void
another_size_is_no_less_wrong(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	named(A, 1, SIZE);
	named(A, 2, SIZE);
	stored(A, 1, SIZE);
	stored(A, 2, SIZE - 1);
	put_manifest();
	assert_int_equal(check(&f), FAULT_CORRUPT);
	assert_int_equal(told, 1);
	assert_string_equal(first, A "/pack/00000002");
	assert_int_equal(first_size, SIZE - 1);
}

/* Anybody who can write puts objects with names that are almost a pack's. */
static void
what_only_looks_like_a_pack_is_none(void **state)
{
	static const char *const names[] = {"pack/000000001", "pack/0000001",
	    "pack/!/00000001", "pack/00000001/00000001", "pack/0/00000001"};
	struct fault f = FAULT_INIT;

	(void)state;
	named(A, 1, SIZE);
	named(A, 2, SIZE);
	stored(A, 2, SIZE);
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		put(A, names[k], 5);
	put_manifest();
	assert_int_equal(check(&f), FAULT_CORRUPT);
	assert_true(first_size == UINT64_MAX);
	assert_int_equal(told, 1);
}

static void
a_file_beside_the_servers_in_a_tablespace_is_refused(void **state)
{
	static struct head_tablespace space = {16384, NULL, 1};
	struct fault f = FAULT_INIT;

	(void)state;
	head.tablespaces = &space;
	head.n_tablespaces = 1;
	named_with(A, 1, SIZE, "pg_tblspc/16384/PG_15_202209061/5/1");
	named_with(A, 1, SIZE, "pg_tblspc/16385/in-place");
	named_with(A, 1, SIZE, "pg_tblspc/16384/.ssh/authorized_keys");
	stored(A, 1, SIZE);
	put_manifest();
	assert_int_equal(check(&f), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, "16384/.ssh/authorized_keys"));
	head.tablespaces = NULL;
	head.n_tablespaces = 0;
}

/* More backups than are looked for at once, which are 1024. */
static void
packs_of_older_backups_count(void **state)
{
	struct fault f = FAULT_INIT;
	char id[LAYOUT_ID];
	uint32_t k;

	(void)state;
	for (k = 0; k < 1100; k++) {
		snprintf(id, sizeof id, "20250101T000000Z-full-%08x", k);
		if (k % 7 == 0)
			named(id, 2, SIZE);
		named(id, 1, SIZE);
		stored(id, 1, SIZE);
		if (k % 7 == 0 && k != 77)
			stored(id, 2, SIZE);
	}
	put_manifest();
	assert_int_equal(check(&f), FAULT_CORRUPT);
	assert_int_equal(told, 1);
	assert_string_equal(
	    first, "20250101T000000Z-full-0000004d/pack/00000002");
	stored("20250101T000000Z-full-0000004d", 2, SIZE);
	assert_int_equal(check(&f), 0);
}

static void
two_sizes_for_one_pack_are_damage(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	named(A, 1, SIZE);
	named(A, 1, SIZE + 1);
	stored(A, 1, SIZE);
	put_manifest();
	assert_int_equal(check(&f), FAULT_CORRUPT);
}

static void
a_manifest_of_another_head_is_damage(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	named(A, 1, SIZE);
	stored(A, 1, SIZE);
	put_manifest();
	head.totals.packs++;
	assert_int_equal(check(&f), FAULT_CORRUPT);
	head.totals.packs--;
	assert_int_equal(check(&f), 0);
}

int
main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(whole_when_all_are_there),
	    TEST(a_missing_one_is_named),
	    TEST(another_size_is_no_less_wrong),
	    TEST(what_only_looks_like_a_pack_is_none),
	    TEST(a_file_beside_the_servers_in_a_tablespace_is_refused),
	    TEST(packs_of_older_backups_count),
	    TEST(two_sizes_for_one_pack_are_damage),
	    TEST(a_manifest_of_another_head_is_damage),
	};

	return cmocka_run_group_tests_name("packcheck", tests, NULL, NULL);
}
