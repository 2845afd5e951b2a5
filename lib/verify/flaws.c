#include "flaws.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define YEAR_2200 INT64_C(7258118400000000)

void
flaws_free(struct flaws *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->x[i].text);
	free(l->x);
	free(l->accepted);
	memset(l, 0, sizeof *l);
}

/* ---- what is wrong ---- */

static int
append(struct flaws *l, const struct flaws_one *x, const char *text,
    struct fault *f)
{
	if (l->n == FLAWS_MAX) {
		l->more = true;
		return 0;
	}
	if (l->n == l->cap) {
		size_t cap = l->cap == 0 ? 16 : 2 * l->cap;
		void *grown = reallocarray(l->x, cap, sizeof *l->x);

		if (grown == NULL)
			return fault_nomem(f);
		l->x = grown;
		l->cap = cap;
	}
	l->x[l->n] = *x;
	l->x[l->n].end_us = l->x[l->n].accepted_us = CLOCK_NONE;
	l->x[l->n].text = strdup(text);
	if (l->x[l->n].text == NULL)
		return fault_nomem(f);
	l->n++;
	return 0;
}

int
flaws_add(struct flaws *l, const struct audit_finding *x, struct fault *f)
{
	struct flaws_one one = {
	    .kind = x->flaw, .first = x->first, .last = x->last};
	char hex[2 * AUDIT_HASH + 1];

	memcpy(one.writer, x->writer, strnlen(x->writer, LAYOUT_WRITER - 1));
	memcpy(one.hash, x->hash, sizeof one.hash);
	text_hex(x->hash, AUDIT_HASH, hex);
	/* The walk goes from writer to writer: of another no more records
	 * come. */
	if (x->flaw != AUDIT_STRAY && l->open < l->n &&
	    strcmp(l->x[l->open].writer, one.writer) != 0)
		l->open = l->n;
	/* A name that means nothing is removed by who can; nothing is gone. */
	if (x->flaw != AUDIT_STRAY)
		snprintf(one.name, sizeof one.name,
		    "%s %s/%012" PRIu64 " %012" PRIu64 "%s%s",
		    audit_flaw_word(x->flaw), one.writer, x->first, x->last,
		    x->flaw == AUDIT_MISSING ? "" : " ",
		    x->flaw == AUDIT_MISSING ? "" : hex);
	return append(l, &one, x->text, f);
}

int
flaws_add_report(struct flaws *l, const char *word, const char *id,
    const unsigned char hash[AUDIT_HASH], const char *text, struct fault *f)
{
	struct flaws_one one = {.kind = AUDIT_MISSING};
	char hex[2 * AUDIT_HASH + 1];

	text_hex(hash, AUDIT_HASH, hex);
	memcpy(one.report, id, strnlen(id, LAYOUT_ID - 1));
	memcpy(one.hash, hash, sizeof one.hash);
	snprintf(one.name, sizeof one.name, "%s %s %s", word, one.report, hex);
	return append(l, &one, text, f);
}

/* ---- what is accepted ---- */

int
flaws_accept(struct flaws *l, const char *name, int64_t at_us, struct fault *f)
{
	size_t len = strlen(name);

	if (len == 0 || len >= FLAWS_NAME || l->n_accepted == FLAWS_MAX)
		return 0;
	if (l->n_accepted == l->cap_accepted) {
		size_t cap = l->cap_accepted == 0 ? 16 : 2 * l->cap_accepted;
		void *grown =
		    reallocarray(l->accepted, cap, sizeof *l->accepted);

		if (grown == NULL)
			return fault_nomem(f);
		l->accepted = grown;
		l->cap_accepted = cap;
	}
	memcpy(l->accepted[l->n_accepted].name, name, len + 1);
	l->accepted[l->n_accepted++].at_us = at_us;
	return 0;
}

