#include "pgconn_open.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "text.h"

/* What is tried to get through to one host or several, together. */
#define CONNECT_MS 30000
#define PARAMS_MAX 64

struct params {
	const char *key[PARAMS_MAX];
	const char *value[PARAMS_MAX];
	size_t n;
	int64_t timeout_ms;
};

static bool
add(struct params *p, const char *key, const char *value)
{
	if (p->n + 1 >= PARAMS_MAX)
		return false;
	p->key[p->n] = key;
	p->value[p->n] = value;
	p->n++;
	p->key[p->n] = NULL;
	p->value[p->n] = NULL;
	return true;
}

/* What the settings say, and what we need where they say nothing. Without a
 * database libpq takes one named like the user, which seldom exists. */
static bool
collect(struct params *p, const PQconninfoOption *list, bool replication)
{
	bool has_db = getenv("PGDATABASE") != NULL;
	bool has_keepalives = false;
	bool ok = true;

	p->timeout_ms = CONNECT_MS;
	for (const PQconninfoOption *o = list; o->keyword != NULL; o++) {
		if (o->val == NULL || strcmp(o->keyword, "replication") == 0 ||
		    strcmp(o->keyword, "application_name") == 0)
			continue;
		if (strcmp(o->keyword, "dbname") == 0 ||
		    strcmp(o->keyword, "service") == 0)
			has_db = true;
		if (text_prefix(o->keyword, "keepalives") ||
		    strcmp(o->keyword, "service") == 0)
			has_keepalives = true;
		if (strcmp(o->keyword, "connect_timeout") == 0) {
			uint32_t s;

			if (text_u32(o->val, &s) == 0 && s > 0)
				p->timeout_ms = (int64_t)s * 1000;
		}
		ok = ok && add(p, o->keyword, o->val);
	}
	ok = ok && (has_db || add(p, "dbname", "postgres"));
	/* A host that vanished would else be waited for some two hours. */
	ok = ok && (has_keepalives || (add(p, "keepalives_idle", "60") &&
					  add(p, "keepalives_interval", "10") &&
					  add(p, "keepalives_count", "6")));
	ok = ok && (!replication || add(p, "replication", "database"));
	return ok && add(p, "application_name", "pitrkit");
}

/* Ours, not libpq's: only connecting step by step lets us ask for verbose
 * errors first, and they alone hold the SQLSTATE of a refused login, whatever
 * language the server speaks. */
static PostgresPollingStatusType
connect_until(PGconn *pg, int64_t timeout_ms)
{
	struct deadline d = deadline_in_ms(timeout_ms);
	PostgresPollingStatusType s = PGRES_POLLING_WRITING;

	while (s != PGRES_POLLING_OK && s != PGRES_POLLING_FAILED) {
		struct pollfd p = {.fd = PQsocket(pg)};
		int n;

		p.events = s == PGRES_POLLING_READING ? POLLIN : POLLOUT;
		n = poll(&p, 1, (int)deadline_left_ms(&d));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return PGRES_POLLING_READING; /* too late */
		s = PQconnectPoll(pg);
	}
	return s;
}

/* "… FATAL:  28000: no pg_hba.conf entry …": five digits or capitals between
 * ":  " and ": ". The state is cut out of line. */
static void
take_state(char *line, char state[6])
{
	state[0] = '\0';
	for (char *p = strstr(line, ":  "); p != NULL;
	     p = strstr(p + 1, ":  ")) {
		static const char set[] =
		    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

		if (strspn(p + 3, set) != 5 || strncmp(p + 8, ": ", 2) != 0)
			continue;
		memcpy(state, p + 3, 5);
		state[5] = '\0';
		memmove(p + 2, p + 10, strlen(p + 10) + 1);
		p[1] = ' ';
		return;
	}
}

/* The last line that is about a try: with several hosts, the last host's. */
static void
last_try(const char *message, char *line, size_t cap)
{
	const char *p = message;

	line[0] = '\0';
	while (*p != '\0') {
		size_t n = strcspn(p, "\n");

		if (n > 0 && p[0] != '\t' && strncmp(p, "LOCATION:", 9) != 0 &&
		    strncmp(p, "HINT:", 5) != 0 &&
		    strncmp(p, "DETAIL:", 7) != 0) {
			size_t m = n < cap ? n : cap - 1;

			memcpy(line, p, m);
			line[m] = '\0';
		}
		p += n + (p[n] == '\n');
	}
}

