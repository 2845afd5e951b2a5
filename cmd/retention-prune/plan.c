#include "plan.h"

#include "lock.h"
#include "move.h"
#include "remains.h"

#include <stdlib.h>
#include <string.h>

#define RULE_BACKUP "no rule keeps this backup"
#define RULE_REMAINS "remains of an interrupted backup"
#define RULE_FORGOTTEN "remains of a lost backup, by --forget-lost"
#define RULE_WAL "WAL before the window, and of no backup that stays"

struct writer {
	struct planfile *out;
	struct gather *g;
	const struct retain_plan *p;
	struct gather after; /* only its WAL: what stays */
};

/* ---- what may go ---- */

/* "ID/head", "ID/manifest", "ID/pack/NNNNNNNN". */
static bool
backup_object(const char *name, char id[LAYOUT_ID])
{
	const char *slash = strchr(name, '/');
	struct fault ignored = FAULT_INIT;
	size_t n;

	if (slash == NULL || (size_t)(slash - name) >= LAYOUT_ID)
		return false;
	memcpy(id, name, (size_t)(slash - name));
	id[slash - name] = '\0';
	if (layout_check_id(id, &ignored) != 0)
		return false;
	if (strcmp(slash, "/head") == 0 || strcmp(slash, "/manifest") == 0)
		return true;
	if (strncmp(slash, "/pack/", 6) != 0)
		return false;
	n = strspn(slash + 6, "0123456789");
	return n >= 8 && slash[6 + n] == '\0';
}

static bool
allows_backup(const struct gather *g, const struct retain_plan *p,
    const char *id, const char **why)
{
	const struct gather_folder *d = gather_find(g, id);
	size_t i = gather_backup(g, id);

	*why = RULE_REMAINS;
	if (d == NULL)
		return true; /* it is gone already */
	if (!d->has_head) {
		if (d->running)
			*why = "it may be running";
		else if (d->needed)
			*why = "another backup needs it";
		else if (d->forgotten)
			*why = RULE_FORGOTTEN;
		return !d->running && !d->needed;
	}
	*why = RULE_BACKUP;
	if (i < g->n_heads && retain_backup_rules(p, i) == 0)
		return true;
	*why = "a rule keeps this backup now";
	return false;
}

bool
plan_allows(const struct gather *g, const struct retain_plan *p,
    const char *key, int64_t modified_us, const char **why)
{
	struct fault ignored = FAULT_INIT;
	char prefix[LAYOUT_KEY], id[LAYOUT_ID];
	struct walname n;
	uint64_t segno;

	*why = "it is no object of this cluster that could be pruned";
	if (layout_base_prefix(repo_cluster(g->repo), repo_system_id(g->repo),
		prefix, &ignored) != 0)
		return false;
	if (strncmp(key, prefix, strlen(prefix)) == 0)
		return backup_object(key + strlen(prefix), id) &&
		       allows_backup(g, p, id, why);
	if (!gather_wal_name(g, key, &n) || n.kind == WALNAME_HISTORY ||
	    walname_segno(&n, g->in.segment_size, &segno, &ignored) != 0)
		return false;
	*why = RULE_WAL;
	if (!retain_keeps_wal(p, n.timeline, segno, modified_us))
		return true;
	*why = "a rule keeps this WAL now";
	return false;
}

/* ---- lines ---- */

static int
put_policy(struct json *j, const struct retain_policy *p, struct fault *f)
{
	const struct {
		const char *name;
		int64_t value;
	} rows[] = {
	    {"retain_full_s", p->full_us / 1000000},
	    {"retain_wal_s", p->wal_us / 1000000},
	    {"retain_archive_s", p->archive_us / 1000000},
	    {"retain_daily", p->daily},
	    {"retain_weekly", p->weekly},
	    {"retain_monthly", p->monthly},
	    {"retain_yearly", p->yearly},
	    {"retain_minimum", p->minimum},
	};
	struct json *o;
	int rc = json_put_object(j, "policy", &o, f);

	for (size_t i = 0; rc == 0 && i < sizeof rows / sizeof rows[0]; i++)
		rc = json_put_i64(o, rows[i].name, rows[i].value, f);
	return rc;
}

