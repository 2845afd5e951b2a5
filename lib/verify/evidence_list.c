#include <stdlib.h>
#include <string.h>

#include "evidence.h"

/* Which reports there are. */

struct names {
	size_t prefix_len;
	char (*id)[LAYOUT_ID];
	size_t n;
	size_t cap;
};

static int
names_add(struct names *x, const char id[LAYOUT_ID], struct fault *f)
{
	if (x->n == EVIDENCE_REPORTS)
		return fault_set(f, FAULT_CORRUPT,
		    "more than %d reports of verifications", EVIDENCE_REPORTS);
	if (x->n == x->cap) {
		size_t cap = x->cap == 0 ? 64 : 2 * x->cap;
		void *grown = reallocarray(x->id, cap, sizeof *x->id);

		if (grown == NULL)
			return fault_nomem(f);
		x->id = grown;
		x->cap = cap;
	}
	memcpy(x->id[x->n++], id, sizeof *x->id);
	return 0;
}

/* "…/verify/ID/": names rise with time. Others mean nothing; nor do those that
 * no report could follow, as whose clock is wrong comes not so far. */
static int
take_folder(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct names *x = ctx;
	const char *id = e->key + x->prefix_len;
	struct fault ignored = FAULT_INIT;
	char text[LAYOUT_ID] = "";
	size_t len = strcspn(id, "/");

	if (!e->is_folder || len >= sizeof text)
		return 0;
	memcpy(text, id, len);
	if (layout_check_hold(text, &ignored) != 0 || strcmp(text, "2200") >= 0)
		return 0;
	return names_add(x, text, f);
}

static int
list_names(struct repo *r, size_t i, store_list_fn take, struct names *x,
    struct fault *f)
{
	struct deadline d = deadline_never();
	char prefix[LAYOUT_KEY];
	struct store *s;
	int rc;

	if ((rc = repo_store(r, i, &s, f)) != 0 ||
	    (rc = layout_verify_prefix(
		 repo_cluster(r), repo_system_id(r), prefix, f)) != 0)
		return rc;
	x->prefix_len = strlen(prefix);
	return store_list(s, prefix, true, NULL, take, x, &d, f);
}

int
evidence_list_all(struct repo *r, size_t i, char (**out)[LAYOUT_ID], size_t *n,
    struct fault *f)
{
	struct names x = {0};
	int rc = list_names(r, i, take_folder, &x, f);

	if (rc != 0) {
		free(x.id);
		return rc;
	}
	*out = x.id;
	*n = x.n;
	return 0;
}

/* Anybody can put names: the newest one takes no memory for the others. */
static int
take_newest(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct names *x = ctx;

	x->n = 0;
	return take_folder(x, e, f);
}

int
evidence_list_newest(
    struct repo *r, size_t i, char id[LAYOUT_ID], struct fault *f)
{
	struct names x = {0};
	int rc = list_names(r, i, take_newest, &x, f);

	if (rc == 0 && x.id != NULL)
		memcpy(id, x.id[0], LAYOUT_ID);
	free(x.id);
	return rc;
}