static int
refused(PGconn *pg, bool replication, struct fault *f)
{
	char line[400], state[6];

	last_try(PQerrorMessage(pg), line, sizeof line);
	take_state(line, state);
	if (strcmp(state, "28000") == 0 && replication)
		return fault_set(f, FAULT_DENIED,
		    "PostgreSQL: %s (a backup needs a role with REPLICATION "
		    "and a line for it in pg_hba.conf)",
		    line);
	if (strcmp(state, "42501") == 0)
		return fault_set(f, FAULT_DENIED,
		    "PostgreSQL: %s (ALTER ROLE \"%s\" REPLICATION gives the "
		    "right)",
		    line, PQuser(pg) != NULL ? PQuser(pg) : "");
	if (strncmp(state, "28", 2) == 0)
		return fault_set(f, FAULT_DENIED, "PostgreSQL: %s", line);
	if (strcmp(state, "3D000") == 0)
		return fault_set(f, FAULT_CONFIG,
		    "PostgreSQL: %s (dbname in conninfo)", line);
	if (strcmp(state, "53300") == 0 && replication)
		return fault_set(f, FAULT_AGAIN,
		    "PostgreSQL: %s (all connections or walsenders are in use:"
		    " see max_wal_senders and pg_stat_replication)",
		    line);
	if (PQconnectionNeedsPassword(pg))
		return fault_set(f, FAULT_DENIED,
		    "PostgreSQL: %s (no password: see passfile in conninfo)",
		    line);
	return fault_set(f, FAULT_AGAIN, "PostgreSQL: %s", line);
}

/* Nobody's settings for ordinary sessions may end a backup, change the form
 * of what we read, or slip another function under a name. */
static int
set_up(PGconn *pg, struct fault *f)
{
	static const char *const sql[] = {
	    "SELECT pg_catalog.set_config('search_path', '', false)",
	    "SET statement_timeout = 0",
	    "SET lock_timeout = 0",
	    "SET idle_session_timeout = 0",
	    "SET idle_in_transaction_session_timeout = 0",
	    "SET DateStyle = 'ISO, YMD'",
	    "SET TimeZone = 'UTC'",
	};

	for (size_t i = 0; i < sizeof sql / sizeof sql[0]; i++) {
		PGresult *res = PQexec(pg, sql[i]);
		ExecStatusType s = PQresultStatus(res);

		PQclear(res);
		if (s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK)
			return fault_set(f,
			    PQstatus(pg) == CONNECTION_OK ? FAULT_CONFIG
							  : FAULT_AGAIN,
			    "PostgreSQL: %s: %.*s", sql[i],
			    (int)strcspn(PQerrorMessage(pg), "\n"),
			    PQerrorMessage(pg));
	}
	return 0;
}

static int
connect_params(
    PGconn **out, const struct params *p, bool replication, struct fault *f)
{
	PGconn *pg = PQconnectStartParams(p->key, p->value, 0);
	PostgresPollingStatusType s;
	int rc;

	if (pg == NULL)
		return fault_nomem(f);
	PQsetErrorVerbosity(pg, PQERRORS_VERBOSE);
	if (PQstatus(pg) == CONNECTION_BAD)
		s = PGRES_POLLING_FAILED;
	else
		s = connect_until(pg, p->timeout_ms);
	if (s == PGRES_POLLING_FAILED)
		rc = refused(pg, replication, f);
	else if (s != PGRES_POLLING_OK)
		rc = fault_set(f, FAULT_AGAIN,
		    "PostgreSQL: no connection to %s within %lld s",
		    PQhost(pg) != NULL ? PQhost(pg) : "the server",
		    (long long)(p->timeout_ms / 1000));
	else {
		PQsetErrorVerbosity(pg, PQERRORS_DEFAULT);
		rc = set_up(pg, f);
	}
	if (rc != 0) {
		PQfinish(pg);
		return rc;
	}
	*out = pg;
	return 0;
}

int
pgconn_open_raw(
    PGconn **out, const char *conninfo, bool replication, struct fault *f)
{
	char *error = NULL;
	PQconninfoOption *list = PQconninfoParse(conninfo, &error);
	struct params p = {.n = 0};
	int rc;

	if (list == NULL) {
		/* its text may repeat the value, and that a password */
		PQfreemem(error);
		return fault_set(f, FAULT_CONFIG,
		    "conninfo is not a connection string (KEYWORD = VALUE … or "
		    "postgresql://…)");
	}
	if (!collect(&p, list, replication))
		rc = fault_set(
		    f, FAULT_CONFIG, "conninfo has too many keywords");
	else
		rc = connect_params(out, &p, replication, f);
	PQconninfoFree(list);
	return rc;
}
