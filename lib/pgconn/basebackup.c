#include "basebackup.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "pgconn_raw.h"
#include "text.h"

/* The protocol, for both forms: result sets and COPY streams in the order in
 * which they come. */

#define COMMAND_MAX 4096
#define TABLESPACES_MAX 1024
/* The server's own limits of MAX_RATE, in kilobytes per second. */
#define RATE_MIN 32
#define RATE_MAX 1048576

struct run {
	struct pgconn *c;
	PGconn *pg;
	const struct basebackup_events *ev;
	void *ctx;
	uint32_t oids[TABLESPACES_MAX];
	size_t n;
	bool in_archive;
	bool in_manifest;
	size_t archives;   /* seen */
	PGresult *pending; /* came after a COPY, not looked at yet */
};

static PGresult *
next_result(struct run *r)
{
	PGresult *res = r->pending;

	r->pending = NULL;
	return res != NULL ? res : PQgetResult(r->pg);
}

/* The answer was wrong: an error of the server, or nothing we know. */
static int
wrong(struct run *r, PGresult *res, struct fault *f)
{
	int rc = pgconn_fault(r->c, res, "base backup", f);
	const char *warnings = pgconn_warnings(r->c);

	if (rc == FAULT_CORRUPT && warnings[0] != '\0')
		rc = fault_set(f, FAULT_CORRUPT,
		    "PostgreSQL: base backup: %s: %s",
		    PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY), warnings);
	PQclear(res);
	return rc;
}

static int
next_rows(struct run *r, int columns, PGresult **out, struct fault *f)
{
	PGresult *res = next_result(r);

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		return wrong(r, res, f);
	if (PQnfields(res) < columns || PQntuples(res) < 1) {
		PQclear(res);
		return fault_set(f, FAULT_SYSTEM,
		    "PostgreSQL: base backup: a result set without its rows");
	}
	*out = res;
	return 0;
}

static int
take_position(struct run *r, uint64_t *lsn, uint32_t *timeline, struct fault *f)
{
	PGresult *res = NULL;
	int rc = next_rows(r, 2, &res, f);

	if (rc != 0)
		return rc;
	if (text_lsn(PQgetvalue(res, 0, 0), lsn) != 0 ||
	    text_u32(PQgetvalue(res, 0, 1), timeline) != 0 || *timeline == 0)
		rc = fault_set(f, FAULT_SYSTEM,
		    "PostgreSQL: base backup: position \"%s\" \"%s\" cannot be "
		    "read",
		    PQgetvalue(res, 0, 0), PQgetvalue(res, 0, 1));
	PQclear(res);
	return rc;
}

static int
take_tablespace(struct run *r, PGresult *res, int i, struct fault *f)
{
	const char *path = PQgetvalue(res, i, 1);
	uint64_t size = UINT64_MAX;
	uint32_t oid = 0;

	if (!PQgetisnull(res, i, 0)) {
		if (text_u32(PQgetvalue(res, i, 0), &oid) != 0 || oid == 0)
			return fault_set(f, FAULT_SYSTEM,
			    "PostgreSQL: base backup: tablespace \"%s\"?",
			    PQgetvalue(res, i, 0));
	}
	if (!PQgetisnull(res, i, 2) &&
	    text_u64(PQgetvalue(res, i, 2), &size) == 0)
		size = size > UINT64_MAX / 1024 ? UINT64_MAX : size * 1024;
	r->oids[r->n++] = oid;
	return r->ev->tablespace(r->ctx, oid, oid == 0 ? "" : path, size, f);
}

static int
take_tablespaces(struct run *r, struct fault *f)
{
	PGresult *res = NULL;
	int rc = next_rows(r, 3, &res, f);

	if (rc != 0)
		return rc;
	if (PQntuples(res) > TABLESPACES_MAX)
		rc = fault_set(f, FAULT_CONFIG, "more than %d tablespaces",
		    TABLESPACES_MAX);
	for (int i = 0; rc == 0 && i < PQntuples(res); i++)
		rc = take_tablespace(r, res, i, f);
	PQclear(res);
	return rc;
}

