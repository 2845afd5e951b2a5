#include "report.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include "json.h"
#include "text.h"

void
report_goal(const struct waypath_goal *g, char out[160])
{
	const char *how = g->exclusive ? " (not included)" : "";
	char text[CLOCK_TEXT_SIZE];

	switch (g->target) {
	case WAYPATH_LATEST:
		snprintf(out, 160, "the newest state");
		break;
	case WAYPATH_IMMEDIATE:
		snprintf(out, 160, "the end of the backup");
		break;
	case WAYPATH_TIME:
		clock_format(g->time_us, text);
		snprintf(out, 160, "time %s%s", text, how);
		break;
	case WAYPATH_LSN:
		text_format_lsn(g->lsn, text);
		snprintf(out, 160, "LSN %s%s", text, how);
		break;
	case WAYPATH_XID:
		snprintf(out, 160, "transaction %" PRIu32 "%s", g->xid, how);
		break;
	case WAYPATH_NAME:
		snprintf(out, 160, "restore point '%.100s'", g->name);
		break;
	}
}

static void
print_backup(const struct head *h)
{
	char when[CLOCK_TEXT_SIZE];
	char size[16];
	char stored[16];

	clock_format(h->stop_us, when);
	text_human_size(h->totals.bytes, size);
	text_human_size(h->totals.stored, stored);
	printf("backup     %s, ended %s\n", h->id, when);
	printf("           PostgreSQL %u.%u, timeline %u, %zu tablespace%s\n",
	    h->pg_version / 10000, h->pg_version % 10000, h->timeline,
	    h->n_tablespaces, h->n_tablespaces == 1 ? "" : "s");
	printf("size       %s in %" PRIu64 " files, %s to fetch\n", size,
	    h->totals.files, stored);
}

static void
print_way(const struct waypath *w)
{
	char when[CLOCK_TEXT_SIZE];
	char first[WALNAME_SIZE];
	char size[16];
	char stored[16];
	uint32_t at = history_timeline_at(
	    &w->history, walname_lsn(w->first_segno, w->segment_size));

	walname_format(at, w->first_segno, w->segment_size, first);
	text_human_size(w->wal_size, size);
	text_human_size(w->wal_stored, stored);
	printf("WAL        %" PRIu64 " segment%s, %s to %s\n", w->segments,
	    w->segments == 1 ? "" : "s", first, w->last_name);
	printf("           %s, %s to fetch; all are there and open\n", size,
	    stored);
	if (w->last_commit_us != CLOCK_NONE) {
		clock_format(w->last_commit_us, when);
		printf("           newest commit in them: %s\n", when);
	}
}

static void
print_estimate(const struct report *r)
{
	char restore[24];
	char fetch[24];
	char rto[24];

	if (r->restore_ms < 0)
		return;
	text_human_duration(r->restore_ms, restore);
	text_human_duration(r->fetch_ms, fetch);
	text_human_duration(r->rto_ms, rto);
	printf("estimate   %s to restore the backup, %s to fetch the WAL;\n",
	    restore, fetch);
	printf("           replaying it comes on top; the objective (rto) "
	       "is %s\n",
	    rto);
}

static void
print_text(const struct report *r)
{
	char goal[160];
	size_t k;

	report_goal(r->goal, goal);
	printf("cluster    %s in %s\n", r->cluster, r->repo_url);
	if (r->way != NULL)
		printf(
		    "target     %s, on timeline %u\n", goal, r->way->timeline);
	else
		printf("target     %s\n", goal);
	if (r->head != NULL)
		print_backup(r->head);
	if (r->classes[0] != '\0')
		printf("packs      in storage class %s\n", r->classes);
	if (r->way != NULL)
		print_way(r->way);
	for (k = 0; k < r->n_silent; k++)
		printf("left out   repository %s\n", r->silent[k]);
	if (r->target_dir != NULL)
		printf("into       %s\n", r->target_dir);
	print_estimate(r);
	if (r->obstacle == NULL)
		printf("ready      yes\n");
	else
		printf("ready      no: %s\n", r->obstacle->text);
}

