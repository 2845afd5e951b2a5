#include "push.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive_place.h"
#include "fdio.h"
#include "text.h"

/*
 * A server that is being stopped waits for us, and tries six times before it
 * gives up a file (twice three times, PostgreSQL 14 to 18): then each call gets
 * a sixth, so that a store that hangs delays the stop by the deadline in all.
 * The eighth line of postmaster.pid tells.
 */
int64_t
push_time(const struct conf_cluster *c)
{
	struct fault ignored = FAULT_INIT;
	unsigned char *text;
	const char *line;
	bool stopping;
	size_t len;

	if (fdio_slurp("postmaster.pid", 4096, &text, &len, &ignored) != 0)
		return c->push_deadline_ms;
	line = (const char *)text;
	for (int i = 1; i < 8 && line != NULL; i++) {
		line = strchr(line, '\n');
		if (line != NULL)
			line++;
	}
	stopping = line != NULL && text_prefix(line, "stopping");
	free(text);
	return stopping ? (c->push_deadline_ms + 5) / 6 : c->push_deadline_ms;
}

int
push_send(struct repo *r, struct archive_push *p, const struct deadline *d,
    struct archive_result *res, struct fault *f)
{
	struct buf note = BUF_INIT(4096);
	int rc;

	memset(res, 0, sizeof(*res));
	rc = archive_place_note(r, &note, f);
	if (rc != 0)
		archive_push_free(p);
	else
		rc = archive_push_end(p, (const char *)note.data, d, res, f);
	buf_free(&note);
	return rc;
}

/* PostgreSQL waits for this one file; nothing else is done meanwhile. */
static unsigned
push_hands(const struct repo *r)
{
	const unsigned jobs = repo_conf(r)->push_jobs;
	cpu_set_t set;
	int n;

	if (jobs < 2 || sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	n = CPU_COUNT(&set);
	return n < (int)jobs ? (unsigned)n : jobs;
}

static void *
push_warm(void *r)
{
	repo_warm(r);
	return NULL;
}

int
push_begin(struct archive_push **out, struct repo *r, const char *path,
    struct fault *f)
{
	const unsigned hands = push_hands(r);
	pthread_t warming;
	bool warms =
	    hands > 1 && pthread_create(&warming, NULL, push_warm, r) == 0;
	int rc = archive_push_begin(out, r, path, hands, NULL, f);

	if (warms)
		pthread_join(warming, NULL);
	return rc;
}

int
push_file(struct repo *r, const char *path, const struct deadline *d,
    struct archive_result *res, struct fault *f)
{
	struct archive_push *p = NULL;
	int rc = push_begin(&p, r, path, f);

	memset(res, 0, sizeof(*res));
	return rc != 0 ? rc : push_send(r, p, d, res, f);
}

static void __attribute__((format(printf, 4, 5)))
push_line(char *lines, size_t cap, size_t *at, const char *fmt, ...)
{
	char *line = lines + *at;
	size_t room = cap - *at, n;
	va_list ap;
	int k;

	if (room < 2)
		return;
	va_start(ap, fmt);
	k = vsnprintf(line, room - 1, fmt, ap);
	va_end(ap);
	n = k < 0 ? 0 : strnlen(line, room - 1);
	/* Names come from outside; a message stays one line. */
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[n++] = '\n';
	line[n] = '\0';
	*at += n;
}

void
push_tell(const char *path, int rc, const struct archive_result *res,
    const struct fault *f, int verbosity, char *lines, size_t cap)
{
	size_t at = 0;

	lines[0] = '\0';
	if (rc != 0) {
		push_line(lines, cap, &at, "walpush: %s", f->text);
		return;
	}
	if (res->warning[0] != '\0')
		push_line(lines, cap, &at, "walpush: %s: durable, but: %s",
		    path, res->warning);
	if (verbosity > 0)
		push_line(lines, cap, &at,
		    "walpush: %s: %s in %" PRIu32 " repositories, %" PRIu64
		    " bytes as %" PRIu64,
		    path, res->already ? "was durable" : "durable",
		    res->durable_in, res->size, res->stored);
}

const char *
push_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}
