#include "goal.h"

#include <string.h>

#include "cli.h"
#include "text.h"

static int
bad(const char *option, const char *value, const char *want, struct fault *f)
{
	return fault_set(
	    f, FAULT_CONFIG, "--%s '%s': give %s", option, value, want);
}

static int
parse_timeline(const char *s, uint32_t *out, struct fault *f)
{
	uint64_t v = 0;
	size_t n = strlen(s);
	int rc;

	if (text_prefix(s, "0x") && n > 2 && n <= 10)
		rc = text_hex_u64(s + 2, n - 2, &v);
	else
		rc = text_u64(s, &v);
	if (rc != 0 || v == 0 || v > UINT32_MAX)
		return bad("target-timeline", s,
		    "a timeline's number, 3 or 0x3 (an 8-digit file name part "
		    "is hexadecimal)",
		    f);
	*out = (uint32_t)v;
	return 0;
}

/* The one target, or none. */
static int
parse_target(
    const struct goal_options *o, struct waypath_goal *g, struct fault *f)
{
	if (o->immediate)
		g->target = WAYPATH_IMMEDIATE;
	if (o->time != NULL) {
		g->target = WAYPATH_TIME;
		return cli_value_time("target-time", o->time, &g->time_us, f);
	}
	if (o->lsn != NULL) {
		g->target = WAYPATH_LSN;
		if (text_lsn(o->lsn, &g->lsn) != 0)
			return bad(
			    "target-lsn", o->lsn, "an LSN like 16/B374D848", f);
	}
	if (o->xid != NULL) {
		g->target = WAYPATH_XID;
		if (text_u32(o->xid, &g->xid) != 0 || g->xid < 3)
			return bad(
			    "target-xid", o->xid, "a transaction's number", f);
	}
	if (o->name != NULL) {
		g->target = WAYPATH_NAME;
		g->name = o->name;
		if (o->name[0] == '\0' || strlen(o->name) >= WAL_POINT_NAME)
			return bad("target-name", o->name,
			    "a name of 1 to 63 bytes", f);
	}
	return 0;
}

int
goal_parse(
    const struct goal_options *o, struct waypath_goal *out, struct fault *f)
{
	struct waypath_goal g = {.target = WAYPATH_LATEST};
	int targets = (o->time != NULL) + (o->lsn != NULL) + (o->xid != NULL) +
		      (o->name != NULL) + o->immediate;
	int rc;

	if (targets > 1)
		return fault_set(f, FAULT_CONFIG,
		    "give one of --target-time, --target-lsn, --target-xid, "
		    "--target-name and --target-immediate");
	rc = parse_target(o, &g, f);
	if (rc == 0 && o->timeline != NULL)
		rc = parse_timeline(o->timeline, &g.timeline, f);
	if (rc != 0)
		return rc;
	if (o->exclusive && g.target != WAYPATH_TIME &&
	    g.target != WAYPATH_LSN && g.target != WAYPATH_XID)
		return fault_set(f, FAULT_CONFIG,
		    "--target-exclusive goes with --target-time, --target-lsn "
		    "or --target-xid");
	g.exclusive = o->exclusive;
	if (o->action != NULL && strcmp(o->action, "pause") != 0 &&
	    strcmp(o->action, "promote") != 0 &&
	    strcmp(o->action, "shutdown") != 0)
		return bad("target-action", o->action,
		    "pause, promote or shutdown", f);
	*out = g;
	return 0;
}
