#include "conf_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum form {
	FORM_TEXT,     /* not empty */
	FORM_ANY,      /* may be empty */
	FORM_PATH,     /* absolute */
	FORM_PATHS,    /* the same, repeatable; n counts them */
	FORM_DURATION, /* longer than nothing */
	FORM_COUNT,    /* 0 to COUNT_MAX */
	FORM_OWN,      /* its function knows; it may be repeated if n is set */
};

struct key {
	const char *name;
	enum form form;
	size_t at; /* where in the public struct */
	size_t n;
	conf_value_fn set;
};

#define C(field) offsetof(struct conf_cluster, field)
#define R(field) offsetof(struct conf_repo, field)
#define REPEATED 1

static const struct key cluster_keys[] = {
    {"pgdata", FORM_PATH, C(pgdata), 0, NULL},
    {"conninfo", FORM_ANY, C(conninfo), 0, NULL},
    {"repo", FORM_OWN, 0, REPEATED, conf_value_repo},
    {"push_quorum", FORM_OWN, 0, 0, conf_value_quorum},
    {"key_file", FORM_PATHS, C(key_files), C(n_key_files), NULL},
    {"encryption", FORM_OWN, 0, 0, conf_value_encryption},
    {"compression", FORM_OWN, 0, 0, conf_value_compression},
    {"push_deadline", FORM_DURATION, C(push_deadline_ms), 0, NULL},
    {"fetch_deadline", FORM_DURATION, C(fetch_deadline_ms), 0, NULL},
    {"store_deadline", FORM_DURATION, C(store_deadline_ms), 0, NULL},
    {"push_jobs", FORM_OWN, 0, 0, conf_value_push_jobs},
    {"push_linger", FORM_DURATION, C(push_linger_ms), 0, NULL},
    {"fetch_jobs", FORM_OWN, 0, 0, conf_value_fetch_jobs},
    {"fetch_ahead", FORM_OWN, 0, 0, conf_value_fetch_ahead},
    {"fetch_linger", FORM_DURATION, C(fetch_linger_ms), 0, NULL},
    {"spool_dir", FORM_PATH, C(spool_dir), 0, NULL},
    {"spill_dir", FORM_PATH, C(spill_dir), 0, NULL},
    {"spill_below", FORM_OWN, 0, 0, conf_value_spill_below},
    {"retain_full", FORM_DURATION, C(retain_full_ms), 0, NULL},
    {"retain_wal", FORM_DURATION, C(retain_wal_ms), 0, NULL},
    {"retain_archive", FORM_DURATION, C(retain_archive_ms), 0, NULL},
    {"retain_daily", FORM_COUNT, C(retain_daily), 0, NULL},
    {"retain_weekly", FORM_COUNT, C(retain_weekly), 0, NULL},
    {"retain_monthly", FORM_COUNT, C(retain_monthly), 0, NULL},
    {"retain_yearly", FORM_COUNT, C(retain_yearly), 0, NULL},
    {"retain_minimum", FORM_OWN, 0, 0, conf_value_minimum},
    {"rto", FORM_DURATION, C(rto_ms), 0, NULL},
};

