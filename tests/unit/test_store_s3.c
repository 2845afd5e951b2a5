/* The contract, over a real S3 server. */
#include "store_s3_world.h"

static void
a_prefix_keeps_repositories_apart(void **state)
{
	struct contract *c = contract_of(state);
	struct own *o = c->own;
	struct conf_repo other = o->repo;
	struct fault f = FAULT_INIT;
	struct store *whole, *beside;
	char longer[80], url[200], key[100];

	/* A prefix that only begins like the other one. */
	snprintf(longer, sizeof(longer), "%s0", o->prefix);
	other.prefix = longer;
	assert_ok(store_open(&beside, &other, &f), f);
	other.prefix = "";
	assert_ok(store_open(&whole, &other, &f), f);
	contract_put(c->s, "a/b", "mine");
	contract_put(beside, "a/b", "other");
	contract_expect(c->s, "a/b", "mine", 4);
	contract_expect(beside, "a/b", "other", 5);
	contract_list(c->s, "", false, NULL, "a/b|");
	contract_list(c->s, "", true, NULL, "a/|");
	snprintf(key, sizeof(key), "%s/a/b", longer);
	contract_expect(whole, key, "other", 5);
	snprintf(url, sizeof(url), "s3://%s/%s", server.bucket, longer);
	assert_string_equal(store_url(beside), url);
	snprintf(url, sizeof(url), "s3://%s", server.bucket);
	assert_string_equal(store_url(whole), url);
	{
		struct contract_deleted d = {{0}, 0};
		const char *k = key;

		assert_ok(store_delete(whole, &k, 1, contract_note_deleted, &d,
			      NULL, &f),
		    f);
	}
	contract_absent(beside, "a/b");
	store_free(beside);
	store_free(whole);
}

static void
only_objects_are_listed(void **state)
{
	struct contract *c = contract_of(state);
	struct own *o = c->own;
	char command[400], out[100];

	contract_put(c->s, "a/b", "x");
	snprintf(command, sizeof(command),
	    "for k in 'a/' 'a/with blank' '.hidden/x' 'x//y'; do "
	    "/usr/bin/python3 tests/lib/s3ctl.py \"$PITRKIT_CEPH_DIR\" put "
	    "%s \"%s/$k\" /dev/null >&2 || exit 1; done; echo ok",
	    server.bucket, o->prefix);
	shell(command, out, sizeof(out));
	contract_list(c->s, "", false, NULL, "a/b|");
	contract_list(c->s, "", true, NULL, "a/|x/|");
	contract_list(c->s, "a/", true, NULL, "a/b|");
	snprintf(command, sizeof(command),
	    "for k in 'a/' 'a/with blank' '.hidden/x' 'x//y'; do "
	    "/usr/bin/python3 tests/lib/s3ctl.py \"$PITRKIT_CEPH_DIR\" delete "
	    "%s \"%s/$k\" >&2 || exit 1; done; echo ok",
	    server.bucket, o->prefix);
	shell(command, out, sizeof(out));
}

static void
refusals_are_not_absence(void **state)
{
	struct own *o = contract_of(state)->own;
	struct conf_repo r = o->repo;
	struct deadline d;
	struct fault f = FAULT_INIT;
	struct store *s;

	r.bucket = "there-is-no-such-bucket";
	assert_ok(store_open(&s, &r, &f), f);
	assert_fault(store_put(s, "k", "x", 1, NULL, &f), FAULT_CONFIG, f);
	assert_fault(store_get(s, "k", 0, UINT64_MAX, contract_choke, NULL,
			 NULL, NULL, &f),
	    FAULT_CONFIG, f);
	store_free(s);
	r = o->repo;
	r.secret_access_key = (struct conf_secret){.value = "wrong"};
	assert_ok(store_open(&s, &r, &f), f);
	assert_fault(store_put(s, "k", "x", 1, NULL, &f), FAULT_DENIED, f);
	assert_fault(store_stat(s, "k", NULL, NULL, &f), FAULT_DENIED, f);
	store_free(s);
	r = o->repo;
	r.endpoint = "http://127.0.0.1:9";
	assert_ok(store_open(&s, &r, &f), f);
	/* It is tried until then: on a slow machine, not even once. */
	d = deadline_in_ms(300);
	assert_fault(store_stat(s, "k", NULL, &d, &f), FAULT_AGAIN, f);
	store_free(s);
	r = o->repo;
	r.secret_access_key = (struct conf_secret){.file = "/nowhere/at/all"};
	assert_true(store_open(&s, &r, &f) != 0);
	assert_non_null(strstr(f.text, "repository offsite"));
}

