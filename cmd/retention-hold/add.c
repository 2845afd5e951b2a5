#include <stdio.h>
#include <string.h>

#include "archive.h"
#include "audit_details.h"
#include "catalog.h"
#include "crypto.h"
#include "holding.h"
#include "log.h"
#include "operation.h"

static int
check_range(const struct hold *h, struct fault *f)
{
	if (h->backup[0] != '\0' && h->from_us == CLOCK_NONE &&
	    h->to_us == CLOCK_NONE)
		return 0;
	if (h->backup[0] != '\0' || h->from_us == CLOCK_NONE)
		return fault_set(f, FAULT_CONFIG,
		    "give --backup ID, or --from TIME with or without --to "
		    "TIME");
	if (h->to_us != CLOCK_NONE && h->to_us < h->from_us)
		return fault_set(f, FAULT_CONFIG, "--to lies before --from");
	return 0;
}

static int
make_hold(const struct options *o, struct hold *h, struct fault *f)
{
	uint32_t random;
	int rc;

	h->placed_us = clock_now_us();
	if ((rc = words_take("holder", o->holder, h->holder, f)) != 0 ||
	    (rc = words_take("reason", o->reason, h->reason, f)) != 0 ||
	    (rc = cli_value_time("from", o->from, &h->from_us, f)) != 0 ||
	    (rc = cli_value_time("to", o->to, &h->to_us, f)) != 0 ||
	    (rc = cli_value_time("until", o->until, &h->until_us, f)) != 0)
		return rc;
	if (o->backup != NULL) {
		if ((rc = layout_check_id(o->backup, f)) != 0)
			return rc;
		memcpy(h->backup, o->backup, strlen(o->backup) + 1);
	}
	if ((rc = check_range(h, f)) != 0)
		return rc;
	if (h->until_us != CLOCK_NONE && h->until_us <= h->placed_us)
		return fault_set(f, FAULT_CONFIG, "--until lies in the past");
	if ((rc = crypto_random(&random, sizeof random, f)) != 0)
		return rc;
	layout_new_hold(h->placed_us, random, h->id);
	words_who(h->by);
	return 0;
}

/* In one repository at least. */
static int
check_backup(struct holding *s, const char *id, struct fault *f)
{
	struct fault one = FAULT_INIT;
	struct head head;

	fault_clear(f);
	for (size_t i = 0; i < repo_count(s->repo); i++) {
		struct deadline d =
		    deadline_in_ms(s->cluster->store_deadline_ms);
		int rc = catalog_head(s->repo, i, id, &head, &d, &one);

		if (rc == 0) {
			head_free(&head);
			fault_clear(f);
			return 0;
		}
		if (rc != FAULT_ABSENT)
			*f = one;
		fault_clear(&one);
	}
	return f->code != FAULT_NONE
		   ? (int)f->code
		   : fault_set(f, FAULT_CONFIG,
			 "--backup %s: there is no such backup of system id "
			 "%llu, or it was not finished; retention-prune "
			 "--dry-run shows those that are there",
			 id, (unsigned long long)repo_system_id(s->repo));
}

struct add_texts {
	struct audit_details details;
	char from[CLOCK_TEXT_SIZE];
	char to[CLOCK_TEXT_SIZE];
	char until[CLOCK_TEXT_SIZE];
};

static struct audit_event
add_event(const struct hold *h, struct add_texts *t)
{
	struct audit_event e = AUDIT_EVENT("hold-add");
	struct audit_details *d = &t->details;

	words_time(h->from_us, "", t->from);
	words_time(h->to_us, "", t->to);
	words_time(h->until_us, "", t->until);
	e.object = h->id;
	e.reason = h->reason;
	audit_details_put(d, &e, "holder", h->holder);
	audit_details_put(d, &e, "backup", h->backup);
	audit_details_put(d, &e, "from", t->from);
	audit_details_put(d, &e, "to", t->to);
	audit_details_put(d, &e, "until", t->until);
	return e;
}

