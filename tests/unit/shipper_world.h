#ifndef SHIPPER_WORLD_H
#define SHIPPER_WORLD_H

/* A backup written into a store in memory, and read back. */

#include "unit.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>

#include "crypto.h"
#include "layout.h"
#include "object.h"
#include "shipper.h"
#include "store_memory.h"

#define ID "20261122T020000Z-full-1a2b3c4d"
#define SYSTEM_ID UINT64_C(7000000000000000001)
#define CHUNK ((uint64_t)OBJECT_CHUNK)

/* Every handle of the repository leads to one memory store. */
static struct store *memory;

int __wrap_store_open(
    struct store **out, const struct conf_repo *repo, struct fault *f);

int
__wrap_store_open(
    struct store **out, const struct conf_repo *repo, struct fault *f)
{
	(void)repo;
	return store_clone(out, memory, f);
}

static const struct conf_repo place = {.name = "r1"};
static struct conf_cluster cluster;
static struct repo *repo;

static inline int
setup(void **state)
{
	struct fault f = FAULT_INIT;

	(void)state;
	cluster = (struct conf_cluster){
	    .name = "main",
	    .conninfo = "",
	    .repos = {&place},
	    .n_repos = 1,
	    .push_quorum = 1,
	    .codec = CODEC_ZSTD,
	    .level = 1,
	    .store_deadline_ms = 60000,
	};
	assert_int_equal(store_open_memory(&memory, &f), 0);
	assert_int_equal(repo_open(&repo, &cluster, SYSTEM_ID, &f), 0);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	repo_free(repo);
	store_free(memory);
	return 0;
}

/* ---- files with a content that is told by seed and offset ---- */

struct file {
	char path[64];
	uint64_t size;
	uint32_t seed;
	uint64_t seen; /* bytes found again */
};

static inline uint32_t
mix(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352dU;
	x ^= x >> 15;
	x *= 0x846ca68bU;
	return x ^ (x >> 16);
}

/* Half noise, half zeros: compresses, but not to nothing. */
static inline void
content(const struct file *file, uint64_t offset, unsigned char *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t at = offset + i;

		out[i] = (at >> 3) & 1
			     ? (unsigned char)mix(file->seed + (uint32_t)at)
			     : 0;
	}
}

static inline int
ship_file(
    struct shipper *s, const struct file *file, size_t step, struct fault *f)
{
	static unsigned char part[1 << 17];
	int rc =
	    shipper_file(s, file->path, file->size, 0600, 1700000000000000, f);

	for (uint64_t at = 0; rc == 0 && at < file->size;) {
		size_t n =
		    step < file->size - at ? step : (size_t)(file->size - at);

		content(file, at, part, n);
		rc = shipper_data(s, part, n, f);
		at += n;
	}
	return rc == 0 ? shipper_file_end(s, f) : rc;
}

static inline struct file *
make_files(size_t n)
{
	static const uint64_t sizes[] = {0, 1, 3, 100, 8192, 8191, 500000,
	    CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 5 * CHUNK + 77};
	struct file *files = calloc(n, sizeof *files);

	assert_non_null(files);
	for (size_t i = 0; i < n; i++) {
		uint32_t r = mix((uint32_t)i);

		files[i].seed = r;
		/* mostly small ones */
		files[i].size =
		    i % 8 == 0 ? sizes[r % (sizeof sizes / sizeof sizes[0])]
			       : r % 3000;
		snprintf(files[i].path, sizeof files[i].path, "base/%zu", i);
	}
	return files;
}

/* ---- reading back ---- */

struct back {
	struct file *files;
	size_t n;
	uint64_t largest_pack;
	uint32_t packs;
};

static inline int
check_entry(void *ctx, const struct manifest_entry *e, struct fault *f)
{
	(void)ctx;
	(void)f;
	assert_true(e->type == 'D' || e->type == 'F');
	return 0;
}

static inline void
check_piece(
    struct back *b, const struct manifest_piece *p, const unsigned char *extent)
{
	static unsigned char want[OBJECT_CHUNK];
	unsigned char xxh[MANIFEST_XXH];
	struct file *file = &b->files[strtoul(p->path + 5, NULL, 10)];

