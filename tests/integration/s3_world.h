#ifndef S3_WORLD_H
#define S3_WORLD_H

/*
 * What the tests of lib/s3 against a real S3 server, and through a proxy that
 * damages what passes, share. Called by tests/e2e/10-s3.t: without an argument
 * such a program prints the names of its tests, with a name it runs that one.
 * The server's variables (tests/servers/ceph), S3_BUCKET, PROXY_URL and
 * PROXY_RULES come in by the environment; without them every test fails.
 */

#include "../unit/unit.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "s3.h"
#include "s3_list.h"
#include "secret.h"

static inline const char *
env(const char *name)
{
	const char *s = getenv(name);

	if (s == NULL || s[0] == '\0')
		fail_msg("%s is not set", name);
	return s;
}

static inline struct s3_config
config(void)
{
	struct s3_config c = {.name = "test",
	    .endpoint = env("S3_HTTPS"),
	    .region = env("S3_REGION"),
	    .bucket = env("S3_BUCKET"),
	    .tls.ca_file = env("S3_CA_FILE"),
	    .access_key_id = env("S3_ACCESS_KEY_ID")};
	struct fault f = FAULT_INIT;

	if (secret_load_line(&c.secret, env("S3_SECRET_FILE"), &f) != 0)
		fail_msg("%s", f.text);
	return c;
}

static inline struct s3 *
client(struct s3_config *c)
{
	struct fault f = FAULT_INIT;
	struct s3 *s = NULL;

	if (s3_new(&s, c, &f) != 0)
		fail_msg("%s", f.text);
	secret_free(&c->secret);
	return s;
}

static inline struct s3 *
usual(void)
{
	struct s3_config c = config();

	return client(&c);
}

static inline struct s3 *
proxied(void)
{
	struct s3_config c = config();

	c.endpoint = env("PROXY_URL");
	return client(&c);
}

static inline void
rules(const char *json)
{
	char temp[4096];
	FILE *o;

	snprintf(temp, sizeof temp, "%s.new", env("PROXY_RULES"));
	o = fopen(temp, "w");
	assert_non_null(o);
	fputs(json, o);
	assert_int_equal(fclose(o), 0);
	assert_int_equal(rename(temp, env("PROXY_RULES")), 0);
}

/* A name no other test, and no earlier run, uses. */
static inline const char *
fresh(const char *what)
{
	static char names[4][100];
	static unsigned turn;
	char *name = names[turn++ % 4];

	snprintf(name, sizeof names[0], "it-%s/%d-%lld+x", what, (int)getpid(),
	    (long long)clock_now_us());
	return name;
}

static inline unsigned char *
noise(size_t n)
{
	unsigned char *p = malloc(n);
	uint32_t x = 2463534242U;

	assert_non_null(p);
	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		p[i] = (unsigned char)x;
	}
	return p;
}

/* No call needs so long; a machine may. */
static inline struct deadline
soon(void)
{
	return deadline_in_ms(120000);
}

#define OK(call, f)                                                            \
	do {                                                                   \
		if ((call) != 0)                                               \
			fail_msg("%s: %s", #call, (f).text);                   \
	} while (0)

/* The fault has that code and its line has that word. */
#define FAILS(call, want, word, f)                                             \
	do {                                                                   \
		int rc_ = (call);                                              \
		if (rc_ != (int)(want) || (f).code != (want) ||                \
		    strstr((f).text, (word)) == NULL)                          \
			fail_msg("%s: %d, %s", #call, rc_, (f).text);          \
	} while (0)

/*
 * The same of a call that is tried until its deadline d is over: one that is
 * soon over, or as late as this machine takes to hear what the store says.
 */
#define FAILS_AT_LAST(d, call, want, word, f)                                  \
	do {                                                                   \
		for (int64_t ms_ = 400; ms_ < 120000; ms_ *= 2) {              \
			(d) = deadline_in_ms(ms_);                             \
			if ((call) != (int)(want) ||                           \
			    strstr((f).text, (word)) != NULL)                  \
				break;                                         \
		}                                                              \
		if ((f).code != (want) || strstr((f).text, (word)) == NULL)    \
			fail_msg("%s: %s", #call, (f).text);                   \
	} while (0)

struct seen {
	unsigned n, prefixes;
	uint64_t bytes;
	unsigned stop_at;
	char last[300];
};

static inline int
see(void *ctx, const struct s3_entry *e, struct fault *f)
{
	struct seen *x = ctx;

	if (strlen(e->key) >= sizeof x->last || strcmp(e->key, x->last) <= 0 ||
	    (!e->is_prefix && e->modified_us == CLOCK_NONE))
		return fault_set(f, FAULT_CORRUPT, "%s", e->key);
	strcpy(x->last, e->key);
	x->n++;
	x->prefixes += e->is_prefix;
	x->bytes += e->size;
	if (x->n == x->stop_at)
		return fault_set(f, FAULT_FOREIGN, "enough");
	return 0;
}

struct results {
	unsigned n, good;
	struct fault last;
};

static inline void
result(void *ctx, size_t i, const struct fault *r)
{
	struct results *x = ctx;

	(void)i;
	x->n++;
	x->good += r->code == FAULT_NONE;
	if (r->code != FAULT_NONE)
		x->last = *r;
}

static inline void
upload(struct s3 *s, const char *key, const unsigned char *p, size_t n,
    struct s3_multipart **m)
{
	struct deadline d = soon();
	struct fault f = FAULT_INIT;
	size_t part;

	OK(s3_multipart_begin(m, s, key, &d, &f), f);
	for (size_t at = 0; at < n; at += part) {
		part = n - at < 5 << 20 ? n - at : 5 << 20;
		OK(s3_multipart_part(*m, p + at, part, &d, &f), f);
	}
}

#define T(name) cmocka_unit_test(name)

static inline int
run_named(int argc, char **argv, const struct CMUnitTest *tests, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (argc < 2) {
			puts(tests[i].name);
		} else if (strcmp(argv[1], tests[i].name) == 0) {
			const struct CMUnitTest one[] = {tests[i]};

			return cmocka_run_group_tests(one, NULL, NULL);
		}
	}
	return argc < 2 ? 0 : 2;
}

#endif
