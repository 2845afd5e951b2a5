#include "show.h"

#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "text.h"

enum part {
	PART_NONE,
	PART_KEEP,
	PART_BEFORE,
	PART_LOCK,
	PART_ABORT,
	PART_MOVE,
	PART_DELETE,
	PART_AFTER
};

struct table {
	enum part part;
	int64_t now_us;
	bool objects;
	bool keeps; /* a backup at least */
};

static void
begin(struct table *t, enum part part)
{
	static const char *const titles[] = {NULL, "stays", "restorable now",
	    "is locked for longer", "unfinished uploads, to be ended",
	    "moves to another storage class", "goes", "restorable afterwards"};

	if (t->part == part)
		return;
	t->part = part;
	if (part != PART_DELETE || t->objects)
		printf("\n%s\n", titles[part]);
}

static int
show_plan(struct table *t, const struct json *j, struct fault *f)
{
	const char *cluster, *repo, *url, *now, *window;
	uint64_t id, strange;
	int rc;

	if ((rc = json_get_str(j, "cluster", &cluster, f)) != 0 ||
	    (rc = json_get_str(j, "repo", &repo, f)) != 0 ||
	    (rc = json_get_str(j, "url", &url, f)) != 0 ||
	    (rc = json_get_str(j, "now", &now, f)) != 0 ||
	    (rc = json_get_str(j, "wal_window_from", &window, f)) != 0 ||
	    (rc = json_get_u64(j, "system_id", &id, f)) != 0 ||
	    (rc = json_get_u64(j, "strange", &strange, f)) != 0 ||
	    (rc = json_get_i64(j, "now_us", &t->now_us, f)) != 0)
		return rc;
	printf("cluster      %s, system id %" PRIu64 "\n", cluster, id);
	printf("repository   %s, %s\n", repo, url);
	printf("planned at   %s\n", now);
	printf("WAL window   from %s\n", window);
	if (strange > 0)
		printf("left alone   %" PRIu64 " objects with other names\n",
		    strange);
	return 0;
}

static int
show_keep(const struct json *j, struct fault *f)
{
	const char *id, *stop;
	struct json *rules;
	uint64_t size;
	size_t n;
	char human[16];
	bool good;
	int rc;

	if ((rc = json_get_str(j, "backup", &id, f)) != 0 ||
	    (rc = json_get_str(j, "stop", &stop, f)) != 0 ||
	    (rc = json_get_u64(j, "size", &size, f)) != 0 ||
	    (rc = json_get_bool(j, "good", &good, f)) != 0 ||
	    (rc = json_get_array(j, "rules", &rules, &n, f)) != 0)
		return rc;
	text_human_size(size, human);
	printf("  %-34s %9s  ended %s", id, human, stop);
	for (size_t i = 0; i < n; i++) {
		const char *rule;

		if ((rc = json_at_str(rules, i, &rule, f)) != 0)
			return rc;
		printf("%s%s", i == 0 ? "  " : "; ", rule);
	}
	printf("%s\n", good ? ""
			    : "  (not restorable: WAL or a backup that "
			      "it needs is missing)");
	return 0;
}

static int
show_window(struct table *t, const struct json *j, struct fault *f)
{
	const char *when, *backup, *from, *to;
	int64_t timeline;
	int rc;

	if ((rc = json_get_str(j, "when", &when, f)) != 0 ||
	    (rc = json_get_str(j, "backup", &backup, f)) != 0 ||
	    (rc = json_get_str(j, "from", &from, f)) != 0 ||
	    (rc = json_get_str(j, "to", &to, f)) != 0 ||
	    (rc = json_get_i64(j, "timeline", &timeline, f)) != 0)
		return rc;
	begin(t, strcmp(when, "before") == 0 ? PART_BEFORE : PART_AFTER);
	printf("  timeline %" PRId64 "  %s to %s, from backup %s\n", timeline,
	    from, to, backup);
	return 0;
}

