#include "ledger.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

#define STOP_MAX INT64_C(7258118400000000) /* 2200 */
#define LET_GO_MAX 1000000
#define DAY_US (86400 * INT64_C(1000000))

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

/* An id that is none names no backup. */
static int
add(struct ledger *l, const char *id, const struct ledger_backup *what,
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

	if (stop != NULL && text_u64(stop, &us) == 0 && us <= STOP_MAX)
		b.stop_us = (int64_t)us;
	if (timeline != NULL && text_u32(timeline, &b.timeline) != 0)
		b.timeline = 0;
	return add(l, r->object, &b, f);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Both records of a pruning have the id of its operation, which begins with the
 * time: so both count, or neither. */
static bool
is_settled(const struct ledger *l, const char *id, const char *operation)
{
	return l->n_settled > 0 && operation[0] != '\0' &&
	       strcmp(operation, l->settled_before) < 0 &&
	       bsearch(id, l->settled, l->n_settled, sizeof *l->settled,
		   by_name) != NULL;
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
			if (r == NULL || !is_settled(l, id, r->operation))
				rc = add(l, id, &b, f);
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

	return add(l, id, &b, f);
}

/* ---- reports ---- */

bool
ledger_known(const struct json *report)
{
	struct fault ignored = FAULT_INIT;
	struct json *j;
	bool whole;

	return report != NULL && json_has(report, "finished") &&
	       json_get_object(report, "finished", &j, &ignored) == 0 &&
	       json_get_bool(j, "trail_whole", &whole, &ignored) == 0 && whole;
}

/* Room for those that the list holds. */
static int
begin_settled(
    struct ledger *l, const struct json *report, size_t n, struct fault *f)
{
	struct fault ignored = FAULT_INIT;
	int64_t us;

	if (json_get_range(
		report, "begun_us", DAY_US, STOP_MAX, &us, &ignored) != 0)
		return 0;
	free(l->settled);
	l->n_settled = 0;
	l->settled = calloc(n + 1, sizeof *l->settled);
	if (l->settled == NULL)
		return fault_nomem(f);
	layout_new_hold(us - DAY_US, 0, l->settled_before);
	return 0;
}

static int
recall_one(
    struct ledger *l, const struct json *j, bool instead, struct fault *f)
{
	struct ledger_backup b = {.finished = true, .let_go_us = CLOCK_NONE};
	struct fault ignored = FAULT_INIT;
	int64_t let_go;
	const char *id;
	int rc;

	if ((rc = json_get_str(j, "id", &id, f)) != 0 ||
	    (rc = json_get_range(j, "stop_us", 0, STOP_MAX, &b.stop_us, f)) !=
		0 ||
	    (rc = json_get_u32(j, "timeline", 0, &b.timeline, f)) != 0 ||
	    (rc = json_get_range(
		 j, "let_go", -LET_GO_MAX, LET_GO_MAX, &let_go, f)) != 0 ||
	    (json_has(j, "let_go_us") &&
		(rc = json_get_i64(j, "let_go_us", &b.let_go_us, f)) != 0))
		return rc;
	if (let_go <= 0 && l->settled != NULL &&
	    layout_check_id(id, &ignored) == 0)
		memcpy(l->settled[l->n_settled++], id, strlen(id) + 1);
	/* The records themselves tell it otherwise. */
	b.let_go = instead ? (int32_t)let_go : 0;
	return add(l, id, &b, f);
}

int
ledger_recall(
    struct ledger *l, const struct json *report, bool instead, struct fault *f)
{
	struct json *j, *list, *x;
	int64_t silent_us;
	size_t n;
	int rc = 0;

	if (instead)
		rc = flaws_recall(&l->flaws, report, f);
	if (rc != 0 || report == NULL || !json_has(report, "finished"))
		return rc;
	if ((rc = json_get_object(report, "finished", &j, f)) != 0 ||
	    (rc = json_get_i64(j, "silent_us", &silent_us, f)) != 0 ||
	    (rc = json_get_array(j, "backups", &list, &n, f)) != 0)
		return rc;
	if (instead && silent_us != 0)
		l->silent_us = silent_us;
	rc = begin_settled(l, report, n, f);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if ((rc = json_at(list, i, &x, f)) == 0)
			rc = recall_one(l, x, instead, f);
	if (l->n_settled > 1)
		qsort(l->settled, l->n_settled, sizeof *l->settled, by_name);
	return rc;
}

static int
put_one(struct json *list, const struct ledger_backup *b, int64_t now_us,
    struct fault *f)
{
	bool stays = b->there && b->let_go_us < now_us - DAY_US;
	struct json *j;
	int rc;

	if ((rc = json_append_object(list, &j, f)) != 0 ||
	    (rc = json_put_str(j, "id", b->id, f)) != 0 ||
	    (rc = json_put_i64(j, "stop_us", b->stop_us, f)) != 0 ||
	    (rc = json_put_i64(j, "timeline", b->timeline, f)) != 0)
		return rc;
	if (stays || b->let_go_us == CLOCK_NONE)
		return json_put_i64(j, "let_go", stays ? 0 : b->let_go, f);
	if ((rc = json_put_i64(j, "let_go", b->let_go, f)) != 0)
		return rc;
	return json_put_i64(j, "let_go_us", b->let_go_us, f);
}

static bool
is_handed_on(const struct ledger *l, const struct ledger_backup *b)
{
	if (b->there)
		return b->finished;
	return ledger_misses(b) && b->stop_us >= l->silent_us;
}

int
ledger_put(const struct ledger *l, int64_t now_us, struct json *report,
    struct fault *f)
{
	struct json *j, *list;
	int rc;

	if ((rc = flaws_put(&l->flaws, report, f)) != 0 ||
	    (rc = json_put_object(report, "finished", &j, f)) != 0 ||
	    (rc = json_put_bool(j, "trail_whole", ledger_whole(l), f)) != 0 ||
	    (rc = json_put_i64(j, "silent_us",
		 l->silent_us == CLOCK_NONE ? 0 : l->silent_us, f)) != 0 ||
	    (rc = json_put_array(j, "backups", &list, f)) != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < l->n; i++)
		if (is_handed_on(l, &l->b[i]))
			rc = put_one(list, &l->b[i], now_us, f);
	return rc;
}
