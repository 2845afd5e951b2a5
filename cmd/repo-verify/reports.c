#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backupcheck.h"
#include "crypto.h"
#include "text.h"
#include "verify.h"

/*
 * Reports of verifications are evidence, and what one knows the next is handed
 * on: so that one is gone must not go unseen. Each run's audit record names its
 * report, and the one before it, with their hashes. That all records need not
 * be read for it each time, a report holds a sum over the names of all that
 * were there: are there others now, or less, the whole trail is read.
 */

#define GONE "was written by a verification, and is gone"
#define ANOTHER "is another one than was recorded"

int
reports_list(struct verify *v, struct fault *f)
{
	char key[LAYOUT_KEY];
	struct fault why;
	int rc = evidence_list_all(v->repo, 0, &v->listed, &v->n_listed, f);

	if (rc != FAULT_CORRUPT)
		return rc;
	why = *f;
	fault_clear(f);
	v->unlisted = true;
	rc = layout_verify_prefix(
	    repo_cluster(v->repo), repo_system_id(v->repo), key, f);
	return rc != 0 ? rc
		       : found_add(v, true, key, why.text, f,
			     "whether one is gone is not known");
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool
is_listed(const struct verify *v, const char *id)
{
	return v->n_listed > 0 && bsearch(id, v->listed, v->n_listed,
				      sizeof *v->listed, by_name) != NULL;
}

/* ---- the sum ---- */

static int
sum_names(struct crypto_hash *h, const char *id, struct fault *f)
{
	char line[LAYOUT_ID + 1];
	int n = snprintf(line, sizeof line, "%s\n", id);

	return crypto_hash_update(h, line, (size_t)n, f);
}

/* Is that one of ours, as far as is known? */
static bool
is_ours(const struct verify *v, const char *id)
{
	if (strcmp(id, v->last.id) == 0)
		return v->last.all != NULL;
	if (v->known_before && strcmp(id, v->last.id) < 0)
		return true;
	for (size_t i = 0; i < v->n_reports; i++)
		if (strcmp(v->reports[i].id, id) == 0)
			return true;
	return false;
}

/* Over those that are listed up to that one. ours: and are known to be. */
static int
sum_listed(const struct verify *v, const char *last, bool ours, const char *own,
    uint64_t *count, unsigned char sum[AUDIT_HASH], struct fault *f)
{
	struct crypto_hash *h = NULL;
	int rc = crypto_hash_new(&h, f);

	*count = 0;
	for (size_t i = 0; rc == 0 && i < v->n_listed; i++) {
		const char *id = v->listed[i];

		if (strcmp(id, last) > 0 || (ours && !is_ours(v, id)))
			continue;
		++*count;
		rc = sum_names(h, id, f);
	}
	if (rc == 0 && own != NULL) {
		++*count;
		rc = sum_names(h, own, f);
	}
	if (rc == 0)
		rc = crypto_hash_final(h, sum, f);
	crypto_hash_free(h);
	return rc;
}

bool
reports_known(const struct verify *v)
{
	unsigned char sum[AUDIT_HASH], own[AUDIT_HASH];
	struct fault ignored = FAULT_INIT;
	uint64_t count, own_count;
	struct json *j;

	return v->last.all != NULL && !v->unlisted &&
	       json_has(v->last.all, "reports") &&
	       json_get_object(v->last.all, "reports", &j, &ignored) == 0 &&
	       json_get_u64(j, "count", &count, &ignored) == 0 &&
	       json_get_hex(j, "sum", sum, sizeof sum, &ignored) == 0 &&
	       sum_listed(v, v->last.id, false, NULL, &own_count, own,
		   &ignored) == 0 &&
	       count == own_count && memcmp(sum, own, sizeof sum) == 0;
}

int
reports_put(const struct verify *v, struct json *j, struct fault *f)
{
	unsigned char sum[AUDIT_HASH];
	uint64_t count;
	struct json *x;
	int rc = 0;

	if (v->last.all != NULL &&
	    ((rc = json_put_object(j, "previous", &x, f)) != 0 ||
		(rc = json_put_str(x, "id", v->last.id, f)) != 0 ||
		(rc = json_put_hex(x, "sum", v->last.hash, AUDIT_HASH, f)) !=
		    0))
		return rc;
	/* What is gone is to be told by the next run as well: it reads the
	 * trail then. */
	if (v->unlisted || !flaws_reports_whole(&v->ledger.flaws))
		return 0;
	if ((rc = sum_listed(v, v->id, true, v->id, &count, sum, f)) != 0 ||
	    (rc = json_put_object(j, "reports", &x, f)) != 0 ||
	    (rc = json_put_u64(x, "count", count, f)) != 0)
		return rc;
	return json_put_hex(x, "sum", sum, sizeof sum, f);
}

/* ---- what the trail names ---- */

static int
add(struct verify *v, const char *id, size_t len, const char *sum, bool own,
    struct fault *f)
{
	struct verify_report r = {.own = own};
	struct fault ignored = FAULT_INIT;

	if (len >= sizeof r.id)
		return 0;
	memcpy(r.id, id, len);
	if (layout_check_hold(r.id, &ignored) != 0)
		return 0;
	r.hashed = text_prefix(sum, "sha256:") &&
		   text_unhex(sum + 7, r.hash, AUDIT_HASH) == 0;
	if (v->n_reports == v->cap_reports) {
		size_t cap = v->cap_reports == 0 ? 64 : 2 * v->cap_reports;
		void *grown = reallocarray(v->reports, cap, sizeof *v->reports);

		if (grown == NULL)
			return fault_nomem(f);
		v->reports = grown;
		v->cap_reports = cap;
	}
	v->reports[v->n_reports++] = r;
	return 0;
}

int
reports_take(struct verify *v, const struct audit_record *r, struct fault *f)
{
	int rc = 0;

	if (strcmp(r->action, "verify") != 0)
		return 0;
	/* A run that could not be ended has left none. */
	if (r->status == 0 || r->status == 1)
		rc = add(v, r->object, strlen(r->object), r->checksum, true, f);
	for (size_t i = 0; rc == 0 && i < r->n_details; i++) {
		const char *value = r->details[i].value;
		size_t n = strcspn(value, " ");

		if (strcmp(r->details[i].name, "previous") == 0 &&
		    value[n] == ' ')
			rc = add(v, value, n, value + n + 1, false, f);
	}
	return rc;
}

/* ---- what is wrong ---- */

static int
by_id(const void *a, const void *b)
{
	const struct verify_report *x = a, *y = b;
	int c = strcmp(x->id, y->id);

	return c != 0 ? c : memcmp(x->hash, y->hash, AUDIT_HASH);
}

/* Each once: its own record and the next one's name it. */
static void
settle(struct verify *v)
{
	size_t n = 0;

	if (v->n_reports > 1)
		qsort(v->reports, v->n_reports, sizeof *v->reports, by_id);
	for (size_t i = 0; i < v->n_reports; i++)
		if (n > 0 && by_id(&v->reports[n - 1], &v->reports[i]) == 0)
			v->reports[n - 1].own |= v->reports[i].own;
		else
			v->reports[n++] = v->reports[i];
	v->n_reports = n;
}

static int
flaw(struct verify *v, const struct verify_report *r, const char *text,
    struct fault *f)
{
	fault_clear(f);
	return flaws_add_report(
	    &v->ledger.flaws, FLAWS_REPORT, r->id, r->hash, text, f);
}

/* It may have been written since they were listed. */
static int
look_again(struct verify *v, const struct verify_report *r, struct fault *f)
{
	struct deadline d = deadline_in_ms(v->only.store_deadline_ms);
	char key[LAYOUT_KEY];
	int rc = layout_verify(
	    repo_cluster(v->repo), repo_system_id(v->repo), r->id, key, f);

	if (rc == 0)
		rc = store_stat(v->store, key, NULL, &d, f);
	return rc == FAULT_ABSENT ? flaw(v, r, GONE, f) : rc;
}

static int
read_one(struct verify *v, const struct verify_report *r, struct fault *f)
{
	unsigned char hash[AUDIT_HASH];
	struct fault why;
	int rc = evidence_hash(v->repo, 0, r->id, hash, f);

	if (rc == FAULT_ABSENT)
		return flaw(v, r, GONE, f);
	if (rc == 0 && memcmp(hash, r->hash, sizeof hash) != 0)
		return flaw(v, r, ANOTHER, f);
	if (rc == 0 || !backupcheck_tells(f))
		return rc;
	why = *f;
	return flaw(v, r, why.text, f);
}

/* Nothing that it says was read is believed. */
static void
distrust(struct verify *v)
{
	for (size_t i = 0; i < v->blocks.n; i++)
		v->blocks.b[i].known = NULL;
	v->last.n_backups = 0;
}

struct search {
	const char *id;
	bool found;
};

static int
take_own(void *ctx, const struct audit_record *r, struct fault *f)
{
	struct search *x = ctx;

	(void)f;
	x->found = x->found || (strcmp(r->action, "verify") == 0 &&
				   strcmp(r->object, x->id) == 0);
	return 0;
}

/* That run may be at its end just now, beside us: its record follows. */
#define YOUNG_US (600 * INT64_C(1000000))
#define TRIES 10
#define PAUSE_MS 500

static int
wait_for_record(struct verify *v, bool *found, struct fault *f)
{
	struct fault ignored = FAULT_INIT;
	struct deadline d = deadline_never();
	struct search x = {.id = v->last.id};
	const struct audit_check c = {.known = v->heads,
	    .n_known = v->n_heads,
	    .since_known = true,
	    .record = take_own,
	    .ctx = &x};
	int64_t ended_us;
	int rc = 0;

	if (json_get_i64(v->last.all, "ended_us", &ended_us, &ignored) != 0 ||
	    ended_us < v->begun_us - YOUNG_US)
		return 0;
	for (int k = 0; rc == 0 && !x.found && k < TRIES; k++) {
		if (k > 0)
			clock_sleep_ms(PAUSE_MS);
		rc = audit_check(v->repo, 0, &c, &d, f);
	}
	*found = x.found;
	return rc;
}

/* A run stores its report and then its record. Where that one is missing the
 * end of its writer's chain may have been cut off behind what anybody noted. */
static int
judge_recorded(struct verify *v, const char *id,
    const unsigned char hash[AUDIT_HASH], struct fault *f)
{
	bool found = false;
	int rc = 0;

	for (size_t i = 0; i < v->n_reports; i++)
		if (strcmp(v->reports[i].id, id) == 0 && v->reports[i].own)
			return 0;
	if (strcmp(id, v->last.id) == 0)
		rc = wait_for_record(v, &found, f);
	if (rc != 0 || found)
		return rc;
	return flaws_add_report(&v->ledger.flaws, FLAWS_UNRECORDED, id, hash,
	    "is not in the audit trail: the end of its writer's records was "
	    "cut off, or that verification was killed before it wrote one",
	    f);
}

static int
judge_unrecorded(struct verify *v, struct fault *f)
{
	struct evidence_named *x;
	size_t n;
	int rc;

	/* Those of older versions. */
	if (!json_has(v->last.all, "unrecorded"))
		return 0;
	rc = evidence_past_unrecorded(v->last.all, &x, &n, f);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = judge_recorded(v, x[i].id, x[i].hash, f);
	free(x);
	return rc != 0 ? rc : judge_recorded(v, v->last.id, v->last.hash, f);
}

static int
judge_last(struct verify *v, struct fault *f)
{
	bool named = false, same = false;

	for (size_t i = 0; i < v->n_reports; i++) {
		const struct verify_report *r = &v->reports[i];

		if (strcmp(r->id, v->last.id) != 0)
			continue;
		named = true;
		same = same || !r->hashed ||
		       memcmp(r->hash, v->last.hash, AUDIT_HASH) == 0;
	}
	if (!named || same)
		return judge_unrecorded(v, f);
	distrust(v);
	return flaws_add_report(&v->ledger.flaws, FLAWS_REPORT, v->last.id,
	    v->last.hash, ANOTHER, f);
}

int
reports_judge(struct verify *v, struct fault *f)
{
	int rc = 0;

	settle(v);
	if (v->last.all != NULL)
		rc = judge_last(v, f);
	for (size_t i = 0; rc == 0 && i < v->n_reports; i++) {
		const struct verify_report *r = &v->reports[i];

		if (!r->hashed || strcmp(r->id, v->last.id) == 0)
			continue;
		if (!v->run->since_last)
			rc = read_one(v, r, f);
		else if (!v->unlisted && !is_listed(v, r->id))
			rc = look_again(v, r, f);
	}
	return rc;
}
