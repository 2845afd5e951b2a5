#include "conf_core.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fdio.h"
#include "text.h"

/* What means something for S3 alone. */
static const char *const s3_only[] = {
    "endpoint",
    "region",
    "addressing",
    "insecure",
    "tls",
    "ca_file",
    "ca_path",
    "pin",
    "access_key_id",
    "secret_access_key",
    "secret_access_key_file",
    "secret_access_key_command",
    "session_token",
    "session_token_file",
    "session_token_command",
    "storage_class",
    "storage_class_base",
    "storage_class_archive",
    "storage_class_weekly",
    "storage_class_monthly",
    "storage_class_yearly",
    "storage_class_after",
    "object_lock",
};

static int
check_file_repo(
    const struct conf *c, const struct conf_repo_slot *s, struct fault *f)
{
	size_t i;
	int line;

	for (i = 0; i < sizeof(s3_only) / sizeof(s3_only[0]); i++) {
		line = conf_key_repo_line(s, s3_only[i]);
		if (line != 0)
			return conf_fault(c, line, f,
			    "%s means nothing for a repository in a directory",
			    s3_only[i]);
	}
	return 0;
}

/* What would look like protection, but is none without TLS. */
static int
check_plain_http(
    const struct conf *c, const struct conf_repo_slot *s, struct fault *f)
{
	static const char *const tls_only[] = {
	    "pin", "ca_file", "ca_path", "tls"};
	size_t i;
	int line;

	if (!s->r.insecure)
		return conf_fault(c, conf_key_repo_line(s, "endpoint"), f,
		    "endpoint without TLS; if that is meant, add "
		    "insecure = yes");
	for (i = 0; i < 4; i++) {
		line = conf_key_repo_line(s, tls_only[i]);
		if (line != 0)
			return conf_fault(c, line, f,
			    "%s has no effect on an http:// endpoint",
			    tls_only[i]);
	}
	return 0;
}

static int
count(const struct conf_secret *s)
{
	return (s->value != NULL) + (s->file != NULL) + (s->command != NULL);
}

static int
check_credentials(
    const struct conf *c, const struct conf_repo_slot *s, struct fault *f)
{
	const struct conf_repo *r = &s->r;

	if (count(&r->secret_access_key) > 1)
		return conf_fault(c, r->line, f,
		    "[repo %s]: give one of secret_access_key, "
		    "secret_access_key_file and secret_access_key_command",
		    r->name);
	if (count(&r->session_token) > 1)
		return conf_fault(c, r->line, f,
		    "[repo %s]: give one of session_token, session_token_file "
		    "and session_token_command",
		    r->name);
	if ((r->access_key_id != NULL) != (count(&r->secret_access_key) == 1))
		return conf_fault(c, r->line, f,
		    "[repo %s]: access_key_id and secret_access_key go "
		    "together",
		    r->name);
	if (count(&r->session_token) == 1 && r->access_key_id == NULL)
		return conf_fault(c, r->line, f,
		    "[repo %s]: session_token goes with an access_key_id",
		    r->name);
	return 0;
}

/* What a tier keeps is locked until the tier lets it go: a copy of it in
 * another class would be paid for twice, so none would ever be made. */
static int
check_moves(
    const struct conf *c, const struct conf_repo_slot *s, struct fault *f)
{
	static const char *const moves[] = {"storage_class_weekly",
	    "storage_class_monthly", "storage_class_yearly",
	    "storage_class_after"};
	size_t i;
	int line;

	for (i = 0; i < 4; i++) {
		line = conf_key_repo_line(s, moves[i]);
		if (line != 0 && s->r.object_lock != CONF_LOCK_OFF)
			return conf_fault(c, line, f,
			    "%s has no effect with object_lock: what is locked "
			    "can be moved by a lifecycle rule of the bucket "
			    "alone",
			    moves[i]);
	}
	return 0;
}

/* A bucket with a dot in its name has no certificate of its own below
 * amazonaws.com: there the path is the only way. */
static int
default_endpoint(struct conf *c, struct conf_repo_slot *s, struct fault *f)
{
	char url[128];
	int n;

	n = snprintf(url, sizeof(url), "https://s3.%s.amazonaws.com%s",
	    s->r.region, text_prefix(s->r.region, "cn-") ? ".cn" : "");
	if (conf_key_repo_line(s, "addressing") == 0)
		s->r.host_style = strchr(s->r.bucket, '.') == NULL;
	return conf_keep(c, url, (size_t)n, &s->r.endpoint, f);
}

static int
check_s3_repo(struct conf *c, struct conf_repo_slot *s, struct fault *f)
{
	struct conf_repo *r = &s->r;
	int e;

	if (r->ca_file != NULL && r->ca_path != NULL)
		return conf_fault(c, conf_key_repo_line(s, "ca_path"), f,
		    "give one of ca_file and ca_path");
	e = check_credentials(c, s, f);
	if (e == 0)
		e = check_moves(c, s, f);
	if (e != 0)
		return e;
	if (r->region == NULL)
		r->region = "us-east-1";
	if (r->endpoint == NULL)
		return default_endpoint(c, s, f);
	return text_prefix(r->endpoint, "http://") ? check_plain_http(c, s, f)
						   : 0;
}

static int
check_repo(struct conf *c, struct conf_repo_slot *s, struct fault *f)
{
	if (conf_key_repo_line(s, "url") == 0)
		return conf_fault(
		    c, s->r.line, f, "[repo %s] has no url", s->r.name);
	return s->r.kind == CONF_STORE_FILE ? check_file_repo(c, s, f)
					    : check_s3_repo(c, s, f);
}

/* Bytes of an endpoint without the port that its scheme has anyway. */
static size_t
endpoint_length(const char *endpoint)
{
	const char *usual = text_prefix(endpoint, "https://") ? ":443" : ":80";
	size_t n = strlen(endpoint), k = strlen(usual);

	return n > k && strcmp(endpoint + n - k, usual) == 0 ? n - k : n;
}

static bool
same_endpoint(const char *a, const char *b)
{
	size_t n = endpoint_length(a);

	return n == endpoint_length(b) && strncasecmp(a, b, n) == 0;
}

static bool
same_place(const struct conf_repo *a, const struct conf_repo *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == CONF_STORE_FILE)
		return strcmp(a->path, b->path) == 0;
	return same_endpoint(a->endpoint, b->endpoint) &&
	       strcmp(a->bucket, b->bucket) == 0 &&
	       strcmp(a->prefix, b->prefix) == 0;
}

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
		if (same_place(s->c.repos[j], s->c.repos[i]))
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
		r = check_repo(c, &c->repos[i], f);
	for (i = 0; r == 0 && i < c->n_clusters; i++)
		r = check_cluster(c, &c->clusters[i], f);
	return r;
}
