/*
 * Restoring from manifests and packs made by hand, byte by byte: what no writer
 * of ours would make must not be unpacked, least of all outside of the tree.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"
#include "layout.h"
#include "unpacker.h"

#define SYSTEM 7312345678901234567ULL
#define A "20260101T000000Z-full-0000000a"
#define B "20260102T000000Z-full-0000000b"
#define MIB (1U << 20)

static char dir[64];
static char root[80];
static char space[80];
static struct conf *conf;
static struct repo *repo;
static struct deadline never;
static struct buf records = BUF_INIT(1U << 24);
static struct head head;
static uint32_t file_mode;

static int
setup(void **state)
{
	char text[512];
	const struct conf_cluster *c;
	struct fault f = FAULT_INIT;

	(void)state;
	never = deadline_never();
	strcpy(dir, "/tmp/test-unpacker.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(root, sizeof root, "%s/root", dir);
	snprintf(space, sizeof space, "%s/space", dir);
	assert_int_equal(mkdir(root, 0700), 0);
	assert_int_equal(mkdir(space, 0700), 0);
	snprintf(text, sizeof text, "%s/pg_tblspc", root);
	assert_int_equal(mkdir(text, 0700), 0);
	snprintf(text, sizeof text,
	    "[cluster main]\nrepo = r\nencryption = off\n"
	    "[repo r]\nurl = file://%s/repo\n",
	    dir);
	assert_int_equal(conf_parse(&conf, "test", text, strlen(text), &f), 0);
	assert_int_equal(conf_cluster(conf, NULL, &c, &f), 0);
	assert_int_equal(repo_open(&repo, c, SYSTEM, &f), 0);
	buf_clear(&records);
	memset(&head, 0, sizeof head);
	strcpy(head.id, A);
	file_mode = 0600;
	return 0;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	repo_free(repo);
	conf_free(conf);
	buf_free(&records);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

/* ---- records, as pitrkit-format(5) has them ---- */

static struct fault bf = FAULT_INIT;

static void
u32(struct buf *b, uint32_t v)
{
	assert_int_equal(buf_put_u32(b, v, &bf), 0);
}

static void
u64(struct buf *b, uint64_t v)
{
	assert_int_equal(buf_put_u64(b, v, &bf), 0);
}

static void
string(struct buf *b, const char *s)
{
	assert_int_equal(buf_put_u16(b, (uint16_t)strlen(s), &bf), 0);
	assert_int_equal(buf_put(b, s, strlen(s) + 1, &bf), 0);
}

static void
record(char type, const struct buf *payload)
{
	assert_int_equal(buf_put_u8(&records, (uint8_t)type, &bf), 0);
	u32(&records, (uint32_t)payload->len);
	assert_int_equal(
	    buf_put(&records, payload->data, payload->len, &bf), 0);
}

static void
entry(char type, const char *path, const char *target)
{
	struct buf b = BUF_INIT(8192);

	u32(&b, type == 'D' ? 0700 : 0600);
	u64(&b, 0);
	string(&b, path);
	if (type == 'L')
		string(&b, target);
	record(type, &b);
	buf_free(&b);
	head.totals.folders += type == 'D';
	head.totals.files += type == 'F';
	head.totals.links += type == 'L';
}

/* A pack of chunks of 1 MiB, chunk k all of byte 'a' + k, or noise that does
 * not compress. */
struct pack {
	char name[LAYOUT_KEY];
	uint64_t size;
	struct object_extent extent[8];
	unsigned char xxh[8][MANIFEST_XXH];
};

static int
collect(void *ctx, const unsigned char *p, size_t n, struct fault *f)
{
	return buf_put(ctx, p, n, f);
}

static void
put_object(const char *name, const struct buf *object)
{
	char key[LAYOUT_KEY];
	struct store *s;

	assert_int_equal(layout_base_key("main", SYSTEM, name, key, &bf), 0);
	assert_int_equal(repo_store(repo, 0, &s, &bf), 0);
	assert_int_equal(
	    store_put(s, key, object->data, object->len, &never, &bf), 0);
}

