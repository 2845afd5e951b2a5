/*
 * What lib/pg finds in PostgreSQL's files, in lines that a test can compare.
 *
 *	pgsay wal FILE...        a line for each WAL segment
 *	pgsay joints FILE...     the borders between files given in order: a
 *	                         line for each that does not fit, then how
 *	                         many were judged, and how many of these had a
 *	                         record on both sides that was summed
 *	pgsay time N FILE...     CPU time of walking each, best of N
 *	pgsay control FILE       pg_control
 *	pgsay tar [PIECE]        the tar stream on standard input, fed in
 *	                         pieces of so many bytes
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control.h"
#include "fdio.h"
#include "untar.h"
#include "text.h"
#include "wal.h"

static void
print_time(const char *label, int64_t us)
{
	char text[CLOCK_TEXT_SIZE] = "-";

	if (us != CLOCK_NONE)
		clock_format(us, text);
	printf(" %s=%.26s", label, text);
}

static void
print(const char *name, const struct wal_summary *s)
{
	char lsn[20];
	uint32_t n = s->n_points < WAL_POINTS ? s->n_points : WAL_POINTS;

	printf("%s ends=%" PRIu32, name, s->commits);
	print_time("first", s->first_commit_us);
	print_time("last", s->last_commit_us);
	printf(" xids=%" PRIu32 "..%" PRIu32 " min=%" PRIu32 " max=%" PRIu32,
	    s->xid_first, s->xid_last, s->xid_min, s->xid_max);
	for (uint32_t i = 0; i < n; i++) {
		text_format_lsn(s->points[i].lsn, lsn);
		printf(" point=%s@%s", s->points[i].name, lsn);
	}
	text_format_lsn(s->end_lsn, lsn);
	printf(" end=%s%s%s\n", lsn, s->switched ? " switched" : "",
	    s->full ? " full" : "");
}

static int
walk(const char *path, int times)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	struct fault f = FAULT_INIT;
	struct wal_summary s;
	struct walname n;
	unsigned char *data = NULL;
	size_t len;
	double best = 1e9;
	int rc;

	memset(&s, 0, sizeof(s));
	rc = walname_parse(name, &n, &f);
	if (rc == 0)
		rc = fdio_slurp(path, WALNAME_SEGMENT_MAX, &data, &len, &f);
	for (int i = 0; i < times && rc == 0; i++) {
		struct timespec a, b;
		double ms;

		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		rc = wal_walk(data, len, &n, &s, &f);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
		ms = (double)(b.tv_sec - a.tv_sec) * 1e3 +
		     (double)(b.tv_nsec - a.tv_nsec) / 1e6;
		best = ms < best ? ms : best;
	}
	if (rc != 0)
		printf("%s fault %d: %s\n", name, rc, f.text);
	else if (times > 1)
		printf("%s %.2f ms\n", name, best);
	else
		print(name, &s);
	free(data);
	return (rc);
}

static int
say_joints(char **path, int n)
{
	struct wal_summary before, after;
	struct fault f = FAULT_INIT;
	unsigned judged = 0, summed = 0;

	for (int i = 0; i < n; i++) {
		const char *slash = strrchr(path[i], '/');
		unsigned char *data = NULL;
		struct walname name;
		size_t len;

		if (walname_parse(slash + 1, &name, &f) != 0 ||
		    fdio_slurp(path[i], WALNAME_SEGMENT_MAX, &data, &len, &f) !=
			0 ||
		    wal_walk(data, len, &name, &after, &f) != 0) {
			printf("%s: %s\n", path[i], f.text);
			free(data);
			return (1);
		}
		free(data);
		if (i > 0 && before.joint.tail && after.joint.head) {
			judged++;
			summed += before.joint.owes && after.joint.carried > 0;
			if (wal_joint_check(&before.joint, &after.joint, &f) !=
			    0)
				printf("%s: %s\n", slash + 1, f.text);
		}
		before = after;
	}
	printf("%u %u\n", judged, summed);
	return (0);
}

static int
say_control(const char *path)
{
	struct fault f = FAULT_INIT;
	unsigned char *data = NULL;
	struct control c;
	char point[20], redo[20];
	size_t len;
	int rc;

	rc = fdio_slurp(path, CONTROL_SIZE, &data, &len, &f);
	if (rc == 0)
		rc = control_parse(data, len, &c, &f);
	free(data);
	if (rc != 0) {
		printf("fault %d: %s\n", rc, f.text);
		return (rc);
	}
	text_format_lsn(c.checkpoint, point);
	text_format_lsn(c.redo, redo);
	printf("%" PRIu64 " %u %u %u %u %u %u %s %s %u\n", c.system_id,
	    c.control_version, c.catalog_version, c.segment_size, c.block_size,
	    c.checksums, c.state, point, redo, c.timeline);
	return (0);
}

static int
tar_entry(void *ctx, const struct untar_entry *e, struct fault *f)
{
	uint32_t *sum = ctx;

	(void)f;
	*sum = 0;
	printf("%c %04o %" PRIu64 " %" PRId64 " %s%s%s%s", "fdl"[e->kind],
	    e -> mode, e -> size, e -> mtime, e -> name,
	    e -> kind == UNTAR_LINK ? " -> " : "", e->link,
	    e->kind == UNTAR_FILE ? "" : "\n");
	return (0);
}

static int
tar_data(void *ctx, const unsigned char *p, size_t n, struct fault *f)
{
	uint32_t *sum = ctx;

	(void)f;
	*sum = wal_crc32c(*sum, p, n);
	return (0);
}

static int
tar_end(void *ctx, struct fault *f)
{
	uint32_t *sum = ctx;

	(void)f;
	printf(" %08" PRIx32 "\n", *sum);
	return (0);
}

static int
say_tar(size_t piece)
{
	const struct untar_events ev = {tar_entry, tar_data, tar_end};
	static unsigned char data[1 << 16];
	struct fault f = FAULT_INIT;
	struct untar *t;
	uint32_t sum = 0;
	size_t n = 1;
	int rc;

	if (piece == 0 || piece > sizeof(data))
		piece = sizeof(data);
	rc = untar_new(&t, &ev, &sum, &f);
	while (rc == 0 && (n = fread(data, 1, piece, stdin)) > 0)
		rc = untar_feed(t, data, n, &f);
	if (rc == 0)
		rc = untar_end(t, &f);
	untar_free(t);
	if (rc != 0)
		printf("fault %d: %s\n", rc, f.text);
	return (rc);
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	bool timed = strcmp(verb, "time") == 0 && argc > 2;
	int failed = 0;

	if (strcmp(verb, "tar") == 0)
		return (say_tar(argc > 2 ? (size_t)atoi(argv[2]) : 0) != 0);
	if (strcmp(verb, "control") == 0 && argc == 3)
		return (say_control(argv[2]) != 0);
	if (strcmp(verb, "joints") == 0)
		return (say_joints(argv + 2, argc - 2));
	if (!timed && strcmp(verb, "wal") != 0) {
		fputs("usage: pgsay wal|joints|time|control|tar ...\n", stderr);
		return (2);
	}
	for (int i = timed ? 3 : 2; i < argc; i++)
		if (walk(argv[i], timed ? atoi(argv[2]) : 1) != 0)
			failed = 1;
	return (failed);
}