static int
write_first(const struct writer *w, struct fault *f)
{
	const struct conf_cluster *c = repo_conf(w->g->repo);
	const struct retain_policy policy = gather_policy(c);
	struct json *j;
	int rc = json_new(&j, f);

	if (rc != 0)
		return rc;
	if ((rc = json_put_str(j, "line", "plan", f)) != 0 ||
	    (rc = json_put_i64(j, "version", PLANFILE_VERSION, f)) != 0 ||
	    (rc = json_put_str(j, "cluster", c->name, f)) != 0 ||
	    (rc = json_put_u64(
		 j, "system_id", repo_system_id(w->g->repo), f)) != 0 ||
	    (rc = json_put_str(j, "repo", c->repos[w->g->index]->name, f)) !=
		0 ||
	    (rc = json_put_str(j, "url", store_url(w->g->store), f)) != 0 ||
	    (rc = json_put_i64(j, "now_us", w->g->in.now_us, f)) != 0 ||
	    (rc = json_put_time(j, "now", w->g->in.now_us, f)) != 0 ||
	    (rc = json_put_time(
		 j, "wal_window_from", retain_window_us(w->p), f)) != 0 ||
	    (rc = json_put_u64(j, "strange", w->g->strange, f)) != 0 ||
	    (rc = put_policy(j, &policy, f)) != 0) {
		json_free(j);
		return rc;
	}
	return planfile_put(w->out, j, f);
}

static int
put_rules(const struct writer *w, struct json *j, size_t i, struct fault *f)
{
	struct json *rules;
	char text[RETAIN_TEXT];
	int rc = json_put_array(j, "rules", &rules, f);

	for (unsigned k = 0; rc == 0 && k < RETAIN_RULES; k++) {
		if ((retain_backup_rules(w->p, i) & 1U << k) == 0)
			continue;
		retain_rule_text(w->p, i, 1U << k, text);
		rc = json_append_str(rules, text, f);
	}
	return rc;
}

static int
write_keep(const struct writer *w, size_t i, struct fault *f)
{
	const struct head *h = &w->g->heads[i];
	const struct gather_folder *d = gather_find(w->g, h->id);
	struct json *j;
	int rc = json_new(&j, f);

	if (rc != 0)
		return rc;
	if ((rc = json_put_str(j, "line", "keep", f)) != 0 ||
	    (rc = json_put_str(j, "backup", h->id, f)) != 0 ||
	    (rc = json_put_str(j, "class", h->retention_class, f)) != 0 ||
	    (rc = json_put_time(j, "stop", h->stop_us, f)) != 0 ||
	    (rc = json_put_i64(j, "timeline", h->timeline, f)) != 0 ||
	    (rc = json_put_u64(j, "size", d != NULL ? d->bytes : 0, f)) != 0 ||
	    (rc = json_put_bool(j, "good", retain_backup_good(w->p, i), f)) !=
		0 ||
	    (rc = put_rules(w, j, i, f)) != 0) {
		json_free(j);
		return rc;
	}
	return planfile_put(w->out, j, f);
}

/* ---- windows ---- */

static int
write_windows(struct writer *w, const char *when, const struct retain_input *in,
    const bool *alive, struct fault *f)
{
	struct retain_window *list = NULL;
	size_t n = 0;
	int rc = retain_windows(in, alive, &list, &n, f);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct head *h = &w->g->heads[list[i].backup];
		struct json *j;
		int64_t to_us;

		if ((rc = gather_window_end(w->g, &list[i], &to_us, f)) != 0 ||
		    (rc = json_new(&j, f)) != 0)
			break;
		if ((rc = json_put_str(j, "line", "window", f)) != 0 ||
		    (rc = json_put_str(j, "when", when, f)) != 0 ||
		    (rc = json_put_i64(j, "timeline", list[i].timeline, f)) !=
			0 ||
		    (rc = json_put_str(j, "backup", h->id, f)) != 0 ||
		    (rc = json_put_time(j, "from", h->stop_us, f)) != 0 ||
		    (rc = json_put_time(j, "to", to_us, f)) != 0)
			json_free(j);
		else
			rc = planfile_put(w->out, j, f);
	}
	free(list);
	return rc;
}

static int
write_after(struct writer *w, struct fault *f)
{
	struct retain_input in = w->g->in;
	bool *alive = calloc(w->g->n_heads + 1, sizeof *alive);
	int rc;

	if (alive == NULL)
		return fault_nomem(f);
	for (size_t i = 0; i < w->g->n_heads; i++)
		alive[i] = retain_backup_rules(w->p, i) != 0;
	w->after.in.segment_size = in.segment_size;
	rc = gather_wal_number(&w->after, f);
	in.wal = w->after.wal;
	in.n_wal = w->after.n_wal;
	if (rc == 0)
		rc = write_windows(w, "after", &in, alive, f);
	free(alive);
	return rc;
}

