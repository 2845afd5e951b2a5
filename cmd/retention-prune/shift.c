#include "shift.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "audit_details.h"
#include "crew.h"
#include "log.h"
#include "operation.h"

#define BATCH 1000
#define JOBS 8 /* side by side: the store copies, we wait */

struct item {
	char *key;
	uint64_t size;
	struct fault fault;
	bool done;
	bool tried;
};

struct shift {
	const struct gather *g;
	const struct shift_order *o;
	apply_told told;
	struct move_result sum;
	struct item items[BATCH];
	size_t n;
	char after[LAYOUT_KEY]; /* the last one that was taken */
	bool more;              /* there was no room for all */
	atomic_bool stop;       /* one failed: no more are begun */
};

bool
shift_is_pack(const struct store_entry *e)
{
	const char *pack = strstr(e->key, "/pack/");
	uint32_t number;

	return !e->is_folder && pack != NULL &&
	       layout_is_pack(pack + 1, &number) && e->storage_class != NULL &&
	       e->storage_class[0] != '\0' &&
	       strlen(e->storage_class) < SHIFT_CLASS &&
	       strlen(e->key) < LAYOUT_KEY;
}

static int
take(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct shift *s = ctx;
	struct item *x;

	if (!shift_is_pack(e) || strcmp(e->storage_class, s->o->from) != 0)
		return 0;
	if (s->n == BATCH) {
		s->more = true;
		return -1;
	}
	x = &s->items[s->n];
	memset(x, 0, sizeof *x);
	x->size = e->size;
	x->key = strdup(e->key);
	if (x->key == NULL)
		return fault_nomem(f);
	strcpy(s->after, e->key);
	s->n++;
	return 0;
}

/* Locked, or frozen where it is: no failure, and others may go. */
static bool
is_state(enum fault_code code)
{
	return code == FAULT_EXISTS || code == FAULT_FROZEN;
}

static void
one(void *ctx, size_t k, struct repo *own)
{
	struct shift *s = ctx;
	struct item *x = &s->items[k];
	struct deadline d =
	    deadline_in_ms(repo_conf(s->g->repo)->store_deadline_ms);
	struct store *store;
	int rc;

	if (atomic_load(&s->stop))
		return;
	x->tried = true;
	rc = repo_store(own, s->g->index, &store, &x->fault);
	if (rc == 0)
		rc = store_class_move(
		    store, x->key, s->o->to, &x->done, &d, &x->fault);
	if (rc != 0 && !is_state(x->fault.code))
		atomic_store(&s->stop, true);
}

static void
count(struct shift *s, const struct item *x)
{
	const char *slash = strrchr(x->key, '/');

	if (!x->tried) {
		s->sum.left++;
	} else if (x->fault.code == FAULT_NONE) {
		s->sum.moved += x->done;
		s->sum.bytes += x->done ? x->size : 0;
	} else if (is_state(x->fault.code)) {
		/* Of a thousand packs one tells for all. */
		if (s->sum.stay++ == 0)
			log_line(0,
			    "backup %s stays in class %s for now: pack %s: %s",
			    s->o->backup, s->o->from, slash + 1, x->fault.text);
	} else {
		s->sum.failed++;
		s->told(x->key, x->fault.text);
	}
}

/* A hold that was placed meanwhile keeps a backup where it is. */
static int
run_batch(struct shift *s, struct crew *c, struct fault *f)
{
	int rc = s->n > 0 ? gather_hold_same(s->g, f) : 0;

	if (rc == 0)
		rc = crew_run(c, s->n, one, s, f);
	for (size_t i = 0; i < s->n; i++) {
		if (rc == 0)
			count(s, &s->items[i]);
		free(s->items[i].key);
	}
	s->n = 0;
	return rc;
}

static int
run_packs(struct shift *s, struct crew *c, const char *folder, struct fault *f)
{
	struct deadline d = deadline_never();
	int rc = 0;

	do {
		s->more = false;
		rc = store_list(s->g->store, folder, false,
		    s->after[0] != '\0' ? s->after : NULL, take, s, &d, f);
		if (rc == 0 || s->more)
			rc = run_batch(s, c, f);
	} while (rc == 0 && s->more && !atomic_load(&s->stop));
	return rc;
}

