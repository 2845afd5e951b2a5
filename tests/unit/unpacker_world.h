#ifndef UNPACKER_WORLD_H
#define UNPACKER_WORLD_H

/* Manifests and packs made by hand, byte by byte, and what becomes of them. */

#include "repo_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"
#include "layout.h"
#include "unpacker.h"

#define A "20260101T000000Z-full-0000000a"
#define B "20260102T000000Z-full-0000000b"
#define MIB (1U << 20)

static char root[80];
static char space[80];
static struct buf records = BUF_INIT(1U << 24);
static struct head head;
static uint32_t file_mode;

static inline int
setup(void **state)
{
	char text[128];

	(void)state;
	repo_world_dir("unpacker");
	snprintf(root, sizeof root, "%s/root", dir);
	snprintf(space, sizeof space, "%s/space", dir);
	assert_int_equal(mkdir(root, 0700), 0);
	assert_int_equal(mkdir(space, 0700), 0);
	snprintf(text, sizeof text, "%s/pg_tblspc", root);
	assert_int_equal(mkdir(text, 0700), 0);
	repo_world_open(ONE_REPO, dir);
	buf_clear(&records);
	memset(&head, 0, sizeof head);
	strcpy(head.id, A);
	file_mode = 0600;
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	buf_free(&records);
	return repo_world_end();
}

/* ---- records, as pitrkit-format(5) has them ---- */

static struct fault bf = FAULT_INIT;

static inline void
u32(struct buf *b, uint32_t v)
{
	assert_int_equal(buf_put_u32(b, v, &bf), 0);
}

static inline void
u64(struct buf *b, uint64_t v)
{
	assert_int_equal(buf_put_u64(b, v, &bf), 0);
}

static inline void
string(struct buf *b, const char *s)
{
	assert_int_equal(buf_put_u16(b, (uint16_t)strlen(s), &bf), 0);
	assert_int_equal(buf_put(b, s, strlen(s) + 1, &bf), 0);
}

static inline void
record(char type, const struct buf *payload)
{
	assert_int_equal(buf_put_u8(&records, (uint8_t)type, &bf), 0);
	u32(&records, (uint32_t)payload->len);
	assert_int_equal(
	    buf_put(&records, payload->data, payload->len, &bf), 0);
}

static inline void
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

static inline int
collect(void *ctx, const unsigned char *p, size_t n, struct fault *f)
{
	return buf_put(ctx, p, n, f);
}

static inline void
put_object(const char *name, const struct buf *object)
{
	char key[LAYOUT_KEY];
	struct store *s;

	assert_int_equal(layout_base_key("main", SYSTEM, name, key, &bf), 0);
	assert_int_equal(repo_store(repo, 0, &s, &bf), 0);
	assert_int_equal(
	    store_put(s, key, object->data, object->len, &never, &bf), 0);
}

static inline void
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

/* The MiB of a file from at on, from n extents of the pack, beginning with
 * first and stepping so many. */
static inline void
part_of(const struct pack *p, const char *path, uint32_t size, uint32_t at,
    uint32_t first, uint32_t n, uint32_t step)
{
	struct buf b = BUF_INIT(8192);
	uint32_t k;

	string(&b, p->name);
	u64(&b, p->size);
	u32(&b, 1);
	u32(&b, file_mode);
	u64(&b, 0);
	u64(&b, (uint64_t)size * MIB);
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
		u64(&b, (uint64_t)(at + k) * MIB);
		u32(&b, 0);
		u32(&b, MIB);
		assert_int_equal(
		    buf_put(&b, p->xxh[first + k * step], MANIFEST_XXH, &bf),
		    0);
	}
	record('P', &b);
	buf_free(&b);
	head.totals.files += at == 0;
	head.totals.bytes += (uint64_t)n * MIB;
	head.totals.packs++;
	head.totals.extents += n;
	head.totals.pieces += n;
	head.totals.stored += p->size;
}

/* One file, whole. */
static inline void
file_of(const struct pack *p, const char *path, uint32_t first, uint32_t n,
    uint32_t step)
{
	part_of(p, path, n, 0, first, n, step);
}

/* The end record and the manifest; then the restore. */
static inline int
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
static inline void
start_again(void)
{
	char path[256];

	snprintf(path, sizeof path,
	    "%s/repo/main/7000000000000000000/base/" A "/manifest", dir);
	(void)unlink(path);
	buf_clear(&records);
	memset(&head.totals, 0, sizeof head.totals);
}

static inline bool
exists(const char *below, const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", below, name);
	return lstat(path, &st) == 0;
}

/* The bytes of a file in steps of 1 MiB, as a string; "" if it is not there. */
static inline const char *
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
static inline const unsigned char *
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
