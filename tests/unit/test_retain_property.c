/*
 * The planner against an independent model (retain_model.h): random
 * catalogues, policies and holds.
 */
#include "retain_worlds.h"

/* ---- what must never happen ---- */

static void
fail_case(const struct world *w, uint64_t case_seed, const char *what, int i)
{
	for (int k = 0; k < w->n_tl; k++) {
		print_message("# tl %d parent %d fork %llx:", k + 1,
		    w->parent[k] + 1, (unsigned long long)w->fork[k]);
		for (int s = w->from[k]; s <= w->to[k]; s++)
			print_message(" %d%s@%lld", s,
			    w->there[k][s] ? "" : "!",
			    (long long)(w->at[k][s] - w->now) / S);
		print_message("\n");
	}
	for (int k = 0; k < w->n_b; k++)
		print_message("# b%d tl %u %d..%d stop %lld\n", k,
		    w->b[k].timeline, first_seg(&w->b[k]), last_seg(&w->b[k]),
		    (long long)(w->b[k].stop_us - w->now) / S);
	print_message("# window %lld\n", -(long long)w->policy.wal_us / S);
	fail_msg("seed %llu: %s (%d)", (unsigned long long)case_seed, what, i);
}

/* Every moment of the span that could be restored still can. */
static bool
span_survives(const struct world *w, const struct model *m, const bool *kept,
    const bool wal[TLS][SEGS], int64_t from, int64_t to)
{
	int64_t t[MOMENTS];
	size_t n = moments(w, from, to, t);
	bool all[BACKUPS];

	memset(all, true, sizeof all);
	for (int x = 0; x < w->n_tl; x++)
		for (size_t i = 0; i < n; i++)
			if (best(w, m, w->there, all, x, t[i]) >= 0 &&
			    (best(w, m, wal, kept, x, t[i]) < 0 ||
				seg_for(w, wal, x, t[i]) !=
				    seg_for(w, w->there, x, t[i])))
				return false;
	return true;
}

/* Does a kept backup have that tier's rule, of its own or by who needs it? */
static bool
has_tier(const struct world *w, const struct retain_plan *p, int i,
    enum retain_class tier)
{
	static const unsigned rules[] = {
	    0, 0, RETAIN_WEEKLY, RETAIN_MONTHLY, RETAIN_YEARLY, 0};
	unsigned r = retain_backup_rules(p, (size_t)i);

	if (r & rules[tier] || (r & RETAIN_CLASS && w->b[i].class == tier))
		return true;
	for (int k = i + 1; k < w->n_b; k++)
		if (retain_backup_rules(p, (size_t)k) != 0 &&
		    w->b[k].n_needs > 0 && w->need[k] == (size_t)i &&
		    has_tier(w, p, k, tier))
			return true;
	return false;
}

/* What may be moved to another class is old, whole, free, kept by that tier,
 * and nobody who needs it is to be nearer at hand. */
static unsigned
check_tiers(const struct world *w, const struct retain_plan *p, uint64_t at)
{
	enum retain_class tier[BACKUPS + 1];
	struct fault f = FAULT_INIT;
	int64_t hot = rnd(2) ? 0 : rnd_us(60 * DAY);
	unsigned n = 0;

	assert_int_equal(retain_tiers(p, hot, tier, &f), 0);
	for (int i = 0; i < w->n_b; i++) {
		int64_t stop = w->b[i].stop_us;

		if (tier[i] == RETAIN_CLASS_NONE)
			continue;
		n++;
		if (!retain_backup_good(p, (size_t)i) || w->now - stop <= hot ||
		    stop >= w->now - w->policy.wal_us ||
		    w->now - stop <= w->policy.full_us)
			fail_case(w, at, "it is wanted hot", i);
		if (retain_backup_rules(p, (size_t)i) &
		    (RETAIN_MINIMUM | RETAIN_WINDOW | RETAIN_HOLD))
			fail_case(w, at, "it has to stay", i);
		if (tier[i] < RETAIN_CLASS_WEEKLY ||
		    !has_tier(w, p, i, tier[i]))
			fail_case(w, at, "no such tier keeps it", i);
		for (int k = i + 1; k < w->n_b; k++)
			if (retain_backup_rules(p, (size_t)k) != 0 &&
			    w->b[k].n_needs > 0 && w->need[k] == (size_t)i &&
			    tier[k] < tier[i])
				fail_case(w, at, "it is needed nearer", i);
	}
	return n;
}

