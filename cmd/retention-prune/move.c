#include "move.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "shift.h"

/* Classes that the packs of one backup are in, when it is looked at. */
#define FROM_MAX 4

static const struct conf_repo *
conf_of(const struct gather *g)
{
	return repo_conf(g->repo)->repos[g->index];
}

/* ---- which class ---- */

/* NULL: none. *setting: which one says so. */
static const char *
class_of(
    const struct conf_repo *r, enum retain_class tier, const char **setting)
{
	const struct {
		const char *name;
		const char *class;
	} rows[] = {{"storage_class_weekly", r->storage_class_weekly},
	    {"storage_class_monthly", r->storage_class_monthly},
	    {"storage_class_yearly", r->storage_class_yearly},
	    {"storage_class_archive", r->storage_class_archive}};
	size_t n;

	*setting = NULL;
	if (tier < RETAIN_CLASS_WEEKLY)
		return NULL;
	for (n = (size_t)(tier - RETAIN_CLASS_WEEKLY) + 1; n > 0; n--)
		if (rows[n - 1].class != NULL) {
			*setting = rows[n - 1].name;
			return rows[n - 1].class;
		}
	return NULL;
}

static bool
is_named(const char *class, const char *setting)
{
	return setting != NULL && strcmp(class, setting) == 0;
}

static bool
is_hot(const struct conf_repo *r, const char *class)
{
	return strcmp(class, "STANDARD") == 0 ||
	       is_named(class, r->storage_class) ||
	       is_named(class, r->storage_class_base);
}

/* No class tells whether it is colder than another. So only from what new
 * backups are in, or a shorter tier's class, and never from a longer one's. */
static bool
may_move(const struct conf_repo *r, enum retain_class tier, const char *from,
    const char *to)
{
	const char *setting, *class;
	bool shorter = false;

	if (strcmp(from, to) == 0 || is_hot(r, to))
		return false;
	if (is_hot(r, from))
		return true;
	for (unsigned t = RETAIN_CLASS_WEEKLY; t <= RETAIN_CLASS_ARCHIVE; t++) {
		class = class_of(r, (enum retain_class)t, &setting);
		if (!is_named(from, class))
			continue;
		if (t > tier)
			return false;
		shorter = shorter || t < tier;
	}
	return shorter;
}

/* ---- planning ---- */

struct from {
	char class[SHIFT_CLASS];
	uint64_t objects;
	uint64_t bytes;
	uint64_t spares;
};

struct planning {
	struct planfile *out;
	const struct gather *g;
	enum retain_class tier;
	const char *to;
	bool spares; /* what is listed */
	struct from from[FROM_MAX];
	size_t n;
};

static int
take(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct planning *l = ctx;
	struct from *x = l->from;

	(void)f;
	if (!shift_is_pack(e) ||
	    !may_move(conf_of(l->g), l->tier, e->storage_class, l->to))
		return 0;
	while (x < l->from + l->n && strcmp(x->class, e->storage_class) != 0)
		x++;
	if (x == l->from + l->n) {
		/* What is in yet another one is found when these are done. */
		if (l->n == FROM_MAX)
			return 0;
		l->n++;
		memset(x, 0, sizeof *x);
		strcpy(x->class, e->storage_class);
	}
	if (l->spares) {
		x->spares++;
	} else {
		x->objects++;
		x->bytes += e->size;
	}
	return 0;
}

static int
put_line(const struct planning *l, const char *id, const char *setting,
    const struct from *x, struct fault *f)
{
	struct json *j;
	int rc = json_new(&j, f);

	if (rc != 0)
		return rc;
	if ((rc = json_put_str(j, "line", "move", f)) != 0 ||
	    (rc = json_put_str(j, "backup", id, f)) != 0 ||
	    (rc = json_put_str(j, "from", x->class, f)) != 0 ||
	    (rc = json_put_str(j, "to", l->to, f)) != 0 ||
	    (rc = json_put_str(j, "setting", setting, f)) != 0 ||
	    (rc = json_put_u64(j, "objects", x->objects, f)) != 0 ||
	    (rc = json_put_u64(j, "bytes", x->bytes, f)) != 0 ||
	    (rc = json_put_u64(j, "spares", x->spares, f)) != 0) {
		json_free(j);
		return rc;
	}
	l->out->moves++;
	return planfile_put(l->out, j, f);
}

/* A listing that credentials which only plan may not have. */
static int
look_for_spares(struct planning *l, const char *folder, struct fault *f)
{
	struct deadline d = deadline_never();
	int rc;

	l->spares = true;
	rc = store_class_spares(l->g->store, folder, take, l, &d, f);
	if (rc != FAULT_DENIED)
		return rc;
	log_line(0, "older versions are not looked for: %s", f->text);
	fault_clear(f);
	return 0;
}

