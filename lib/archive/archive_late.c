#include "archive_late.h"

#include <stdio.h>
#include <stdlib.h>

#include "recent.h"

#define LATE_GRACE_MS 5000
#define LATE_LEAST_MS 1000
#define LATE_SECONDS 60

void
archive_late_load(
    struct archive_late *l, const char *mark_note, const char *repo)
{
	if (mark_note == NULL ||
	    asprintf(&l->path, "%s.late-%s", mark_note, repo) < 0)
		l->path = NULL;
	l->lately = l->path != NULL && recent_is(l->path, LATE_SECONDS);
}

void
archive_late_free(struct archive_late *l)
{
	free(l->path);
	l->path = NULL;
}

int64_t
archive_late_grace_ms(const struct archive_late *l, int64_t took_ms)
{
	if (!l->lately || took_ms > LATE_GRACE_MS)
		return LATE_GRACE_MS;
	return took_ms > LATE_LEAST_MS ? took_ms : LATE_LEAST_MS;
}

/* The minute is that after a file for which it had all its time. */
void
archive_late_learn(const struct archive_late *l, bool late)
{
	if (l->path != NULL && late != l->lately)
		recent_set(l->path, late);
}
