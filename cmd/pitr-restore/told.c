#include "told.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autoconf.h"
#include "fdio.h"
#include "report.h"
#include "sample.h"
#include "text.h"

#define CONF_MAX (1U << 20)

static int
fill_report(const struct plan *p, struct report *r, struct fault *f)
{
	struct store *store;
	int rc = repo_store(p->repo, p->index, &store, f);

	*r = (struct report){
	    .cluster = p->sources.cluster.name,
	    .goal = &p->goal,
	    .head = p->head,
	    .classes = p->classes,
	    .way = p->has_way ? &p->way : NULL,
	    .silent = p->sources.silent,
	    .n_silent = p->sources.n_silent,
	    .restore_ms = -1,
	};
	if (rc == 0)
		r->repo_url = store_url(store);
	return rc;
}

/* How long it would take, from reading one pack of it. */
static int
estimate(const struct plan *p, struct report *r, struct fault *f)
{
	uint64_t speed;
	uint64_t workers = p->want.jobs;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int rc;

	rc = sample_speed(p->repo, p->index, p->head, &speed, f);
	if (rc != 0 || speed == 0)
		return rc;
	if (processors > 0 && workers > (uint64_t)processors)
		workers = (uint64_t)processors;
	r->restore_ms =
	    (int64_t)(p->head->totals.bytes / workers * 1000 / speed);
	r->fetch_ms = (int64_t)(p->way.wal_size * 1000 / speed);
	r->rto_ms = p->sources.cluster.rto_ms;
	return 0;
}

int
told_ahead(const struct plan *p, const struct fault *obstacle, struct fault *f)
{
	struct fault unread = FAULT_INIT;
	struct report r;
	int rc;

	rc = fill_report(p, &r, f);
	if (rc != 0)
		return rc;
	if (obstacle == NULL && estimate(p, &r, &unread) != 0)
		obstacle = &unread;
	r.target_dir = p->want.o->target_dir;
	r.obstacle = obstacle;
	rc = report_print(&r, p->want.o->json, f);
	if (rc == 0 && obstacle != NULL) {
		*f = *obstacle;
		rc = (int)f->code;
	}
	return rc;
}

/* What is to be done before the server starts, or told to it: at most two. */
static size_t
find_notices(const char *root, const char *out[2])
{
	char *path = fdio_join(root, "postgresql.conf");
	struct fault ignored = FAULT_INIT;
	unsigned char *text = NULL;
	size_t len = 0;
	size_t n = 0;

	if (geteuid() == 0)
		out[n++] = "give it to PostgreSQL's user first, as with chown "
			   "-R; tablespaces too";
	/* With data_directory in it, the restored postgresql.conf would start
	 * the tree that it came from. */
	if (path == NULL || access(path, F_OK) != 0)
		out[n++] = "its postgresql.conf was kept elsewhere: add -o '-c "
			   "config_file=PATH', with data_directory set to the "
			   "new place";
	else if (fdio_slurp(path, CONF_MAX, &text, &len, &ignored) != 0 ||
		 autoconf_has((const char *)text, len, "data_directory"))
		out[n++] = "its postgresql.conf sets data_directory, which "
			   "would start another tree: take that line out "
			   "first";
	free(text);
	free(path);
	return n;
}

static void
say_delta(const struct unpacker_result *r)
{
	char kept[16];
	char written[16];

	text_human_size(r->kept, kept);
	text_human_size(r->written, written);
	printf("%s were there already, %s were fetched\n", kept, written);
}

/* What to do now, and what will happen then. */
static void
say_how(const struct plan *p, const struct report *r)
{
	static const char *const actions[] = {
	    "stay read-only there until pg_wal_replay_resume() is called",
	    "open for writing on a new timeline",
	    "shut down",
	};
	const char *action = p->want.o->goal.action;
	char goal[160];
	size_t k;
	int which = action == NULL || strcmp(action, "pause") == 0 ? 0
		    : strcmp(action, "promote") == 0               ? 1
								   : 2;

	if (p->goal.target == WAYPATH_LATEST)
		which = 1;
	report_goal(&p->goal, goal);
	printf("restored backup %s into %s\n", p->head->id, p->place.root);
	if (p->place.delta)
		say_delta(&p->unpacked);
	for (k = 0; k < r->n_notices; k++)
		printf("note:      %s\n", r->notices[k]);
	printf("start it:  pg_ctl -D %s start\n", p->place.root);
	printf("it will recover to %s on timeline %u and then %s\n", goal,
	    p->way.timeline, actions[which]);
}

int
told_done(const struct plan *p, struct fault *f)
{
	const char *notices[2];
	struct report r;
	int rc = fill_report(p, &r, f);

	if (rc != 0)
		return rc;
	r.target_dir = p->place.root;
	r.notices = notices;
	r.n_notices = find_notices(p->place.root, notices);
	if (p->want.o->json)
		return report_print(&r, true, f);
	say_how(p, &r);
	return 0;
}