int
flaws_take(struct flaws *l, const struct audit_record *r, struct fault *f)
{
	int rc = 0;

	/* The first sound record behind a flaw says when it was over. */
	if (l->open < l->n && strcmp(l->x[l->open].writer, r->writer) == 0)
		for (; l->open < l->n; l->open++)
			l->x[l->open].end_us = r->at_us;
	if (strcmp(r->action, FLAWS_ACTION) != 0 || r->status != 0)
		return 0;
	for (size_t i = 0; rc == 0 && i < r->n_details; i++)
		if (strcmp(r->details[i].name, FLAWS_DETAIL) == 0)
			rc = flaws_accept(l, r->details[i].value, r->at_us, f);
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	const struct flaws_accepted *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c != 0 ? c : (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

/* Each once, as it was first accepted. */
void
flaws_settle(struct flaws *l)
{
	size_t n = 0;

	if (l->n_accepted > 1)
		qsort(l->accepted, l->n_accepted, sizeof *l->accepted, by_name);
	for (size_t i = 0; i < l->n_accepted; i++)
		if (n == 0 ||
		    strcmp(l->accepted[n - 1].name, l->accepted[i].name) != 0)
			l->accepted[n++] = l->accepted[i];
	l->n_accepted = n;
	for (size_t i = 0; i < l->n; i++) {
		size_t low = 0, high = n;

		while (low < high) {
			size_t mid = low + (high - low) / 2;

			if (strcmp(l->accepted[mid].name, l->x[i].name) < 0)
				low = mid + 1;
			else
				high = mid;
		}
		if (low < n && strcmp(l->accepted[low].name, l->x[i].name) == 0)
			l->x[i].accepted_us = l->accepted[low].at_us;
	}
}

/* ---- what that means ---- */

size_t
flaws_where(const struct flaws_one *x, const char **at)
{
	const char *space = strchr(x->name, ' ');

	*at = space != NULL ? space + 1 : "";
	return strcspn(*at, " ");
}

bool
flaws_is_at(const struct flaws_one *x, const char *where)
{
	size_t n = strlen(where);
	const char *at;

	return n > 0 && flaws_where(x, &at) == n && memcmp(at, where, n) == 0;
}

bool
flaws_reports_whole(const struct flaws *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->x[i].report[0] != '\0' &&
		    l->x[i].accepted_us == CLOCK_NONE)
			return false;
	return !l->more;
}

static bool
is_of_trail(const struct flaws_one *x)
{
	return x->report[0] == '\0' && x->kind != AUDIT_STRAY;
}

bool
flaws_trail_whole(const struct flaws *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (is_of_trail(&l->x[i]) && l->x[i].accepted_us == CLOCK_NONE)
			return false;
	return !l->more;
}

int64_t
flaws_until(const struct flaws *l)
{
	int64_t until = l->more ? INT64_MAX : CLOCK_NONE;

	for (size_t i = 0; i < l->n; i++) {
		const struct flaws_one *x = &l->x[i];
		int64_t end = x->accepted_us;

		if (!is_of_trail(x))
			continue;
		if (end == CLOCK_NONE)
			end = x->kind == AUDIT_CUT || x->end_us == CLOCK_NONE
				  ? INT64_MAX
				  : x->end_us;
		if (end > until)
			until = end;
	}
	/* Also where it is not walked again, and the flaw so not met. */
	for (size_t i = 0; i < l->n_accepted; i++)
		if (l->accepted[i].at_us > until &&
		    !text_prefix(l->accepted[i].name, FLAWS_REPORT " ") &&
		    !text_prefix(l->accepted[i].name, FLAWS_UNRECORDED " "))
			until = l->accepted[i].at_us;
	return until;
}

/* ---- reports ---- */

int
flaws_recall(struct flaws *l, const struct json *report, struct fault *f)
{
	struct json *list, *j;
	size_t n;
	int rc;

	if (report == NULL || !json_has(report, "accepted"))
		return 0;
	rc = json_get_array(report, "accepted", &list, &n, f);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		char name[FLAWS_NAME];
		int64_t at_us;

		if ((rc = json_at(list, i, &j, f)) == 0 &&
		    (rc = json_get_text(j, "flaw", name, sizeof name, f)) ==
			0 &&
		    (rc = json_get_range(
			 j, "at_us", 0, YEAR_2200, &at_us, f)) == 0)
			rc = flaws_accept(l, name, at_us, f);
	}
	return rc;
}

static int
put_unrecorded(const struct flaws *l, struct json *report, struct fault *f)
{
	struct json *list, *j;
	int rc = json_put_array(report, "unrecorded", &list, f);

	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		const struct flaws_one *x = &l->x[i];

		if (!text_prefix(x->name, FLAWS_UNRECORDED " ") ||
		    x->accepted_us != CLOCK_NONE)
			continue;
		if ((rc = json_append_object(list, &j, f)) == 0 &&
		    (rc = json_put_str(j, "id", x->report, f)) == 0)
			rc = json_put_hex(j, "sum", x->hash, AUDIT_HASH, f);
	}
	return rc;
}

int
flaws_put(const struct flaws *l, struct json *report, struct fault *f)
{
	struct json *list, *j;
	int rc = json_put_array(report, "accepted", &list, f);

	for (size_t i = 0; rc == 0 && i < l->n_accepted; i++)
		if ((rc = json_append_object(list, &j, f)) == 0 &&
		    (rc = json_put_str(j, "flaw", l->accepted[i].name, f)) == 0)
			rc = json_put_i64(j, "at_us", l->accepted[i].at_us, f);
	if (rc == 0)
		rc = json_put_array(report, "audit_lost", &list, f);
	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		const struct flaws_one *x = &l->x[i];

		if (x->kind != AUDIT_CUT || x->accepted_us != CLOCK_NONE)
			continue;
		if ((rc = json_append_object(list, &j, f)) == 0 &&
		    (rc = json_put_str(j, "writer", x->writer, f)) == 0 &&
		    (rc = json_put_u64(j, "sequence", x->first, f)) == 0)
			rc = json_put_hex(j, "hash", x->hash, AUDIT_HASH, f);
	}
	return rc != 0 ? rc : put_unrecorded(l, report, f);
}
