#include <inttypes.h>
#include <string.h>

#include "layout.h"
#include "repo.h"
#include "text.h"

struct ids {
	size_t prefix_len;
	uint64_t *out;
	size_t cap;
	size_t n;
};

/* Folders that are no number are not ours, and of no harm. */
static int
take_id(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct ids *ids = ctx;
	char digits[24];
	uint64_t id;
	size_t len = strlen(e->key);

	(void)f;
	if (!e->is_folder || len <= ids->prefix_len + 1)
		return 0;
	len -= ids->prefix_len + 1; /* the '/' at the end */
	if (len >= sizeof(digits))
		return 0;
	memcpy(digits, e->key + ids->prefix_len, len);
	digits[len] = '\0';
	if (digits[0] == '0' || text_u64(digits, &id) != 0)
		return 0;
	if (ids->n < ids->cap)
		ids->out[ids->n] = id;
	ids->n++;
	return 0;
}

int
repo_system_ids(struct store *s, const char *cluster, uint64_t *out, size_t cap,
    size_t *n, const struct deadline *d, struct fault *f)
{
	struct ids ids = {.out = out, .cap = cap};
	struct buf prefix = BUF_INIT(LAYOUT_KEY);
	int rc;

	if ((rc = buf_printf(&prefix, f, "%s/", cluster)) == 0 &&
	    (rc = buf_terminate(&prefix, f)) == 0) {
		ids.prefix_len = prefix.len;
		rc = store_list(s, (const char *)prefix.data, true, NULL,
		    take_id, &ids, d, f);
	}
	buf_free(&prefix);
	if (rc == 0)
		*n = ids.n;
	return rc;
}

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
