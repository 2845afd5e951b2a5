/*
 * walsum FILE...: what lib/pg finds in WAL segments, one line each, in a form
 * that the tests can make from pg_waldump too. With -t N, walks each N times
 * and tells the best CPU time.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fdio.h"
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

int
main(int argc, char **argv)
{
	int first = 1, times = 1, failed = 0;

	if (argc > 2 && strcmp(argv[1], "-t") == 0) {
		times = atoi(argv[2]);
		first = 3;
	}
	for (int i = first; i < argc; i++)
		if (walk(argv[i], times) != 0)
			failed = 1;
	return (failed);
}