/* Each round leaves fewer of them. */
static int
run_spares(struct shift *s, struct crew *c, const char *folder, struct fault *f)
{
	struct deadline d = deadline_never();
	uint64_t before;
	int rc = 0;

	do {
		before = s->sum.moved;
		s->more = false;
		rc = store_class_spares(s->g->store, folder, take, s, &d, f);
		if (rc == 0 || s->more)
			rc = run_batch(s, c, f);
	} while (rc == 0 && s->more && !atomic_load(&s->stop) &&
		 s->sum.moved > before);
	return rc;
}

static int
run_backup(struct shift *s, struct fault *f)
{
	const struct gather *g = s->g;
	struct crew *c = NULL;
	char folder[LAYOUT_KEY];
	int rc = layout_base(repo_cluster(g->repo), repo_system_id(g->repo),
	    s->o->backup, "pack/", folder, f);

	if (rc == 0)
		rc = crew_new(&c, g->repo, JOBS, f);
	if (rc == 0 && s->o->objects > 0)
		rc = run_packs(s, c, folder, f);
	if (rc == 0 && s->o->spares > 0 && !atomic_load(&s->stop))
		rc = run_spares(s, c, folder, f);
	crew_free(c);
	if (rc != 0 || s->sum.failed == 0)
		return rc;
	return fault_set(f, FAULT_SYSTEM,
	    "%" PRIu64 " objects of backup %s could not be moved to class %s "
	    "(%s); %" PRIu64 " more were not tried",
	    s->sum.failed, s->o->backup, s->o->to, s->o->setting, s->sum.left);
}

/* ---- with its records ---- */

static struct audit_event
event(const struct shift_order *o, struct audit_details *d)
{
	struct audit_event e = AUDIT_EVENT("move");

	e.object = o->backup;
	audit_details_put(d, &e, "from_class", o->from);
	audit_details_put(d, &e, "to_class", o->to);
	audit_details_put(d, &e, "setting", o->setting);
	return e;
}

static int
begin(struct operation *op, const struct shift *s, struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(s->g->repo)->store_deadline_ms);
	struct audit_details details;
	struct audit_event e = event(s->o, &details);
	int rc =
	    operation_open(op, s->g->repo, s->g->index, "retention-prune", f);

	e.objects = s->o->objects;
	e.stored = s->o->bytes;
	if (rc == 0)
		rc = operation_begin(op, &e, &d, f);
	return rc != 0 ? fault_prefix(f, "nothing is moved") : 0;
}

static int
end(struct operation *op, const struct shift *s, int result,
    const struct fault *why, struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(s->g->repo)->store_deadline_ms);
	struct audit_details details;
	struct audit_event e = event(s->o, &details);

	e.objects = s->sum.moved;
	e.stored = s->sum.bytes;
	audit_details_put_u64(&details, &e, "stay", s->sum.stay);
	audit_details_put_u64(&details, &e, "failed", s->sum.failed);
	audit_details_put_u64(&details, &e, "left", s->sum.left);
	return operation_end(op, &e, result, why, &d, f);
}

int
shift_run(const struct gather *g, const struct shift_order *o, apply_told told,
    struct move_result *res, struct fault *f)
{
	struct shift *s = calloc(1, sizeof *s);
	struct operation op = {0};
	struct fault other = FAULT_INIT;
	int rc, after;

	if (s == NULL)
		return fault_nomem(f);
	s->g = g;
	s->o = o;
	s->told = told;
	rc = begin(&op, s, f);
	if (rc == 0) {
		rc = run_backup(s, f);
		after = end(&op, s, rc, f, &other);
		if (rc == 0 && after != 0) {
			*f = other;
			rc = after;
		}
	}
	operation_free(&op);
	res->moved += s->sum.moved;
	res->bytes += s->sum.bytes;
	res->stay += s->sum.stay;
	res->failed += s->sum.failed;
	res->left += s->sum.left;
	free(s);
	return rc;
}
