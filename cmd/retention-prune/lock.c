#include "lock.h"

#include <string.h>

#define HOUR_US (3600 * INT64_C(1000000))
#define SOON_US (48 * HOUR_US)

static struct deadline
request_deadline(const struct gather *g)
{
	return deadline_in_ms(repo_conf(g->repo)->store_deadline_ms);
}

/* ---- planning ---- */

/* what: "backup" or "key". */
static int
put_line(struct planfile *out, const char *what, const char *name,
    int64_t modified_us, int64_t until_us, struct fault *f)
{
	char until[CLOCK_TEXT_SIZE];
	struct json *j;
	int rc = json_new(&j, f);

	if (rc != 0)
		return rc;
	clock_format_iso(until_us, until);
	if ((rc = json_put_str(j, "line", "lock", f)) != 0 ||
	    (rc = json_put_str(j, what, name, f)) != 0 ||
	    (modified_us != CLOCK_NONE &&
		(rc = json_put_i64(j, "modified_us", modified_us, f)) != 0) ||
	    (rc = json_put_str(j, "until", until, f)) != 0 ||
	    (rc = json_put_i64(j, "until_us", until_us, f)) != 0) {
		json_free(j);
		return rc;
	}
	out->changes++;
	return planfile_put(out, j, f);
}

/* Is the object locked for less than that? */
static int
is_short(const struct gather *g, const char *key, int64_t until_us, bool *out,
    struct fault *f)
{
	struct deadline d = request_deadline(g);
	int64_t now_until;
	int rc = store_lock_until(g->store, key, &now_until, &d, f);

	if (rc == 0)
		*out =
		    now_until == CLOCK_NONE || until_us - HOUR_US > now_until;
	return rc;
}

int
lock_plan(struct planfile *out, const struct gather *g,
    const struct retain_plan *p, struct fault *f)
{
	int rc = 0;

	if (!store_has_lock(g->store))
		return 0;
	for (size_t i = 0; rc == 0 && i < g->n_heads; i++) {
		int64_t until = retain_backup_until(p, i);
		char key[LAYOUT_KEY];
		bool is_wanted = false;

		if (retain_backup_rules(p, i) == 0 || until <= g->in.now_us)
			continue;
		rc = layout_base(repo_cluster(g->repo), repo_system_id(g->repo),
		    g->heads[i].id, "head", key, f);
		if (rc == 0)
			rc = is_short(g, key, until, &is_wanted, f);
		if (rc == 0 && is_wanted)
			rc = put_line(out, "backup", g->heads[i].id, CLOCK_NONE,
			    until, f);
	}
	return rc;
}

int
lock_plan_wal(struct planfile *out, const struct gather *g,
    const struct retain_plan *p, const struct store_entry *e, struct fault *f)
{
	int64_t own, until;
	bool is_wanted = false;
	int rc;

	if (!store_has_lock(g->store) || e->modified_us == CLOCK_NONE)
		return 0;
	own = e->modified_us + repo_conf(g->repo)->retain_wal_ms * 1000;
	until = retain_wal_until(p, e->modified_us);
	if (until <= g->in.now_us || until - HOUR_US <= own ||
	    own > g->in.now_us + SOON_US)
		return 0;
	rc = is_short(g, e->key, until, &is_wanted, f);
	if (rc == 0 && is_wanted)
		rc = put_line(out, "key", e->key, e->modified_us, until, f);
	return rc;
}

/* ---- carrying out ---- */

/* *id or *key; the other is NULL. */
static int
take_line(const struct planfile *in, const struct json *j, const char **id,
    const char **key, int64_t *modified_us, int64_t *until_us, struct fault *f)
{
	struct fault other = FAULT_INIT;

	*id = *key = NULL;
	*modified_us = CLOCK_NONE;
	if ((json_get_str(j, "backup", id, &other) == 0 ||
		(json_get_str(j, "key", key, &other) == 0 &&
		    json_get_i64(j, "modified_us", modified_us, &other) ==
			0)) &&
	    json_get_i64(j, "until_us", until_us, &other) == 0)
		return 0;
	return fault_set(
	    f, FAULT_CONFIG, "%s: line %lu: no lock", in->name, in->at);
}