static const struct key repo_keys[] = {
    {"url", FORM_OWN, 0, 0, conf_value_url},
    {"endpoint", FORM_OWN, 0, 0, conf_value_endpoint},
    {"region", FORM_OWN, 0, 0, conf_value_region},
    {"addressing", FORM_OWN, 0, 0, conf_value_addressing},
    {"insecure", FORM_OWN, 0, 0, conf_value_insecure},
    {"tls", FORM_OWN, 0, 0, conf_value_tls},
    {"ca_file", FORM_PATH, R(ca_file), 0, NULL},
    {"ca_path", FORM_PATH, R(ca_path), 0, NULL},
    {"pin", FORM_OWN, 0, REPEATED, conf_value_pin},
    {"access_key_id", FORM_OWN, 0, 0, conf_value_access_key},
    {"secret_access_key", FORM_TEXT, R(secret_access_key.value), 0, NULL},
    {"secret_access_key_file", FORM_PATH, R(secret_access_key.file), 0, NULL},
    {"secret_access_key_command", FORM_TEXT, R(secret_access_key.command), 0,
	NULL},
    {"session_token", FORM_TEXT, R(session_token.value), 0, NULL},
    {"session_token_file", FORM_PATH, R(session_token.file), 0, NULL},
    {"session_token_command", FORM_TEXT, R(session_token.command), 0, NULL},
    {"storage_class", FORM_OWN, 0, 0, conf_value_storage_class},
    {"storage_class_base", FORM_OWN, 0, 0, conf_value_storage_base},
    {"storage_class_archive", FORM_OWN, 0, 0, conf_value_storage_archive},
    {"storage_class_weekly", FORM_OWN, 0, 0, conf_value_storage_weekly},
    {"storage_class_monthly", FORM_OWN, 0, 0, conf_value_storage_monthly},
    {"storage_class_yearly", FORM_OWN, 0, 0, conf_value_storage_yearly},
    {"storage_class_after", FORM_DURATION, R(storage_class_after_ms), 0, NULL},
    {"object_lock", FORM_OWN, 0, 0, conf_value_object_lock},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

_Static_assert(COUNT(cluster_keys) <= CONF_KEYS, "room for lines");
_Static_assert(COUNT(repo_keys) <= CONF_KEYS, "room for lines");

#define COUNT_MAX 36525

/* A hundred years: sums of such times in microseconds stay in 64 bits. */
#define LONGEST_MS (36525LL * 86400 * 1000)

static size_t
find(const struct key *keys, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(keys[i].name, name) == 0)
			break;
	return i;
}

static int
set_path(const struct conf_target *t, const struct key *k, char *base,
    const char *value, struct fault *f)
{
	const char **at = (const char **)(void *)(base + k->at);
	size_t *n;

	if (value[0] != '/')
		return conf_fault(
		    t->conf, t->line, f, "%s takes an absolute path", k->name);
	if (k->form == FORM_PATHS) {
		n = (size_t *)(void *)(base + k->n);
		if (*n == CONF_LIST)
			return conf_fault(t->conf, t->line, f,
			    "%s is given more than %d times", k->name,
			    CONF_LIST);
		at += (*n)++;
	}
	return conf_keep(t->conf, value, strlen(value), at, f);
}

static int
set_duration(const struct conf_target *t, const struct key *k, char *base,
    const char *value, struct fault *f)
{
	int64_t ms;

	if (text_duration(value, &ms) != 0 || ms == 0 || ms > LONGEST_MS)
		return conf_fault(t->conf, t->line, f,
		    "%s takes a time like 500ms, 60s, 5min, 4h, 30d or 2w",
		    k->name);
	memcpy(base + k->at, &ms, sizeof(ms));
	return 0;
}

static int
set_count(const struct conf_target *t, const struct key *k, char *base,
    const char *value, struct fault *f)
{
	uint32_t n;

	if (text_u32(value, &n) != 0 || n > COUNT_MAX)
		return conf_fault(t->conf, t->line, f,
		    "%s takes a number from 0 to %d", k->name, COUNT_MAX);
	memcpy(base + k->at, &n, sizeof(n));
	return 0;
}

static int
set(const struct conf_target *t, const struct key *k, const char *value,
    struct fault *f)
{
	char *base =
	    t->cluster != NULL ? (char *)&t->cluster->c : (char *)&t->repo->r;

	if (value[0] == '\0' && k->form != FORM_ANY)
		return conf_fault(
		    t->conf, t->line, f, "%s has no value", k->name);
	switch (k->form) {
	case FORM_TEXT:
	case FORM_ANY:
		return conf_keep(t->conf, value, strlen(value),
		    (const char **)(void *)(base + k->at), f);
	case FORM_PATH:
	case FORM_PATHS:
		return set_path(t, k, base, value, f);
	case FORM_DURATION:
		return set_duration(t, k, base, value, f);
	case FORM_COUNT:
		return set_count(t, k, base, value, f);
	case FORM_OWN:
		break;
	}
	return k->set(t, value, f);
}

