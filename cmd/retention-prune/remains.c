#include "remains.h"

#include <string.h>

#include "log.h"

#define DAY_US (86400 * INT64_C(1000000))

/* May this upload go? */
static bool
is_stale(const struct gather *g, const char *key, int64_t begun_us)
{
	char prefix[LAYOUT_KEY], base[LAYOUT_KEY], id[LAYOUT_ID] = "";
	struct fault ignored = FAULT_INIT;
	const struct gather_folder *d;
	size_t n;

	if (begun_us == CLOCK_NONE || begun_us > g->in.clock_us - DAY_US ||
	    layout_prefix(repo_cluster(g->repo), repo_system_id(g->repo),
		prefix, &ignored) != 0 ||
	    layout_base_prefix(repo_cluster(g->repo), repo_system_id(g->repo),
		base, &ignored) != 0 ||
	    strncmp(key, prefix, strlen(prefix)) != 0)
		return false;
	if (strncmp(key, base, strlen(base)) != 0)
		return true;
	n = strcspn(key + strlen(base), "/");
	if (n >= sizeof id)
		return true;
	memcpy(id, key + strlen(base), n);
	d = gather_find(g, id);
	return d == NULL || !d->running;
}

/* ---- planning ---- */

struct planning {
	struct planfile *out;
	const struct gather *g;
};

static int
take(void *ctx, const struct store_remain *r, struct fault *f)
{
	const struct planning *p = ctx;
	char begun[CLOCK_TEXT_SIZE];
	struct json *j;
	int rc;

	if (!is_stale(p->g, r->key, r->begun_us))
		return 0;
	if ((rc = json_new(&j, f)) != 0)
		return rc;
	clock_format_iso(r->begun_us, begun);
	if ((rc = json_put_str(j, "line", "abort", f)) != 0 ||
	    (rc = json_put_str(j, "key", r->key, f)) != 0 ||
	    (rc = json_put_str(j, "upload", r->id, f)) != 0 ||
	    (rc = json_put_str(j, "begun", begun, f)) != 0 ||
	    (rc = json_put_i64(j, "begun_us", r->begun_us, f)) != 0) {
		json_free(j);
		return rc;
	}
	p->out->changes++;
	return planfile_put(p->out, j, f);
}

int
remains_plan(struct planfile *out, const struct gather *g, struct fault *f)
{
	struct planning p = {out, g};
	struct deadline d = deadline_never();
	char prefix[LAYOUT_KEY];
	int rc = layout_prefix(
	    repo_cluster(g->repo), repo_system_id(g->repo), prefix, f);

	if (rc == 0)
		rc = store_remains(g->store, prefix, take, &p, &d, f);
	/* An answer that makes no sense keeps nothing else from going. */
	if (rc == FAULT_CORRUPT) {
		log_line(0, "unfinished uploads: %s", f->text);
		fault_clear(f);
		out->blind = true;
		rc = 0;
	}
	/* Credentials that only plan may not ask; some stores cannot tell. */
	if (rc == FAULT_DENIED || rc == FAULT_CONFIG) {
		log_line(
		    0, "unfinished uploads are not looked for: %s", f->text);
		fault_clear(f);
		rc = 0;
	}
	return rc;
}

/* ---- carrying out ---- */

static int
take_line(const struct planfile *in, const struct json *j, const char **key,
    const char **id, int64_t *begun_us, struct fault *f)
{
	struct fault other = FAULT_INIT;

	if (json_get_str(j, "key", key, &other) == 0 &&
	    json_get_str(j, "upload", id, &other) == 0 &&
	    json_get_i64(j, "begun_us", begun_us, &other) == 0)
		return 0;
	return fault_set(
	    f, FAULT_CONFIG, "%s: line %lu: no upload", in->name, in->at);
}

int
remains_check(const struct planfile *in, const struct json *j,
    const struct gather *g, struct fault *f)
{
	const char *key, *id;
	int64_t begun_us;
	int rc = take_line(in, j, &key, &id, &begun_us, f);

	if (rc == 0 && !is_stale(g, key, begun_us))
		rc = fault_set(f, FAULT_EXISTS,
		    "%s no longer fits the repository: the upload of %s may be "
		    "running; make a new plan",
		    in->name, key);
	return rc;
}

int
remains_run(const struct planfile *in, const struct json *j,
    const struct gather *g, const char **key, struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(g->repo)->store_deadline_ms);
	const char *id;
	int64_t begun_us;
	int rc = take_line(in, j, key, &id, &begun_us, f);

	return rc != 0 ? rc : store_remains_remove(g->store, *key, id, &d, f);
}
