#include "conf_core.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

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

int
conf_repo_check(struct conf *c, struct conf_repo_slot *s, struct fault *f)
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

bool
conf_repo_same(const struct conf_repo *a, const struct conf_repo *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == CONF_STORE_FILE)
		return strcmp(a->path, b->path) == 0;
	return same_endpoint(a->endpoint, b->endpoint) &&
	       strcmp(a->bucket, b->bucket) == 0 &&
	       strcmp(a->prefix, b->prefix) == 0;
}
