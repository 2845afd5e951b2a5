#include "letgo.h"

#include <stdlib.h>
#include <string.h>

#include "apply.h"

static int
take(struct letgo *l, const struct json *j, size_t *cap, struct fault *f)
{
	struct fault ignored = FAULT_INIT;
	char id[LAYOUT_ID];
	const char *key;

	if (json_get_str(j, "key", &key, &ignored) != 0 || !apply_head(key, id))
		return 0;
	if (l->n == *cap) {
		size_t more = *cap == 0 ? 64 : 2 * *cap;
		void *grown = reallocarray(l->ids, more, sizeof *l->ids);

		if (grown == NULL)
			return fault_nomem(f);
		l->ids = grown;
		*cap = more;
	}
	memcpy(l->ids[l->n++], id, sizeof id);
	return 0;
}

int
letgo_collect(struct letgo *l, struct planfile *plan, struct fault *f)
{
	struct json *j = NULL;
	const char *line;
	size_t cap = 0;
	int rc = planfile_rewind(plan, f);

	while (rc == 0) {
		rc = planfile_next(plan, &j, &line, f);
		if (rc != 0 || j == NULL)
			break;
		if (strcmp(line, "delete") == 0)
			rc = take(l, j, &cap, f);
		json_free(j);
	}
	return rc;
}

void
letgo_free(struct letgo *l)
{
	free(l->ids);
	l->ids = NULL;
	l->n = l->at = 0;
}

void
letgo_stayed(struct letgo *l, const struct gather *g, const bool *head_gone,
    const struct deadline *d)
{
	size_t n = 0;

	for (size_t k = 0; k < l->n; k++) {
		struct fault ignored = FAULT_INIT;
		size_t i = gather_backup(g, l->ids[k]);
		char key[LAYOUT_KEY];

		if (i < g->n_heads && (head_gone == NULL || !head_gone[i]) &&
		    layout_base(repo_cluster(g->repo), repo_system_id(g->repo),
			l->ids[k], "head", key, &ignored) == 0 &&
		    store_stat(g->store, key, NULL, d, &ignored) == 0)
			memmove(l->ids[n++], l->ids[k], sizeof *l->ids);
	}
	l->n = n;
	l->at = 0;
}

/* ---- for a record ---- */

bool
letgo_put_one(struct letgo *l, struct audit_details *to, struct audit_event *e,
    const char *name, const char *id)
{
	const struct audit_pair *last = &to->pairs[e->n_details - 1];
	char *text = l->texts[e->n_details - 1];
	size_t len = strlen(text);

	if (last->value == text && strcmp(last->name, name) == 0 &&
	    len + 1 + strlen(id) < sizeof l->texts[0]) {
		text[len] = ' ';
		memcpy(text + len + 1, id, strlen(id) + 1);
		return true;
	}
	if (e->n_details == AUDIT_DETAILS)
		return false;
	text = l->texts[e->n_details];
	memcpy(text, id, strlen(id) + 1);
	audit_details_put(to, e, name, text);
	return true;
}

void
letgo_put(struct letgo *l, struct audit_details *to, struct audit_event *e,
    const char *name)
{
	while (l->at < l->n && letgo_put_one(l, to, e, name, l->ids[l->at]))
		l->at++;
}
