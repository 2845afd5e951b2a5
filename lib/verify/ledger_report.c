#include <stdlib.h>
#include <string.h>

#include "ledger_core.h"

/* What a report tells of backups, and what the next one is told. */

#define LET_GO_MAX 1000000
#define DAY_US (86400 * INT64_C(1000000))

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

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool
ledger_settled(const struct ledger *l, const char *id, const char *operation)
{
	return l->n_settled > 0 && operation[0] != '\0' &&
	       strcmp(operation, l->settled_before) < 0 &&
	       bsearch(id, l->settled, l->n_settled, sizeof *l->settled,
		   by_name) != NULL;
}

/* Room for those that the list holds. */
static int
begin_settled(
    struct ledger *l, const struct json *report, size_t n, struct fault *f)
{
	struct fault ignored = FAULT_INIT;
	int64_t us;

	if (json_get_range(report, "begun_us", DAY_US, LEDGER_STOP_MAX, &us,
		&ignored) != 0)
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
	    (rc = json_get_range(
		 j, "stop_us", 0, LEDGER_STOP_MAX, &b.stop_us, f)) != 0 ||
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
	return ledger_add(l, id, &b, f);
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