/* ---- what goes ---- */

static int
take_wal(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct writer *w = ctx;
	struct walname n;
	const char *why;

	if (plan_allows(w->g, w->p, e->key, e->modified_us, &why))
		return planfile_put_delete(
		    w->out, e->key, e->size, e->modified_us, why, f);
	if (!gather_wal_name(w->g, e->key, &n) || n.kind != WALNAME_SEGMENT)
		return 0;
	if (lock_plan_wal(w->out, w->g, w->p, e, f) != 0)
		return (int)f->code;
	return gather_wal_add(&w->after, &n, e->modified_us, f);
}

/* All of a backup but its head; manifest before packs, as they are listed. */
static int
take_backup(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct writer *w = ctx;
	const char *name = strrchr(e->key, '/'), *why;

	if (name != NULL && strcmp(name, "/head") == 0)
		return 0;
	if (!plan_allows(w->g, w->p, e->key, e->modified_us, &why))
		return 0;
	return planfile_put_delete(
	    w->out, e->key, e->size, e->modified_us, why, f);
}

static int
write_head(struct writer *w, const char *id, struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(w->g->repo)->store_deadline_ms);
	struct store_info info;
	char key[LAYOUT_KEY];
	int rc;

	if ((rc = layout_base(repo_cluster(w->g->repo),
		 repo_system_id(w->g->repo), id, "head", key, f)) != 0 ||
	    (rc = store_stat(w->g->store, key, &info, &d, f)) != 0)
		return rc;
	return planfile_put_delete(
	    w->out, key, info.size, info.modified_us, RULE_BACKUP, f);
}

static int
list_below(
    struct writer *w, const char *folder, store_list_fn take, struct fault *f)
{
	struct deadline d = deadline_never();

	return store_list(w->g->store, folder, false, NULL, take, w, &d, f);
}

static int
list_backup(struct writer *w, const char *id, struct fault *f)
{
	char folder[LAYOUT_KEY];
	int rc = layout_base(repo_cluster(w->g->repo),
	    repo_system_id(w->g->repo), id, "", folder, f);

	return rc != 0 ? rc : list_below(w, folder, take_backup, f);
}

/* First all heads, the newest first: from then on the backups do not exist,
 * and what is left of them after a crash is remains. A backup goes before
 * those that it needs. */
static int
write_deletes(struct writer *w, struct fault *f)
{
	const struct gather *g = w->g;
	char prefix[LAYOUT_KEY];
	const char *why;
	int rc = 0;

	for (size_t i = g->n_heads; rc == 0 && i-- > 0;)
		if (retain_backup_rules(w->p, i) == 0)
			rc = write_head(w, g->heads[i].id, f);
	for (size_t i = 0; rc == 0 && i < g->n_heads; i++)
		if (retain_backup_rules(w->p, i) == 0)
			rc = list_backup(w, g->heads[i].id, f);
	for (size_t i = 0; rc == 0 && i < g->n_folders; i++)
		if (!g->folders[i].has_head &&
		    allows_backup(g, w->p, g->folders[i].id, &why))
			rc = list_backup(w, g->folders[i].id, f);
	if (rc == 0)
		rc = layout_wal_prefix(
		    repo_cluster(g->repo), repo_system_id(g->repo), prefix, f);
	return rc != 0 ? rc : list_below(w, prefix, take_wal, f);
}

int
plan_whole(const struct planfile *p, struct fault *f)
{
	if (!p->blind)
		return 0;
	return fault_set(f, FAULT_SYSTEM,
	    "unfinished uploads could not be listed: those that are old stay");
}

int
plan_write(struct planfile *out, struct gather *g, const struct retain_plan *p,
    struct fault *f)
{
	struct writer w = {.out = out, .g = g, .p = p};
	int rc = write_first(&w, f);

	for (size_t i = 0; rc == 0 && i < g->n_heads; i++)
		if (retain_backup_rules(p, i) != 0)
			rc = write_keep(&w, i, f);
	if (rc == 0)
		rc = write_windows(&w, "before", &g->in, NULL, f);
	if (rc == 0)
		rc = lock_plan(out, g, p, f);
	if (rc == 0)
		rc = remains_plan(out, g, f);
	if (rc == 0)
		rc = move_plan(out, g, p, f);
	if (rc == 0)
		rc = write_deletes(&w, f);
	if (rc == 0)
		rc = write_after(&w, f);
	if (rc == 0)
		rc = planfile_put_end(out, f);
	free(w.after.wal);
	return rc;
}
