#include "spill_core.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lock.h"

#define DRAIN_BATCH 64
#define DRAIN_LATE_MS 5000
#define DRAIN_STUCK 16 /* are looked at, where there is a limit of time */

/* Where it all goes, as far as it answers. */
struct drain_way {
	struct conf_cluster conf;
	struct repo *repo;
	bool busy; /* neither may be freed */
};

struct drain {
	struct spill *spill;
	struct drain_way *way;
	const char *note;
	const struct spill_limits *limits;
	struct spill_drained *out;
	bool histories; /* this round is theirs */
	/* listed: */
	char keys[DRAIN_BATCH][LAYOUT_KEY];
	size_t n;
	char last[LAYOUT_KEY]; /* after which the listing goes on */
	bool more;
	bool over; /* fewer repositories answer than are needed */
	/* A late repository has cost seconds: as many are used for more files
	 * than the limit, or a spill would take hours to empty. */
	struct deadline more_until;
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
drain_way_free(struct drain_way *w)
{
	if (w == NULL || w->busy)
		return;
	repo_free(w->repo);
	free(w);
}

/* The repositories of r but those which were late. */
static int
drain_way_new(struct drain_way **out, const struct repo *r,
    const bool late[CONF_LIST], struct fault *f)
{
	const struct conf_cluster *c = repo_conf(r);
	struct drain_way *w = calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return fault_nomem(f);
	w->conf = *c;
	w->conf.n_repos = 0;
	for (size_t i = 0; i < c->n_repos; i++)
		if (!late[i])
			w->conf.repos[w->conf.n_repos++] = c->repos[i];
	rc = repo_clone_for(&w->repo, r, &w->conf, f);
	if (rc != 0)
		free(w);
	else
		*out = w;
	return rc;
}

/* What keeps us waiting with each file, and is not needed for the quorum, is
 * left out from now on. */
static int
drain_go_without(
    struct drain *x, const struct archive_result *res, struct fault *f)
{
	struct drain_way *w = NULL;
	int rc = drain_way_new(&w, x->way->repo, res->late, f);

	x->out->busy = x->way->busy = true;
	x->more_until = deadline_in_ms(DRAIN_LATE_MS);
	x->over = rc != 0 || w->conf.n_repos < w->conf.push_quorum;
	if (x->over)
		drain_way_free(w);
	else
		x->way = w;
	return rc;
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
	rc = archive_copy(x->way->repo, x->spill->repo, drain_name(key),
	    x->note, &d, &res, f);
	if (res.busy) {
		struct fault own = FAULT_INIT;
		int failed = drain_go_without(x, &res, &own);

		if (rc == 0 && failed != 0) {
			*f = own;
			return failed;
		}
	}
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

	if (x->over || (l->d != NULL && x->out->stuck >= DRAIN_STUCK) ||
	    (l->files > 0 && x->out->files >= l->files &&
		(!x->out->busy || deadline_passed(&x->more_until))) ||
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

/* A put that failed or was killed leaves empty folders, and where there are no
 * files without a name some of its own: something would seem to wait for ever.
 * To remove what is not there takes them along. */
static void
drain_sweep(struct drain *x)
{
	const size_t root = strlen(x->spill->place.path);
	char *const paths[] = {x->spill->folder, NULL};
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	char key[STORE_KEY_MAX + 1];
	FTSENT *e;

	while (tree != NULL && (e = fts_read(tree)) != NULL) {
		const char *at = e->fts_path + root;
		struct fault ignored = FAULT_INIT;

		while (*at == '/')
			at++;
		if (e->fts_info == FTS_DP &&
		    snprintf(key, sizeof(key), "%s/none", at) <
			(int)sizeof(key))
			(void)drain_remove(x, key, &ignored);
	}
	if (tree != NULL)
		fts_close(tree);
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
	if ((rc = drain_round(x, true, f)) != 0 || x->out->left)
		return rc;
	if ((rc = drain_round(x, false, f)) == 0 && !x->out->left)
		drain_sweep(x);
	return rc;
}

int
spill_drain(struct spill *s, const struct repo *to, const char *mark_note,
    const struct spill_limits *l, struct spill_drained *out, struct fault *f)
{
	struct drain *x = calloc(1, sizeof(*x));
	static const bool none[CONF_LIST];
	struct fault ignored = FAULT_INIT;
	int lock = -1, rc;

	memset(out, 0, sizeof(*out));
	if (x == NULL)
		return fault_nomem(f);
	*x = (struct drain){
	    .spill = s, .note = mark_note, .limits = l, .out = out};
	/* The lock saves work: two that do the same do no harm. It is on what
	 * is drained, whatever settings name it, and goes with it. */
	if (lock_take_folder(s->folder, &lock, &ignored) == FAULT_EXISTS) {
		out->elsewhere = true;
		rc = 0;
	} else if ((rc = drain_way_new(&x->way, to, none, f)) == 0)
		rc = drain_run(x, f);
	lock_release(lock);
	drain_way_free(x->way);
	free(x);
	return rc;
}
