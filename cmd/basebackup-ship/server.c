#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ship.h"
#include "text.h"

static void
free_row(char **row, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(row[i]);
}

static int
unread(struct fault *f, const char *what, const char *value)
{
	return fault_set(f, FAULT_SYSTEM,
	    "PostgreSQL says %s is \"%s\": cannot be read", what,
	    value != NULL ? value : "");
}

static int
look_identity(struct ship *s, struct fault *f)
{
	char *row[4];
	int rc = pgconn_row(s->pg, "IDENTIFY_SYSTEM", row, 4, f);

	if (rc != 0)
		return rc;
	if (row[0] == NULL || text_u64(row[0], &s->server.system_id) != 0)
		rc = unread(f, "its system id", row[0]);
	else if (row[1] == NULL || text_u32(row[1], &s->server.timeline) != 0 ||
		 s->server.timeline == 0)
		rc = unread(f, "its timeline", row[1]);
	free_row(row, 4);
	return rc;
}

static int
take_facts(struct server *v, char **row, struct fault *f)
{
	uint64_t mode = 0;

	for (int i = 0; i < 5; i++) {
		if (row[i] == NULL)
			return unread(f, "a setting", NULL);
	}
	v->standby = strcmp(row[0], "true") == 0;
	if (text_u32(row[1], &v->segment_size) != 0 ||
	    !walname_segment_size_ok(v->segment_size))
		return unread(f, "wal_segment_size", row[1]);
	v->checksums = strcmp(row[2], "on") == 0;
	for (const char *p = row[3]; *p >= '0' && *p <= '7'; p++)
		mode = mode * 8 + (uint64_t)(*p - '0');
	v->folder_mode = (mode & 0777) != 0 ? (uint32_t)(mode & 0777) : 0700;
	snprintf(v->role, sizeof v->role, "%s", row[4]);
	return 0;
}

int
server_look(struct ship *s, struct fault *f)
{
	static const char sql[] =
	    "SELECT pg_is_in_recovery()::text, "
	    "pg_size_bytes(current_setting('wal_segment_size'))::text, "
	    "current_setting('data_checksums'), "
	    "current_setting('data_directory_mode'), current_user::text";
	char *row[5];
	int version = pgconn_version(s->pg);
	int rc;

	if (version < 140000)
		return fault_set(f, FAULT_CONFIG,
		    "PostgreSQL %d: backups need 14 or newer", version / 10000);
	if ((rc = look_identity(s, f)) != 0 ||
	    (rc = pgconn_row(s->pg, sql, row, 5, f)) != 0)
		return rc;
	rc = take_facts(&s->server, row, f);
	free_row(row, 5);
	s->head.pg_version = (uint32_t)version;
	s->head.system_id = s->server.system_id;
	s->head.segment_size = s->server.segment_size;
	s->head.checksums = s->server.checksums;
	s->head.from_standby = s->server.standby;
	return rc;
}

static int
check_settings(char **row, struct fault *f)
{
	const char *mode = row[0] != NULL ? row[0] : "";
	bool command = row[1] != NULL && row[1][0] != '\0';
	bool library = row[2] != NULL && row[2][0] != '\0';

	if (row[3] != NULL && strcmp(row[3], "minimal") == 0)
		return fault_set(f, FAULT_CONFIG,
		    "wal_level is minimal: a backup needs replica (change it "
		    "in postgresql.conf and restart PostgreSQL)");
	if (strcmp(mode, "off") == 0)
		return fault_set(f, FAULT_CONFIG,
		    "archive_mode is off: a backup is of no use without its "
		    "WAL (set archive_mode = on and archive_command = "
		    "'walpush %%p' and restart PostgreSQL)");
	if (!command && !library)
		return fault_set(f, FAULT_CONFIG,
		    "archive_command is empty, so no WAL is archived (set "
		    "archive_command = 'walpush %%p' and reload PostgreSQL)");
	return 0;
}

int
server_check_archiving(struct ship *s, struct fault *f)
{
	static const char sql[] =
	    "SELECT current_setting('archive_mode'), "
	    "current_setting('archive_command'), "
	    "current_setting('archive_library', true), "
	    "current_setting('wal_level'), "
	    "has_function_privilege('pg_switch_wal()', 'EXECUTE')::text";
	char *row[5];
	int rc = pgconn_row(s->pg, sql, row, 5, f);

	if (rc != 0)
		return rc;
	rc = check_settings(row, f);
	if (rc == 0 && (row[4] == NULL || strcmp(row[4], "true") != 0))
		rc = fault_set(f, FAULT_DENIED,
		    "role \"%s\" must not call pg_switch_wal: GRANT EXECUTE ON "
		    "FUNCTION pg_catalog.pg_switch_wal() TO \"%s\"",
		    s->server.role, s->server.role);
	free_row(row, 5);
	return rc;
}

int
server_clock(struct ship *s, int64_t *us, struct fault *f)
{
	uint64_t v;
	char *text;
	int rc = pgconn_row(s->pg,
	    "SELECT (extract(epoch FROM clock_timestamp()) * "
	    "1000000)::bigint::text",
	    &text, 1, f);

	if (rc != 0)
		return rc;
	if (text == NULL || text_u64(text, &v) != 0 || v > INT64_MAX)
		rc = unread(f, "the time", text);
	else
		*us = (int64_t)v;
	free(text);
	return rc;
}

/* An idle server has nothing to switch away from, and its last segment may
 * have been archived before archiving broke: so WAL is made first. The message
 * is one that every role may emit and that nobody reads. */
int
server_switch(struct ship *s, uint64_t *lsn, struct fault *f)
{
	char *text;
	int rc;

	rc = pgconn_row(s->pg,
	    "SELECT pg_logical_emit_message(false, 'pitrkit', '')::text", &text,
	    1, f);
	if (rc != 0)
		return rc;
	free(text);
	rc = pgconn_row(s->pg, "SELECT pg_switch_wal()::text", &text, 1, f);
	if (rc != 0)
		return rc;
	if (text == NULL || text_lsn(text, lsn) != 0)
		rc = unread(f, "the end of WAL", text);
	free(text);
	return rc;
}

int
server_history(struct ship *s, char **text, struct fault *f)
{
	char sql[64];
	char *row[2];
	int rc;

	snprintf(
	    sql, sizeof sql, "TIMELINE_HISTORY %" PRIu32, s->server.timeline);
	if ((rc = pgconn_row(s->pg, sql, row, 2, f)) != 0)
		return rc;
	free(row[0]);
	if (row[1] == NULL)
		return unread(f, "the timeline's history", NULL);
	*text = row[1];
	return 0;
}

void
server_archiver(struct ship *s, char *line, size_t cap)
{
	struct fault f = FAULT_INIT;
	char *row[2];

	line[0] = '\0';
	if (pgconn_row(s->pg,
		"SELECT max(last_failed_wal), max(last_failed_time)::text "
		"FROM pg_stat_archiver WHERE last_archived_time IS NULL OR "
		"last_failed_time > last_archived_time",
		row, 2, &f) != 0)
		return;
	if (row[0] != NULL)
		snprintf(line, cap,
		    "archive_command failed for %s at %s, see the server's log",
		    row[0], row[1] != NULL ? row[1] : "?");
	free_row(row, 2);
}
