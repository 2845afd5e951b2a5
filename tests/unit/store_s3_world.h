#ifndef STORE_S3_WORLD_H
#define STORE_S3_WORLD_H

/*
 * A real S3 server: the one that tests/run has started in $PITRKIT_CEPH_DIR.
 * Without it tests fail.
 */

#include "store_contract.h"

#include <unistd.h>

static struct {
	char http[128], https[128], ca_file[512], access[128], secret[512];
	char region[64], bucket[64];
	unsigned prefixes;
} server;

static inline void
shell(const char *command, char *out, size_t n)
{
	char line[1024];
	FILE *p;

	snprintf(
	    line, sizeof(line), ". \"$PITRKIT_CEPH_DIR/env\" && %s", command);
	p = popen(line, "r");
	assert_non_null(p);
	if (!fgets(out, (int)n, p))
		out[0] = '\0';
	assert_int_equal(pclose(p), 0);
	out[strcspn(out, "\n")] = '\0';
	assert_true(out[0] != '\0');
}

static inline int
find_server(void **state)
{
	char line[256];

	(void)state;
	if (!getenv("PITRKIT_CEPH_DIR"))
		fail_msg("PITRKIT_CEPH_DIR is not set: no S3 server to test "
			 "with; run this by tests/run");
	shell("echo \"$S3_HTTP\"", server.http, sizeof(server.http));
	shell("echo \"$S3_HTTPS\"", server.https, sizeof(server.https));
	shell("echo \"$S3_CA_FILE\"", server.ca_file, sizeof(server.ca_file));
	shell(
	    "echo \"$S3_ACCESS_KEY_ID\"", server.access, sizeof(server.access));
	shell("echo \"$S3_SECRET_FILE\"", server.secret, sizeof(server.secret));
	shell("echo \"$S3_REGION\"", server.region, sizeof(server.region));
	snprintf(
	    server.bucket, sizeof(server.bucket), "store-%ld", (long)getpid());
	snprintf(line, sizeof(line),
	    "tests/servers/ceph bucket \"$PITRKIT_CEPH_DIR\" %s >&2 && echo ok",
	    server.bucket);
	shell(line, line, sizeof(line));
	return 0;
}

struct own {
	struct conf_repo repo;
	char prefix[64];
};

/* Each test has a prefix of its own; every second one uses TLS. */
static inline int
setup(void **state)
{
	struct contract *c = calloc(1, sizeof(*c));
	struct own *o = calloc(1, sizeof(*o));
	struct fault f = FAULT_INIT;

	snprintf(o->prefix, sizeof(o->prefix), "test/%u", ++server.prefixes);
	o->repo = (struct conf_repo){.name = "offsite",
	    .kind = CONF_STORE_S3,
	    .bucket = server.bucket,
	    .prefix = o->prefix,
	    .endpoint = server.prefixes % 2 ? server.http : server.https,
	    .region = server.region,
	    .insecure = true,
	    .ca_file = server.ca_file,
	    .access_key_id = server.access,
	    .secret_access_key = {.file = server.secret}};
	c->own = o;
	*state = c;
	assert_ok(store_open(&c->s, &o->repo, &f), f);
	return 0;
}

static inline int
note_key(void *ctx, const struct store_entry *e, struct fault *f)
{
	char **key = ctx;

	(void)f;
	*key = strdup(e->key);
	return FAULT_EXISTS;
}

/* The server holds its objects in memory. */
static inline int
teardown(void **state)
{
	struct contract *c = *state;
	struct fault f = FAULT_INIT;
	char *key;

	while (store_list(c->s, "", false, NULL, note_key, &key, NULL, &f) ==
	       FAULT_EXISTS) {
		struct contract_deleted d = {{0}, 0};
		const char *k = key;

		assert_ok(store_delete(
			      c->s, &k, 1, contract_note_deleted, &d, NULL, &f),
		    f);
		assert_int_equal(d.bad, 0);
		free(key);
	}
	store_free(c->s);
	free(c->own);
	free(c);
	return 0;
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
