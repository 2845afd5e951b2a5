#include "retain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retain_calendar.h"
#include "retain_core.h"

#define HOUR_US (3600 * INT64_C(1000000))

/* ---- the rules for backups ---- */

static uint32_t
reach(const struct retain_policy *p, enum retain_unit u)
{
	const uint32_t n[RETAIN_UNITS] = {
	    p->daily, p->weekly, p->monthly, p->yearly};

	return n[u];
}

/* Of the present bucket, or of one of the last n before it? */
static bool
in_reach(const struct retain_plan *p, enum retain_unit u, int64_t us)
{
	uint32_t n = reach(&p->policy, u);

	return n > 0 && retain_calendar_bucket(u, p->in->now_us) -
				retain_calendar_bucket(u, us) <=
			    (int64_t)n;
}

/* The newest good one of each bucket. They are in order of time, so it is the
 * last before the bucket's number changes. */
static void
mark_tier(struct retain_plan *p, enum retain_unit u)
{
	const struct retain_input *in = p->in;
	int64_t newer = INT64_MAX;

	for (size_t i = in->n_backups; i-- > 0;) {
		int64_t b;

		if (!p->backups[i].good)
			continue;
		b = retain_calendar_bucket(u, in->backups[i].stop_us);
		if (b != newer && in_reach(p, u, in->backups[i].stop_us))
			p->backups[i].rules |= (unsigned)RETAIN_DAILY << u;
		newer = b;
	}
}

static bool
class_keeps(const struct retain_plan *p, const struct retain_backup *b)
{
	switch (b->class) {
	case RETAIN_CLASS_DAILY:
		return in_reach(p, RETAIN_UNIT_DAY, b->stop_us);
	case RETAIN_CLASS_WEEKLY:
		return in_reach(p, RETAIN_UNIT_WEEK, b->stop_us);
	case RETAIN_CLASS_MONTHLY:
		return in_reach(p, RETAIN_UNIT_MONTH, b->stop_us);
	case RETAIN_CLASS_YEARLY:
		return in_reach(p, RETAIN_UNIT_YEAR, b->stop_us);
	case RETAIN_CLASS_ARCHIVE:
		return p->in->now_us - b->stop_us <= p->policy.archive_us;
	case RETAIN_CLASS_NONE:
		break;
	}
	return false;
}

bool
retain_core_held(const struct retain_hold *h, int64_t now_us)
{
	return h->until_us == CLOCK_NONE || h->until_us > now_us;
}

static void
mark_held(struct retain_plan *p, size_t i)
{
	const struct retain_input *in = p->in;

	for (size_t k = 0; k < in->n_holds; k++) {
		const struct retain_hold *h = &in->holds[k];

		if (h->backup == NULL || !retain_core_held(h, in->now_us) ||
		    strcmp(h->backup, in->backups[i].id) != 0)
			continue;
		p->backups[i].rules |= RETAIN_HOLD;
		p->backups[i].hold = k;
	}
}

static void
mark_alone(struct retain_plan *p)
{
	const struct retain_input *in = p->in;
	uint32_t minimum = p->policy.minimum;

	for (size_t i = in->n_backups; i-- > 0;) {
		const struct retain_backup *b = &in->backups[i];
		struct retain_verdict *v = &p->backups[i];

		mark_held(p, i);
		if (p->held_only)
			continue;
		if (in->now_us - b->stop_us <= p->policy.full_us)
			v->rules |= RETAIN_FULL;
		if (class_keeps(p, b))
			v->rules |= RETAIN_CLASS;
		if (v->good && b->full && minimum > 0) {
			v->rules |= RETAIN_MINIMUM;
			minimum--;
		}
	}
	for (unsigned u = 0; u < RETAIN_UNITS && !p->held_only; u++)
		mark_tier(p, (enum retain_unit)u);
}

/* What the kept ones need, and what that needs. */
static void
mark_needed(struct retain_plan *p)
{
	const struct retain_input *in = p->in;
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < in->n_backups; i++) {
			const struct retain_backup *b = &in->backups[i];

			if (p->backups[i].rules == 0)
				continue;
			for (size_t k = 0; k < b->n_needs; k++) {
				struct retain_verdict *v =
				    &p->backups[b->needs[k]];

				if (v->rules & RETAIN_NEEDED)
					continue;
				again = again || v->rules == 0;
				v->rules |= RETAIN_NEEDED;
				v->needed_by = i;
			}
		}
	}
}

/* WAL from start to stop is there, and so is what it needs: a need that is
 * itself not whole still gives its packs. */
