#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "clock.h"
#include "fetchlog.h"
#include "fetchlog_record.h"
#include "prefetch.h"

/* A call for which there is no worker. It must end, and not wait for a store:
 * what it read is counted for a worker that may come, and syslog is told. */

/* By hand, or where nothing can be kept: each file has its line. */
static void
alone_tell(struct repo *r, const char *name, uint64_t bytes)
{
	struct fault ignored = FAULT_INIT;
	struct audit_event e = AUDIT_EVENT("fetch");
	struct audit *a;

	if (audit_open(&a, r, 0, "walfetch", &ignored) != 0)
		return;
	e.object = name;
	e.objects = 1;
	e.bytes = bytes;
	audit_tell(a, &e, AUDIT_DONE, 0, NULL);
	audit_free(a);
}

/* A beginning, and then what came in a day. */
static void
alone_say(struct repo *r, struct tally *t, int64_t now)
{
	struct fault ignored = FAULT_INIT;

	if (!t->told) {
		(void)fetchlog_record(
		    r, t, FETCHLOG_BEGUN, NULL, false, &ignored);
		t->told = true;
	} else if (tally_is_due(t, now)) {
		(void)fetchlog_record(
		    r, t, FETCHLOG_DAY, NULL, false, &ignored);
		tally_summed(t, now, fetchlog_random());
	}
}

void
fetchlog_alone(struct repo *r, const char *name, uint64_t bytes)
{
	struct tally_file file = TALLY_FILE_INIT;
	struct fault ignored = FAULT_INIT;
	int64_t now = clock_now_us();
	struct walname n;
	struct tally t;
	bool found = false;
	char home[4096];
	int rc;

	if (!prefetch_recovering() || getcwd(home, sizeof home) == NULL) {
		alone_tell(r, name, bytes);
		return;
	}
	/* A recovery is told by its segments. */
	if (walname_parse(name, &n, &ignored) != 0 || n.kind != WALNAME_SEGMENT)
		return;
	rc = tally_open(&file, r, home, &t, &found, &ignored);
	if (rc != 0) {
		if (rc != FAULT_EXISTS) /* who has it counts as well */
			alone_tell(r, name, bytes);
		return;
	}
	if (!found)
		tally_begin(&t, home, now, fetchlog_random());
	tally_add(&t, name, bytes, now);
	alone_say(r, &t, now);
	tally_save(&file, &t);
	tally_close(&file);
}