static void
make_pack(struct pack *p, const char *bound, const char *name, uint32_t chunks,
    bool noise)
{
	struct object_params params = {
	    .id = {"main", SYSTEM, OBJECT_PACK, bound},
	    .codec = CODEC_ZSTD,
	    .level = 1};
	struct buf b = BUF_INIT(1U << 26);
	unsigned char *data = malloc(MIB);
	struct object_sealer *s;
	uint32_t k;
	uint32_t j;

	assert_non_null(data);
	assert_int_equal(object_seal_begin(&s, &params, collect, &b, &bf), 0);
	for (k = 0; k < chunks; k++) {
		for (j = 0; j < MIB; j++)
			data[j] = noise ? (unsigned char)(random() >> 7)
					: 'a' + (k & 7);
		assert_int_equal(
		    object_seal_chunk(s, data, MIB, &p->extent[k], &bf), 0);
		crypto_xxh(data, MIB, p->xxh[k]);
	}
	assert_int_equal(object_seal_end(s, &p->size, &bf), 0);
	object_seal_free(s);
	strcpy(p->name, name);
	put_object(name, &b);
	buf_free(&b);
	free(data);
}

/* One file, whole, from n extents of the pack, beginning with first and
 * stepping so many. */
static void
file_of(const struct pack *p, const char *path, uint32_t first, uint32_t n,
    uint32_t step)
{
	struct buf b = BUF_INIT(8192);
	uint32_t k;

	string(&b, p->name);
	u64(&b, p->size);
	u32(&b, 1);
	u32(&b, file_mode);
	u64(&b, 0);
	u64(&b, (uint64_t)n * MIB);
	string(&b, path);
	u32(&b, n);
	u32(&b, n);
	for (k = 0; k < n; k++) {
		const struct object_extent *e = &p->extent[first + k * step];

		u64(&b, e->offset);
		u32(&b, e->stored);
		u32(&b, e->index);
		u32(&b, e->length);
		u32(&b, 1);
		u32(&b, 0);
		u64(&b, (uint64_t)k * MIB);
		u32(&b, 0);
		u32(&b, MIB);
		assert_int_equal(
		    buf_put(&b, p->xxh[first + k * step], MANIFEST_XXH, &bf),
		    0);
	}
	record('P', &b);
	buf_free(&b);
	head.totals.files++;
	head.totals.bytes += (uint64_t)n * MIB;
	head.totals.packs++;
	head.totals.extents += n;
	head.totals.pieces += n;
	head.totals.stored += p->size;
}

/* The end record and the manifest; then the restore. */
static int
unpack(unsigned jobs, struct fault *f)
{
	struct tree_space spaces[] = {{16384, space}};
	struct unpacker_params params = {
	    .id = A,
	    .jobs = jobs,
	    .root = root,
	    .spaces = spaces,
	    .n_spaces = 1,
	};
	struct object_params seal = {
	    .id = {"main", SYSTEM, OBJECT_MANIFEST, A "/manifest"},
	    .codec = CODEC_ZSTD};
	const struct manifest_totals *t = &head.totals;
	struct buf b = BUF_INIT(1U << 24);

	u64(&b, t->files);
	u64(&b, t->folders);
	u64(&b, t->links);
	u64(&b, t->bytes);
	u64(&b, t->packs);
	u64(&b, t->extents);
	u64(&b, t->pieces);
	u64(&b, t->stored);
	record('E', &b);
	buf_clear(&b);
	assert_int_equal(
	    object_seal_all(&seal, records.data, records.len, &b, &bf), 0);
	put_object(A "/manifest", &b);
	buf_free(&b);
	fault_clear(f);
	return unpacker_run(repo, &head, &params, NULL, NULL, NULL, f);
}

/* Another manifest in the same repository. */
static void
start_again(void)
{
	char path[256];

	snprintf(path, sizeof path,
	    "%s/repo/main/7312345678901234567/base/" A "/manifest", dir);
	(void)unlink(path);
	buf_clear(&records);
	memset(&head.totals, 0, sizeof head.totals);
}

static bool
exists(const char *below, const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", below, name);
	return lstat(path, &st) == 0;
}

/* The bytes of a file in steps of 1 MiB, as a string; "" if it is not there. */
static const char *
letters(const char *below, const char *name)
{
	static char text[16];
	char path[256];
	size_t n = 0;
	int fd;

	snprintf(path, sizeof path, "%s/%s", below, name);
	fd = open(path, O_RDONLY);
	while (fd >= 0 && n < 15 && pread(fd, text + n, 1, (off_t)n * MIB) == 1)
		n++;
	if (fd >= 0)
		close(fd);
	text[n] = '\0';
	return text;
}