/* One COPY stream to take, message by message. */
static int
copy_out(struct run *r,
    int (*take)(struct run *, const unsigned char *, size_t, struct fault *),
    struct fault *f)
{
	PGresult *res = next_result(r);
	char *data;
	int n, rc = 0;

	if (PQresultStatus(res) != PGRES_COPY_OUT)
		return wrong(r, res, f);
	PQclear(res);
	while ((n = PQgetCopyData(r->pg, &data, 0)) > 0) {
		rc = take(r, (unsigned char *)data, (size_t)n, f);
		PQfreemem(data);
		if (rc != 0)
			return rc;
	}
	if (n == -2)
		return pgconn_fault(r->c, NULL, "base backup", f);
	/* An error ends the stream too; it must be told before anybody finds
	 * that the archive is not complete. */
	res = PQgetResult(r->pg);
	if (res == NULL || PQresultStatus(res) == PGRES_FATAL_ERROR)
		return wrong(r, res, f);
	r->pending = res;
	return 0;
}

/* ---- up to 14: one stream per tablespace, then the manifest's ---- */

static int
take_data(struct run *r, const unsigned char *p, size_t n, struct fault *f)
{
	return r->ev->data(r->ctx, p, n, f);
}

static int
take_manifest(struct run *r, const unsigned char *p, size_t n, struct fault *f)
{
	return r->ev->manifest(r->ctx, p, n, f);
}

static int
streams(struct run *r, struct fault *f)
{
	int rc;

	for (size_t i = 0; i < r->n; i++) {
		if ((rc = r->ev->archive(r->ctx, r->oids[i], f)) != 0 ||
		    (rc = copy_out(r, take_data, f)) != 0 ||
		    (rc = r->ev->archive_end(r->ctx, f)) != 0)
			return rc;
	}
	return copy_out(r, take_manifest, f);
}

/* ---- from 15: one stream of messages ---- */

static int
unknown(struct fault *f)
{
	return fault_set(f, FAULT_SYSTEM,
	    "PostgreSQL: base backup: a message that is not in the protocol");
}

static int
archive_over(struct run *r, struct fault *f)
{
	if (!r->in_archive)
		return 0;
	r->in_archive = false;
	return r->ev->archive_end(r->ctx, f);
}

/* "base.tar" or "OID.tar". */
static int
take_archive(struct run *r, const unsigned char *p, size_t n, struct fault *f)
{
	char name[32];
	uint32_t oid = 0;
	size_t len = strnlen((const char *)p, n);
	int rc;

	if (len == n || len < 5 || len >= sizeof name)
		return unknown(f);
	memcpy(name, p, len + 1);
	if (strcmp(name, "base.tar") != 0) {
		if (strcmp(name + len - 4, ".tar") != 0)
			return unknown(f);
		name[len - 4] = '\0';
		if (text_u32(name, &oid) != 0 || oid == 0)
			return unknown(f);
	}
	if ((rc = archive_over(r, f)) != 0)
		return rc;
	r->in_archive = true;
	r->archives++;
	return r->ev->archive(r->ctx, oid, f);
}

static int
take_message(struct run *r, const unsigned char *p, size_t n, struct fault *f)
{
	int rc;

	switch (p[0]) {
	case 'n':
		return r->in_manifest ? unknown(f)
				      : take_archive(r, p + 1, n - 1, f);
	case 'm':
		if ((rc = archive_over(r, f)) != 0)
			return rc;
		r->in_manifest = true;
		return 0;
	case 'd':
		if (r->in_manifest)
			return r->ev->manifest(r->ctx, p + 1, n - 1, f);
		return r->in_archive ? r->ev->data(r->ctx, p + 1, n - 1, f)
				     : unknown(f);
	case 'p':
		return 0;
	default:
		return unknown(f);
	}
}

static int
messages(struct run *r, struct fault *f)
{
	int rc;

	if ((rc = copy_out(r, take_message, f)) != 0 ||
	    (rc = archive_over(r, f)) != 0)
		return rc;
	if (r->archives != r->n || !r->in_manifest)
		return fault_set(f, FAULT_SYSTEM,
		    "PostgreSQL: base backup: %zu archives of %zu came",
		    r->archives, r->n);
	return 0;
}

