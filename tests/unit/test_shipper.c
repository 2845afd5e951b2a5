/* What a shipper stores is what it was given, in few and full packs. */

#include "shipper_world.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(everything_comes_back_whatever_the_jobs),
	    T(files_that_workers_read_come_back_too),
	    T(many_tiny_files_are_packed_together),
	    T(the_rate_is_kept),
	};

	return cmocka_run_group_tests_name("shipper", tests, NULL, NULL);
}
