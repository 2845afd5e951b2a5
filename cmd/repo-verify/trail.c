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

	return ledger_flaw(&v->ledger, x, f);
}

/* ---- what is told of it ---- */

static int
tell_report(struct verify *v, const struct flaws_one *x, struct fault *f)
{
	const char *at;
	const size_t n = flaws_where(x, &at);
	char key[LAYOUT_KEY];
	int rc = layout_verify(
	    repo_cluster(v->repo), repo_system_id(v->repo), x->report, key, f);

	return rc != 0
		   ? rc
		   : found_add(v, true, key, x->text, f,
			 "what that verification found, and how far it saw "
			 "the WAL and the audit trail go, is not proven any "
			 "more; once it is known why: --accept-trail %.*s",
			 (int)n, at);
}

static int
tell_record(struct verify *v, const struct flaws_one *x, struct fault *f)
{
	const char *at;
	const size_t n = flaws_where(x, &at);
	char key[LAYOUT_KEY], numbers[64] = "";
	int rc = layout_audit_prefix(
	    repo_cluster(v->repo), repo_system_id(v->repo), key, f);

	if (rc != 0)
		return rc;
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
	    "the audit trail proves nothing there (%s); once it is known why: "
	    "--accept-trail %.*s",
	    audit_flaw_word(x->kind), (int)n, at);
}

static int
tell_flaws(struct verify *v, struct fault *f)
{
	const struct flaws *l = &v->ledger.flaws;
	char when[CLOCK_TEXT_SIZE], key[LAYOUT_KEY];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		const struct flaws_one *x = &l->x[i];

		if (x->accepted_us != CLOCK_NONE) {
			clock_format(x->accepted_us, when);
			log_line(1, "%s: accepted %s", x->name, when);
		} else {
			rc = x->report[0] != '\0' ? tell_report(v, x, f)
						  : tell_record(v, x, f);
		}
	}
	if (rc != 0 || !l->more)
		return rc;
	rc = layout_audit_prefix(
	    repo_cluster(v->repo), repo_system_id(v->repo), key, f);
	return rc != 0 ? rc
		       : found_add(v, true, key, "has more flaws than are told",
			     f, "the audit trail proves nothing there");
}

/* ---- the check ---- */

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
	int rc;

	(void)((rc = ledger_take(&v->ledger, r, f)) ||
	       (rc = prunes_take(v, r, f)) || (rc = reports_take(v, r, f)) ||
	       (rc = days_take(v, r)));
	return rc;
}

/* What is accepted now is looked for from the beginning: records behind an end
 * that is gone were not read by anybody. */
static bool
is_known(const struct verify *v)
{
	return v->run->since_last && v->run->n_accept == 0 && prunes_known(v) &&
	       ledger_known(v->last.all) && v->known_before;
}

int
trail_read(struct verify *v, struct fault *f)
{
	struct deadline d = deadline_never();
	struct audit_check c = {.since_known = is_known(v),
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
	if (c.since_known)
		days_recall(v);
	if (rc == 0)
		rc = audit_check(v->repo, 0, &c, &d, f);
	free(known);
	return rc;
}

int
trail_check(struct verify *v, struct fault *f)
{
	int rc;

	v->known_before = reports_known(v);
	if ((rc = trail_read(v, f)) != 0 || (rc = reports_judge(v, f)) != 0)
		return rc;
	ledger_settle(&v->ledger);
	rc = accept_run(v, f);
	return rc != 0 ? rc : tell_flaws(v, f);
}

static const char *
scope(const struct verify *v)
{
	return v->run->wal ? "wal" : v->run->n_backups > 0 ? "backup" : "all";
}

/* "ID sha256:HEX", or without id the second word alone. */
static void
name_sum(
    const char *id, const unsigned char hash[AUDIT_HASH], char *out, size_t cap)
{
	char hex[2 * AUDIT_HASH + 1];

	text_hex(hash, AUDIT_HASH, hex);
	snprintf(out, cap, "%s%ssha256:%s", id, id[0] != '\0' ? " " : "", hex);
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
	char share[16], seed[24], sum[96], previous[160];
	const struct audit_pair details[] = {
	    {"sample", share},
	    {"seed", seed},
	    {"scope", scope(v)},
	    {"since", v->run->since_last ? v->last.id : ""},
	    {"previous", previous},
	    {"checksum_of", "report"},
	};
	int status = 0;
	int rc = audit_open(&a, v->repo, 0, "repo-verify", f);

	if (rc != 0)
		return rc;
	audit_started(a, v->begun_ms);
	snprintf(share, sizeof share, "%u.%02u", v->run->lottery.share / 100,
	    v->run->lottery.share % 100);
	snprintf(seed, sizeof seed, "%" PRIu64, v->run->lottery.seed);
	previous[0] = '\0';
	if (v->last.all != NULL)
		name_sum(v->last.id, v->last.hash, previous, sizeof previous);
	name_sum("", v->own_hash, sum, sizeof sum);
	e.checksum = v->stored_own ? sum : "";
	e.object = v->id;
	e.stored = v->stored;
	e.details = details;
	e.n_details = sizeof details / sizeof details[0] - !v->stored_own;
	if (failed != NULL) {
		status = cli_exit_status(failed->code);
		result = *failed;
	} else if (v->hurt) {
		status = 1;
		fault_set(
		    &result, FAULT_CORRUPT, "%zu findings", found_hurting(v));
	}
	rc = audit_note(a, &e, status, status != 0 ? &result : NULL, &d, f);
	if (audit_remark(a)[0] != '\0')
		log_line(0, "%s", audit_remark(a));
	audit_free(a);
	return rc;
}
