#include "waysplit.h"

/* Where the followed timeline begins on the way. */
static uint64_t
floor_of(const struct waypath *w)
{
	uint64_t begin = walname_segno_of(
	    w->history.entry[w->history.n - 1].begin, w->segment_size);

	return begin > w->first_segno ? begin : w->first_segno;
}

static int
split(
    const struct repo *r, size_t a, size_t b, const char *name, struct fault *f)
{
	const struct conf_cluster *c = repo_conf(r);

	return fault_set(f, FAULT_CONFIG,
	    "%s in repository %s is not what it is in repository %s, as if two "
	    "servers had archived as cluster %s: choose one with --repo %s or "
	    "--repo %s",
	    name, c->repos[a]->name, c->repos[b]->name, c->name,
	    c->repos[a]->name, c->repos[b]->name);
}

/* *told: both have it; a fault when it is not the same. What cannot be compared
 * ends the search. */
static int
agree(struct repo *r, size_t a, size_t b, const char *name, bool *told,
    const struct deadline *d, struct fault *f)
{
	struct deadline step =
	    deadline_step(d, repo_conf(r)->store_deadline_ms);
	struct fault ignored = FAULT_INIT;
	bool same;
	int rc = archive_agree(r, a, b, name, &same, &step, &ignored);

	*told = rc != FAULT_ABSENT;
	return rc == 0 && !same ? split(r, a, b, name, f) : 0;
}

/* Two servers that were promoted at different places. */
static int
compare_histories(struct repo *r, size_t a, size_t b, const struct waypath *w,
    const struct deadline *d, struct fault *f)
{
	char name[WALNAME_SIZE];
	bool told;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->history.n; i++) {
		if (w->history.entry[i].timeline < 2)
			continue;
		walname_format_history(w->history.entry[i].timeline, name);
		rc = agree(r, a, b, name, &told, d, f);
	}
	return rc;
}

/* One of them may lag, and one of the servers may have gone on in both since:
 * further and further back, to where the way begins. */
static int
compare_segments(struct repo *r, size_t a, size_t b, const struct waypath *w,
    const struct deadline *d, struct fault *f)
{
	uint64_t most = w->last_segno - floor_of(w);
	char name[WALNAME_SIZE];
	bool told;
	int rc = 0;

	for (uint64_t back = 0; rc == 0 && back <= most; back = back * 2 + 1) {
		walname_format(
		    w->timeline, w->last_segno - back, w->segment_size, name);
		rc = agree(r, a, b, name, &told, d, f);
	}
	return rc;
}

int
waysplit_check(struct repo *r, const struct waypath *w,
    const struct deadline *d, struct fault *f)
{
	int rc = 0;

	if (w->segments == 0 || w->last_segno < floor_of(w))
		return 0;
	for (size_t a = 0; rc == 0 && a < repo_count(r); a++)
		for (size_t b = a + 1; rc == 0 && b < repo_count(r); b++) {
			rc = compare_histories(r, a, b, w, d, f);
			if (rc == 0)
				rc = compare_segments(r, a, b, w, d, f);
		}
	return rc;
}
