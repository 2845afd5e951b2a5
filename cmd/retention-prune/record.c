#include "record.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto.h"
#include "text.h"

/* Takes j. */
static int
store_record(const struct record *r, const struct gather *g, const char *what,
    struct json *j, struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(g->repo)->store_deadline_ms);
	char key[LAYOUT_KEY], name[LAYOUT_KEY], *text = NULL;
	size_t len;
	int rc;

	if ((rc = json_put_i64(j, "format", 1, f)) == 0 &&
	    (rc = json_put_str(j, "id", r->id, f)) == 0 &&
	    (rc = json_put_str(j, "version", PITRKIT_VERSION, f)) == 0 &&
	    (rc = json_dump(j, &text, &len, f)) == 0 &&
	    (rc = layout_prune(repo_cluster(g->repo), repo_system_id(g->repo),
		 r->id, what, key, f)) == 0 &&
	    (rc = layout_hold_name(r->id, what, name, f)) == 0)
		rc = repo_put_object(g->repo, g->index, key, OBJECT_REPORT,
		    name, text, len, &d, f);
	if (rc != 0)
		fault_prefix(f, "the record of this pruning");
	free(text);
	json_free(j);
	return rc;
}

static int
put_who(struct json *j, struct fault *f)
{
	const struct passwd *pw = getpwuid(geteuid());
	char host[256] = "", number[24];
	int rc;

	if (gethostname(host, sizeof host - 1) != 0)
		host[0] = '\0';
	snprintf(number, sizeof number, "%lu", (unsigned long)geteuid());
	if ((rc = json_put_str(j, "host", host, f)) != 0)
		return rc;
	return json_put_str(j, "user", pw != NULL ? pw->pw_name : number, f);
}

static int
put_time(struct json *j, const char *name, int64_t us, struct fault *f)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format_iso(us, text);
	return json_put_str(j, name, text, f);
}

int
record_begin(struct record *r, const struct gather *g,
    const struct planfile *plan, struct fault *f)
{
	int64_t now_us = clock_now_us();
	struct json *j;
	uint32_t random;
	char sum[65];
	int rc;

	if ((rc = crypto_random(&random, sizeof random, f)) != 0 ||
	    (rc = json_new(&j, f)) != 0)
		return rc;
	layout_new_hold(now_us, random, r->id);
	text_hex(plan->sum, 32, sum);
	if ((rc = put_time(j, "at", now_us, f)) != 0 ||
	    (rc = put_time(j, "planned_at", g->in.now_us, f)) != 0 ||
	    (rc = json_put_i64(j, "wal_window_from_us",
		 g->in.now_us - repo_conf(g->repo)->retain_wal_ms * 1000, f)) !=
		0 ||
	    (rc = put_who(j, f)) != 0 ||
	    (rc = json_put_str(j, "reason", r->reason, f)) != 0 ||
	    (rc = json_put_str(j, "approved_by", r->approved_by, f)) != 0 ||
	    (rc = json_put_u64(j, "objects", plan->deletes, f)) != 0 ||
	    (rc = json_put_u64(j, "bytes", plan->bytes, f)) != 0 ||
	    (rc = json_put_str(j, "plan", sum, f)) != 0) {
		json_free(j);
		return rc;
	}
	return store_record(r, g, "begun", j, f);
}

int
record_end(const struct record *r, const struct gather *g,
    const struct apply_result *res, const struct fault *failed, struct fault *f)
{
	struct json *j;
	int rc = json_new(&j, f);

	if (rc != 0)
		return rc;
	if ((rc = put_time(j, "at", clock_now_us(), f)) != 0 ||
	    (rc = json_put_u64(j, "deleted", res->deleted, f)) != 0 ||
	    (rc = json_put_u64(j, "bytes", res->bytes, f)) != 0 ||
	    (rc = json_put_u64(j, "locked", res->locked, f)) != 0 ||
	    (rc = json_put_u64(j, "extended", res->extended, f)) != 0 ||
	    (rc = json_put_u64(j, "failed", res->failed, f)) != 0 ||
	    (rc = json_put_u64(j, "skipped", res->skipped, f)) != 0 ||
	    (rc = json_put_str(
		 j, "fault", failed != NULL ? failed->text : "", f)) != 0) {
		json_free(j);
		return rc;
	}
	return store_record(r, g, "ended", j, f);
}