static int
plan_backup(struct planfile *out, const struct gather *g, size_t i,
    enum retain_class tier, struct fault *f)
{
	struct planning l = {.out = out, .g = g, .tier = tier};
	struct deadline d = deadline_never();
	const char *setting;
	char folder[LAYOUT_KEY];
	int rc;

	l.to = class_of(conf_of(g), tier, &setting);
	if (l.to == NULL || is_hot(conf_of(g), l.to))
		return 0;
	if ((rc = layout_base(repo_cluster(g->repo), repo_system_id(g->repo),
		 g->heads[i].id, "pack/", folder, f)) != 0 ||
	    (rc = store_list(g->store, folder, false, NULL, take, &l, &d, f)) !=
		0 ||
	    (rc = look_for_spares(&l, folder, f)) != 0)
		return rc;
	for (size_t k = 0; rc == 0 && k < l.n; k++)
		rc = put_line(&l, g->heads[i].id, setting, &l.from[k], f);
	return rc;
}

/* The tiers of all backups, where there is a class for any. */
static int
tiers_of(const struct gather *g, const struct retain_plan *p,
    enum retain_class **out, struct fault *f)
{
	const struct conf_repo *r = conf_of(g);
	int64_t hot_ms = r->storage_class_after_ms;
	enum retain_class *tiers = calloc(g->n_heads + 1, sizeof *tiers);
	int rc;

	if (tiers == NULL)
		return fault_nomem(f);
	if (hot_ms == 0)
		hot_ms = repo_conf(g->repo)->retain_full_ms;
	rc = retain_tiers(p, hot_ms * 1000, tiers, f);
	if (rc != 0)
		free(tiers);
	else
		*out = tiers;
	return rc;
}

int
move_plan(struct planfile *out, const struct gather *g,
    const struct retain_plan *p, struct fault *f)
{
	enum retain_class *tiers;
	const char *setting;
	int rc;

	/* With object lock a copy would be paid for twice. */
	if (store_has_lock(g->store) ||
	    class_of(conf_of(g), RETAIN_CLASS_ARCHIVE, &setting) == NULL)
		return 0;
	rc = tiers_of(g, p, &tiers, f);
	if (rc != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < g->n_heads; i++)
		if (tiers[i] != RETAIN_CLASS_NONE)
			rc = plan_backup(out, g, i, tiers[i], f);
	free(tiers);
	return rc == 0 ? 0 : fault_prefix(f, "storage classes");
}

/* ---- carrying out ---- */

static int
take_line(const struct planfile *in, const struct json *j,
    struct shift_order *out, struct fault *f)
{
	struct fault other = FAULT_INIT;

	if (json_get_str(j, "backup", &out->backup, &other) == 0 &&
	    json_get_str(j, "from", &out->from, &other) == 0 &&
	    json_get_str(j, "to", &out->to, &other) == 0 &&
	    json_get_str(j, "setting", &out->setting, &other) == 0 &&
	    json_get_u64(j, "objects", &out->objects, &other) == 0 &&
	    json_get_u64(j, "bytes", &out->bytes, &other) == 0 &&
	    json_get_u64(j, "spares", &out->spares, &other) == 0)
		return 0;
	return fault_set(
	    f, FAULT_CONFIG, "%s: line %lu: no move", in->name, in->at);
}

int
move_check(const struct planfile *in, const struct json *j,
    const struct gather *g, const struct retain_plan *p, struct fault *f)
{
	struct shift_order o;
	enum retain_class *tiers;
	const char *to, *setting;
	bool fits = false;
	size_t i;
	int rc = take_line(in, j, &o, f);

	if (rc == 0)
		rc = tiers_of(g, p, &tiers, f);
	if (rc != 0)
		return rc;
	i = gather_backup(g, o.backup);
	if (i < g->n_heads && !store_has_lock(g->store)) {
		to = class_of(conf_of(g), tiers[i], &setting);
		fits = to != NULL && strcmp(to, o.to) == 0 &&
		       may_move(conf_of(g), tiers[i], o.from, o.to);
	}
	free(tiers);
	if (fits)
		return 0;
	return fault_set(f, FAULT_EXISTS,
	    "%s no longer fits the repository: backup %s is not to go from "
	    "class %s to %s; make a new plan",
	    in->name, o.backup, o.from, o.to);
}

int
move_run(struct planfile *in, const struct gather *g,
    const struct retain_plan *p, apply_told told, struct move_result *res,
    struct fault *f)
{
	struct json *j = NULL;
	const char *line = "";
	int rc = planfile_rewind(in, f);

	while (rc == 0) {
		struct shift_order o;

		rc = planfile_next(in, &j, &line, f);
		if (rc != 0 || j == NULL)
			break;
		/* The file was checked; it might have been written to since. */
		if (strcmp(line, "move") == 0 &&
		    (rc = move_check(in, j, g, p, f)) == 0 &&
		    (rc = take_line(in, j, &o, f)) == 0)
			rc = shift_run(g, &o, told, res, f);
		json_free(j);
	}
	return rc;
}
