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

/* One of them may lag: further and further back, until both have it. */
static int
compare(struct repo *r, size_t a, size_t b, const struct waypath *w,
    const struct deadline *d, struct fault *f)
{
	uint64_t most = w->last_segno - floor_of(w);
	struct fault ignored = FAULT_INIT;
	char name[WALNAME_SIZE];

	for (uint64_t back = 0; back <= most; back = back * 2 + 1) {
		struct deadline step =
		    deadline_step(d, repo_conf(r)->store_deadline_ms);
		bool same;
		int rc;

		walname_format(
		    w->timeline, w->last_segno - back, w->segment_size, name);
		rc = archive_agree(r, a, b, name, &same, &step, &ignored);
		if (rc == 0)
			return same ? 0 : split(r, a, b, name, f);
		if (rc != FAULT_ABSENT)
			return 0;
		fault_clear(&ignored);
	}
	return 0;
}

int
waysplit_check(struct repo *r, const struct waypath *w,
    const struct deadline *d, struct fault *f)
{
	int rc = 0;

	if (w->segments == 0 || w->last_segno < floor_of(w))
		return 0;
	for (size_t a = 0; rc == 0 && a < repo_count(r); a++)
		for (size_t b = a + 1; rc == 0 && b < repo_count(r); b++)
			rc = compare(r, a, b, w, d, f);
	return rc;
}
