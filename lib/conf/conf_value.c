#include "conf_core.h"

#include <string.h>

#include "text.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* 1 to most characters out of set. */
static bool
made_of(const char *s, const char *set, size_t most)
{
	size_t n = strspn(s, set);

	return n > 0 && n <= most && s[n] == '\0';
}

bool
conf_value_is_name(const char *s)
{
	return made_of(s, LETTERS DIGITS "_-", CONF_NAME);
}

int
conf_value_quorum(
    const struct conf_target *t, const char *value, struct fault *f)
{
	if (text_u32(value, &t->cluster->c.push_quorum) != 0 ||
	    t->cluster->c.push_quorum == 0)
		return conf_fault(t->conf, t->line, f,
		    "push_quorum takes a number from 1 on");
	return 0;
}

static int
value_jobs(const struct conf_target *t, const char *name, const char *value,
    uint32_t *out, struct fault *f)
{
	if (text_u32(value, out) != 0 || *out > CONF_JOBS)
		return conf_fault(t->conf, t->line, f,
		    "%s takes a number from 0 to %d", name, CONF_JOBS);
	return 0;
}

int
conf_value_push_jobs(
    const struct conf_target *t, const char *value, struct fault *f)
{
	return value_jobs(t, "push_jobs", value, &t->cluster->c.push_jobs, f);
}

int
conf_value_fetch_jobs(
    const struct conf_target *t, const char *value, struct fault *f)
{
	return value_jobs(t, "fetch_jobs", value, &t->cluster->c.fetch_jobs, f);
}

int
conf_value_fetch_ahead(
    const struct conf_target *t, const char *value, struct fault *f)
{
	if (text_size(value, &t->cluster->c.fetch_ahead) != 0 ||
	    t->cluster->c.fetch_ahead == 0)
		return conf_fault(
		    t->conf, t->line, f, "fetch_ahead takes a size like 128MB");
	return 0;
}

/* "20%" or a size. */
int
conf_value_spill_below(
    const struct conf_target *t, const char *value, struct fault *f)
{
	struct conf_cluster *c = &t->cluster->c;
	char digits[4];
	size_t n = strspn(value, DIGITS);
	uint32_t percent = 0;

	c->spill_percent = value[n] == '%';
	if (!c->spill_percent) {
		if (text_size(value, &c->spill_below) == 0 &&
		    c->spill_below > 0)
			return 0;
	} else if (n > 0 && n < sizeof(digits) && value[n + 1] == '\0') {
		memcpy(digits, value, n);
		digits[n] = '\0';
		(void)text_u32(digits, &percent);
		c->spill_below = percent;
		if (percent >= 1 && percent <= 100)
			return 0;
	}
	return conf_fault(t->conf, t->line, f,
	    "spill_below takes a size like 10GB, or 1%% to 100%%");
}

int
conf_value_minimum(
    const struct conf_target *t, const char *value, struct fault *f)
{
	uint32_t *n = &t->cluster->c.retain_minimum;

	if (text_u32(value, n) != 0 || *n == 0)
		return conf_fault(t->conf, t->line, f,
		    "retain_minimum takes a number from 1 on: the last backup "
		    "is never pruned");
	return 0;
}

int
conf_value_encryption(
    const struct conf_target *t, const char *value, struct fault *f)
{
	if (text_bool(value, &t->cluster->c.encryption) != 0)
		return conf_fault(
		    t->conf, t->line, f, "encryption is on or off");
	return 0;
}

int
conf_value_compression(
    const struct conf_target *t, const char *value, struct fault *f)
{
	struct conf_cluster *c = &t->cluster->c;
	uint32_t level = 1;

	if (strcmp(value, "none") == 0) {
		c->codec = 0;
		c->level = 0;
		return 0;
	}
	if (!text_prefix(value, "zstd") ||
	    (value[4] != '\0' &&
		(value[4] != ':' || text_u32(value + 5, &level) != 0)) ||
	    level < 1 || level > 19)
		return conf_fault(t->conf, t->line, f,
		    "compression is zstd, zstd:LEVEL with a level from 1 to "
		    "19, or none");
	c->codec = 1;
	c->level = (int)level;
	return 0;
}

