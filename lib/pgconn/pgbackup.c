#include "pgbackup.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "fdio.h"
#include "pgconn_raw.h"
#include "text.h"

#define COMMAND_MAX 4096
#define SNAPSHOT_MAX (1U << 20)

static bool
is_new(struct pgconn *c)
{
	return pgconn_version(c) >= 150000;
}

int
pgbackup_allowed(struct pgconn *c, const char *role, struct fault *f)
{
	const char *start = is_new(c)
				? "pg_backup_start(text, boolean)"
				: "pg_start_backup(text, boolean, boolean)";
	const char *stop = is_new(c) ? "pg_backup_stop(boolean)"
				     : "pg_stop_backup(boolean, boolean)";
	char sql[256];
	char *may;
	int rc;

	snprintf(sql, sizeof sql,
	    "SELECT (has_function_privilege('pg_catalog.%s', 'EXECUTE') AND "
	    "has_function_privilege('pg_catalog.%s', 'EXECUTE'))::text",
	    start, stop);
	if ((rc = pgconn_row(c, sql, &may, 1, f)) != 0)
		return rc;
	if (may == NULL || strcmp(may, "true") != 0)
		rc = fault_set(f, FAULT_DENIED,
		    "role \"%s\" must not start and stop backups: GRANT "
		    "EXECUTE ON FUNCTION pg_catalog.%s, pg_catalog.%s TO "
		    "\"%s\"",
		    role, start, stop, role);
	free(may);
	return rc;
}

int
pgbackup_start(struct pgconn *c, const char *label, bool fast, uint64_t *lsn,
    struct fault *f)
{
	PGconn *pg = pgconn_raw(c);
	char *quoted = PQescapeLiteral(pg, label, strlen(label));
	struct buf sql = BUF_INIT(COMMAND_MAX);
	char *text = NULL;
	int rc;

	if (quoted == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "\"%s\" cannot be a backup's label in PostgreSQL", label);
	rc = buf_printf(&sql, f, "SELECT pg_catalog.%s(%s, %s)::text",
	    is_new(c) ? "pg_backup_start" : "pg_start_backup", quoted,
	    is_new(c) ? (fast ? "true" : "false")
		      : (fast ? "true, false" : "false, false"));
	if (rc == 0)
		rc = buf_terminate(&sql, f);
	if (rc == 0)
		rc = pgconn_row(c, (const char *)sql.data, &text, 1, f);
	if (rc == 0 && (text == NULL || text_lsn(text, lsn) != 0))
		rc = fault_set(f, FAULT_SYSTEM,
		    "PostgreSQL says the backup starts at \"%s\": cannot be "
		    "read",
		    text != NULL ? text : "");
	free(text);
	buf_free(&sql);
	PQfreemem(quoted);
	return rc;
}

int
pgbackup_check(struct pgconn *c, struct fault *f)
{
	PGconn *pg = pgconn_raw(c);
	struct pollfd p = {.fd = PQsocket(pg), .events = POLLIN};

	if (poll(&p, 1, 0) <= 0)
		return 0;
	if (PQconsumeInput(pg) == 1 && PQstatus(pg) == CONNECTION_OK)
		return 0;
	return fault_set(f, FAULT_AGAIN,
	    "PostgreSQL: base backup: the connection was lost: %.*s",
	    (int)strcspn(PQerrorMessage(pg), "\n"), PQerrorMessage(pg));
}

int
pgbackup_stop(struct pgconn *c, uint64_t *lsn, char **label, struct fault *f)
{
	char sql[160];
	char *row[2];
	int rc;

	snprintf(sql, sizeof sql,
	    "SELECT s.lsn::text, s.labelfile FROM pg_catalog.%s AS s",
	    is_new(c) ? "pg_backup_stop(false)"
		      : "pg_stop_backup(false, false)");
	if ((rc = pgconn_row(c, sql, row, 2, f)) != 0)
		return rc;
	if (row[0] == NULL || text_lsn(row[0], lsn) != 0 || row[1] == NULL) {
		rc = fault_set(f, FAULT_SYSTEM,
		    "PostgreSQL says the backup stopped at \"%s\": cannot be "
		    "read",
		    row[0] != NULL ? row[0] : "");
		free(row[1]);
	} else {
		*label = row[1];
	}
	free(row[0]);
	return rc;
}

static int
command(struct pgconn *c, const char *sql, struct fault *f)
{
	PGresult *res = PQexec(pgconn_raw(c), sql);
	int rc = 0;

	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		rc = pgconn_fault(c, res, sql, f);
	PQclear(res);
	return rc;
}

/* Our backend's number stands in the file; another cluster's snapshot of the
 * same name has another. */
static int
look(const char *dir, const char *name, const char *pid, struct fault *f)
{
	char path[4096], want[48];
	unsigned char *text;
	size_t len;
	int n = snprintf(path, sizeof path, "%s/pg_snapshots/%s", dir, name);
	int rc;

	if (n < 0 || (size_t)n >= sizeof path || strchr(name, '/') != NULL)
		return fault_set(f, FAULT_SYSTEM, "%s: no such path", dir);
	snprintf(want, sizeof want, "\npid:%.20s\n", pid);
	if ((rc = fdio_slurp(path, SNAPSHOT_MAX, &text, &len, f)) != 0)
		return rc;
	if (strstr((const char *)text, want) == NULL)
		rc = fault_set(
		    f, FAULT_ABSENT, "%s is of another session", path);
	free(text);
	return rc;
}

int
pgbackup_sees(struct pgconn *c, const char *dir, struct fault *f)
{
	struct fault end = FAULT_INIT;
	char *row[2];
	int rc;

	if ((rc = command(c, "BEGIN", f)) != 0)
		return rc;
	rc = pgconn_row(c,
	    "SELECT pg_catalog.pg_export_snapshot(), "
	    "pg_catalog.pg_backend_pid()::text",
	    row, 2, f);
	if (rc == 0) {
		if (row[0] == NULL || row[1] == NULL)
			rc = fault_set(
			    f, FAULT_SYSTEM, "PostgreSQL exports no snapshot");
		else
			rc = look(dir, row[0], row[1], f);
		free(row[0]);
		free(row[1]);
	}
	/* an ended transaction takes the file away */
	if (command(c, "ROLLBACK", &end) != 0 && rc == 0) {
		*f = end;
		rc = (int)end.code;
	}
	return rc;
}
