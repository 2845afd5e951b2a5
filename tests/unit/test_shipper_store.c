#include "shipper_world.h"

#include "clock.h"
#include "store.h"

/* A store that takes long, and what is done meanwhile. */

#define PATIENCE_MS 60000
#define FILE_SIZE (64 * CHUNK) /* packs of half of it, in two */

static atomic_uint pieces_read;
static atomic_uint packs_stored;
static bool slow;
static bool met;

int __real_store_put_own(struct store *s, const char *key, const void *data,
    size_t len, const struct deadline *d, struct fault *f);
int __wrap_store_put_own(struct store *s, const char *key, const void *data,
    size_t len, const struct deadline *d, struct fault *f);

static bool
rises_above(atomic_uint *what, unsigned n)
{
	for (int ms = 0; ms < PATIENCE_MS; ms++) {
		if (atomic_load(what) > n)
			return true;
		clock_sleep_ms(1);
	}
	return false;
}

/* The first pack is stored when something more was read. */
int
__wrap_store_put_own(struct store *s, const char *key, const void *data,
    size_t len, const struct deadline *d, struct fault *f)
{
	if (slow) {
		slow = false;
		met = rises_above(&pieces_read, atomic_load(&pieces_read));
	}
	atomic_fetch_add(&packs_stored, 1);
	return __real_store_put_own(s, key, data, len, d, f);
}

static int
read_piece(void *ctx, void *file, const struct manifest_piece *p,
    unsigned char *out, struct fault *f)
{
	(void)ctx;
	(void)f;
	content(file, p->file_offset, out, p->length);
	atomic_fetch_add(&pieces_read, 1);
	return 0;
}

static void
begin(struct shipper **s)
{
	const struct shipper_params p = {
	    .id = ID, .jobs = 1, .read = read_piece};
	struct fault f = FAULT_INIT;

	atomic_store(&pieces_read, 0);
	atomic_store(&packs_stored, 0);
	assert_int_equal(shipper_new(s, repo, &p, &f), 0);
}

static void
end(struct shipper *s, struct file *file)
{
	struct back b = {.files = file, .n = 1};
	struct manifest_totals t;
	struct fault f = FAULT_INIT;
	uint64_t size;

	assert_int_equal(shipper_finish(s, &t, &size, &f), 0);
	shipper_free(s);
	read_back(&b, &t);
}

/* A directory's fsync, or a bucket far away, would else stop all the work of a
 * backup with one job, and half of that with two. */
static void
the_next_pack_is_filled_while_one_is_stored(void **state)
{
	struct file file = {.path = "base/0", .size = FILE_SIZE, .seed = 1};
	struct fault f = FAULT_INIT;
	struct shipper *s;

	(void)state;
	begin(&s);
	slow = true;
	met = false;
	assert_int_equal(shipper_pull(s, file.path, file.size, 0600,
			     1700000000000000, &file, &f),
	    0);
	end(s, &file);
	assert_false(slow);
	assert_true(met);
}

static void
what_was_drained_is_stored_before_the_end(void **state)
{
	struct file file = {.path = "base/0", .size = 12 * CHUNK, .seed = 2};
	struct fault f = FAULT_INIT;
	struct shipper *s;

	(void)state;
	begin(&s);
	assert_int_equal(shipper_pull(s, file.path, file.size, 0600,
			     1700000000000000, &file, &f),
	    0);
	assert_int_equal(shipper_drain(s, &f), 0);
	assert_true(rises_above(&packs_stored, 0));
	end(s, &file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_next_pack_is_filled_while_one_is_stored),
	    T(what_was_drained_is_stored_before_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
