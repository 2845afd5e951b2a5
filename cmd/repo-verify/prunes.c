#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

/* What prunings recorded: where the WAL window began when they let WAL go. The
 * settings may have been others then. */

#define RECORD_MAX (64U << 10)

struct one {
	char id[LAYOUT_ID];
	int64_t at_us;
	bool read;
	int64_t floor_us; /* CLOCK_NONE: it does not tell */
};

struct prunes {
	struct one *one; /* by time */
	size_t n;
	size_t prefix_len;
};

static int
take(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct prunes *p = ctx;
	const char *id = e->key + p->prefix_len;
	struct fault ignored = FAULT_INIT;
	size_t len = strcspn(id, "/");
	char iso[24];
	struct one one = {.id = ""};
	void *grown;

	if (!e->is_folder || len >= sizeof one.id)
		return 0;
	memcpy(one.id, id, len);
	if (layout_check_hold(one.id, &ignored) != 0)
		return 0;
	snprintf(iso, sizeof iso, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", id, id + 4,
	    id + 6, id + 9, id + 11, id + 13);
	if (clock_parse(iso, &one.at_us, NULL, &ignored) != 0)
		return 0;
	grown = reallocarray(p->one, p->n + 1, sizeof *p->one);
	if (grown == NULL)
		return fault_nomem(f);
	p->one = grown;
	p->one[p->n++] = one;
	return 0;
}

int
prunes_read(struct prunes **out, struct verify *v, struct fault *f)
{
	struct deadline d = deadline_never();
	struct prunes *p = calloc(1, sizeof *p);
	char prefix[LAYOUT_KEY];
	int rc;

	if (p == NULL)
		return fault_nomem(f);
	rc = layout_prune_prefix(
	    repo_cluster(v->repo), repo_system_id(v->repo), prefix, f);
	p->prefix_len = strlen(prefix);
	if (rc == 0)
		rc = store_list(v->store, prefix, true, NULL, take, p, &d, f);
	if (rc != 0)
		prunes_free(p);
	else
		*out = p;
	return rc;
}

static int
read_one(struct verify *v, struct one *x, struct fault *f)
{
	struct deadline d = deadline_in_ms(v->only.store_deadline_ms);
	struct buf text = BUF_INIT(RECORD_MAX);
	char key[LAYOUT_KEY], name[LAYOUT_KEY];
	struct json *j = NULL;
	int rc;

	x->read = true;
	x->floor_us = CLOCK_NONE;
	if ((rc = layout_prune(repo_cluster(v->repo), repo_system_id(v->repo),
		 x->id, "begun", key, f)) != 0 ||
	    (rc = layout_hold_name(x->id, "begun", name, f)) != 0)
		return rc;
	if ((rc = repo_get_object(
		 v->repo, 0, key, OBJECT_REPORT, name, &text, &d, f)) == 0 &&
	    (rc = json_parse(&j, "record", text.data, text.len, f)) == 0 &&
	    json_has(j, "wal_window_from_us"))
		rc = json_get_i64(j, "wal_window_from_us", &x->floor_us, f);
	json_free(j);
	buf_free(&text);
	if (rc == FAULT_CORRUPT || rc == FAULT_KEY || rc == FAULT_ABSENT) {
		struct fault why = *f;

		x->floor_us = CLOCK_NONE;
		rc = found_add(v, true, key, why.text, f,
		    "the record of a pruning cannot be read");
	}
	return rc;
}

int
prunes_floor(struct prunes *p, struct verify *v, int64_t before_us, int64_t *us,
    struct fault *f)
{
	int64_t floor = CLOCK_NONE;
	int rc = 0;

	/* A window begins before its pruning: an older one cannot have begun
	 * later than where we are. */
	for (size_t i = p->n; rc == 0 && i-- > 0;) {
		struct one *x = &p->one[i];

		if (x->at_us >= before_us)
			continue;
		if (floor != CLOCK_NONE && x->at_us < floor)
			break;
		if (!x->read)
			rc = read_one(v, x, f);
		if (rc == 0 && x->floor_us > floor)
			floor = x->floor_us;
	}
	if (rc == 0)
		*us = floor;
	return rc;
}

void
prunes_free(struct prunes *p)
{
	if (p == NULL)
		return;
	free(p->one);
	free(p);
}
