#include <inttypes.h>

#include "repo.h"
#include "text.h"

int
repo_choose_only(const struct conf_cluster *c, size_t i, uint64_t *out,
    const struct deadline *d, struct fault *f)
{
	struct store *s = NULL;
	uint64_t ids[2];
	size_t n = 0;
	int rc = store_open(&s, c->repos[i], f);

	if (rc == FAULT_ABSENT)
		rc = fault_recode(f, FAULT_CONFIG);
	if (rc == 0)
		rc = repo_system_ids(s, c->name, ids, 2, &n, d, f);
	if (rc == 0 && n == 0)
		rc = fault_set(f, FAULT_CONFIG,
		    "%s holds nothing of cluster %s: wrong url or cluster "
		    "name, or nothing was archived yet",
		    store_url(s), c->name);
	if (rc == 0 && n > 1)
		rc = fault_set(f, FAULT_CONFIG,
		    "%s holds %zu clusters called %s (system ids %" PRIu64
		    ", %" PRIu64 "%s): choose one with --system-id",
		    store_url(s), n, c->name, ids[0], ids[1],
		    n > 2 ? ", …" : "");
	if (rc == 0)
		*out = ids[0];
	store_free(s);
	return rc;
}

int
repo_choose_given(const char *text, uint64_t *out, struct fault *f)
{
	if (text_u64(text, out) != 0)
		return fault_set(
		    f, FAULT_CONFIG, "--system-id '%s': give a number", text);
	return 0;
}

int
repo_choose_system_id(const struct conf_cluster *c, size_t i, const char *text,
    uint64_t *out, const struct deadline *d, struct fault *f)
{
	struct control control;
	int rc;

	if (text != NULL)
		return repo_choose_given(text, out, f);
	rc = c->pgdata == NULL ? FAULT_ABSENT
			       : repo_control(c->pgdata, &control, f);
	if (rc == 0)
		*out = control.system_id;
	/* Another user's data directory cannot be read: as if it was away. */
	if (rc != FAULT_ABSENT && rc != FAULT_SYSTEM)
		return rc;
	return repo_choose_only(c, i, out, d, f);
}

int
repo_choose_open(struct repo **out, const struct conf_cluster *c, size_t i,
    const char *text, struct fault *f)
{
	struct deadline d = deadline_in_ms(c->store_deadline_ms);
	uint64_t id;
	int rc = repo_choose_system_id(c, i, text, &id, &d, f);

	return rc != 0 ? rc : repo_open(out, c, id, f);
}
