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

static int
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

static int
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

static uint32_t
mix(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352dU;
	x ^= x >> 15;
	x *= 0x846ca68bU;
	return x ^ (x >> 16);
}

/* Half noise, half zeros: compresses, but not to nothing. */
static void
content(const struct file *file, uint64_t offset, unsigned char *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t at = offset + i;

		out[i] = (at >> 3) & 1
			     ? (unsigned char)mix(file->seed + (uint32_t)at)
			     : 0;
	}
}

static int
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

static struct file *
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

static int
check_entry(void *ctx, const struct manifest_entry *e, struct fault *f)
{
	(void)ctx;
	(void)f;
	assert_true(e->type == 'D' || e->type == 'F');
	return 0;
}

static void
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

static int
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

static void
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

static int
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

static void
everything_comes_back_whatever_the_jobs(void **state)
{
	static const unsigned jobs[] = {1, 2, 3, 7, 64};
	const size_t n = 400;

	for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
		struct file *files = make_files(n);
		struct back b = {.files = files, .n = n};
		struct manifest_totals t;
		struct fault f = FAULT_INIT;

		assert_int_equal(ship_all(jobs[i], files, n, &t, &f), 0);
		assert_int_equal(t.files, n);
		assert_int_equal(t.folders, 1);
		read_back(&b, &t);
		assert_int_equal(b.packs, t.packs);
		assert_true(b.largest_pack <= 16 << 20);
		free(files);
		teardown(state);
		setup(state);
	}
}

static atomic_size_t files_read;

/* As a source reads; every now and then one takes its time. */
static int
read_file(void *ctx, void *file, const struct manifest_piece *p,
    unsigned char *out, struct fault *f)
{
	const struct file *one = file;

	(void)f;
	assert_ptr_equal(ctx, &cluster);
	assert_string_equal(p->path, one->path);
	if (mix(one->seed) % 16 == 0)
		clock_sleep_ms(1);
	content(one, p->file_offset, out, p->length);
	atomic_fetch_add(&files_read, p->length);
	return 0;
}

/* Every third one is handed over, the others are read by the workers. */
static void
files_that_workers_read_come_back_too(void **state)
{
	static const unsigned jobs[] = {1, 2, 5, 64};
	const size_t n = 600;

	for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
		const struct shipper_params p = {.id = ID,
		    .jobs = jobs[i],
		    .read = read_file,
		    .read_ctx = &cluster};
		struct file *files = make_files(n);
		struct back b = {.files = files, .n = n};
		struct manifest_totals t;
		struct shipper *s;
		struct fault f = FAULT_INIT;
		uint64_t size, pulled = 0;

		atomic_store(&files_read, 0);
		assert_int_equal(shipper_new(&s, repo, &p, &f), 0);
		for (size_t k = 0; k < n; k++) {
			if (k % 3 == 0) {
				assert_int_equal(
				    ship_file(s, &files[k], 60000, &f), 0);
				continue;
			}
			assert_int_equal(
			    shipper_pull(s, files[k].path, files[k].size, 0600,
				1700000000000000, &files[k], &f),
			    0);
			pulled += files[k].size;
			if (k % 100 == 1) {
				assert_int_equal(shipper_drain(s, &f), 0);
				assert_true(atomic_load(&files_read) == pulled);
			}
		}
		assert_int_equal(shipper_drain(s, &f), 0);
		assert_true(atomic_load(&files_read) == pulled);
		assert_int_equal(shipper_drain(s, &f), 0);
		assert_int_equal(shipper_finish(s, &t, &size, &f), 0);
		shipper_free(s);
		assert_int_equal(t.files, n);
		read_back(&b, &t);
		free(files);
		teardown(state);
		setup(state);
	}
}

static int
read_none(void *ctx, void *file, const struct manifest_piece *p,
    unsigned char *out, struct fault *f)
{
	(void)ctx;
	(void)file;
	(void)out;
	if (p->file_offset < 2 * CHUNK) {
		memset(out, 0, p->length);
		return 0;
	}
	return fault_set(f, FAULT_SYSTEM, "%s: I/O error", p->path);
}

static void
a_file_that_cannot_be_read_is_told_by_the_next_call(void **state)
{
	const struct shipper_params p = {
	    .id = ID, .jobs = 2, .read = read_none};
	struct shipper *s;
	struct fault f = FAULT_INIT;
	int rc;

	(void)state;
	assert_int_equal(shipper_new(&s, repo, &p, &f), 0);
	rc = shipper_pull(s, "base/0", 100 * CHUNK, 0600, 0, s, &f);
	if (rc == 0)
		rc = shipper_drain(s, &f);
	assert_int_equal(rc, FAULT_SYSTEM);
	assert_string_equal(f.text, "base/0: I/O error");
	shipper_free(s);
}

static void
many_tiny_files_are_packed_together(void **state)
{
	const size_t n = 20000;
	struct file *files = calloc(n, sizeof *files);
	struct back b = {.files = files, .n = n};
	struct manifest_totals t;
	struct fault f = FAULT_INIT;

	(void)state;
	assert_non_null(files);
	for (size_t i = 0; i < n; i++) {
		files[i].size = 1 + i % 5;
		files[i].seed = (uint32_t)i;
		snprintf(files[i].path, sizeof files[i].path, "base/%zu", i);
	}
	assert_int_equal(ship_all(2, files, n, &t, &f), 0);
	assert_int_equal(t.files, n);
	assert_true(t.packs <= 4);
	read_back(&b, &t);
	free(files);
}