/* Sections may stand in any order: names are looked up at the end. */
int
conf_value_repo(const struct conf_target *t, const char *value, struct fault *f)
{
	struct conf_cluster_slot *s = t->cluster;
	size_t i;

	if (!conf_value_is_name(value))
		return conf_fault(t->conf, t->line, f,
		    "repo takes the name of a [repo NAME] section");
	for (i = 0; i < s->c.n_repos; i++)
		if (strcmp(s->repo_names[i], value) == 0)
			return conf_fault(t->conf, t->line, f,
			    "repo %s is named twice", value);
	if (s->c.n_repos == CONF_LIST)
		return conf_fault(t->conf, t->line, f,
		    "repo is given more than %d times", CONF_LIST);
	s->repo_lines[s->c.n_repos] = t->line;
	return conf_keep(
	    t->conf, value, strlen(value), &s->repo_names[s->c.n_repos++], f);
}

/* "a/b", each part neither empty nor "." nor "..". */
static bool
clean_path(const char *s, size_t n)
{
	size_t i, start = 0;

	for (i = 0; i <= n; i++) {
		if (i < n && s[i] != '/')
			continue;
		if (i == start || (i - start == 1 && s[start] == '.') ||
		    (i - start == 2 && memcmp(s + start, "..", 2) == 0))
			return false;
		start = i + 1;
	}
	return true;
}

static int
s3_url(const struct conf_target *t, const char *value, struct fault *f)
{
	struct conf_repo *r = &t->repo->r;
	const char *prefix = strchr(value, '/');
	size_t n = prefix != NULL ? (size_t)(prefix - value) : strlen(value);
	size_t pn;

	if (n < 3 || n > 63 || strspn(value, LETTERS DIGITS "._-") < n ||
	    value[0] == '.' || strstr(value, "..") != NULL)
		return conf_fault(t->conf, t->line, f,
		    "the bucket's name is not one: 3 to 63 letters, digits, "
		    "\".\", \"-\" and \"_\"");
	prefix = prefix != NULL ? prefix + 1 : "";
	pn = strlen(prefix);
	while (pn > 0 && prefix[pn - 1] == '/')
		pn--;
	if (pn > 512 || (pn > 0 && !clean_path(prefix, pn)) ||
	    strpbrk(prefix, "?#%\\ ") != NULL)
		return conf_fault(t->conf, t->line, f,
		    "the prefix behind the bucket is not a plain path");
	r->kind = CONF_STORE_S3;
	if (conf_keep(t->conf, value, n, &r->bucket, f) != 0)
		return (int)f->code;
	return conf_keep(t->conf, prefix, pn, &r->prefix, f);
}

int
conf_value_url(const struct conf_target *t, const char *value, struct fault *f)
{
	struct conf_repo *r = &t->repo->r;
	size_t n;

	if (text_prefix(value, "s3://"))
		return s3_url(t, value + 5, f);
	if (!text_prefix(value, "file:///"))
		return conf_fault(t->conf, t->line, f,
		    "url is file:///PATH or s3://BUCKET/PREFIX");
	value += 7;
	n = strlen(value);
	while (n > 1 && value[n - 1] == '/')
		n--;
	if (n < 2 || !clean_path(value + 1, n - 1))
		return conf_fault(t->conf, t->line, f,
		    "the path in url is not a plain one: no \"//\", \".\" "
		    "and \"..\", and not \"/\" itself");
	r->kind = CONF_STORE_FILE;
	return conf_keep(t->conf, value, n, &r->path, f);
}

/* http:// is judged at the end, when insecure is known. */
int
conf_value_endpoint(
    const struct conf_target *t, const char *value, struct fault *f)
{
	const char *host;
	size_t n = strlen(value), scheme;

	scheme = text_prefix(value, "https://")  ? 8
		 : text_prefix(value, "http://") ? 7
						 : 0;
	while (n > scheme && value[n - 1] == '/')
		n--;
	host = value + scheme;
	if (scheme == 0 || n == scheme || host[0] == ':' ||
	    strspn(host, LETTERS DIGITS ".-:[]_") < n - scheme)
		return conf_fault(t->conf, t->line, f,
		    "endpoint is https://HOST or https://HOST:PORT");
	return conf_keep(t->conf, value, n, &t->repo->r.endpoint, f);
}

int
conf_value_addressing(
    const struct conf_target *t, const char *value, struct fault *f)
{
	if (strcmp(value, "path") != 0 && strcmp(value, "host") != 0)
		return conf_fault(
		    t->conf, t->line, f, "addressing is path or host");
	t->repo->r.host_style = value[0] == 'h';
	return 0;
}

