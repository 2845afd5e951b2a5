#include "conf_core.h"

#include <string.h>

#include "fdio.h"

/* Two names for one place would count as two in push_quorum. */
static int
resolve_repo(
    struct conf *c, struct conf_cluster_slot *s, size_t i, struct fault *f)
{
	const char *name = s->repo_names[i];
	size_t j;

	for (j = 0; j < c->n_repos; j++)
		if (strcmp(c->repos[j].r.name, name) == 0)
			break;
	if (j == c->n_repos)
		return conf_fault(c, s->repo_lines[i], f,
		    "there is no section [repo %s]", name);
	s->c.repos[i] = &c->repos[j].r;
	for (j = 0; j < i; j++)
		if (conf_repo_same(s->c.repos[j], s->c.repos[i]))
			return conf_fault(c, s->repo_lines[i], f,
			    "repo %s is the same place as %s", name,
			    s->c.repos[j]->name);
	return 0;
}

static int
check_keys(
    const struct conf *c, const struct conf_cluster_slot *s, struct fault *f)
{
	if (s->c.n_key_files > 0 && !s->c.encryption)
		return conf_fault(c, conf_key_cluster_line(s, "encryption"), f,
		    "encryption = off, but key_file is given: which is "
		    "meant?");
	if (s->c.n_key_files == 0 && s->c.encryption)
		return conf_fault(c, s->c.line, f,
		    "[cluster %s] has no key_file; make a key with "
		    "\"repo-key generate FILE\" and add key_file = FILE",
		    s->c.name);
	return 0;
}

#define DAY_MS (86400 * INT64_C(1000))

/* A count of 0 is a value of its own. */
static void
retain_count(const struct conf_cluster_slot *s, const char *name, uint32_t *n,
    uint32_t usual)
{
	if (conf_key_cluster_line(s, name) == 0)
		*n = usual;
}

static void
retain_defaults(struct conf_cluster_slot *s)
{
	struct conf_cluster *c = &s->c;

	if (c->retain_full_ms == 0)
		c->retain_full_ms = 30 * DAY_MS;
	if (c->retain_wal_ms == 0)
		c->retain_wal_ms = 14 * DAY_MS;
	if (c->retain_archive_ms == 0)
		c->retain_archive_ms = 2557 * DAY_MS;
	retain_count(s, "retain_daily", &c->retain_daily, 30);
	retain_count(s, "retain_weekly", &c->retain_weekly, 12);
	retain_count(s, "retain_monthly", &c->retain_monthly, 12);
	retain_count(s, "retain_yearly", &c->retain_yearly, 7);
	retain_count(s, "retain_minimum", &c->retain_minimum, 2);
}

static void
cluster_defaults(struct conf_cluster_slot *s)
{
	struct conf_cluster *c = &s->c;

	if (c->conninfo == NULL)
		c->conninfo = "";
	if (c->push_quorum == 0)
		c->push_quorum = 1;
	if (conf_key_cluster_line(s, "encryption") == 0)
		c->encryption = true;
	if (conf_key_cluster_line(s, "compression") == 0) {
		c->codec = 1;
		c->level = 1;
	}
	if (c->push_deadline_ms == 0)
		c->push_deadline_ms = 60 * 1000;
	if (c->fetch_deadline_ms == 0)
		c->fetch_deadline_ms = 300 * 1000;
	if (c->store_deadline_ms == 0)
		c->store_deadline_ms = 15 * 60 * 1000;
	if (conf_key_cluster_line(s, "push_jobs") == 0)
		c->push_jobs = 2;
	if (conf_key_cluster_line(s, "fetch_jobs") == 0)
		c->fetch_jobs = 2;
	if (c->push_linger_ms == 0)
		c->push_linger_ms = 5 * 1000;
	if (c->fetch_linger_ms == 0)
		c->fetch_linger_ms = 60 * 1000;
	if (c->fetch_ahead == 0)
		c->fetch_ahead = 128U << 20;
	if (c->spool_dir == NULL)
		c->spool_dir = "/var/spool/pitrkit";
	if (c->spill_below == 0) {
		c->spill_below = 20;
		c->spill_percent = true;
	}
	if (c->rto_ms == 0)
		c->rto_ms = 4 * 3600 * 1000;
	retain_defaults(s);
}

/* There it would be lost together with the server, backed up into itself, and
 * removed by a restore in place. */
static int
check_apart(
    const struct conf *c, const struct conf_cluster_slot *s, struct fault *f)
{
	size_t i;

	if (s->c.pgdata == NULL)
		return 0;
	for (i = 0; i < s->c.n_repos; i++)
		if (s->c.repos[i]->kind == CONF_STORE_FILE &&
		    fdio_lies_in(s->c.repos[i]->path, s->c.pgdata))
			return conf_fault(c, s->repo_lines[i], f,
			    "repo %s lies in pgdata, %s, and would be lost "
			    "with it; put it elsewhere, best on another disk "
			    "or host",
			    s->c.repos[i]->name, s->c.pgdata);
	return 0;
}

/* What is put aside is not where it is put aside from. */
static int
check_spill(
    const struct conf *c, const struct conf_cluster_slot *s, struct fault *f)
{
	size_t i;

	if (s->c.spill_dir == NULL) {
		if (conf_key_cluster_line(s, "spill_below") != 0)
			return conf_fault(c,
			    conf_key_cluster_line(s, "spill_below"), f,
			    "spill_below has no effect without spill_dir");
		return 0;
	}
	for (i = 0; i < s->c.n_repos; i++)
		if (s->c.repos[i]->kind == CONF_STORE_FILE &&
		    strcmp(s->c.repos[i]->path, s->c.spill_dir) == 0)
			return conf_fault(c,
			    conf_key_cluster_line(s, "spill_dir"), f,
			    "spill_dir is the place of repo %s",
			    s->c.repos[i]->name);
	return 0;
}

static int
check_cluster(struct conf *c, struct conf_cluster_slot *s, struct fault *f)
{
	size_t i;
	int r = 0;

	cluster_defaults(s);
	if (s->c.n_repos == 0)
		return conf_fault(
		    c, s->c.line, f, "[cluster %s] has no repo", s->c.name);
	for (i = 0; r == 0 && i < s->c.n_repos; i++)
		r = resolve_repo(c, s, i, f);
	if (r != 0)
		return r;
	if (s->c.push_quorum > s->c.n_repos)
		return conf_fault(c, conf_key_cluster_line(s, "push_quorum"), f,
		    "push_quorum is larger than the number of repos, %zu",
		    s->c.n_repos);
	r = check_apart(c, s, f);
	if (r == 0)
		r = check_spill(c, s, f);
	return r != 0 ? r : check_keys(c, s, f);
}

int
conf_check_all(struct conf *c, struct fault *f)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < c->n_repos; i++)
		r = conf_repo_check(c, &c->repos[i], f);
	for (i = 0; r == 0 && i < c->n_clusters; i++)
		r = check_cluster(c, &c->clusters[i], f);
	return r;
}
