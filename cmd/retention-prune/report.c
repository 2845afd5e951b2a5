#include "report.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include "text.h"

int
report_print(const struct apply_result *r, const struct move_result *m,
    bool as_json, struct fault *f)
{
	struct json *j;
	char human[16];
	int rc;

	if (!as_json) {
		text_human_size(r->bytes, human);
		printf("%" PRIu64 " objects, %s deleted\n", r->deleted, human);
		if (r->extended > 0)
			printf("%" PRIu64 " objects are locked for longer\n",
			    r->extended);
		if (r->aborted > 0)
			printf("%" PRIu64 " unfinished uploads ended\n",
			    r->aborted);
		if (r->locked > 0)
			printf("%" PRIu64 " objects are locked, %" PRIu64
			       " more stay with them\n",
			    r->locked, r->skipped);
		text_human_size(m->bytes, human);
		if (m->moved > 0)
			printf("%" PRIu64
			       " objects, %s moved to another storage class\n",
			    m->moved, human);
		if (m->stay > 0)
			printf("%" PRIu64
			       " objects stay in their storage class for now\n",
			    m->stay);
		return 0;
	}
	if ((rc = json_new(&j, f)) != 0)
		return rc;
	(void)((rc = json_put_u64(j, "deleted", r->deleted, f)) ||
	       (rc = json_put_u64(j, "bytes", r->bytes, f)) ||
	       (rc = json_put_u64(j, "locked", r->locked, f)) ||
	       (rc = json_put_u64(j, "extended", r->extended, f)) ||
	       (rc = json_put_u64(j, "aborted", r->aborted, f)) ||
	       (rc = json_put_u64(j, "failed", r->failed, f)) ||
	       (rc = json_put_u64(j, "skipped", r->skipped, f)) ||
	       (rc = json_put_u64(j, "moved", m->moved, f)) ||
	       (rc = json_put_u64(j, "moved_bytes", m->bytes, f)) ||
	       (rc = json_put_u64(j, "move_stay", m->stay, f)) ||
	       (rc = json_put_u64(j, "move_failed", m->failed, f)) ||
	       (rc = cli_json_print(j, false, f)));
	json_free(j);
	return rc;
}
