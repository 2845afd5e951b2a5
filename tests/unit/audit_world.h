#ifndef AUDIT_WORLD_H
#define AUDIT_WORLD_H

/* A repository with a trail, puts that fail, and what a check says of it. */

#include "repo_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "audit.h"
#include "audit_state.h"
#include "fdio.h"

static char secret_key[128], spool[128];

/* The next puts: fail before or after the object is there. */
static unsigned fail_puts;
static bool fail_after;
static enum fault_code fail_code;

int __real_store_put(struct store *s, const char *key, const void *data,
    size_t len, const struct deadline *d, struct fault *f);
int __wrap_store_put(struct store *s, const char *key, const void *data,
    size_t len, const struct deadline *d, struct fault *f);

int
__wrap_store_put(struct store *s, const char *key, const void *data, size_t len,
    const struct deadline *d, struct fault *f)
{
	if (fail_puts == 0)
		return __real_store_put(s, key, data, len, d, f);
	fail_puts--;
	if (fail_after)
		assert_int_equal(__real_store_put(s, key, data, len, d, f), 0);
	return fault_set(f, fail_code, "as it was planned");
}

/* So the next gets. */
static unsigned fail_gets;
static enum fault_code get_code;

int __real_store_get(struct store *s, const char *key, uint64_t offset,
    uint64_t length, sink_fn sink, void *ctx, struct store_info *info,
    const struct deadline *d, struct fault *f);
int __wrap_store_get(struct store *s, const char *key, uint64_t offset,
    uint64_t length, sink_fn sink, void *ctx, struct store_info *info,
    const struct deadline *d, struct fault *f);

int
__wrap_store_get(struct store *s, const char *key, uint64_t offset,
    uint64_t length, sink_fn sink, void *ctx, struct store_info *info,
    const struct deadline *d, struct fault *f)
{
	if (fail_gets == 0)
		return __real_store_get(
		    s, key, offset, length, sink, ctx, info, d, f);
	fail_gets--;
	return fault_set(f, get_code, "as it was planned");
}

static inline void
plan(unsigned puts, enum fault_code code, bool after)
{
	fail_puts = puts;
	fail_code = code;
	fail_after = after;
}

/* ---- a repository ---- */

static inline void
write_file(const char *path, const char *text, size_t len)
{
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	assert_int_equal(fwrite(text, 1, len, fp), len);
	assert_int_equal(fclose(fp), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static inline void
open_with(const char *key_file)
{
	repo_world_open(
	    "[cluster main]\nrepo = r\nkey_file = %s\nspool_dir = %s\n"
	    "[repo r]\nurl = file://%s/repo\n",
	    key_file, spool, dir);
}

static inline int
setup(void **state)
{
	struct fault f = FAULT_INIT;
	struct keyring *k;
	char path[128], *text;
	size_t len;

	(void)state;
	fail_puts = 0;
	repo_world_dir("audit");
	snprintf(spool, sizeof spool, "%s/spool", dir);
	snprintf(secret_key, sizeof secret_key, "%s/key", dir);
	snprintf(path, sizeof path, "%s/repo", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(mkdir(spool, 0700), 0);
	assert_int_equal(keyring_generate(1, &text, &len, &f), 0);
	write_file(secret_key, text, len);
	assert_int_equal(keyring_parse(&k, "key", text, len, &f), 0);
	free(text);
	assert_int_equal(keyring_recipient_text(k, &text, &len, &f), 0);
	snprintf(path, sizeof path, "%s/recipient", dir);
	write_file(path, text, len);
	free(text);
	keyring_free(k);
	open_with(secret_key);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	return repo_world_end();
}

/* ---- writing ---- */

static inline int
write_one(const char *object, char remark[AUDIT_TEXT])
{
	struct audit_event e = AUDIT_EVENT("test");
	struct fault f = FAULT_INIT;
	struct audit *a;
	int rc;

	e.object = object;
	assert_int_equal(audit_open(&a, repo, 0, "unit", &f), 0);
	rc = audit_note(a, &e, 0, NULL, &never, &f);
	if (remark != NULL)
		strcpy(remark, audit_remark(a));
	audit_free(a);
	assert_true(
	    rc == 0 || strncmp(f.text, "audit record not stored", 23) == 0);
	return rc;
}

static inline void
write_many(unsigned n)
{
	char object[16];

	for (unsigned k = 1; k <= n; k++) {
		snprintf(object, sizeof object, "%u", k);
		assert_int_equal(write_one(object, NULL), 0);
	}
}

/* ---- what a check says ---- */

#define MOST 64
static struct {
	size_t n;
	struct {
		enum audit_flaw flaw;
		uint64_t first, last;
		char text[512];
	} finding[MOST];
	size_t heads;
	struct audit_head head[MOST];
	size_t records;
	char objects[4096];
	char began[MOST][AUDIT_TEXT];
	struct audit_record last;
} seen;

static inline int
on_finding(void *ctx, const struct audit_finding *x, struct fault *f)
{
	(void)ctx;
	(void)f;
	assert_true(seen.n < MOST);
	seen.finding[seen.n].flaw = x->flaw;
	seen.finding[seen.n].first = x->first;
	seen.finding[seen.n].last = x->last;
	snprintf(seen.finding[seen.n++].text, 512, "%s", x->text);
	return 0;
}

static inline int
on_head(void *ctx, const struct audit_head *h, struct fault *f)
{
	(void)ctx;
	(void)f;
	assert_true(seen.heads < MOST);
	seen.head[seen.heads++] = *h;
	return 0;
}

static inline int
on_record(void *ctx, const struct audit_record *r, struct fault *f)
{
	(void)ctx;
	(void)f;
	if (seen.records < MOST)
		strcpy(seen.began[seen.records], r->began);
	seen.records++;
	if (strlen(seen.objects) + strlen(r->object) + 2 <
	    sizeof seen.objects) {
		strcat(seen.objects, r->object);
		strcat(seen.objects, " ");
	}
	seen.last = *r;
	return 0;
}

static inline int
check_with(const struct audit_head *known, size_t n, bool since)
{
	const struct audit_check c = {
	    .known = known,
	    .n_known = n,
	    .since_known = since,
	    .finding = on_finding,
	    .head = on_head,
	    .record = on_record,
	};
	struct fault f = FAULT_INIT;

	memset(&seen, 0, sizeof seen);
	return audit_check(repo, 0, &c, &never, &f);
}

static inline void
check(size_t findings)
{
	assert_int_equal(check_with(NULL, 0, false), 0);
	if (seen.n != findings)
		for (size_t k = 0; k < seen.n; k++)
			print_message("# %s\n", seen.finding[k].text);
	assert_int_equal(seen.n, findings);
}

/* The only writer's file of a number. */
static inline void
path_of(unsigned number, char path[256])
{
	check_with(NULL, 0, false);
	assert_true(seen.heads >= 1);
	snprintf(path, 256, "%s/repo/main/%" PRIu64 "/audit/%s/%012u", dir,
	    SYSTEM, seen.head[0].writer, number);
}

/* The state's file. */
static inline void
state_path(char path[512])
{
	struct fault f = FAULT_INIT;
	char *p;

	assert_int_equal(audit_state_path(repo, 0, &p, &f), 0);
	snprintf(path, 512, "%s", p);
	free(p);
}

#endif