static void
the_first_fault_of_a_worker_is_told_and_nothing_hangs(void **state)
{
	static const unsigned jobs[] = {1, 2, 64};
	const size_t n = 400;
	struct file *files = make_files(n);

	for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
		for (unsigned skip = 0; skip < 2; skip++) {
			const struct store_memory_plan plan = {
			    .op = STORE_MEMORY_PUT,
			    .key = "/pack/",
			    .skip = skip,
			    .times = UINT_MAX,
			    .code = FAULT_DENIED,
			};
			struct manifest_totals t;
			struct fault f = FAULT_INIT;

			assert_int_equal(store_memory_plan(memory, &plan), 0);
			/* it takes more than one pack of 16 MiB */
			assert_int_equal(
			    ship_all(jobs[i], files, n, &t, &f), FAULT_DENIED);
			teardown(state);
			setup(state);
		}
	}
	free(files);
}

static void
a_manifest_that_cannot_be_stored_is_no_backup(void **state)
{
	const struct store_memory_plan plan = {
	    .op = STORE_MEMORY_PUT,
	    .key = "/manifest",
	    .times = 1,
	    .code = FAULT_AGAIN,
	};
	struct file *files = make_files(20);
	struct manifest_totals t;
	struct fault f = FAULT_INIT;

	(void)state;
	assert_int_equal(store_memory_plan(memory, &plan), 0);
	assert_int_equal(ship_all(2, files, 20, &t, &f), FAULT_AGAIN);
	free(files);
}

static void
an_id_that_is_taken_is_told(void **state)
{
	struct file *files = make_files(20);
	struct manifest_totals t;
	struct fault f = FAULT_INIT;

	(void)state;
	assert_int_equal(ship_all(2, files, 20, &t, &f), 0);
	assert_int_equal(ship_all(2, files, 20, &t, &f), FAULT_EXISTS);
	free(files);
}

static void
without_finish_there_is_no_manifest(void **state)
{
	const struct shipper_params p = {.id = ID, .jobs = 3};
	struct file *files = make_files(100);
	struct shipper *s;
	struct buf text = BUF_INIT(1 << 20);
	struct fault f = FAULT_INIT;
	char key[LAYOUT_KEY];

	(void)state;
	assert_int_equal(shipper_new(&s, repo, &p, &f), 0);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(ship_file(s, &files[i], 60000, &f), 0);
	shipper_free(s);
	assert_int_equal(
	    layout_base("main", SYSTEM_ID, ID, "manifest", key, &f), 0);
	assert_int_equal(repo_get_object(repo, 0, key, OBJECT_MANIFEST,
			     ID "/manifest", &text, NULL, &f),
	    FAULT_ABSENT);
	buf_free(&text);
	free(files);
}

static void
sizes_that_were_not_announced_are_faults(void **state)
{
	const struct shipper_params p = {.id = ID, .jobs = 2};
	const unsigned char data[11] = {0};
	struct manifest_totals t;
	struct shipper *s;
	uint64_t size;
	struct fault f = FAULT_INIT;

	(void)state;
	assert_int_equal(shipper_new(&s, repo, &p, &f), 0);
	assert_int_equal(shipper_file(s, "a", 10, 0600, 0, &f), 0);
	assert_int_equal(shipper_data(s, data, 11, &f), FAULT_SYSTEM);
	assert_int_equal(shipper_file_end(s, &f), FAULT_SYSTEM);
	shipper_free(s);

	assert_int_equal(shipper_new(&s, repo, &p, &f), 0);
	assert_int_equal(shipper_file(s, "a", 10, 0600, 0, &f), 0);
	assert_int_equal(shipper_data(s, data, 9, &f), 0);
	assert_int_equal(shipper_finish(s, &t, &size, &f), FAULT_SYSTEM);
	shipper_free(s);

	assert_int_equal(shipper_new(&s, repo, &p, &f), 0);
	assert_int_equal(
	    shipper_file(s, "../a", 10, 0600, 0, &f), FAULT_CONFIG);
	shipper_free(s);
}

static void
the_rate_is_kept(void **state)
{
	const struct shipper_params p = {.id = ID, .jobs = 2, .rate = 4 << 20};
	const struct file file = {.path = "base/0", .size = 2 << 20};
	struct shipper *s;
	struct fault f = FAULT_INIT;
	int64_t ms = clock_monotonic_ms();

	(void)state;
	assert_int_equal(shipper_new(&s, repo, &p, &f), 0);
	assert_int_equal(ship_file(s, &file, 30000, &f), 0);
	ms = clock_monotonic_ms() - ms;
	assert_true(ms >= 450);
	assert_true(ms < 5000);
	shipper_free(s);
}

#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(everything_comes_back_whatever_the_jobs),
	    T(files_that_workers_read_come_back_too),
	    T(a_file_that_cannot_be_read_is_told_by_the_next_call),
	    T(many_tiny_files_are_packed_together),
	    T(the_first_fault_of_a_worker_is_told_and_nothing_hangs),
	    T(a_manifest_that_cannot_be_stored_is_no_backup),
	    T(an_id_that_is_taken_is_told),
	    T(without_finish_there_is_no_manifest),
	    T(sizes_that_were_not_announced_are_faults),
	    T(the_rate_is_kept),
	};

	return cmocka_run_group_tests_name("shipper", tests, NULL, NULL);
}
