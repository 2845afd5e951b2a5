/* What goes wrong leaves no backup, and the next call tells it. */

#include "shipper_world.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_file_that_cannot_be_read_is_told_by_the_next_call),
	    T(the_first_fault_of_a_worker_is_told_and_nothing_hangs),
	    T(a_manifest_that_cannot_be_stored_is_no_backup),
	    T(an_id_that_is_taken_is_told),
	    T(without_finish_there_is_no_manifest),
	    T(sizes_that_were_not_announced_are_faults),
	};

	return cmocka_run_group_tests_name("shipper_faults", tests, NULL, NULL);
}
