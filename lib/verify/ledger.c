#include <stdlib.h>
#include <string.h>

#include "ledger_core.h"
#include "text.h"

void
ledger_begin(struct ledger *l)
{
	memset(l, 0, sizeof *l);
	l->silent_us = CLOCK_NONE;
}

void
ledger_free(struct ledger *l)
{
	free(l->b);
	free(l->settled);
	flaws_free(&l->flaws);
	ledger_begin(l);
}

/* ---- by id ---- */

static int
by_id(const void *a, const void *b)
{
	const struct ledger_backup *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static void
merge(struct ledger_backup *to, const struct ledger_backup *from)
{
	bool better = from->there || (to->stop_us == CLOCK_NONE);

	to->finished = to->finished || from->finished;
	to->failed = to->failed || from->failed;
	to->there = to->there || from->there;
	to->let_go += from->let_go;
	if (from->let_go_us > to->let_go_us)
		to->let_go_us = from->let_go_us;
	if (from->stop_us != CLOCK_NONE && better)
		to->stop_us = from->stop_us;
	if (from->timeline != 0)
		to->timeline = from->timeline;
}

void
ledger_settle(struct ledger *l)
{
	size_t n = 0;

	flaws_settle(&l->flaws);
	if (l->n == 0)
		return;
	qsort(l->b, l->n, sizeof *l->b, by_id);
	for (size_t i = 1; i < l->n; i++)
		if (strcmp(l->b[n].id, l->b[i].id) == 0)
			merge(&l->b[n], &l->b[i]);
		else
			l->b[++n] = l->b[i];
	l->n = n + 1;
}

struct ledger_backup *
ledger_find(const struct ledger *l, const char *id)
{
	struct ledger_backup key = {.id = ""};

	if (l->n == 0 || strlen(id) >= sizeof key.id)
		return NULL;
	memcpy(key.id, id, strlen(id) + 1);
	return bsearch(&key, l->b, l->n, sizeof *l->b, by_id);
}

bool
ledger_misses(const struct ledger_backup *b)
{
	return b->finished && !b->there && b->let_go <= 0;
}

/* ---- the trail's flaws ---- */

/* Two hosts' clocks may differ by so much. */
#define SKEW_US (5 * 60 * INT64_C(1000000))

int
ledger_flaw(struct ledger *l, const struct audit_finding *x, struct fault *f)
{
	return flaws_add(&l->flaws, x, f);
}

bool
ledger_whole(const struct ledger *l)
{
	return flaws_trail_whole(&l->flaws);
}

bool
ledger_proves(const struct ledger *l, int64_t start_us)
{
	int64_t until = flaws_until(&l->flaws);

	return until == CLOCK_NONE ||
	       (until < INT64_MAX - SKEW_US && start_us > until + SKEW_US);
}

/* ---- what is told ---- */

/* Several lines about one backup become one before more room is taken. */
static int
make_room(struct ledger *l, struct fault *f)
{
	size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
	void *grown;

	ledger_settle(l);
	if (l->n < l->cap / 2)
		return 0;
	grown = reallocarray(l->b, cap, sizeof *l->b);
	if (grown == NULL)
		return fault_nomem(f);
	l->b = grown;
	l->cap = cap;
	return 0;
}

int
ledger_add(struct ledger *l, const char *id, const struct ledger_backup *what,
    struct fault *f)
{
	struct fault ignored = FAULT_INIT;
	int rc;

	if (layout_check_id(id, &ignored) != 0)
		return 0;
	if (l->n == l->cap && (rc = make_room(l, f)) != 0)
		return rc;
	l->b[l->n] = *what;
	memcpy(l->b[l->n++].id, id, strlen(id) + 1);
	return 0;
}

static const char *
detail(const struct audit_record *r, const char *name)
{
	for (size_t i = 0; i < r->n_details; i++)
		if (strcmp(r->details[i].name, name) == 0)
			return r->details[i].value;
	return NULL;
}

static int
take_backup(struct ledger *l, const struct audit_record *r, struct fault *f)
{
	struct ledger_backup b = {.finished = r->status == 0,
	    .failed = r->status != 0,
	    .let_go_us = CLOCK_NONE,
	    .stop_us = r->at_us};
	const char *stop = detail(r, "stop_us"),
		   *timeline = detail(r, "timeline");
	uint64_t us;

	if (stop != NULL && text_u64(stop, &us) == 0 && us <= LEDGER_STOP_MAX)
		b.stop_us = (int64_t)us;
	if (timeline != NULL && text_u32(timeline, &b.timeline) != 0)
		b.timeline = 0;
	return ledger_add(l, r->object, &b, f);
}

/* "ID ID ID"; r NULL: what holds for good. */
static int
take_ids(struct ledger *l, const char *ids, int32_t let_go,
    const struct audit_record *r, struct fault *f)
{
	const struct ledger_backup b = {.let_go = let_go,
	    .let_go_us = r != NULL ? r->at_us : INT64_MAX,
	    .stop_us = CLOCK_NONE};
	int rc = 0;

	while (rc == 0 && *ids != '\0') {
		size_t n = strcspn(ids, " ");
		char id[LAYOUT_ID] = "";

		if (n < sizeof id) {
			memcpy(id, ids, n);
			if (r == NULL || !ledger_settled(l, id, r->operation))
				rc = ledger_add(l, id, &b, f);
		}
		ids += n + strspn(ids + n, " ");
	}
	return rc;
}

static int
take_prune(struct ledger *l, const struct audit_record *r, struct fault *f)
{
	int rc = 0;

	if (r->phase == AUDIT_BEGUN && detail(r, LEDGER_COUNT) == NULL &&
	    r->at_us > l->silent_us)
		l->silent_us = r->at_us;
	for (size_t i = 0; rc == 0 && i < r->n_details; i++) {
		const struct audit_detail *d = &r->details[i];

		if (strcmp(d->name, LEDGER_FORGOT) == 0)
			rc = take_ids(l, d->value, 1, NULL, f);
		else if (strcmp(d->name, LEDGER_LET_GO) == 0)
			rc = take_ids(l, d->value, 1, r, f);
		else if (strcmp(d->name, LEDGER_STAYED) == 0)
			rc = take_ids(l, d->value, -1, r, f);
	}
	return rc;
}

int
ledger_take(struct ledger *l, const struct audit_record *r, struct fault *f)
{
	int rc = flaws_take(&l->flaws, r, f);

	if (rc != 0)
		return rc;
	if (strcmp(r->action, "prune") == 0)
		return take_prune(l, r, f);
	if (strcmp(r->action, "backup") == 0 && r->phase != AUDIT_BEGUN)
		return take_backup(l, r, f);
	return 0;
}

int
ledger_there(struct ledger *l, const char *id, int64_t stop_us,
    uint32_t timeline, struct fault *f)
{
	const struct ledger_backup b = {.finished = stop_us != CLOCK_NONE,
	    .there = true,
	    .let_go_us = CLOCK_NONE,
	    .stop_us = stop_us,
	    .timeline = timeline};

	return ledger_add(l, id, &b, f);
}