/* 16 bytes of a file from MiB k on. */
static const unsigned char *
first_bytes(const char *below, const char *name, int k)
{
	static unsigned char bytes[2][16];
	static int turn;
	char path[256];
	int fd;

	turn = !turn;
	snprintf(path, sizeof path, "%s/%s", below, name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, bytes[turn], 16, (off_t)k * MIB), 16);
	close(fd);
	return bytes[turn];
}

static void
a_tree_is_made_as_the_manifest_says(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack p;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 3, false);
	entry('D', "base", NULL);
	entry('D', "global", NULL);
	entry('F', "base/empty", NULL);
	entry('D', "pg_tblspc", NULL);
	entry('D', "pg_tblspc/16384", NULL);
	entry('D', "pg_tblspc/16384/PG_15", NULL);
	/* A tablespace in place: allow_in_place_tablespaces. */
	entry('D', "pg_tblspc/999", NULL);
	entry('F', "pg_tblspc/999/empty", NULL);
	file_of(&p, "base/file", 0, 3, 1);
	file_of(&p, "pg_tblspc/16384/PG_15/file", 1, 1, 1);
	file_of(&p, "global/pg_control", 2, 1, 1);
	assert_int_equal(unpack(2, &f), 0);
	assert_string_equal(letters(root, "base/file"), "abc");
	assert_string_equal(letters(space, "PG_15/file"), "b");
	assert_string_equal(letters(root, "pg_tblspc/16384/PG_15/file"), "b");
	assert_string_equal(letters(root, "pg_tblspc/999/empty"), "");
	assert_true(exists(root, "base/empty"));
	/* The caller names it. */
	assert_false(exists(root, "global/pg_control"));
	assert_string_equal(letters(root, UNPACKER_CONTROL), "c");
}

static void
only_the_wanted_extents_are_read(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack p;
	int k;

	(void)state;
	/* Gaps of 1 MiB: two requests, the second without the header. */
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 8, true);
	file_of(&p, "first", 0, 1, 1);
	file_of(&p, "odd", 1, 3, 3);
	file_of(&p, "last", 7, 1, 1);
	for (k = 0; k < 12; k++) {
		char name[16];

		snprintf(name, sizeof name, "many%d", k);
		file_of(&p, name, (uint32_t)k % 8, 1, 1);
	}
	assert_int_equal(unpack(16, &f), 0);
	for (k = 0; k < 3; k++) {
		static const char *const same[] = {"many1", "many4", "last"};

		assert_memory_equal(first_bytes(root, "odd", k),
		    first_bytes(root, same[k], 0), 16);
	}
}

static void
paths_that_lead_out_are_refused(void **state)
{
	static const char *const paths[] = {"../out", "base/../../out", "..",
	    "/tmp/test-unpacker-out", "a//b", "./a", ".", "", "a/",
	    "pg_tblspc/16384/../../out", "pg_tblspc/99999999999/x",
	    "pg_tblspc/16384x/x", "pg_tblspc/16384/authorized_keys",
	    "pg_tblspc/16384/PG_/x", "pg_tblspc/16384/PG_15.d/x"};
	struct fault f = FAULT_INIT;
	struct pack p;
	size_t k;
	char type;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 1, false);
	for (k = 0; k < 4 * sizeof paths / sizeof paths[0]; k++) {
		const char *path = paths[k / 4];

		type = "DFLP"[k % 4];
		start_again();
		if (type == 'P')
			file_of(&p, path, 0, 1, 1);
		else
			entry(type, path, "/etc");
		assert_int_equal(unpack(1, &f), FAULT_CORRUPT);
		assert_false(exists(dir, "out"));
		assert_false(exists("/tmp", "test-unpacker-out"));
		assert_false(exists(space, "authorized_keys"));
	}
}

static void
no_link_is_ever_followed(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack p;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 1, false);
	/* The manifest's own come after everything else. */
	entry('L', "evil", dir);
	file_of(&p, "evil/out", 0, 1, 1);
	assert_int_not_equal(unpack(1, &f), 0);
	assert_false(exists(dir, "out"));
}

static void
no_planted_link_is_followed(void **state)
{
	static const char types[] = "DFLP";
	struct fault f = FAULT_INIT;
	struct pack p;
	char path[128];
	size_t k;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 1, false);
	snprintf(path, sizeof path, "%s/evil", root);
	assert_int_equal(symlink(dir, path), 0);
	for (k = 0; k < 4; k++) {
		start_again();
		if (types[k] == 'P')
			file_of(&p, "evil/out", 0, 1, 1);
		else
			entry(types[k], "evil/out", "/etc");
		assert_int_not_equal(unpack(1, &f), 0);
		assert_false(exists(dir, "out"));
	}
}

