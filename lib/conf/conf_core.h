#ifndef CONF_CORE_H
#define CONF_CORE_H

#include "conf.h"

/*
 * Inside of lib/conf. conf_load.c reads a file and has it read by the others:
 * conf_ini.c turns text into sections, keys and lines; conf_key.c knows the
 * keys; conf_value.c the values that need more than a copy; conf_check.c fills
 * in defaults and finds contradictions. conf.c keeps what they find, and
 * answers.
 */

#define CONF_SECTIONS 64 /* of each kind */
#define CONF_KEYS 32     /* most keys that a section can have */
#define CONF_NAME 64     /* longest name of a section */
#define CONF_FILE (1U << 20)

/* Settings may hold secrets: all strings are wiped when they are freed. */
struct conf_string {
	struct conf_string *next;
	size_t len;
	char text[];
};

struct conf_cluster_slot {
	struct conf_cluster c;
	const char *repo_names[CONF_LIST];
	int repo_lines[CONF_LIST];
	int lines[CONF_KEYS]; /* by place in the table of keys; 0: not given */
	const char *stated[CONF_KEYS]; /* the same; NULL */
};

struct conf_repo_slot {
	struct conf_repo r;
	int lines[CONF_KEYS];
	const char *stated[CONF_KEYS];
};

struct conf {
	char *path;
	struct conf_string *strings;
	struct conf_cluster_slot clusters[CONF_SECTIONS];
	size_t n_clusters;
	struct conf_repo_slot repos[CONF_SECTIONS];
	size_t n_repos;
};

/* Where a key goes: the one or the other. */
struct conf_target {
	struct conf *conf;
	struct conf_cluster_slot *cluster;
	struct conf_repo_slot *repo;
	int line;
};

/* "FILE:LINE: TEXT", CONFIG. */
int conf_fault(const struct conf *c, int line, struct fault *f, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));
/* A copy that lives as long as c. */
int conf_keep(
    struct conf *c, const char *s, size_t n, const char **out, struct fault *f);

/* conf_ini.c */
int conf_ini_read(
    struct conf *c, const char *text, size_t len, struct fault *f);

/* conf_key.c */
int conf_key_set(const struct conf_target *t, const char *name,
    const char *value, struct fault *f);
/* The name at a place in the table; NULL: the end. */
const char *conf_key_cluster_name(size_t i);
const char *conf_key_repo_name(size_t i);
/* Line of the key of that name; 0 when it was not given. */
int conf_key_cluster_line(const struct conf_cluster_slot *s, const char *name);
int conf_key_repo_line(const struct conf_repo_slot *s, const char *name);
/* The line of a secret that stands in the file itself; 0 if there is none. */
int conf_key_inline_secret(const struct conf *c);

/* conf_value.c: each checks value and puts it in its place. */
typedef int (*conf_value_fn)(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_quorum(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_push_jobs(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_fetch_jobs(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_fetch_ahead(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_spill_below(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_minimum(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_encryption(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_compression(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_repo(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_url(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_endpoint(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_addressing(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_insecure(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_tls(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_pin(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_region(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_access_key(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_storage_class(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_storage_base(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_storage_archive(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_storage_weekly(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_storage_monthly(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_storage_yearly(
    const struct conf_target *t, const char *value, struct fault *f);
int conf_value_object_lock(
    const struct conf_target *t, const char *value, struct fault *f);
/* [A-Za-z0-9_-]{1,CONF_NAME} */
bool conf_value_is_name(const char *s);

/* conf_repo.c: what a section lacks, and what does not go together. */
int conf_repo_check(struct conf *c, struct conf_repo_slot *s, struct fault *f);
/* Do both lead to one place, as far as settings show that? */
bool conf_repo_same(const struct conf_repo *a, const struct conf_repo *b);

/* conf_check.c */
int conf_check_all(struct conf *c, struct fault *f);

#endif
