#include "delta_wal.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "fdio.h"
#include "walname.h"

#define PATH_SIZE 4096
#define READY ".ready"
#define ADVICE                                                                 \
	"start and stop the server so that it is archived, or save pg_wal; "   \
	"with --discard-wal it is removed"

/* Names by the end they have; n: how many, first: of the lowest. */
struct wal_files {
	const char *end;
	unsigned long n;
	char first[WALNAME_SIZE];
};

static void
take_name(struct wal_files *w, const char *name)
{
	struct fault ignored = FAULT_INIT;
	struct walname parsed;
	char stem[WALNAME_SIZE];
	size_t len = strlen(name), end = strlen(w->end);

	if (len <= end || len - end >= sizeof stem ||
	    strcmp(name + len - end, w->end) != 0)
		return;
	memcpy(stem, name, len - end);
	stem[len - end] = '\0';
	if (walname_parse(stem, &parsed, &ignored) != 0)
		return;
	if (w->n++ == 0 || strcmp(stem, w->first) < 0)
		memcpy(w->first, stem, sizeof stem);
}

/* What is not there holds nothing. */
static int
look(const char *root, const char *sub, struct wal_files *w, struct fault *f)
{
	const struct dirent *e;
	char path[PATH_SIZE];
	DIR *dir;
	int rc = 0;

	if ((size_t)snprintf(path, sizeof path, "%s/%s", root, sub) >=
	    sizeof path)
		return fault_set(f, FAULT_CONFIG, "%s: too long a path", root);
	dir = opendir(path);
	if (dir == NULL)
		return errno == ENOENT || errno == ENOTDIR
			   ? 0
			   : fault_errno(f, errno, "%s", path);
	while (errno = 0, (e = readdir(dir)) != NULL)
		take_name(w, e->d_name);
	if (errno != 0)
		rc = fault_errno(f, errno, "%s", path);
	closedir(dir);
	return rc;
}

/* Of a version that is not known: it did not. */
static bool
was_shut_down(const char *root)
{
	struct fault ignored = FAULT_INIT;
	struct control c = {0};
	unsigned char *data = NULL;
	char path[PATH_SIZE];
	size_t len;
	bool down;

	snprintf(path, sizeof path, "%s/global/pg_control", root);
	down = fdio_slurp(path, CONTROL_SIZE, &data, &len, &ignored) == 0 &&
	       control_parse(data, len, &c, &ignored) == 0 &&
	       (c.state == CONTROL_SHUT_DOWN ||
		   c.state == CONTROL_SHUT_DOWN_IN_RECOVERY);
	free(data);
	return down;
}

int
delta_wal_check(const char *root, struct fault *f)
{
	struct wal_files ready = {.end = READY}, all = {.end = ""};
	int rc = look(root, "pg_wal/archive_status", &ready, f);

	if (rc == 0)
		rc = look(root, "pg_wal", &all, f);
	if (rc == 0 && ready.n > 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s/pg_wal: %lu files wait to be archived, the first is "
		    "%s: " ADVICE,
		    root, ready.n, ready.first);
	if (rc == 0 && all.n > 0 && !was_shut_down(root))
		return fault_set(f, FAULT_CONFIG,
		    "%s: the server was not shut down, and its newest WAL is "
		    "in "
		    "pg_wal only: " ADVICE,
		    root);
	return rc;
}
