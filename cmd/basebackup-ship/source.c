#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fdio.h"
#include "log.h"
#include "page.h"
#include "pgbackup.h"
#include "ship.h"

/*
 * Which source: the data directory itself where it can be, else the stream. It
 * can be when it is here and readable, and is that of the very server we talk
 * to. A standby's directory has the system id of its primary, and the files of
 * one under the backup_label of the other would be a backup that is broken and
 * does not look it; so the server has to show itself in the directory.
 */

static int
has_postmaster(const char *dir, struct fault *f)
{
	char *path = fdio_join(dir, "postmaster.pid");
	int rc = 0;

	if (path == NULL)
		return fault_nomem(f);
	if (access(path, F_OK) != 0 && errno == ENOENT)
		rc = fault_set(f, FAULT_CONFIG,
		    "no server runs on pgdata %s: is that its data directory "
		    "on this host?",
		    dir);
	free(path);
	return rc;
}

static int
is_its_own(struct ship *s, const char *dir, struct fault *f)
{
	int rc = pgbackup_sees(s->pg, dir, f);

	if (rc != FAULT_ABSENT)
		return rc;
	return fault_set(f, FAULT_CONFIG,
	    "pgdata %s is not the data directory of the server that conninfo "
	    "leads to: one of the two settings is wrong",
	    dir);
}

/* 0, or why not. */
static int
can_read_files(struct ship *s, struct fault *f)
{
	const char *dir = s->conf->pgdata;
	uint32_t page;
	int rc;

	if (dir == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "the settings name no pgdata for cluster %s",
		    s->conf->name);
	if ((rc = repo_control(dir, &s->control, f)) != 0)
		return rc == FAULT_ABSENT ? fault_recode(f, FAULT_CONFIG) : rc;
	page = s->control.block_size;
	if (page < 512 || page > PAGE_MAX || (page & (page - 1)) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s: pages of %u bytes are not known", dir, page);
	if ((rc = has_postmaster(dir, f)) != 0 ||
	    (rc = pgbackup_allowed(s->pg, s->server.role, f)) != 0)
		return rc;
	return is_its_own(s, dir, f);
}

int
source_choose(struct ship *s, struct fault *f)
{
	int rc = 0;

	if (s->source != SOURCE_STREAM)
		rc = can_read_files(s, f);
	if (s->source == SOURCE_FILES && rc != 0)
		return fault_prefix(f, "--source files");
	if (s->source == SOURCE_ANY && rc != 0) {
		/* no connection left: the stream would not come either */
		if (rc == FAULT_AGAIN)
			return rc;
		log_line(1, "source: stream, for %s", f->text);
		fault_clear(f);
		s->source = SOURCE_STREAM;
	} else if (s->source == SOURCE_ANY) {
		s->source = SOURCE_FILES;
	}
	if (s->source == SOURCE_FILES)
		log_line(1, "source: files, read from %s", s->conf->pgdata);
	snprintf(s->head.source, sizeof s->head.source, "%s",
	    s->source == SOURCE_FILES ? "files" : "stream");
	return 0;
}
