#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

/* The last report, which this one follows. */

/* The newest report is the one with the greatest id, whatever the clock said
 * when it was made: ours is to be greater still, and another's than one that
 * runs beside it. */
static void
follow_last(struct verify *v)
{
	const char *id = v->last.id;
	struct fault ignored = FAULT_INIT;
	const char *own = strrchr(v->id, '-');
	char iso[24];
	int64_t us;

	if (strcmp(v->id, id) > 0)
		return;
	snprintf(iso, sizeof iso, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", id, id + 4,
	    id + 6, id + 9, id + 11, id + 13);
	if (clock_parse(iso, &us, NULL, &ignored) == 0)
		layout_new_hold(
		    us + 1000000, (uint32_t)strtoul(own + 1, NULL, 16), v->id);
}

static int
note_clock(struct verify *v, struct fault *f)
{
	struct fault ignored = FAULT_INIT;
	char key[LAYOUT_KEY];
	int64_t us;
	int rc;

	if (v->last.all == NULL ||
	    json_get_i64(v->last.all, "begun_us", &us, &ignored) != 0 ||
	    us <= v->begun_us + RETAIN_TOLERANCE_US)
		return 0;
	rc = layout_verify(
	    repo_cluster(v->repo), repo_system_id(v->repo), v->last.id, key, f);
	return rc != 0 ? rc
		       : found_add(v, false, key, "is of the future", f,
			     "a clock is or was wrong, here or where it was "
			     "made");
}

int
last_recall(struct verify *v, struct fault *f)
{
	char key[LAYOUT_KEY];
	struct fault why;
	int rc = evidence_last(v->repo, 0, &v->last, f);

	follow_last(v);
	if (rc == 0 && (rc = note_clock(v, f)) == 0)
		return reports_list(v, f);
	if (rc != FAULT_CORRUPT && rc != FAULT_KEY)
		return rc;
	why = *f;
	if ((rc = layout_verify(repo_cluster(v->repo), repo_system_id(v->repo),
		 v->last.id, key, f)) != 0)
		return rc;
	memset(&v->last, 0, sizeof v->last);
	fault_clear(f);
	rc = found_add(v, true, key, why.text, f,
	    "nothing is known to have been read before");
	return rc != 0 ? rc : reports_list(v, f);
}
