#include "archive_dest.h"
#include "archive_file.h"
#include "clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What a repository gets before the next one is tried, when there are more; at
 * most, for all of them are to be asked in the first half of the time. */
#define FETCH_PATIENCE_MS 5000
/* One that did not answer is asked after the others for so long. */
#define FETCH_SILENT_MS 60000
#define FETCH_HEAD 64 /* of a segment: its header and more */

/* Where the content goes, anew for every try. */
struct fetch_target {
	int (*begin)(void *ctx, struct fault *f);
	void (*expect)(void *ctx, uint64_t size); /* may be NULL */
	sink_fn write;
	int (*end)(void *ctx, struct fault *f); /* it is whole and verified */
	void (*abort)(void *ctx);
	void *ctx;
};

struct fetch {
	struct repo *repo;
	struct archive_file_key key;
	const struct fetch_target *target;
	struct deadline deadline;
	/* of the try that runs: */
	const struct object_reader *reader;
	unsigned char head[FETCH_HEAD];
	size_t head_len;
};

/* The header is authentic by now. */
static void
fetch_expect(const struct fetch *x)
{
	const struct object_opener *o = object_reader_opener(x->reader);
	struct fault ignored = FAULT_INIT;
	struct walmeta m;
	const unsigned char *p;
	size_t len;

	p = object_meta(o, &len);
	if (walmeta_decode(p, len, &m, &ignored) == 0)
		x->target->expect(x->target->ctx, m.size);
}

static int
fetch_content(void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	struct fetch *x = ctx;
	size_t n = FETCH_HEAD - x->head_len;

	if (x->head_len == 0 && x->target->expect != NULL)
		fetch_expect(x);
	if (n > len)
		n = len;
	memcpy(x->head + x->head_len, data, n);
	x->head_len += n;
	return x->target->write(x->target->ctx, data, len, f);
}

/* All of it came and is authentic. Is it what it was when it was pushed, and
 * what PostgreSQL asks for? */
static int
fetch_verify(struct fetch *x, const struct object_reader *rd, struct fault *f)
{
	const struct object_opener *o = object_reader_opener(rd);
	const struct walname *n = &x->key.walname;
	uint64_t size = object_reader_content(rd);
	struct walmeta m;
	const unsigned char *p;
	size_t len;
	int rc;

	p = object_meta(o, &len);
	rc = walmeta_decode(p, len, &m, f);
	if (rc != 0)
		return rc;
	if (m.size != size)
		return fault_set(f, FAULT_CORRUPT,
		    "%" PRIu64 " bytes of content instead of %" PRIu64, size,
		    m.size);
	if (n->kind != WALNAME_SEGMENT && n->kind != WALNAME_PARTIAL)
		return 0;
	return archive_file_check_header(x->head, x->head_len, size, n,
	    repo_system_id(x->repo), x->key.id.name, f);
}

static int
fetch_stream(
    struct fetch *x, struct store *s, const struct deadline *d, struct fault *f)
{
	struct object_reader *rd = NULL;
	int rc = object_reader_new(
	    &rd, &x->key.id, repo_keys(x->repo), fetch_content, x, f);

	x->reader = rd;
	x->head_len = 0;
	if (rc != 0)
		return rc;
	rc = store_get(
	    s, x->key.key, 0, UINT64_MAX, object_reader_feed, rd, NULL, d, f);
	if (rc == 0 && (rc = object_reader_end(rd, f)) == 0)
		rc = fetch_verify(x, rd, f);
	/* Content, not transfer: say which object. */
	if (rc == FAULT_CORRUPT || rc == FAULT_KEY || rc == FAULT_FOREIGN)
		fault_prefix(f, "%s: %s", store_url(s), x->key.key);
	object_reader_free(rd);
	return rc;
}

static int
fetch_from(struct fetch *x, size_t i, const struct deadline *d, struct fault *f)
{
	const struct fetch_target *t = x->target;
	struct store *s;
	int rc = repo_store(x->repo, i, &s, f);

	if (rc != 0 || (rc = t->begin(t->ctx, f)) != 0)
		return rc;
	rc = fetch_stream(x, s, d, f);
	if (rc == 0)
		rc = t->end(t->ctx, f);
	if (rc != 0)
		t->abort(t->ctx);
	return rc;
}

static struct deadline
fetch_deadline(const struct fetch *x, int64_t ms)
{
	struct deadline d = deadline_in_ms(ms);

	return d.at_ms < x->deadline.at_ms ? d : x->deadline;
}

/* In the order of the settings; but those that were silent lately come last.
 */
static size_t
fetch_order(const struct fetch *x, size_t order[CONF_LIST])
{
	int64_t now = clock_monotonic_ms();
	size_t n = 0;

	for (int silent = 0; silent < 2; silent++)
		for (size_t i = 0; i < repo_count(x->repo); i++) {
			int64_t ms = repo_silent_ms(x->repo, i);

			if ((ms != 0 && now - ms < FETCH_SILENT_MS) ==
			    (silent == 1))
				order[n++] = i;
		}
	return n;
}

/* One repository after the other. ABSENT when all of them said so; else the
 * worst of what they said. */