int
lock_check(const struct planfile *in, const struct json *j,
    const struct gather *g, const struct retain_plan *p, struct fault *f)
{
	const char *id, *key;
	int64_t modified_us, until_us, most = CLOCK_NONE;
	struct walname n;
	uint64_t segno;
	int rc = take_line(in, j, &id, &key, &modified_us, &until_us, f);

	if (rc != 0)
		return rc;
	if (id != NULL) {
		size_t i = gather_backup(g, id);

		if (i < g->n_heads && retain_backup_rules(p, i) != 0)
			most = retain_backup_until(p, i);
	} else if (gather_wal_name(g, key, &n) && n.kind != WALNAME_HISTORY &&
		   walname_segno(&n, g->in.segment_size, &segno, f) == 0 &&
		   retain_keeps_wal(p, n.timeline, segno, modified_us)) {
		most = retain_wal_until(p, modified_us);
	}
	/* A lock cannot be taken back. */
	if (!store_has_lock(g->store) || most == CLOCK_NONE || until_us > most)
		return fault_set(f, FAULT_EXISTS,
		    "%s no longer fits the repository: no rule keeps %s so "
		    "long; make a new plan",
		    in->name, id != NULL ? id : key);
	return 0;
}

struct runner {
	const struct gather *g;
	const struct retain_plan *p;
	int64_t until_us;
	uint64_t *extended;
};

static int
extend(const struct runner *r, const char *key, struct fault *f)
{
	struct deadline d = request_deadline(r->g);
	bool done;
	int rc = store_lock_extend(r->g->store, key, r->until_us, &done, &d, f);

	if (rc == 0 && done)
		++*r->extended;
	return rc;
}

static int
take_object(void *ctx, const struct store_entry *e, struct fault *f)
{
	const struct runner *r = ctx;
	const char *name = strrchr(e->key, '/');

	return name != NULL && strcmp(name, "/head") == 0
		   ? 0
		   : extend(r, e->key, f);
}

static int
extend_wal(
    const struct runner *r, const struct retain_backup *b, struct fault *f)
{
	const struct gather *g = r->g;
	uint64_t last = walname_segno_before(b->stop_lsn, g->in.segment_size);
	int rc = 0;

	for (uint64_t s = walname_segno_of(b->start_lsn, g->in.segment_size);
	     rc == 0 && s <= last; s++) {
		char name[WALNAME_SIZE], key[LAYOUT_KEY];
		struct walname n;

		walname_format(b->timeline, s, g->in.segment_size, name);
		if ((rc = walname_parse(name, &n, f)) == 0 &&
		    (rc = layout_wal(repo_cluster(g->repo),
			 repo_system_id(g->repo), name, &n, key, f)) == 0)
			rc = extend(r, key, f);
	}
	return rc;
}

static int
extend_backup(const struct runner *r, size_t i, struct fault *f)
{
	const struct gather *g = r->g;
	struct deadline d = deadline_never();
	char folder[LAYOUT_KEY], head[LAYOUT_KEY];
	const char *cluster = repo_cluster(g->repo), *id = g->heads[i].id;
	uint64_t system_id = repo_system_id(g->repo);
	int rc;

	if ((rc = layout_base(cluster, system_id, id, "", folder, f)) != 0 ||
	    (rc = layout_base(cluster, system_id, id, "head", head, f)) != 0 ||
	    (rc = store_list(g->store, folder, false, NULL, take_object,
		 (void *)(uintptr_t)r, &d, f)) != 0 ||
	    /* One whose WAL was lost may be there for its packs. */
	    (retain_backup_good(r->p, i) &&
		(rc = extend_wal(r, &g->backups[i], f)) != 0))
		return rc;
	return extend(r, head, f);
}

int
lock_run(const struct planfile *in, const struct json *j,
    const struct gather *g, const struct retain_plan *p, uint64_t *extended,
    struct fault *f)
{
	struct runner r = {.g = g, .p = p, .extended = extended};
	const char *id, *key;
	int64_t modified_us;
	int rc = take_line(in, j, &id, &key, &modified_us, &r.until_us, f);

	if (rc != 0)
		return rc;
	rc = id != NULL ? extend_backup(&r, gather_backup(g, id), f)
			: extend(&r, key, f);
	return rc == 0 ? 0 : fault_prefix(f, "extending a lock");
}