/* The hold is in force and says itself who placed it: a record that cannot be
 * stored is warned of. */
static void
record(struct holding *s, size_t i, const struct hold *h)
{
	struct deadline d = deadline_in_ms(AUDIT_PATIENCE_MS);
	struct operation o = {.without = NULL};
	struct fault f = FAULT_INIT;
	struct add_texts texts;
	struct audit_event e = add_event(h, &texts);
	int rc = operation_open(&o, s->repo, i, "retention-hold", &f);

	if (rc == 0)
		rc = operation_end(&o, &e, 0, NULL, &d, &f);
	if (rc != 0)
		log_line(0, "WARNING: the hold is placed, but %s", f.text);
	operation_free(&o);
}

/* Where the archive's mark is: a directory that is not mounted would take it,
 * and hide it. */
static int
place_in(struct holding *s, size_t i, const struct hold *h, struct fault *f)
{
	struct deadline d = deadline_in_ms(s->cluster->store_deadline_ms);
	int rc = archive_mark_ours(s->repo, i, &d, f);

	if (rc == FAULT_ABSENT)
		rc = fault_set(f, FAULT_AGAIN,
		    "it shows no archive of cluster %s: not mounted, or a "
		    "wrong place",
		    s->cluster->name);
	if (rc == 0)
		rc = hold_place(s->repo, i, h, &d, f);
	if (rc == 0)
		record(s, i, h);
	return rc;
}

/* One that cannot take it keeps it out of no other. */
static int
place(struct holding *s, const struct hold *h, size_t *placed, struct fault *f)
{
	struct fault one = FAULT_INIT;
	int rc = 0;

	for (size_t i = 0; i < repo_count(s->repo); i++) {
		if (place_in(s, i, h, &one) == 0) {
			++*placed;
			continue;
		}
		fault_prefix(&one, "hold %s is not in repository %s", h->id,
		    s->cluster->repos[i]->name);
		if (rc != 0)
			(void)cli_fail(f);
		*f = one;
		rc = (int)one.code;
		fault_clear(&one);
	}
	return rc;
}

/* A wrong year is placed like a right one, and is believed to protect. Without
 * a key that can read nothing can be said. */
static void
warn_of_nothing(struct holding *s, const struct hold *h)
{
	struct deadline d = deadline_in_ms(s->cluster->store_deadline_ms);
	struct fault ignored = FAULT_INIT;
	char text[CLOCK_TEXT_SIZE];
	struct catalog all;

	if (h->to_us == CLOCK_NONE || h->to_us > h->placed_us ||
	    catalog_read(s->repo, &all, &d, &ignored) != 0)
		return;
	if (all.n == 0)
		log_line(0, "WARNING: no moment of that time can be "
			    "restored: there is no backup");
	else if (all.backups[0].head.stop_us > h->to_us) {
		clock_format(all.backups[0].head.stop_us, text);
		log_line(0,
		    "WARNING: no moment of that time can be restored: the "
		    "oldest backup ended %s; were --from and --to meant so?",
		    text);
	}
	catalog_free(&all);
}

int
add_run(struct holding *s, struct fault *f)
{
	struct hold h = {.id = ""};
	size_t placed = 0;
	int rc = make_hold(s->o, &h, f);

	if (rc == 0 && h.backup[0] != '\0')
		rc = check_backup(s, h.backup, f);
	if (rc == 0)
		rc = place(s, &h, &placed, f);
	if (rc != 0 && placed > 0) {
		printf("%s\n", h.id);
		fault_prefix(f, "in force in %zu of %zu repositories", placed,
		    repo_count(s->repo));
	}
	/* A pruning that looked before the hold was there may just have deleted
	 * it. */
	if (rc == 0 && h.backup[0] != '\0' &&
	    (rc = check_backup(s, h.backup, f)) != 0)
		fault_prefix(f, "hold %s is placed, but", h.id);
	if (rc != 0)
		return rc;
	warn_of_nothing(s, &h);
	printf("%s\n", h.id);
	return legal_sync(s, h.id, f);
}
