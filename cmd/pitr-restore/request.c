#include "request.h"

#include <string.h>

#include "text.h"

/* Workers wait for the disk as long as they compute. */
#define JOBS_MIN 4

/* "OID=DIR" of every --tablespace. */
static int
parse_maps(struct request *r, struct fault *f)
{
	const struct cli_list *list = &r->o->tablespaces;
	size_t k;

	for (k = 0; k < list->n; k++) {
		const char *eq = strchr(list->v[k], '=');
		char oid[11] = "";

		if (eq != NULL && (size_t)(eq - list->v[k]) < sizeof oid)
			memcpy(oid, list->v[k], (size_t)(eq - list->v[k]));
		if (eq == NULL || eq[1] == '\0' ||
		    text_u32(oid, &r->map[k].oid) != 0)
			return fault_set(f, FAULT_CONFIG,
			    "--tablespace '%s': give OID=DIR", list->v[k]);
		r->map[k].dir = eq + 1;
	}
	r->n_map = list->n;
	return 0;
}

int
request_parse(const struct options *o, struct request *out, struct fault *f)
{
	int rc;

	memset(out, 0, sizeof *out);
	out->o = o;
	rc = goal_parse(&o->goal, &out->goal, f);
	if (rc == 0)
		rc = parse_maps(out, f);
	if (rc == 0)
		rc = cli_value_jobs(o->jobs, &out->jobs, f);
	if (rc == 0 && o->jobs == NULL && out->jobs < JOBS_MIN)
		out->jobs = JOBS_MIN;
	if (rc == 0 && o->discard_wal && !o->delta)
		rc = fault_set(
		    f, FAULT_CONFIG, "--discard-wal goes with --delta only");
	if (rc == 0 && o->target_dir == NULL && !o->dry_run)
		rc = fault_set(f, FAULT_CONFIG,
		    "give --target-dir DIR, or --dry-run to look first");
	return rc;
}