/* A secret itself, or a command that may hold one. */
static bool
is_secret(const char *name, const char *value)
{
	static const char *const names[] = {"secret_access_key",
	    "secret_access_key_command", "session_token",
	    "session_token_command"};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	/* As a URL it may have one where nobody looks. */
	return strcmp(name, "conninfo") == 0 &&
	       (strstr(value, "pass") != NULL ||
		   strstr(value, "secret") != NULL ||
		   strstr(value, "://") != NULL);
}

/* For who tells what was changed. */
static int
state(const struct conf_target *t, const char *name, const char *value,
    const char **stated, struct fault *f)
{
	char *all = NULL;
	int rc;

	if (is_secret(name, value))
		value = CONF_GIVEN;
	if (*stated == NULL)
		return conf_keep(t->conf, value, strlen(value), stated, f);
	if (asprintf(&all, "%s, %s", *stated, value) < 0)
		return fault_nomem(f);
	rc = conf_keep(t->conf, all, strlen(all), stated, f);
	free(all);
	return rc;
}

/* Could it be a name that was meant? A secret in base64 that was wrapped to a
 * line of its own ends with "=", so it comes as a name. */
static bool
is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz_-");

	return n > 0 && n <= 40 && s[n] == '\0';
}

/* The value is never repeated in a message here: it may be a secret that was
 * put under a wrong name. */
int
conf_key_set(const struct conf_target *t, const char *name, const char *value,
    struct fault *f)
{
	const struct key *keys = t->cluster != NULL ? cluster_keys : repo_keys;
	size_t count =
	    t->cluster != NULL ? COUNT(cluster_keys) : COUNT(repo_keys);
	int *lines = t->cluster != NULL ? t->cluster->lines : t->repo->lines;
	const char **stated =
	    t->cluster != NULL ? t->cluster->stated : t->repo->stated;
	const char *kind = t->cluster != NULL ? "cluster" : "repo";
	size_t i = find(keys, count, name);
	int rc;

	if (i == count)
		return conf_fault(t->conf, t->line, f,
		    "a [%s] section has no setting %s%s%s", kind,
		    is_name(name) ? "\"" : "called so",
		    is_name(name) ? name : "", is_name(name) ? "\"" : "");
	if (lines[i] != 0 && keys[i].n == 0)
		return conf_fault(t->conf, t->line, f,
		    "%s stands here for the second time, first in line %d",
		    name, lines[i]);
	lines[i] = t->line;
	rc = set(t, &keys[i], value, f);
	return rc != 0 ? rc : state(t, name, value, &stated[i], f);
}

const char *
conf_key_cluster_name(size_t i)
{
	return i < COUNT(cluster_keys) ? cluster_keys[i].name : NULL;
}

const char *
conf_key_repo_name(size_t i)
{
	return i < COUNT(repo_keys) ? repo_keys[i].name : NULL;
}

int
conf_key_cluster_line(const struct conf_cluster_slot *s, const char *name)
{
	size_t i = find(cluster_keys, COUNT(cluster_keys), name);

	return i < COUNT(cluster_keys) ? s->lines[i] : 0;
}

int
conf_key_repo_line(const struct conf_repo_slot *s, const char *name)
{
	size_t i = find(repo_keys, COUNT(repo_keys), name);

	return i < COUNT(repo_keys) ? s->lines[i] : 0;
}

int
conf_key_inline_secret(const struct conf *c)
{
	size_t i;
	int line;

	for (i = 0; i < c->n_repos; i++) {
		line = conf_key_repo_line(&c->repos[i], "secret_access_key");
		if (line == 0)
			line =
			    conf_key_repo_line(&c->repos[i], "session_token");
		if (line != 0)
			return line;
	}
	return 0;
}
