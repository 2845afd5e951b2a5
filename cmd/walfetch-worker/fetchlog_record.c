#include "fetchlog_record.h"

#include <string.h>

#include "archive.h"
#include "audit_details.h"
#include "cli.h"
#include "clock.h"
#include "crypto.h"

/* Others wait ten seconds for the chain before they begin one of their own. */
#define RECORD_PATIENCE_MS 8000

struct record_texts {
	struct audit_details details;
	char timeline[9];
	char since[CLOCK_TEXT_SIZE];
	char until[CLOCK_TEXT_SIZE];
};

uint32_t
fetchlog_random(void)
{
	struct fault ignored = FAULT_INIT;
	uint32_t n;

	return crypto_random(&n, sizeof n, &ignored) == 0
		   ? n
		   : (uint32_t)clock_now_us();
}

static struct audit_event
record_event(const struct repo *r, const struct tally *t,
    enum fetchlog_what what, struct record_texts *x)
{
	struct audit_event e = AUDIT_EVENT("fetch");
	struct audit_details *d = &x->details;

	e.object = what == FETCHLOG_BEGUN ? t->first : t->last;
	memcpy(x->timeline, t->last, 8);
	x->timeline[8] = '\0';
	clock_format_iso(t->since_us, x->since);
	clock_format_iso(t->last_us, x->until);
	audit_details_put(d, &e, "cluster", repo_cluster(r));
	audit_details_put_u64(d, &e, "system_id", repo_system_id(r));
	audit_details_put(d, &e, "timeline", x->timeline);
	audit_details_put(d, &e, "data_directory", t->home);
	audit_details_put(d, &e, "recovery", t->recovery);
	audit_details_put(d, &e, "since", x->since);
	audit_details_put(d, &e, "first", t->first);
	if (what == FETCHLOG_BEGUN)
		return e;
	audit_details_put(d, &e, "last", t->last);
	audit_details_put(d, &e, "until", x->until);
	if (what == FETCHLOG_DAY)
		audit_details_put(d, &e, "goes_on", "yes");
	if (what == FETCHLOG_LEFT)
		audit_details_put(d, &e, "left_behind", "yes");
	e.objects = t->segments;
	e.bytes = t->bytes;
	return e;
}

/* The first repository that shows its mark. */
static int
record_place(
    struct repo *r, size_t *i, const struct deadline *d, struct fault *f)
{
	struct fault first = FAULT_INIT, one;
	size_t n = repo_count(r);

	for (size_t k = 0; k < n; k++) {
		struct deadline own = deadline_step(
		    d, deadline_left_ms(d) / (int64_t)(n - k + (n > 1)));

		fault_clear(&one);
		if (archive_mark_check(r, k, &own, &one) == 0) {
			*i = k;
			return 0;
		}
		if (first.code == FAULT_NONE)
			first = one;
	}
	*f = first;
	return (int)f->code;
}

static int
record_put(struct audit *a, const struct audit_event *e, enum audit_phase phase,
    const struct fault *why, const struct deadline *d, struct fault *f)
{
	int status = why != NULL ? cli_exit_status(why->code) : 0;

	switch (phase) {
	case AUDIT_BEGUN:
		return audit_begin(a, e, d, f);
	case AUDIT_ENDED:
		return audit_end(a, e, status, why, d, f);
	case AUDIT_DONE:
		break;
	}
	return audit_note(a, e, status, why, d, f);
}

/* The handle is made anew each time: there are hours between, in which
 * credentials change. */
int
fetchlog_record(struct repo *base, const struct tally *t,
    enum fetchlog_what what, const struct fault *why, bool store,
    struct fault *f)
{
	struct deadline d = deadline_in_ms(RECORD_PATIENCE_MS);
	enum audit_phase phase = what == FETCHLOG_BEGUN ? AUDIT_BEGUN
				 : t->begun             ? AUDIT_ENDED
							: AUDIT_DONE;
	int64_t took_ms = (clock_now_us() - t->since_us) / 1000;
	struct fault unsaid = FAULT_INIT;
	struct record_texts x = {.timeline = ""};
	struct audit_event e = record_event(base, t, what, &x);
	struct audit *a = NULL;
	struct repo *r = NULL;
	size_t i = 0;
	int rc = repo_clone(&r, base, f);

	if (rc != 0)
		return rc;
	if (store && (rc = record_place(r, &i, &d, f)) != 0)
		store = false;
	if (audit_open(&a, r, i, "walfetch", rc == 0 ? f : &unsaid) != 0) {
		repo_free(r);
		return rc != 0 ? rc : (int)f->code;
	}
	audit_resume(a, t->operation);
	if (took_ms > 0)
		audit_started(a, clock_monotonic_ms() - took_ms);
	if (store)
		rc = record_put(a, &e, phase, why, &d, f);
	else
		audit_tell(a, &e, phase,
		    phase == AUDIT_BEGUN ? -1
		    : why != NULL        ? cli_exit_status(why->code)
					 : 0,
		    why);
	audit_free(a);
	repo_free(r);
	return rc;
}