static void
an_abandoned_upload_leaves_no_parts(void **state)
{
	struct store *s = contract_of(state)->s;
	unsigned char *p = contract_bytes(25 << 20, 1);
	struct fault f = FAULT_INIT;
	struct store_upload *u;
	char command[200], out[100];

	snprintf(command, sizeof(command),
	    "/usr/bin/python3 tests/lib/s3ctl.py \"$PITRKIT_CEPH_DIR\" "
	    "uploads %s | wc -l",
	    server.bucket);
	assert_ok(store_upload_begin(&u, s, "big", NULL, &f), f);
	assert_ok(store_upload_write(u, p, 25 << 20, &f), f);
	shell(command, out, sizeof(out));
	assert_string_equal(out, "1");
	store_upload_free(u);
	shell(command, out, sizeof(out));
	assert_string_equal(out, "0");
	/* Nor one whose name was taken meanwhile. */
	assert_ok(store_upload_begin(&u, s, "big", NULL, &f), f);
	assert_ok(store_upload_write(u, p, 25 << 20, &f), f);
	contract_put(s, "big", "first");
	assert_fault(store_upload_commit(u, &f), FAULT_EXISTS, f);
	store_upload_free(u);
	contract_expect(s, "big", "first", 5);
	shell(command, out, sizeof(out));
	assert_string_equal(out, "0");
	free(p);
}

static void
note_told(void *ctx, size_t i, const struct fault *result)
{
	unsigned char *told = ctx;

	if (result->code == FAULT_NONE)
		told[i]++;
}

static void
many_deletes_are_told_each(void **state)
{
	struct store *s = contract_of(state)->s;
	enum {
		N = 2100
	};
	static char text[N][24];
	static const char *keys[N];
	struct fault f = FAULT_INIT;
	unsigned char *told = calloc(N, 1);

	for (unsigned i = 0; i < N; i++) {
		snprintf(text[i], sizeof(text[i]), "m/%u", i);
		keys[i] = text[i];
	}
	contract_put(s, "m/0", "x");
	contract_put(s, "m/999", "x");
	contract_put(s, "m/1000", "x");
	contract_put(s, "m/2099", "x");
	assert_ok(store_delete(s, keys, N, note_told, told, NULL, &f), f);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(told[i], 1);
	contract_list(s, "", false, NULL, "");
	free(told);
}

static int
end_remain(void *ctx, const struct store_remain *r, struct fault *f)
{
	struct store *s = ctx;

	assert_true(r->begun_us > clock_now_us() - 3600 * INT64_C(1000000));
	return store_remains_remove(s, r->key, r->id, NULL, f);
}

static int
count_remain(void *ctx, const struct store_remain *r, struct fault *f)
{
	unsigned *n = ctx;

	(void)r;
	(void)f;
	++*n;
	return 0;
}

static void
unfinished_uploads_are_found_and_ended(void **state)
{
	const struct own *o = contract_of(state)->own;
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	char command[300], out[300];
	unsigned n = 0;

	assert_ok(store_remains(s, "", count_remain, &n, NULL, &f), f);
	assert_int_equal(n, 0);
	snprintf(command, sizeof command,
	    "for i in 1 2 3; do for k in u/a u/b/c v/d; do /usr/bin/python3 "
	    "tests/lib/s3ctl.py \"$PITRKIT_CEPH_DIR\" begin %s %s/$k; done; "
	    "done | wc -l",
	    server.bucket, o->prefix);
	shell(command, out, sizeof out);
	assert_string_equal(out, "9");
	assert_ok(store_remains(s, "u/", count_remain, &n, NULL, &f), f);
	assert_int_equal(n, 6);
	assert_ok(store_remains(s, "u/", end_remain, s, NULL, &f), f);
	n = 0;
	assert_ok(store_remains(s, "", count_remain, &n, NULL, &f), f);
	assert_int_equal(n, 3);
	assert_ok(store_remains_remove(s, "v/d", "2~nothing", NULL, &f), f);
	assert_ok(store_remains(s, "v/", end_remain, s, NULL, &f), f);
	n = 0;
	assert_ok(store_remains(s, "", count_remain, &n, NULL, &f), f);
	assert_int_equal(n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CONTRACT_TESTS(setup, teardown),
	    test(a_prefix_keeps_repositories_apart),
	    test(only_objects_are_listed),
	    test(refusals_are_not_absence),
	    test(an_abandoned_upload_leaves_no_parts),
	    test(many_deletes_are_told_each),
	    test(unfinished_uploads_are_found_and_ended),
	};

	return cmocka_run_group_tests(tests, find_server, NULL);
}