/* ---- the command ---- */

static int
command(struct run *r, const struct basebackup_options *o, struct buf *b,
    struct fault *f)
{
	char *label = PQescapeLiteral(r->pg, o->label, strlen(o->label));
	bool list = PQserverVersion(r->pg) >= 150000;
	uint64_t rate = o->rate / 1024;
	int rc;

	/* E'…' is not of the replication grammar */
	if (label == NULL || label[0] != '\'') {
		PQfreemem(label);
		return fault_set(f, FAULT_CONFIG,
		    "\"%s\" cannot be a backup's label in PostgreSQL",
		    o->label);
	}
	rate = rate < RATE_MIN ? RATE_MIN : rate > RATE_MAX ? RATE_MAX : rate;
	if (list)
		rc = buf_printf(b, f,
		    "BASE_BACKUP (LABEL %s, PROGRESS true, CHECKPOINT '%s', "
		    "WAIT false, MANIFEST 'yes'",
		    label, o->fast_checkpoint ? "fast" : "spread");
	else
		rc = buf_printf(b, f,
		    "BASE_BACKUP LABEL %s PROGRESS %s NOWAIT MANIFEST 'yes'",
		    label, o->fast_checkpoint ? "FAST" : "");
	PQfreemem(label);
	if (rc == 0 && o->rate != 0)
		rc = buf_printf(
		    b, f, "%s MAX_RATE %" PRIu64, list ? "," : "", rate);
	if (rc == 0 && list)
		rc = buf_put_str(b, ")", f);
	return rc == 0 ? buf_terminate(b, f) : rc;
}

static int
receive(
    struct run *r, uint64_t *stop_lsn, uint32_t *stop_timeline, struct fault *f)
{
	struct basebackup_start start;
	PGresult *res;
	int rc;

	if ((rc = take_position(r, &start.lsn, &start.timeline, f)) != 0 ||
	    (rc = r->ev->start(r->ctx, &start, f)) != 0 ||
	    (rc = take_tablespaces(r, f)) != 0)
		return rc;
	rc = PQserverVersion(r->pg) >= 150000 ? messages(r, f) : streams(r, f);
	if (rc != 0)
		return rc;
	/* The end of a COPY is told by a result of its own. */
	for (;;) {
		res = next_result(r);
		if (PQresultStatus(res) != PGRES_COMMAND_OK)
			break;
		PQclear(res);
	}
	if (PQresultStatus(res) != PGRES_TUPLES_OK || PQntuples(res) != 1 ||
	    PQnfields(res) < 2)
		return wrong(r, res, f);
	if (text_lsn(PQgetvalue(res, 0, 0), stop_lsn) != 0 ||
	    text_u32(PQgetvalue(res, 0, 1), stop_timeline) != 0)
		rc = unknown(f);
	PQclear(res);
	if (rc != 0)
		return rc;
	while ((res = next_result(r)) != NULL) {
		if (PQresultStatus(res) != PGRES_COMMAND_OK)
			return wrong(r, res, f);
		PQclear(res);
	}
	return 0;
}

int
basebackup_run(struct pgconn *c, const struct basebackup_options *o,
    const struct basebackup_events *ev, void *ctx, uint64_t *stop_lsn,
    uint32_t *stop_timeline, struct fault *f)
{
	struct run *r = calloc(1, sizeof *r);
	struct buf sql = BUF_INIT(COMMAND_MAX);
	int rc;

	if (r == NULL)
		return fault_nomem(f);
	r->c = c;
	r->pg = pgconn_raw(c);
	r->ev = ev;
	r->ctx = ctx;
	pgconn_warnings_clear(c);
	rc = command(r, o, &sql, f);
	if (rc == 0 && PQsendQuery(r->pg, (const char *)sql.data) != 1)
		rc = pgconn_fault(c, NULL, "base backup", f);
	if (rc == 0)
		rc = receive(r, stop_lsn, stop_timeline, f);
	buf_free(&sql);
	PQclear(r->pending);
	free(r);
	return rc;
}