static int
json_backup(struct json *root, const struct head *h, struct fault *f)
{
	char lsn[20];
	struct json *j;
	int rc;

	rc = json_put_object(root, "backup", &j, f);
	if (rc == 0)
		rc = json_put_str(j, "id", h->id, f);
	if (rc == 0)
		rc = json_put_time(j, "stop_time", h->stop_us, f);
	text_format_lsn(h->stop_lsn, lsn);
	if (rc == 0)
		rc = json_put_str(j, "stop_lsn", lsn, f);
	if (rc == 0)
		rc = json_put_i64(j, "timeline", h->timeline, f);
	if (rc == 0)
		rc = json_put_i64(j, "server_version", h->pg_version, f);
	if (rc == 0)
		rc = json_put_u64(j, "files", h->totals.files, f);
	if (rc == 0)
		rc = json_put_u64(j, "bytes", h->totals.bytes, f);
	if (rc == 0)
		rc = json_put_u64(j, "stored_bytes", h->totals.stored, f);
	return rc;
}

static int
json_way(struct json *root, const struct waypath *w, struct fault *f)
{
	struct json *j;
	int rc;

	rc = json_put_object(root, "wal", &j, f);
	if (rc == 0)
		rc = json_put_i64(j, "timeline", w->timeline, f);
	if (rc == 0)
		rc = json_put_u64(j, "segments", w->segments, f);
	if (rc == 0)
		rc = json_put_str(j, "last", w->last_name, f);
	if (rc == 0)
		rc = json_put_u64(j, "bytes", w->wal_size, f);
	if (rc == 0)
		rc = json_put_u64(j, "stored_bytes", w->wal_stored, f);
	if (rc == 0)
		rc = json_put_time(j, "newest_commit", w->last_commit_us, f);
	return rc;
}

/* Only where there is something in it. */
static int
json_list(struct json *root, const char *name, const char *const *v, size_t n,
    struct fault *f)
{
	struct json *list;
	size_t k;
	int rc;

	if (n == 0)
		return 0;
	rc = json_put_array(root, name, &list, f);
	for (k = 0; rc == 0 && k < n; k++)
		rc = json_append_str(list, v[k], f);
	return rc;
}

static int
fill_json(struct json *root, const struct report *r, struct fault *f)
{
	char goal[160];
	int rc;

	report_goal(r->goal, goal);
	rc = json_put_str(root, "cluster", r->cluster, f);
	if (rc == 0)
		rc = json_put_str(root, "repository", r->repo_url, f);
	if (rc == 0)
		rc = json_put_str(root, "target", goal, f);
	if (rc == 0 && r->head != NULL)
		rc = json_backup(root, r->head, f);
	if (rc == 0 && r->classes[0] != '\0')
		rc = json_put_str(root, "storage_classes", r->classes, f);
	if (rc == 0 && r->way != NULL)
		rc = json_way(root, r->way, f);
	if (rc == 0 && r->target_dir != NULL)
		rc = json_put_str(root, "target_dir", r->target_dir, f);
	if (rc == 0 && r->restore_ms >= 0)
		rc = json_put_i64(root, "restore_ms", r->restore_ms, f);
	if (rc == 0 && r->restore_ms >= 0)
		rc = json_put_i64(root, "fetch_wal_ms", r->fetch_ms, f);
	if (rc == 0 && r->restore_ms >= 0)
		rc = json_put_i64(root, "rto_ms", r->rto_ms, f);
	if (rc == 0)
		rc = json_list(root, "left_out", r->silent, r->n_silent, f);
	if (rc == 0)
		rc = json_list(root, "notices", r->notices, r->n_notices, f);
	if (rc == 0)
		rc = json_put_bool(root, "ready", r->obstacle == NULL, f);
	if (rc == 0 && r->obstacle != NULL)
		rc = json_put_str(root, "obstacle", r->obstacle->text, f);
	return rc;
}

int
report_print(const struct report *r, bool json, struct fault *f)
{
	struct json *root;
	int rc;

	if (!json) {
		print_text(r);
		return 0;
	}
	rc = json_new(&root, f);
	if (rc != 0)
		return rc;
	rc = fill_json(root, r, f);
	if (rc == 0)
		rc = cli_json_print(root, true, f);
	json_free(root);
	return rc;
}
