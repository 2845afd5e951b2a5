#include "pgconn.h"

#include <stdlib.h>
#include <string.h>

#include "pgconn_open.h"
#include "pgconn_raw.h"

#define WARNINGS_MAX 400

struct pgconn {
	PGconn *pg;
	char warnings[WARNINGS_MAX];
};

static void
on_notice(void *ctx, const PGresult *res)
{
	struct pgconn *c = ctx;
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	const char *severity =
	    PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
	size_t used = strlen(c->warnings);
	size_t n;

	if (text == NULL || severity == NULL ||
	    strcmp(severity, "WARNING") != 0)
		return;
	n = strlen(text);
	if (n + 3 > sizeof c->warnings - used) /* the first are what tells */
		return;
	if (used > 0) {
		memcpy(c->warnings + used, "; ", 3);
		used += 2;
	}
	memcpy(c->warnings + used, text, n + 1);
}

int
pgconn_open(struct pgconn **out, const char *conninfo, bool replication,
    struct fault *f)
{
	struct pgconn *c = calloc(1, sizeof *c);
	int rc;

	if (c == NULL)
		return fault_nomem(f);
	rc = pgconn_open_raw(&c->pg, conninfo, replication, f);
	if (rc != 0) {
		free(c);
		return rc;
	}
	PQsetNoticeReceiver(c->pg, on_notice, c);
	*out = c;
	return 0;
}

void
pgconn_free(struct pgconn *c)
{
	if (c == NULL)
		return;
	PQfinish(c->pg);
	free(c);
}

int
pgconn_version(const struct pgconn *c)
{
	return PQserverVersion(c->pg);
}

PGconn *
pgconn_raw(struct pgconn *c)
{
	return c->pg;
}

const char *
pgconn_warnings(const struct pgconn *c)
{
	return c->warnings;
}

void
pgconn_warnings_clear(struct pgconn *c)
{
	c->warnings[0] = '\0';
}

/* What the caller can do, by SQLSTATE (PostgreSQL, appendix A). */
static enum fault_code
code_of(const char *state)
{
	if (strncmp(state, "08", 2) == 0 || strncmp(state, "53", 2) == 0 ||
	    strncmp(state, "57", 2) == 0 || strncmp(state, "40", 2) == 0 ||
	    strncmp(state, "55P", 3) == 0)
		return FAULT_AGAIN;
	if (strcmp(state, "42501") == 0 || strncmp(state, "28", 2) == 0)
		return FAULT_DENIED;
	if (strncmp(state, "XX", 2) == 0)
		return strcmp(state, "XX000") == 0 ? FAULT_SYSTEM
						   : FAULT_CORRUPT;
	if (strncmp(state, "58", 2) == 0)
		return FAULT_SYSTEM;
	return FAULT_CONFIG;
}

int
pgconn_fault(
    struct pgconn *c, const PGresult *res, const char *what, struct fault *f)
{
	const char *state =
	    res != NULL ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	const char *text, *hint;

	if (state == NULL) { /* not the server: the connection */
		const char *m = res != NULL ? PQresultErrorMessage(res)
					    : PQerrorMessage(c->pg);
		int n = (int)strcspn(m, "\n");

		if (n == 0)
			return fault_set(f,
			    PQstatus(c->pg) == CONNECTION_OK ? FAULT_SYSTEM
							     : FAULT_AGAIN,
			    "PostgreSQL: an answer to %s that was not expected",
			    what);
		return fault_set(
		    f, FAULT_AGAIN, "PostgreSQL: %s: %.*s", what, n, m);
	}
	text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	hint = PQresultErrorField(res, PG_DIAG_MESSAGE_HINT);
	return fault_set(f, code_of(state), "PostgreSQL: %s: %s%s%s%s", what,
	    text != NULL ? text : state, hint != NULL ? " (" : "",
	    hint != NULL ? hint : "", hint != NULL ? ")" : "");
}

static int
copy_row(const PGresult *res, char **out, size_t n, struct fault *f)
{
	for (size_t i = 0; i < n; i++)
		out[i] = NULL;
	for (size_t i = 0; i < n; i++) {
		if (PQgetisnull(res, 0, (int)i))
			continue;
		out[i] = strdup(PQgetvalue(res, 0, (int)i));
		if (out[i] != NULL)
			continue;
		for (size_t k = 0; k < i; k++) {
			free(out[k]);
			out[k] = NULL;
		}
		return fault_nomem(f);
	}
	return 0;
}

int
pgconn_row(
    struct pgconn *c, const char *sql, char **out, size_t n, struct fault *f)
{
	PGresult *res = PQexec(c->pg, sql);
	int rc;

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		rc = pgconn_fault(c, res, sql, f);
	else if (PQntuples(res) != 1 || (size_t)PQnfields(res) != n)
		rc = fault_set(f, FAULT_SYSTEM,
		    "PostgreSQL: %s: %d rows of %d columns where one of %zu "
		    "was expected",
		    sql, PQntuples(res), PQnfields(res), n);
	else
		rc = copy_row(res, out, n, f);
	PQclear(res);
	return rc;
}