static int
show_delete(const struct table *t, const struct json *j, struct fault *f)
{
	const char *key, *rule;
	uint64_t size;
	int64_t modified_us;
	char human[16], age[24];
	int rc;

	if ((rc = json_get_str(j, "key", &key, f)) != 0 ||
	    (rc = json_get_str(j, "rule", &rule, f)) != 0 ||
	    (rc = json_get_u64(j, "size", &size, f)) != 0 ||
	    (rc = json_get_i64(j, "modified_us", &modified_us, f)) != 0)
		return rc;
	text_human_size(size, human);
	if (modified_us < 0 || modified_us > t->now_us)
		snprintf(age, sizeof age, "-");
	else
		snprintf(age, sizeof age, "%" PRId64 " d",
		    (t->now_us - modified_us) / INT64_C(86400000000));
	printf("  %s  %s  %s old  %s\n", key, human, age, rule);
	return 0;
}

static int
show_lock(const struct json *j, struct fault *f)
{
	struct fault other = FAULT_INIT;
	const char *what, *until;
	int rc;

	if ((rc = json_get_str(j, "until", &until, f)) != 0 ||
	    (json_get_str(j, "backup", &what, &other) != 0 &&
		(rc = json_get_str(j, "key", &what, f)) != 0))
		return rc;
	printf("  %s  until %s\n", what, until);
	return 0;
}

static int
show_abort(const struct json *j, struct fault *f)
{
	const char *key, *begun;
	int rc;

	if ((rc = json_get_str(j, "key", &key, f)) != 0 ||
	    (rc = json_get_str(j, "begun", &begun, f)) != 0)
		return rc;
	printf("  %s  begun %s\n", key, begun);
	return 0;
}

static int
show_move(const struct json *j, struct fault *f)
{
	const char *id, *from, *to, *setting;
	uint64_t objects, bytes, spares;
	char human[16];
	int rc;

	if ((rc = json_get_str(j, "backup", &id, f)) != 0 ||
	    (rc = json_get_str(j, "from", &from, f)) != 0 ||
	    (rc = json_get_str(j, "to", &to, f)) != 0 ||
	    (rc = json_get_str(j, "setting", &setting, f)) != 0 ||
	    (rc = json_get_u64(j, "objects", &objects, f)) != 0 ||
	    (rc = json_get_u64(j, "bytes", &bytes, f)) != 0 ||
	    (rc = json_get_u64(j, "spares", &spares, f)) != 0)
		return rc;
	text_human_size(bytes, human);
	printf(
	    "  %-34s %9s  from %s to %s by %s", id, human, from, to, setting);
	if (spares > 0)
		printf("; %" PRIu64 " older versions are freed", spares);
	printf("\n");
	return 0;
}

static int
show_one(
    struct table *t, const struct json *j, const char *line, struct fault *f)
{
	if (strcmp(line, "plan") == 0)
		return show_plan(t, j, f);
	if (strcmp(line, "keep") == 0) {
		begin(t, PART_KEEP);
		t->keeps = true;
		return show_keep(j, f);
	}
	if (strcmp(line, "window") == 0)
		return show_window(t, j, f);
	if (strcmp(line, "lock") == 0) {
		begin(t, PART_LOCK);
		return show_lock(j, f);
	}
	if (strcmp(line, "abort") == 0) {
		begin(t, PART_ABORT);
		return show_abort(j, f);
	}
	if (strcmp(line, "move") == 0) {
		begin(t, PART_MOVE);
		return show_move(j, f);
	}
	if (strcmp(line, "delete") == 0) {
		begin(t, PART_DELETE);
		return t->objects ? show_delete(t, j, f) : 0;
	}
	return 0;
}

int
show_table(struct planfile *in, bool objects, struct fault *f)
{
	struct table t = {.objects = objects};
	struct json *j = NULL;
	const char *line = "";
	char human[16];
	int rc = planfile_rewind(in, f);

	while (rc == 0) {
		rc = planfile_next(in, &j, &line, f);
		if (rc != 0 || j == NULL)
			break;
		rc = show_one(&t, j, line, f);
		json_free(j);
	}
	if (rc != 0)
		return rc;
	if (!t.keeps)
		printf("\nThere is no backup: nothing can be restored.\n");
	text_human_size(in->bytes, human);
	printf("\n%" PRIu64 " objects, %s to go\n", in->deletes, human);
	return 0;
}

int
show_lines(struct planfile *in, struct fault *f)
{
	struct json *j = NULL;
	const char *line = "";
	int rc = planfile_rewind(in, f);

	while (rc == 0) {
		rc = planfile_next(in, &j, &line, f);
		if (rc != 0)
			break;
		(void)fputs(in->text, stdout);
		if (j == NULL)
			break;
		json_free(j);
	}
	return rc;
}