static int
fetch_round(struct fetch *x, bool last, struct fault *f)
{
	struct fault worst = FAULT_INIT, one = FAULT_INIT;
	size_t order[CONF_LIST], n = fetch_order(x, order);
	int64_t share = deadline_left_ms(&x->deadline) / (2 * (int64_t)n);

	if (share > FETCH_PATIENCE_MS)
		share = FETCH_PATIENCE_MS;
	for (size_t k = 0; k < n; k++) {
		int64_t left = deadline_left_ms(&x->deadline);
		struct deadline d = x->deadline;
		int rc;

		if (n > 1)
			d = fetch_deadline(
			    x, last ? left / (int64_t)(n - k) : share);
		fault_clear(&one);
		rc = fetch_from(x, order[k], &d, &one);
		repo_set_silent_ms(x->repo, order[k],
		    rc == FAULT_AGAIN ? clock_monotonic_ms() : 0);
		if (rc == 0)
			return 0;
		if (archive_file_worse(one.code, worst.code))
			worst = one;
	}
	*f = worst;
	return (int)worst.code;
}

/* Every repository said that there is no such object. It is proven when each
 * shows that it is this cluster's archive, and then says so again: a directory
 * that was not mounted the first time was not asked. */
static int
fetch_prove_absence(struct fetch *x, bool *appeared, struct fault *f)
{
	for (size_t i = 0; i < repo_count(x->repo); i++) {
		struct store_info info;
		struct store *s;
		int rc = repo_store(x->repo, i, &s, f);

		if (rc == 0)
			rc = archive_mark_check(x->repo, i, &x->deadline, f);
		if (rc == FAULT_ABSENT)
			return fault_set(f, FAULT_AGAIN,
			    "%s holds no archive of cluster %s, system id"
			    " %" PRIu64 ": wrong bucket or prefix, or not"
			    " mounted? (%s cannot be proven absent)",
			    store_url(s), x->key.id.cluster,
			    x->key.id.system_id, x->key.id.name);
		if (rc != 0)
			return rc;
		rc = store_stat(s, x->key.key, &info, &x->deadline, f);
		*appeared = rc == 0;
		if (*appeared)
			return fault_set(f, FAULT_AGAIN,
			    "%s: %s was absent and is there now", store_url(s),
			    x->key.key);
		if (rc != FAULT_ABSENT)
			return rc;
	}
	return fault_set(
	    f, FAULT_ABSENT, "%s is not in the archive", x->key.id.name);
}

static int
fetch_rounds(struct fetch *x, struct fault *f)
{
	bool several = repo_count(x->repo) > 1;
	int rc = fetch_round(x, !several, f);

	if (rc == FAULT_AGAIN && several && !deadline_passed(&x->deadline))
		rc = fetch_round(x, true, f);
	return rc;
}

/* What walpush stores between our looks (a standby follows its primary that
 * way) is fetched. */
static int
fetch_run(struct fetch *x, struct fault *f)
{
	bool appeared = false;
	int rc = fetch_rounds(x, f);

	if (rc != FAULT_ABSENT)
		return rc;
	rc = fetch_prove_absence(x, &appeared, f);
	if (appeared && (rc = fetch_rounds(x, f)) == FAULT_ABSENT)
		fault_recode(f, FAULT_AGAIN);
	return rc == 0 ? 0 : (int)f->code;
}

static int
fetch_any(struct repo *r, const char *name, const struct fetch_target *t,
    const struct deadline *d, struct fault *f)
{
	struct fetch x = {
	    .repo = r,
	    .target = t,
	    .deadline = d != NULL ? *d : deadline_never(),
	};
	int rc = archive_file_key(r, name, &x.key, f);

	return rc != 0 ? rc : fetch_run(&x, f);
}

struct fetch_file {
	struct archive_dest dest;
	const char *path;
};

static int
fetch_file_begin(void *ctx, struct fault *f)
{
	struct fetch_file *t = ctx;

	return archive_dest_begin(&t->dest, t->path, f);
}

static void
fetch_file_expect(void *ctx, uint64_t size)
{
	const struct fetch_file *t = ctx;

	archive_dest_expect(&t->dest, size);
}

static int
fetch_file_write(
    void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	struct fetch_file *t = ctx;

	return archive_dest_write(&t->dest, data, len, f);
}

static int
fetch_file_end(void *ctx, struct fault *f)
{
	struct fetch_file *t = ctx;

	return archive_dest_publish(&t->dest, f);
}

static void
fetch_file_abort(void *ctx)
{
	struct fetch_file *t = ctx;

	archive_dest_abort(&t->dest);
}

int
archive_fetch(struct repo *r, const char *name, const char *dest,
    const struct deadline *d, struct fault *f)
{
	struct fetch_file file = {.path = dest};
	const struct fetch_target t = {fetch_file_begin, fetch_file_expect,
	    fetch_file_write, fetch_file_end, fetch_file_abort, &file};

	return fetch_any(r, name, &t, d, f);
}

static int
fetch_buf_begin(void *ctx, struct fault *f)
{
	(void)f;
	buf_clear(ctx);
	return 0;
}

static int
fetch_buf_end(void *ctx, struct fault *f)
{
	(void)ctx;
	(void)f;
	return 0;
}

static void
fetch_buf_abort(void *ctx)
{
	buf_clear(ctx);
}

int
archive_read(struct repo *r, const char *name, struct buf *out,
    const struct deadline *d, struct fault *f)
{
	const struct fetch_target t = {fetch_buf_begin, NULL, buf_sink,
	    fetch_buf_end, fetch_buf_abort, out};

	return fetch_any(r, name, &t, d, f);
}