static void
nothing_is_named_pg_control(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	entry('D', "global", NULL);
	entry('F', "global/pg_control", NULL);
	assert_int_equal(unpack(1, &f), 0);
	assert_false(exists(root, "global/pg_control"));
}

static void
a_pack_of_another_backup_does_not_pass(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack p;

	(void)state;
	/* Sealed as B's, lying where A's is wanted. */
	make_pack(&p, B "/pack/00000001", A "/pack/00000001", 1, false);
	file_of(&p, "file", 0, 1, 1);
	assert_int_equal(unpack(1, &f), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, A "/pack/00000001"));
}

static void
a_pack_that_is_absent_is_damage(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack p;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 1, false);
	strcpy(p.name, A "/pack/00000002");
	file_of(&p, "file", 0, 1, 1);
	assert_int_equal(unpack(1, &f), FAULT_CORRUPT);
}

static void
a_piece_with_another_fingerprint_is_refused(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack p;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 2, false);
	p.xxh[1][15] ^= 1;
	file_of(&p, "file", 0, 1, 1);
	assert_int_equal(unpack(1, &f), 0);
	start_again();
	file_of(&p, "file", 0, 2, 1);
	assert_int_equal(unpack(1, &f), FAULT_CORRUPT);
}

/* One lie about an extent or the pack each. */
static void
sizes_that_lie_are_noticed(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack good;
	int k;

	(void)state;
	make_pack(&good, A "/pack/00000001", A "/pack/00000001", 3, true);
	for (k = 0; k < 7; k++) {
		struct pack p = good;
		start_again();
		switch (k) {
		case 0: /* longer than it is */
			p.size++;
			break;
		case 1: /* the next one's bytes */
			p.extent[0].offset = p.extent[1].offset;
			p.extent[0].stored = p.extent[1].stored;
			break;
		case 2: /* the next one's number */
			p.extent[0].index = 1;
			break;
		case 3: /* beyond the end */
			p.extent[0].offset = p.size - 1;
			break;
		case 4: /* cut short */
			p.extent[0].stored -= 16;
			break;
		case 5: /* all of the end, too */
			p.extent[0].stored++;
			break;
		case 6: /* more content than there is */
			p.extent[0].length = MIB + 1;
			break;
		default:
			break;
		}
		file_of(&p, "file", 0, 1, 1);
		assert_int_equal(unpack(1, &f), FAULT_CORRUPT);
	}
}

static void
a_head_of_another_manifest_is_noticed(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack p;
	struct unpacker_params params = {.id = A, .jobs = 1, .root = root};

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 1, false);
	file_of(&p, "file", 0, 1, 1);
	assert_int_equal(unpack(1, &f), 0);
	head.totals.bytes++;
	assert_int_equal(
	    unpacker_run(repo, &head, &params, NULL, NULL, NULL, &f),
	    FAULT_CORRUPT);
	head.totals.bytes--;
	head.totals.files++;
	assert_int_equal(
	    unpacker_run(repo, &head, &params, NULL, NULL, NULL, &f),
	    FAULT_CORRUPT);
}

static void
a_manifest_without_end_is_noticed(void **state)
{
	struct object_params seal = {
	    .id = {"main", SYSTEM, OBJECT_MANIFEST, A "/manifest"}};
	struct unpacker_params params = {.id = A, .jobs = 2, .root = root};
	struct buf b = BUF_INIT(1U << 20);
	struct fault f = FAULT_INIT;

	(void)state;
	entry('F', "empty", NULL);
	assert_int_equal(
	    object_seal_all(&seal, records.data, records.len, &b, &f), 0);
	put_object(A "/manifest", &b);
	buf_free(&b);
	assert_int_equal(
	    unpacker_run(repo, &head, &params, NULL, NULL, NULL, &f),
	    FAULT_CORRUPT);
	/* and none at all */
	params.id = B;
	assert_int_equal(
	    unpacker_run(repo, &head, &params, NULL, NULL, NULL, &f),
	    FAULT_CORRUPT);
}

