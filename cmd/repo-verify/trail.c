#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "log.h"
#include "text.h"
#include "verify.h"

/* The audit trail: whether it is whole, and what this run adds to it. */

static int
take_finding(void *ctx, const struct audit_finding *x, struct fault *f)
{
	struct verify *v = ctx;
	char key[LAYOUT_KEY], numbers[64] = "";
	int rc = layout_audit_prefix(
	    repo_cluster(v->repo), repo_system_id(v->repo), key, f);

	if (rc != 0)
		return rc;
	ledger_flaw(&v->ledger, x);
	if (x->writer[0] != '\0' && x->first == x->last)
		snprintf(numbers, sizeof numbers, "/%012" PRIu64, x->first);
	else if (x->writer[0] != '\0')
		snprintf(numbers, sizeof numbers,
		    "/%012" PRIu64 " to %012" PRIu64, x->first, x->last);
	if (strlen(key) + strlen(x->writer) + strlen(numbers) < sizeof key) {
		strcat(key, x->writer);
		strcat(key, numbers);
	}
	return found_add(v, true, key, x->text, f,
	    "the audit trail proves nothing there (%s)",
	    audit_flaw_word(x->flaw));
}

static int
take_head(void *ctx, const struct audit_head *h, struct fault *f)
{
	struct verify *v = ctx;
	void *grown = reallocarray(v->heads, v->n_heads + 1, sizeof *v->heads);

	if (grown == NULL)
		return fault_nomem(f);
	v->heads = grown;
	v->heads[v->n_heads++] = *h;
	return 0;
}

static int
take_record(void *ctx, const struct audit_record *r, struct fault *f)
{
	struct verify *v = ctx;
	int rc = ledger_take(&v->ledger, r, f);

	return rc != 0 ? rc : prunes_take(v, r, f);
}

int
trail_check(struct verify *v, struct fault *f)
{
	struct deadline d = deadline_never();
	struct audit_check c = {.since_known = v->run->since_last &&
					       prunes_known(v) &&
					       ledger_known(v->last.all),
	    .finding = take_finding,
	    .head = take_head,
	    .record = take_record,
	    .ctx = v};
	struct audit_head *known;
	int rc = evidence_heads(v->last.all, &known, &c.n_known, f);

	if (rc != 0)
		return rc;
	c.known = known;
	ledger_begin(&v->ledger);
	rc = ledger_recall(&v->ledger, v->last.all, c.since_known, f);
	if (rc == 0 && c.since_known)
		rc = prunes_recall(v, f);
	if (rc == 0)
		rc = audit_check(v->repo, 0, &c, &d, f);
	free(known);
	return rc;
}

static const char *
scope(const struct verify *v)
{
	return v->run->wal ? "wal" : v->run->n_backups > 0 ? "backup" : "all";
}

/* One that could not be ended is on record as well: who is to be told of two in
 * a row learns it from here. */
int
trail_note(struct verify *v, const struct fault *failed, struct fault *f)
{
	struct deadline all = deadline_in_ms(AUDIT_PATIENCE_MS);
	struct deadline d = deadline_step(&all, v->only.store_deadline_ms);
	struct audit_event e = AUDIT_EVENT("verify");
	struct fault result = FAULT_INIT;
	struct audit *a;
	char share[16], seed[24];
	const struct audit_pair details[] = {
	    {"sample", share},
	    {"seed", seed},
	    {"scope", scope(v)},
	    {"since", v->run->since_last ? v->last.id : ""},
	};
	int status = 0;
	int rc = audit_open(&a, v->repo, 0, "repo-verify", f);

	if (rc != 0)
		return rc;
	audit_started(a, v->begun_ms);
	snprintf(share, sizeof share, "%u.%02u", v->run->lottery.share / 100,
	    v->run->lottery.share % 100);
	snprintf(seed, sizeof seed, "%" PRIu64, v->run->lottery.seed);
	e.object = v->id;
	e.stored = v->stored;
	e.details = details;
	e.n_details = sizeof details / sizeof details[0];
	if (failed != NULL) {
		status = cli_exit_status(failed->code);
		result = *failed;
	} else if (v->hurt) {
		status = 1;
		fault_set(
		    &result, FAULT_CORRUPT, "%zu findings", v->n_findings);
	}
	rc = audit_note(a, &e, status, status != 0 ? &result : NULL, &d, f);
	if (audit_remark(a)[0] != '\0')
		log_line(0, "%s", audit_remark(a));
	audit_free(a);
	return rc;
}