int
conf_value_insecure(
    const struct conf_target *t, const char *value, struct fault *f)
{
	if (text_bool(value, &t->repo->r.insecure) != 0)
		return conf_fault(t->conf, t->line, f, "insecure is yes or no");
	return 0;
}

int
conf_value_tls(const struct conf_target *t, const char *value, struct fault *f)
{
	if (strcmp(value, "1.3") != 0 && strcmp(value, "1.2") != 0)
		return conf_fault(t->conf, t->line, f,
		    "tls is the lowest version to accept, 1.3 or 1.2");
	t->repo->r.tls12 = value[2] == '2';
	return 0;
}

int
conf_value_pin(const struct conf_target *t, const char *value, struct fault *f)
{
	struct conf_repo *r = &t->repo->r;
	unsigned char digest[32];
	size_t n;

	if (!text_prefix(value, "sha256//") ||
	    text_unbase64(value + 8, digest, sizeof(digest), &n) != 0 ||
	    n != sizeof(digest))
		return conf_fault(t->conf, t->line, f,
		    "pin is sha256// and the 44 Base64 characters of the "
		    "digest of a public key");
	if (r->n_pins == CONF_LIST)
		return conf_fault(t->conf, t->line, f,
		    "pin is given more than %d times", CONF_LIST);
	return conf_keep(
	    t->conf, value, strlen(value), &r->pins[r->n_pins++], f);
}

int
conf_value_region(
    const struct conf_target *t, const char *value, struct fault *f)
{
	if (!made_of(value, LETTERS DIGITS "_-", 64))
		return conf_fault(
		    t->conf, t->line, f, "region takes a name like eu-west-1");
	return conf_keep(t->conf, value, strlen(value), &t->repo->r.region, f);
}

/* It stands between separators in a signed request. */
int
conf_value_access_key(
    const struct conf_target *t, const char *value, struct fault *f)
{
	if (strlen(value) > 256 || strpbrk(value, " \t/,=") != NULL)
		return conf_fault(t->conf, t->line, f,
		    "access_key_id has no blank, \"/\", \",\" or \"=\" in it");
	return conf_keep(
	    t->conf, value, strlen(value), &t->repo->r.access_key_id, f);
}

static int
value_class(const struct conf_target *t, const char *name, const char *value,
    const char **out, struct fault *f)
{
	if (!made_of(value, LETTERS DIGITS "_-", 64))
		return conf_fault(t->conf, t->line, f,
		    "%s takes a name like STANDARD_IA", name);
	return conf_keep(t->conf, value, strlen(value), out, f);
}

int
conf_value_storage_class(
    const struct conf_target *t, const char *value, struct fault *f)
{
	return value_class(
	    t, "storage_class", value, &t->repo->r.storage_class, f);
}

int
conf_value_storage_base(
    const struct conf_target *t, const char *value, struct fault *f)
{
	return value_class(
	    t, "storage_class_base", value, &t->repo->r.storage_class_base, f);
}

int
conf_value_storage_archive(
    const struct conf_target *t, const char *value, struct fault *f)
{
	return value_class(t, "storage_class_archive", value,
	    &t->repo->r.storage_class_archive, f);
}

int
conf_value_storage_weekly(
    const struct conf_target *t, const char *value, struct fault *f)
{
	return value_class(t, "storage_class_weekly", value,
	    &t->repo->r.storage_class_weekly, f);
}

int
conf_value_storage_monthly(
    const struct conf_target *t, const char *value, struct fault *f)
{
	return value_class(t, "storage_class_monthly", value,
	    &t->repo->r.storage_class_monthly, f);
}

int
conf_value_storage_yearly(
    const struct conf_target *t, const char *value, struct fault *f)
{
	return value_class(t, "storage_class_yearly", value,
	    &t->repo->r.storage_class_yearly, f);
}

int
conf_value_object_lock(
    const struct conf_target *t, const char *value, struct fault *f)
{
	static const char *const modes[] = {"off", "governance", "compliance"};

	for (unsigned i = 0; i < 3; i++)
		if (strcmp(value, modes[i]) == 0) {
			t->repo->r.object_lock = (enum conf_lock)i;
			return 0;
		}
	return conf_fault(t->conf, t->line, f,
	    "object_lock takes off, governance or compliance");
}