static void
check_case(const struct world *w, const struct retain_plan *p, uint64_t at)
{
	struct model m;
	bool kept[BACKUPS], wal[TLS][SEGS] = {{false}};
	uint32_t full = 0, full_kept = 0;

	model_make(w, &m);
	for (int i = 0; i < w->n_b; i++) {
		kept[i] = retain_backup_rules(p, (size_t)i) != 0;
		if (kept[i] != m.keep[i])
			fail_case(w, at,
			    kept[i] ? "no rule keeps this backup"
				    : "a rule keeps this backup",
			    i);
		full += m.good[i] && w->b[i].full;
		full_kept += m.good[i] && w->b[i].full && kept[i];
	}
	if (full_kept < (full < w->policy.minimum ? full : w->policy.minimum))
		fail_case(w, at, "fewer than the minimum", (int)full_kept);
	for (int k = 0; k < w->n_tl; k++)
		for (int s = w->from[k]; s <= w->to[k]; s++) {
			bool k_s = retain_keeps_wal(
			    p, (uint32_t)k + 1, (uint64_t)s, w->at[k][s]);

			wal[k][s] = w->there[k][s] && k_s;
			if (w->there[k][s] && k_s != m.wal[k][s])
				fail_case(w, at,
				    k_s ? "no rule keeps this segment"
					: "a rule keeps this segment",
				    (k + 1) * 100 + s);
		}
	for (int i = 0; i < w->n_b; i++) {
		if (!kept[i])
			continue;
		if (w->b[i].n_needs > 0 && !kept[w->need[i]])
			fail_case(w, at, "a kept backup's need is gone", i);
		for (int s = first_seg(&w->b[i]);
		     m.good[i] && s <= last_seg(&w->b[i]); s++)
			if (!wal[w->b[i].timeline - 1][s])
				fail_case(
				    w, at, "a kept backup's WAL is gone", i);
	}
	if (!span_survives(
		w, &m, kept, wal, w->now - w->policy.wal_us, INT64_MAX))
		fail_case(w, at, "a moment in the window is lost", 0);
	for (int k = 0; k < w->n_h; k++) {
		const struct retain_hold *h = &w->h[k];

		if (h->until_us != CLOCK_NONE && h->until_us <= w->now)
			continue;
		for (int i = 0; h->backup != NULL && i < w->n_b; i++)
			if (strcmp(h->backup, w->b[i].id) == 0 && !kept[i])
				fail_case(w, at, "a held backup is gone", i);
		if (h->backup == NULL &&
		    !span_survives(w, &m, kept, wal, h->from_us,
			h->to_us == CLOCK_NONE ? INT64_MAX : h->to_us))
			fail_case(w, at, "a held moment is lost", k);
	}
}

static void
the_plan_is_what_the_model_says(void **state)
{
	static struct world w;
	static struct view v;
	size_t deleted = 0, left = 0, moved = 0;

	(void)state;
	for (uint64_t n = 1; n <= 120000; n++) {
		struct fault f = FAULT_INIT;
		struct retain_plan *p = NULL;

		seed = n * UINT64_C(0x9E3779B97F4A7C15);
		make_world(&w);
		make_view(&w, &v);
		if (retain_plan(&p, &w.policy, &v.in, &f) != 0)
			fail_msg(
			    "seed %llu: %s", (unsigned long long)n, f.text);
		check_case(&w, p, n);
		moved += check_tiers(&w, p, n);
		for (int i = 0; i < w.n_b; i++) {
			deleted += retain_backup_rules(p, (size_t)i) == 0;
			left += retain_backup_rules(p, (size_t)i) != 0;
		}
		retain_free(p);
	}
	/* The worlds are neither all kept nor all empty. */
	assert_true(deleted > 50000);
	assert_true(left > 50000);
	assert_true(moved > 5000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_plan_is_what_the_model_says),
	};

	return cmocka_run_group_tests_name(
	    "retain_property", tests, NULL, NULL);
}
