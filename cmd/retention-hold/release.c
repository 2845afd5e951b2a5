#include <string.h>

#include "holding.h"
#include "log.h"
#include "operation.h"

/* ABSENT when repository i has no such hold: then there is no record. */
static int
is_placed(struct holding *s, size_t i, const char *id, const struct deadline *d,
    struct fault *f)
{
	char key[LAYOUT_KEY];
	struct store *store;
	int rc;

	if ((rc = repo_store(s->repo, i, &store, f)) != 0 ||
	    (rc = layout_hold(repo_cluster(s->repo), repo_system_id(s->repo),
		 id, "placed", key, f)) != 0)
		return rc;
	return store_stat(store, key, NULL, d, f);
}

/* What is released may be deleted: not before it is on record that it was to
 * be. */
static int
release_in(struct holding *s, size_t i, const struct hold *h, struct fault *f)
{
	struct deadline d = deadline_in_ms(s->cluster->store_deadline_ms);
	struct deadline patience;
	struct audit_event e = AUDIT_EVENT("hold-release");
	struct operation o = {.without = NULL};
	struct fault other = FAULT_INIT;
	int rc = is_placed(s, i, h->id, &d, f);

	e.object = h->id;
	e.reason = h->released_for;
	if (rc == 0)
		rc = operation_open(&o, s->repo, i, "retention-hold", f);
	if (rc == 0)
		rc = operation_begin(&o, &e, &d, f);
	if (rc == 0) {
		rc = hold_release(s->repo, i, h, &d, f);
		patience = deadline_in_ms(AUDIT_PATIENCE_MS);
		if (operation_end(&o, &e, rc, f, &patience, &other) != 0)
			log_line(0, "WARNING: %s", other.text);
	}
	operation_free(&o);
	return rc;
}

int
release_run(struct holding *s, const char *id, struct fault *f)
{
	struct hold h = {.released = true};
	size_t found = 0;
	int rc;

	if ((rc = layout_check_hold(id, f)) != 0 ||
	    (rc = words_take("reason", s->o->reason, h.released_for, f)) != 0)
		return rc;
	memcpy(h.id, id, strlen(id) + 1);
	h.released_us = clock_now_us();
	words_who(h.released_by);
	for (size_t i = 0; i < repo_count(s->repo); i++) {
		rc = release_in(s, i, &h, f);
		if (rc == FAULT_ABSENT)
			continue;
		/* The first try may have got so far. */
		if (rc != 0 && rc != FAULT_EXISTS)
			return fault_prefix(f,
			    "hold %s is not released in repository %s", id,
			    s->cluster->repos[i]->name);
		found++;
	}
	if (found == 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s: there is no such hold; retention-hold list shows "
		    "those that are in force",
		    id);
	return legal_sync(s, id, f);
}
