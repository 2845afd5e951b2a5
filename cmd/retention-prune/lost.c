#include "lost.h"

#include <stdlib.h>
#include <string.h>

#include "evidence.h"
#include "ledger.h"
#include "log.h"

#define TOLD_MAX 100

/* ---- what is known ---- */

static int
take_finding(void *ctx, const struct audit_finding *x, struct fault *f)
{
	return ledger_flaw(ctx, x, f);
}

/* The first one; repo-verify tells all. */
static void
tell_flaw(const struct ledger *l)
{
	for (size_t i = 0; i < l->flaws.n; i++) {
		const struct flaws_one *x = &l->flaws.x[i];

		if (x->kind == AUDIT_STRAY || x->accepted_us != CLOCK_NONE)
			continue;
		log_line(0, "the audit trail is not whole: %s", x->text);
		return;
	}
}

static int
take_record(void *ctx, const struct audit_record *r, struct fault *f)
{
	return ledger_take(ctx, r, f);
}

static int
read_trail(const struct gather *g, struct ledger *l, const struct json *report,
    struct fault *f)
{
	struct deadline d = deadline_never();
	struct audit_head *known = NULL;
	struct audit_check c = {.since_known = ledger_known(report),
	    .finding = take_finding,
	    .record = take_record,
	    .ctx = l};
	int rc;

	if ((rc = evidence_heads(report, &known, &c.n_known, f)) != 0 ||
	    (rc = ledger_recall(l, report, c.since_known, f)) != 0) {
		free(known);
		return rc;
	}
	c.known = known;
	rc = audit_check(g->repo, g->index, &c, &d, f);
	free(known);
	ledger_settle(l);
	tell_flaw(l);
	return rc;
}

/* A report that does not open proves nothing, and the trail is there. */
static int
read_all(const struct gather *g, struct ledger *l, struct fault *f)
{
	struct evidence last;
	int rc = evidence_last(g->repo, g->index, &last, f);

	if (rc == FAULT_CORRUPT || rc == FAULT_KEY) {
		log_line(0, "the last report of repo-verify: %s", f->text);
		fault_clear(f);
		rc = 0;
	}
	if (rc == 0)
		rc = read_trail(g, l, last.all, f);
	evidence_free(&last);
	return rc != 0 ? fault_prefix(f,
			     "whether a backup without head was finished is "
			     "not known; nothing is pruned")
		       : 0;
}

/* ---- what follows ---- */

static bool
is_named(const struct cli_list *forget, const char *id)
{
	for (size_t i = 0; i < forget->n; i++)
		if (strcmp(forget->v[i], id) == 0)
			return true;
	return false;
}

/* May what is left of it still be wanted? *why: NULL or the reason. */
static void
judge(const struct ledger *l, const struct gather_folder *d, const char *id,
    const char **why)
{
	const struct ledger_backup *b = ledger_find(l, id);

	*why = NULL;
	if (b != NULL && b->let_go > 0)
		return;
	if (b != NULL && b->finished)
		*why = "it was finished, its head is gone, and no pruning let "
		       "it go";
	else if (d != NULL && !d->running && (b == NULL || !b->failed) &&
		 !ledger_proves(l, d->start_us))
		*why = "its head is gone or never was, and that it was not "
		       "finished is not proven";
}

/* It may have been finished since the folder was listed. */
static int
is_there(const struct gather *g, const char *id, bool *there, struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(g->repo)->store_deadline_ms);
	char key[LAYOUT_KEY];
	int rc = layout_base(
	    repo_cluster(g->repo), repo_system_id(g->repo), id, "head", key, f);

	if (rc == 0)
		rc = store_stat(g->store, key, NULL, &d, f);
	*there = rc == 0;
	if (rc == FAULT_ABSENT) {
		fault_clear(f);
		rc = 0;
	}
	return rc;
}

static int
check_names(const struct gather *g, const struct ledger *l,
    const struct cli_list *forget, struct fault *f)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < forget->n; i++) {
		const char *id = forget->v[i], *why;
		const struct gather_folder *d = gather_find(g, id);
		const struct ledger_backup *b = ledger_find(l, id);

		if ((rc = layout_check_id(id, f)) != 0)
			break;
		judge(l, d, id, &why);
		if (d != NULL && d->has_head)
			rc = fault_set(f, FAULT_CONFIG,
			    "--forget-lost %s: the backup is there", id);
		else if (why == NULL && (b == NULL || b->let_go <= 0))
			rc = fault_set(f, FAULT_CONFIG,
			    "--forget-lost %s: nothing says that such a backup "
			    "was ever finished",
			    id);
	}
	return rc;
}

static int
check_folders(struct gather *g, const struct ledger *l,
    const struct cli_list *forget, struct fault *f)
{
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < g->n_folders; i++) {
		struct gather_folder *d = &g->folders[i];
		bool there = false;
		const char *why;

		if (d->has_head)
			continue;
		judge(l, d, d->id, &why);
		d->forgotten = is_named(forget, d->id);
		/* What was finished is not running. */
		if (d->forgotten && why != NULL)
			d->running = false;
		if (d->forgotten || why == NULL)
			continue;
		if ((rc = is_there(g, d->id, &there, f)) != 0)
			return rc;
		if (!there && n++ < TOLD_MAX)
			log_line(0, "backup %s: %s", d->id, why);
	}
	if (n == 0)
		return 0;
	return fault_set(f, FAULT_CORRUPT,
	    "%zu lost %s: nothing is pruned; bring the head back from a copy "
	    "of the repository, or give it up with --forget-lost ID",
	    n, n == 1 ? "backup" : "backups");
}

int
lost_check(struct gather *g, const struct cli_list *forget, struct fault *f)
{
	struct ledger l;
	bool any = forget->n > 0;
	int rc;

	for (size_t i = 0; i < g->n_folders; i++)
		any = any || !g->folders[i].has_head;
	if (!any)
		return 0;
	ledger_begin(&l);
	if ((rc = read_all(g, &l, f)) == 0 &&
	    (rc = check_names(g, &l, forget, f)) == 0)
		rc = check_folders(g, &l, forget, f);
	ledger_free(&l);
	return rc;
}
