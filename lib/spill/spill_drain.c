#include "spill_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lock.h"

#define DRAIN_BATCH 64
#define DRAIN_MARK_MAX 65536
#define DRAIN_STUCK 16 /* are looked at, where there is a limit of time */

struct drain {
	struct spill *spill;
	struct repo *to;
	const char *note;
	const struct spill_limits *limits;
	struct spill_drained *out;
	bool histories; /* this round is theirs */
	/* listed: */
	char keys[DRAIN_BATCH][LAYOUT_KEY];
	size_t n;
	char last[LAYOUT_KEY]; /* after which the listing goes on */
	bool more;
};

static const char *
drain_name(const char *key)
{
	const char *slash = strrchr(key, '/');

	return slash != NULL ? slash + 1 : key;
}

/* Names that are none of the archive's are nobody's, and stay. */
static int
drain_take(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct drain *x = ctx;
	struct fault ignored = FAULT_INIT;
	struct walname n;

	(void)f;
	if (strlen(e->key) >= LAYOUT_KEY)
		return 0;
	if (x->n == DRAIN_BATCH) {
		x->more = true;
		return -1;
	}
	strcpy(x->last, e->key);
	if (walname_parse(drain_name(e->key), &n, &ignored) == 0 &&
	    (n.kind == WALNAME_HISTORY) == x->histories)
		strcpy(x->keys[x->n++], e->key);
	return 0;
}

static void
drain_removed(void *ctx, size_t i, const struct fault *result)
{
	struct fault *f = ctx;

	(void)i;
	*f = *result;
}

static int
drain_remove(struct drain *x, const char *key, struct fault *f)
{
	const char *const keys[] = {key};
	struct fault result = FAULT_INIT;
	struct store *store;
	int rc = spill_core_store(x->spill, &store, f);

	if (rc == 0)
		rc = store_delete(
		    store, keys, 1, drain_removed, &result, NULL, f);
	if (rc != 0 || result.code == FAULT_NONE)
		return rc;
	*f = result;
	return (int)result.code;
}

static void
drain_stuck(struct drain *x, const struct fault *why)
{
	if (x->out->stuck++ == 0)
		x->out->first = *why;
}

static int
drain_one(struct drain *x, const char *key, struct fault *f)
{
	struct deadline d =
	    x->limits->d != NULL ? *x->limits->d : deadline_never();
	struct archive_result res;
	int rc;

	d = deadline_step(&d, x->limits->each_ms);
	rc = archive_copy(
	    x->to, x->spill->repo, drain_name(key), x->note, &d, &res, f);
	x->out->busy = res.busy;
	switch (rc) {
	case 0:
		break;
	case FAULT_EXISTS:
	case FAULT_CORRUPT:
	case FAULT_KEY:
	case FAULT_FOREIGN:
		drain_stuck(x, f);
		fault_clear(f);
		return 0;
	case FAULT_ABSENT:
		/* Another call was quicker. */
		fault_clear(f);
		return 0;
	default:
		return rc;
	}
	if (res.warning[0] != '\0')
		memcpy(x->out->warning, res.warning, sizeof(x->out->warning));
	if (drain_remove(x, key, f) != 0) {
		drain_stuck(x, f);
		fault_clear(f);
		return 0;
	}
	x->out->files++;
	x->out->bytes += res.stored;
	return 0;
}

static bool
drain_over(struct drain *x)
{
	const struct spill_limits *l = x->limits;

	if (x->out->busy || (l->d != NULL && x->out->stuck >= DRAIN_STUCK) ||
	    (l->files > 0 && x->out->files >= l->files) ||
	    (l->d != NULL && deadline_passed(l->d)))
		x->out->left = true;
	return x->out->left;
}

static int
drain_round(struct drain *x, bool histories, struct fault *f)
{
	struct store *store;
	int rc = spill_core_store(x->spill, &store, f);

	x->histories = histories;
	x->last[0] = '\0';
	x->more = true;
	while (rc == 0 && x->more) {
		x->n = 0;
		x->more = false;
		rc = store_list(store, x->spill->prefix, false,
		    x->last[0] != '\0' ? x->last : NULL, drain_take, x, NULL,
		    f);
		if (rc < 0)
			rc = 0;
		for (size_t i = 0; rc == 0 && i < x->n; i++) {
			if (drain_over(x))
				return 0;
			rc = drain_one(x, x->keys[i], f);
		}
	}
	return rc;
}

static int
drain_mark(struct repo *r, size_t i, const char *key, struct buf *out,
    const struct deadline *d, struct fault *f)
{
	struct store *store;
	int rc = repo_store(r, i, &store, f);

	if (rc == 0)
		rc = store_get(
		    store, key, 0, UINT64_MAX, buf_sink, out, NULL, d, f);
	if (rc == FAULT_ABSENT)
		fault_clear(f);
	return rc == FAULT_ABSENT ? 0 : rc;
}

/* A spill that is a repository itself, by another path or another protocol:
 * everything in it would be found to be stored, and removed. No two archives
 * have the same mark to the byte. */
static int
drain_check_apart(struct drain *x, struct fault *f)
{
	struct buf own = BUF_INIT(DRAIN_MARK_MAX);
	struct deadline d =
	    x->limits->d != NULL ? *x->limits->d : deadline_never();
	struct fault away = FAULT_INIT;
	uint32_t answered = 0;
	int rc;

	d = deadline_step(&d, x->limits->each_ms);
	rc = drain_mark(x->spill->repo, 0, x->spill->mark, &own, &d, f);
	for (size_t i = 0; rc == 0 && i < repo_count(x->to); i++) {
		struct buf other = BUF_INIT(DRAIN_MARK_MAX);

		answered += drain_mark(x->to, i, x->spill->mark, &other, &d,
				&away) == 0;
		if (own.len > 0 && own.len == other.len &&
		    memcmp(own.data, other.data, own.len) == 0)
			rc = fault_set(f, FAULT_CONFIG,
			    "spill_dir %s is repository %s: it has the same"
			    " mark",
			    x->spill->place.path,
			    repo_conf(x->to)->repos[i]->name);
		buf_free(&other);
	}
	buf_free(&own);
	if (rc != 0 || answered >= repo_conf(x->to)->push_quorum)
		return rc;
	*f = away;
	return (int)f->code;
}

static int
drain_run(struct drain *x, struct fault *f)
{
	bool pending;
	int rc;

	if ((rc = spill_core_check_place(x->spill, f)) != 0 ||
	    (rc = spill_pending(x->spill, &pending, x->limits->d, f)) != 0 ||
	    !pending)
		return rc;
	if ((rc = drain_check_apart(x, f)) != 0 ||
	    (rc = drain_round(x, true, f)) != 0 || x->out->left)
		return rc;
	return drain_round(x, false, f);
}

int
spill_drain(struct spill *s, struct repo *to, const char *mark_note,
    const struct spill_limits *l, struct spill_drained *out, struct fault *f)
{
	struct drain *x = calloc(1, sizeof(*x));
	struct fault ignored = FAULT_INIT;
	int lock = -1, rc;

	memset(out, 0, sizeof(*out));
	if (x == NULL)
		return fault_nomem(f);
	*x = (struct drain){
	    .spill = s, .to = to, .note = mark_note, .limits = l, .out = out};
	/* The lock saves work: two that do the same do no harm. */
	if (lock_take(s->lock, &lock, &ignored) == FAULT_EXISTS) {
		out->elsewhere = true;
		rc = 0;
	} else
		rc = drain_run(x, f);
	lock_release(lock);
	free(x);
	return rc;
}
