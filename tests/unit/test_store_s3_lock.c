/* Object lock, on a real S3 server. */
#include "store_s3_world.h"

static int64_t
lock_of(struct store *s, const char *key)
{
	struct fault f = FAULT_INIT;
	int64_t us;

	assert_ok(store_lock_until(s, key, &us, NULL, &f), f);
	return us;
}

static void
locks_are_set_at_the_put_and_only_grow(void **state)
{
	const struct own *o = contract_of(state)->own;
	struct conf_repo r = o->repo;
	unsigned char *p = contract_bytes(25 << 20, 1);
	const int64_t hour = 3600 * INT64_C(1000000);
	struct store_terms t = {NULL, 24 * hour};
	int64_t now = clock_now_us(), until;
	struct fault f = FAULT_INIT;
	struct store_upload *u;
	struct store *s, *clone;
	char line[256], bucket[80];
	bool done;

	snprintf(bucket, sizeof bucket, "%s-lock-%u", server.bucket,
	    server.prefixes);
	snprintf(line, sizeof line,
	    "tests/servers/ceph bucket \"$PITRKIT_CEPH_DIR\" %s lock >&2 && "
	    "echo ok",
	    bucket);
	shell(line, line, sizeof line);
	r.bucket = bucket;
	r.object_lock = CONF_LOCK_GOVERNANCE;
	assert_ok(store_open(&s, &r, &f), f);
	assert_true(store_has_lock(s));
	contract_put(s, "none", "x"); /* no terms, no lock */
	assert_int_equal(lock_of(s, "none"), CLOCK_NONE);
	store_set_terms(s, &t);
	contract_put(s, "one", "x");
	assert_true(lock_of(s, "one") >= now + t.lock_us);
	assert_true(lock_of(s, "one") < now + t.lock_us + hour);
	assert_ok(store_clone(&clone, s, &f), f);
	contract_put(clone, "cloned", "x");
	assert_true(lock_of(s, "cloned") >= now + t.lock_us);
	store_free(clone);
	/* In parts, with the terms that were there when it began. */
	assert_ok(store_upload_begin(&u, s, "big", NULL, &f), f);
	store_set_terms(s, &(struct store_terms){NULL, 0});
	assert_ok(store_upload_write(u, p, 25 << 20, &f), f);
	assert_ok(store_upload_commit(u, &f), f);
	store_upload_free(u);
	assert_true(lock_of(s, "big") >= now + t.lock_us);
	/* Extended, and never shortened. */
	until = now + 48 * hour;
	assert_ok(store_lock_extend(s, "one", until, &done, NULL, &f), f);
	assert_true(done);
	assert_true(lock_of(s, "one") >= until);
	assert_ok(store_lock_extend(s, "one", now + hour, &done, NULL, &f), f);
	assert_false(done);
	assert_true(lock_of(s, "one") >= until);
	assert_ok(store_lock_extend(s, "none", until, &done, NULL, &f), f);
	assert_true(done && lock_of(s, "none") >= until);
	assert_fault(store_lock_extend(s, "absent", until, &done, NULL, &f),
	    FAULT_AGAIN, f);
	store_free(s);
	free(p);
}

static void
a_bucket_without_object_lock_is_told(void **state)
{
	const struct own *o = contract_of(state)->own;
	struct conf_repo r = o->repo;
	struct store_terms t = {NULL, 3600 * INT64_C(1000000)};
	struct fault f = FAULT_INIT;
	struct store *s;

	r.object_lock = CONF_LOCK_COMPLIANCE;
	assert_ok(store_open(&s, &r, &f), f);
	store_set_terms(s, &t);
	assert_fault(store_put(s, "k", "x", 1, NULL, &f), FAULT_CONFIG, f);
	assert_non_null(strstr(f.text, "object_lock = off"));
	assert_fault(store_stat(s, "k", NULL, NULL, &f), FAULT_ABSENT, f);
	store_free(s);
	assert_ok(store_open(&s, &o->repo, &f), f);
	assert_false(store_has_lock(s));
	assert_fault(
	    store_lock_extend(s, "k", 0, NULL, NULL, &f), FAULT_CONFIG, f);
	store_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    test(locks_are_set_at_the_put_and_only_grow),
	    test(a_bucket_without_object_lock_is_told),
	};

	return cmocka_run_group_tests_name(
	    "store_s3_lock", tests, find_server, NULL);
}