static int
overwrite(const char *name, const char *text)
{
	char path[256];
	FILE *out;

	snprintf(path, sizeof path, "%s/%s", root, name);
	out = fopen(path, "r+");
	if (out == NULL)
		out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	return fclose(out);
}

static void
only_extents_that_differ_are_fetched(void **state)
{
	static const struct tree_existing there;
	struct unpacker_params params = {
	    .id = A, .jobs = 3, .root = root, .existing = &there};
	struct unpacker_result res;
	struct fault f = FAULT_INIT;
	char path[256];
	struct pack p, q;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 3, true);
	make_pack(&q, A "/pack/00000002", A "/pack/00000002", 3, false);
	file_of(&p, "noise", 0, 3, 1);
	file_of(&q, "letters", 0, 3, 1);
	assert_int_equal(unpack(1, &f), 0);
	/* One pack is not asked for at all: it is gone. */
	snprintf(path, sizeof path,
	    "%s/repo/main/7312345678901234567/base/" A "/pack/00000001", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(overwrite("letters", "X"), 0);
	assert_int_equal(overwrite("more", "X"), 0);
	assert_string_equal(letters(root, "letters"), "Xbc");
	if (unpacker_run(repo, &head, &params, &res, NULL, NULL, &f) != 0)
		fail_msg("%s", f.text);
	assert_string_equal(letters(root, "letters"), "abc");
	assert_false(exists(root, "more"));
	assert_int_equal(res.written, MIB);
	assert_int_equal(res.kept, 5 * MIB);
	/* Without it nothing heals. */
	assert_int_equal(overwrite("noise", "X"), 0);
	assert_int_equal(
	    unpacker_run(repo, &head, &params, &res, NULL, NULL, &f),
	    FAULT_CORRUPT);
}

static void
nothing_goes_by_a_manifest_that_is_not_the_heads(void **state)
{
	static const struct tree_existing there;
	struct unpacker_params params = {
	    .id = A, .jobs = 1, .root = root, .existing = &there};
	struct fault f = FAULT_INIT;
	struct pack p;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 1, false);
	file_of(&p, "file", 0, 1, 1);
	assert_int_equal(unpack(1, &f), 0);
	assert_int_equal(overwrite("more", "X"), 0);
	head.totals.bytes++;
	assert_int_equal(
	    unpacker_run(repo, &head, &params, NULL, NULL, NULL, &f),
	    FAULT_CORRUPT);
	assert_true(exists(root, "more"));
}

/* Several workers write it, and only the first of them makes it. Root may
 * write whatever the mode says, so this is somebody else's restore. */
static void
a_large_read_only_file_is_restored(void **state)
{
	struct fault f = FAULT_INIT;
	char command[160], path[256];
	struct stat st;
	struct pack p[4];
	int rc;

	(void)state;
	snprintf(command, sizeof command, "chown -R 65534:65534 '%s'", dir);
	file_mode = 0400;
	for (unsigned k = 0; k < 4; k++) {
		char name[LAYOUT_KEY];

		snprintf(name, sizeof name, A "/pack/%08u", k + 1);
		make_pack(&p[k], name, name, 8, true);
		snprintf(path, sizeof path, "other%u", k);
		file_of(&p[k], "large", 0, 8, 1);
		file_of(&p[k], path, 0, 1, 1);
	}
	if (geteuid() == 0) {
		assert_int_equal(system(command), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	rc = unpack(4, &f);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	if (rc != 0)
		fail_msg("%s", f.text);
	snprintf(path, sizeof path, "%s/large", root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(st.st_size, 8 * MIB);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_tree_is_made_as_the_manifest_says),
	    TEST(only_the_wanted_extents_are_read),
	    TEST(paths_that_lead_out_are_refused),
	    TEST(no_link_is_ever_followed),
	    TEST(no_planted_link_is_followed),
	    TEST(nothing_is_named_pg_control),
	    TEST(a_pack_of_another_backup_does_not_pass),
	    TEST(a_pack_that_is_absent_is_damage),
	    TEST(a_large_read_only_file_is_restored),
	    TEST(a_piece_with_another_fingerprint_is_refused),
	    TEST(sizes_that_lie_are_noticed),
	    TEST(a_head_of_another_manifest_is_noticed),
	    TEST(only_extents_that_differ_are_fetched),
	    TEST(nothing_goes_by_a_manifest_that_is_not_the_heads),
	    TEST(a_manifest_without_end_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
