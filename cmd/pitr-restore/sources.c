#include "sources.h"

#include <string.h>

#include "archive.h"
#include "log.h"

/* For one to answer, when there are others. */
#define PATIENCE_MS 30000

static struct deadline
patience(const struct sources *s)
{
	int64_t ms = s->cluster.store_deadline_ms;
	size_t others = s->cluster.n_repos + s->n_silent - 1;

	return deadline_in_ms(
	    others > 0 && ms > PATIENCE_MS ? PATIENCE_MS : ms);
}

static void
leave_out(struct sources *s, size_t i, const struct fault *why)
{
	struct conf_cluster *c = &s->cluster;

	s->why[s->n_silent] = *why;
	s->silent[s->n_silent++] = c->repos[i]->name;
	c->n_repos--;
	memmove(&c->repos[i], &c->repos[i + 1],
	    (c->n_repos - i) * sizeof(struct conf_repo *));
}

/* The one system id of the repositories that have one. */
static int
find_system_id(struct sources *s, uint64_t *id, struct fault *f)
{
	struct fault one = FAULT_INIT;
	uint64_t first = 0;
	uint64_t found;
	size_t i = 0;

	while (i < s->cluster.n_repos) {
		struct deadline d = patience(s);

		fault_clear(&one);
		if (repo_choose_only(&s->cluster, i, &found, &d, &one) != 0) {
			leave_out(s, i, &one);
			continue;
		}
		if (i++ == 0)
			first = found;
		if (found != first)
			return fault_set(f, FAULT_CONFIG,
			    "the repositories hold different clusters called "
			    "%s (system ids %llu, %llu): choose one with "
			    "--system-id",
			    s->cluster.name, (unsigned long long)first,
			    (unsigned long long)found);
	}
	*id = first;
	return 0;
}

static int
check_mark(struct sources *s, struct repo *r, size_t i, struct fault *f)
{
	struct deadline d = patience(s);
	struct store *store;
	int rc = archive_mark_check(r, i, &d, f);

	if (rc != FAULT_ABSENT || repo_store(r, i, &store, f) != 0)
		return (int)f->code;
	return fault_set(f, FAULT_CONFIG,
	    "%s holds no archive of cluster %s with system id %llu: wrong "
	    "bucket or prefix, not mounted, or nothing was archived yet",
	    store_url(store), s->cluster.name,
	    (unsigned long long)repo_system_id(r));
}

/* Those without their mark are left out. */
static int
check_marks(struct sources *s, uint64_t id, struct fault *f)
{
	struct conf_cluster all = s->cluster;
	struct fault one = FAULT_INIT;
	struct repo *r = NULL;
	size_t left = 0;
	size_t i;
	int rc = repo_open(&r, &all, id, f);

	if (rc == 0)
		rc = repo_needs_key(r, "a restore needs the key itself", f);
	for (i = 0; rc == 0 && i < all.n_repos; i++) {
		fault_clear(&one);
		if (check_mark(s, r, i, &one) != 0)
			leave_out(s, left, &one);
		else
			left++;
	}
	repo_free(r);
	return rc;
}

int
sources_open(struct sources *out, struct repo **r, const struct conf_cluster *c,
    const struct cli_list *only, const char *system_id, struct fault *f)
{
	uint64_t id = 0;
	size_t k;
	int rc = 0;

	memset(out, 0, sizeof *out);
	out->cluster = *c;
	if (only->n > 0)
		rc = conf_only_repos(c, only->v, only->n, &out->cluster, f);
	if (rc == 0 && system_id == NULL)
		rc = find_system_id(out, &id, f);
	else if (rc == 0)
		rc = repo_choose_given(system_id, &id, f);
	if (rc == 0 && out->cluster.n_repos > 0)
		rc = check_marks(out, id, f);
	if (rc != 0)
		return rc;
	if (out->cluster.n_repos == 0) {
		*f = out->why[0];
		return (int)f->code;
	}
	for (k = 0; k < out->n_silent; k++)
		log_line(0, "repository %s is left out: %s", out->silent[k],
		    out->why[k].text);
	return repo_open(r, &out->cluster, id, f);
}

int
sources_require_all(const struct sources *s, struct fault *f)
{
	if (s->n_silent == 0)
		return 0;
	*f = s->why[0];
	return fault_prefix(f,
	    "what is newest cannot be known without repository %s: wait until "
	    "it answers, go by others with --repo %s, or give a target and "
	    "--target-timeline; it says",
	    s->silent[0], s->cluster.repos[0]->name);
}