	assert_string_equal(p->path, file->path);
	assert_true(p->file_size == file->size);
	assert_int_equal(p->mode, 0600);
	assert_true(p->mtime_us == 1700000000000000);
	content(file, p->file_offset, want, p->length);
	assert_memory_equal(want, extent + p->extent_offset, p->length);
	crypto_xxh(want, p->length, xxh);
	assert_memory_equal(xxh, p->xxh, sizeof xxh);
	file->seen += p->length;
	if (p->file_size <= CHUNK) { /* never cut */
		assert_true(p->length == p->file_size);
		return;
	}
	assert_true(p->file_offset % CHUNK == 0);
	assert_int_equal(p->extent_offset, 0);
	assert_true(
	    p->length == CHUNK || p->file_offset + p->length == p->file_size);
}

static inline int
check_pack(void *ctx, const struct manifest_pack *p, struct fault *f)
{
	static unsigned char plain[OBJECT_CHUNK];
	struct back *b = ctx;
	struct object_id id = {"main", SYSTEM_ID, OBJECT_PACK, p->name};
	struct buf bytes = BUF_INIT(64 << 20);
	struct object_opener *o;
	struct store *s;
	char key[LAYOUT_KEY];
	size_t len;

	assert_int_equal(repo_store(repo, 0, &s, f), 0);
	snprintf(key, sizeof key, "main/%llu/base/%s",
	    (unsigned long long)SYSTEM_ID, p->name);
	assert_int_equal(
	    store_get(s, key, 0, UINT64_MAX, buf_sink, &bytes, NULL, NULL, f),
	    0);
	assert_true(bytes.len == p->size);
	assert_int_equal(object_open_header(&o, &id, repo_keys(repo),
			     bytes.data, bytes.len, f),
	    0);
	for (uint32_t i = 0; i < p->n_extents; i++) {
		const struct manifest_extent *e = &p->extents[i];

		assert_int_equal(
		    object_open_chunk(o, e->where.index,
			bytes.data + e->where.offset, e->where.stored, plain,
			sizeof plain, &len, f),
		    0);
		assert_int_equal(len, e->where.length);
		for (uint32_t j = 0; j < e->n_pieces; j++)
			check_piece(b, &e->pieces[j], plain);
	}
	object_opener_free(o);
	buf_free(&bytes);
	b->packs++;
	if (p->size > b->largest_pack)
		b->largest_pack = p->size;
	return 0;
}

static inline void
read_back(struct back *b, const struct manifest_totals *want)
{
	static const struct manifest_events ev = {check_entry, check_pack};
	struct manifest_reader *r;
	struct manifest_totals t;
	struct buf text = BUF_INIT(64 << 20);
	struct fault f = FAULT_INIT;
	char key[LAYOUT_KEY];

	assert_int_equal(
	    layout_base("main", SYSTEM_ID, ID, "manifest", key, &f), 0);
	assert_int_equal(repo_get_object(repo, 0, key, OBJECT_MANIFEST,
			     ID "/manifest", &text, NULL, &f),
	    0);
	assert_int_equal(manifest_reader_new(&r, &ev, b, &f), 0);
	assert_int_equal(manifest_reader_feed(r, text.data, text.len, &f), 0);
	assert_int_equal(manifest_reader_end(r, &t, &f), 0);
	assert_memory_equal(&t, want, sizeof t);
	manifest_reader_free(r);
	buf_free(&text);
	for (size_t i = 0; i < b->n; i++)
		assert_true(b->files[i].seen == b->files[i].size);
}

static inline int
ship_all(unsigned jobs, const struct file *files, size_t n,
    struct manifest_totals *t, struct fault *f)
{
	const struct shipper_params p = {.id = ID, .jobs = jobs};
	struct shipper *s;
	uint64_t size;
	int rc = shipper_new(&s, repo, &p, f);

	if (rc != 0)
		return rc;
	rc = shipper_folder(s, "base", 0700, 0, f);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = ship_file(s, &files[i], 1 + mix((uint32_t)i) % 70000, f);
	if (rc == 0)
		rc = shipper_finish(s, t, &size, f);
	if (rc == 0) {
		assert_true(size > 0);
	}
	shipper_free(s);
	return rc;
}

#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)

#endif