static void
mark_good(struct retain_plan *p)
{
	const struct retain_input *in = p->in;

	p->all_wal = !p->held_only;
	for (size_t i = 0; i < in->n_backups; i++) {
		const struct retain_backup *b = &in->backups[i];

		p->backups[i].good =
		    !b->needs_lost &&
		    retain_path_covered(in, b->timeline,
			walname_segno_of(b->start_lsn, in->segment_size),
			walname_segno_before(b->stop_lsn, in->segment_size));
		if (p->backups[i].good)
			p->all_wal = false;
	}
}

/* ---- the plan ---- */

static void
set_times(struct retain_plan *p)
{
	const struct retain_input *in = p->in;

	p->window_us = in->now_us - p->policy.wal_us;
	p->since_us = INT64_MAX;
	if (p->held_only)
		return;
	p->since_us = p->window_us;
	if (in->now_us - HOUR_US < p->since_us)
		p->since_us = in->now_us - HOUR_US;
	if (in->running_us != CLOCK_NONE &&
	    in->running_us - HOUR_US < p->since_us)
		p->since_us = in->running_us - HOUR_US;
}

/* policy NULL: holds alone. */
static int
make_plan(struct retain_plan **out, const struct retain_policy *policy,
    const struct retain_input *input, struct fault *f)
{
	struct retain_plan *p;
	int rc = retain_check_input(input, f);

	if (rc != 0)
		return rc;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return fault_nomem(f);
	if (policy != NULL)
		p->policy = *policy;
	p->held_only = policy == NULL;
	p->in = input;
	p->backups = calloc(input->n_backups + 1, sizeof *p->backups);
	if (p->backups == NULL) {
		retain_free(p);
		return fault_nomem(f);
	}
	set_times(p);
	mark_good(p);
	mark_alone(p);
	rc = retain_span_mark(p, f);
	mark_needed(p);
	retain_lock_mark(p);
	if (rc == 0)
		rc = retain_wal_backups(p, f);
	retain_wal_merge(p);
	if (rc != 0)
		retain_free(p);
	else
		*out = p;
	return rc;
}

int
retain_plan(struct retain_plan **out, const struct retain_policy *policy,
    const struct retain_input *input, struct fault *f)
{
	return make_plan(out, policy, input, f);
}

int
retain_plan_held(
    struct retain_plan **out, const struct retain_input *input, struct fault *f)
{
	return make_plan(out, NULL, input, f);
}

void
retain_free(struct retain_plan *p)
{
	if (p == NULL)
		return;
	free(p->backups);
	free(p->wal);
	free(p);
}

unsigned
retain_backup_rules(const struct retain_plan *p, size_t i)
{
	return p->backups[i].rules;
}

bool
retain_backup_good(const struct retain_plan *p, size_t i)
{
	return p->backups[i].good;
}

int64_t
retain_window_us(const struct retain_plan *p)
{
	return p->window_us;
}

void
retain_rule_text(
    const struct retain_plan *p, size_t i, unsigned rule, char out[RETAIN_TEXT])
{
	static const char *const tiers[] = {
	    "daily", "weekly", "monthly", "yearly"};
	static const char *const classes[] = {
	    "", "daily", "weekly", "monthly", "yearly", "archive"};
	const struct retain_backup *b = &p->in->backups[i];
	const struct retain_verdict *v = &p->backups[i];
	char bucket[24];

	out[0] = '\0';
	for (unsigned u = 0; u < RETAIN_UNITS; u++) {
		if (rule != (unsigned)RETAIN_DAILY << u)
			continue;
		retain_calendar_text(
		    (enum retain_unit)u, b->stop_us, bucket, sizeof bucket);
		snprintf(out, RETAIN_TEXT, "%s %s", tiers[u], bucket);
	}
	if (rule == RETAIN_FULL)
		snprintf(out, RETAIN_TEXT, "retain_full");
	if (rule == RETAIN_CLASS)
		snprintf(out, RETAIN_TEXT, "class %s", classes[b->class]);
	if (rule == RETAIN_MINIMUM)
		snprintf(out, RETAIN_TEXT, "retain_minimum");
	if (rule == RETAIN_WINDOW)
		snprintf(
		    out, RETAIN_TEXT, "retain_wal, timeline %u", v->timeline);
	if (rule == RETAIN_HOLD)
		snprintf(
		    out, RETAIN_TEXT, "hold %.60s", p->in->holds[v->hold].id);
	if (rule == RETAIN_NEEDED)
		snprintf(out, RETAIN_TEXT, "needed by %.60s",
		    p->in->backups[v->needed_by].id);
}
