#ifndef REPO_H
#define REPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "conf.h"
#include "control.h"
#include "keyring.h"
#include "object.h"
#include "store.h"

/*
 * A cluster's repositories as one thing to work with: settings, keys, system
 * id, one store handle each. Opening contacts no store. One thread at a time;
 * repo_clone makes a handle for another (it shares settings and keys with the
 * original, which must outlive it). Threads may share one if each asks for
 * stores of its own.
 */

struct repo;

int repo_open(struct repo **out, const struct conf_cluster *c,
    uint64_t system_id, struct fault *f);
int repo_clone(struct repo **out, const struct repo *r, struct fault *f);
/* The same cluster and keys with the repositories of c, which must last. */
int repo_clone_for(struct repo **out, const struct repo *r,
    const struct conf_cluster *c, struct fault *f);
void repo_free(struct repo *r);

const struct conf_cluster *repo_conf(const struct repo *r);
const char *repo_cluster(const struct repo *r);
uint64_t repo_system_id(const struct repo *r);
/* NULL with encryption off. */
const struct keyring *repo_keys(const struct repo *r);
/* KEY when only the recipient part is at hand; what: what takes more. */
int repo_needs_key(const struct repo *r, const char *what, struct fault *f);
size_t repo_count(const struct repo *r);
/* What using any of them will need, by another thread while r does something
 * else first (store_warm). */
void repo_warm(const struct repo *r);
/* Opened at first use; belongs to r. */
int repo_store(struct repo *r, size_t i, struct store **out, struct fault *f);
/* When it last did not answer (clock_monotonic_ms); 0: it did. */
int64_t repo_silent_ms(const struct repo *r, size_t i);
void repo_set_silent_ms(struct repo *r, size_t i, int64_t at_ms);
/* Was it seen not to be the place that archive_copy copies from? */
bool repo_is_apart(const struct repo *r, size_t i);
void repo_set_apart(struct repo *r, size_t i);

/* repo_terms.c: the same store, set to keep objects of that kind as the
 * settings say: the storage class, and for how long object lock holds them. A
 * backup's objects: as the class that was told to repo_set_class before. */
int repo_store_for(struct repo *r, size_t i, enum object_kind kind,
    struct store **out, struct fault *f);
/* As --class has it; "" for none, which is the default. Clones made later know
 * it, too. It must outlive r and them. */
void repo_set_class(struct repo *r, const char *class);
const char *repo_class(const struct repo *r);
/* The rules of retention in the settings. */
struct retain_policy;
void repo_policy(const struct conf_cluster *c, struct retain_policy *out);

/* repo_control.c: the system id of the cluster whose data directory is dir:
 * from dir/global/pg_control, read again when it was caught in the middle of a
 * write. ABSENT when there is none. */
int repo_control(const char *dir, struct control *out, struct fault *f);
/* The same, with its bytes as they were read, zeros behind their end. */
int repo_control_read(const char *dir, unsigned char data[CONTROL_SIZE],
    struct control *out, struct fault *f);

/* The system id of the cluster we are called for: that of the working
 * directory, which is the data directory when PostgreSQL calls; else that of
 * pgdata (may be NULL). CONFIG when there is neither. agree: FOREIGN when both
 * are there and are not the same. */
int repo_own_system_id(
    const char *pgdata, bool agree, uint64_t *out, struct fault *f);

/* repo_choose.c: for a restore without data directory: the system ids that the
 * repository holds for this cluster. out has room for cap; *n may exceed it. */
int repo_system_ids(struct store *s, const char *cluster, uint64_t *out,
    size_t cap, size_t *n, const struct deadline *d, struct fault *f);

/* The only system id that repository i of c holds; CONFIG when that is not
 * one. */
int repo_choose_only(const struct conf_cluster *c, size_t i, uint64_t *out,
    const struct deadline *d, struct fault *f);
/* For a command that may run away from the data directory: the system id that
 * was given (text, may be NULL), else that of the settings' pgdata, else
 * repo_choose_only. */
int repo_choose_system_id(const struct conf_cluster *c, size_t i,
    const char *text, uint64_t *out, const struct deadline *d, struct fault *f);
/* The same, opened. */
int repo_choose_open(struct repo **out, const struct conf_cluster *c, size_t i,
    const char *text, struct fault *f);
/* The value of --system-id. */
int repo_choose_given(const char *text, uint64_t *out, struct fault *f);

/* Small sealed objects. seal: the object's bytes into out, whose limit holds.
 * get is ABSENT as store_get is. */
int repo_seal_object(const struct repo *r, enum object_kind kind,
    const char *name, const void *content, size_t len, struct buf *out,
    struct fault *f);
int repo_put_object(struct repo *r, size_t i, const char *key,
    enum object_kind kind, const char *name, const void *content, size_t len,
    const struct deadline *d, struct fault *f);
int repo_get_object(struct repo *r, size_t i, const char *key,
    enum object_kind kind, const char *name, struct buf *content,
    const struct deadline *d, struct fault *f);

#endif
