#include "evidence.h"

#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "ledger.h"

#define REPORT_MAX (32U << 20)
#define FORMAT 1

void
evidence_free(struct evidence *e)
{
	free(e->wal);
	free(e->backups);
	json_free(e->all);
	memset(e, 0, sizeof *e);
}

const struct evidence_backup *
evidence_find(const struct evidence *e, const char *id)
{
	for (size_t i = 0; i < e->n_backups; i++)
		if (strcmp(e->backups[i].id, id) == 0)
			return &e->backups[i];
	return NULL;
}

/* ---- reading ---- */

static int
take_wal(const struct json *read, struct evidence *e, struct fault *f)
{
	struct json *list, *j;
	size_t n;
	int rc = json_get_array(read, "wal", &list, &n, f);

	if (rc != 0)
		return rc;
	e->wal = calloc(n + 1, sizeof *e->wal);
	if (e->wal == NULL)
		return fault_nomem(f);
	for (size_t i = 0; i < n; i++) {
		struct blocks_mark *m = &e->wal[i];

		if ((rc = json_at(list, i, &j, f)) != 0 ||
		    (rc = json_get_u32(j, "timeline", 0, &m->timeline, f)) !=
			0 ||
		    (rc = json_get_u32(j, "log", 0, &m->log, f)) != 0 ||
		    (rc = json_get_u32(j, "first", 0, &m->first, f)) != 0 ||
		    (rc = json_get_u32(j, "last", 0, &m->last, f)) != 0 ||
		    (rc = json_get_u32(j, "files", 0, &m->files, f)) != 0 ||
		    (rc = json_get_hex(j, "sum", m->sum, BLOCKS_SUM, f)) != 0 ||
		    (rc = json_get_i64(j, "read_us", &m->read_us, f)) != 0)
			return rc;
		if (m->last < m->first ||
		    (i > 0 && !blocks_in_order(&m[-1], m)))
			return fault_set(
			    f, FAULT_CORRUPT, "WAL that is out of order");
		e->n_wal++;
	}
	return 0;
}

static int
take_backups(const struct json *read, struct evidence *e, struct fault *f)
{
	struct json *list, *j;
	size_t n;
	int rc = json_get_array(read, "backups", &list, &n, f);

	if (rc != 0)
		return rc;
	e->backups = calloc(n + 1, sizeof *e->backups);
	if (e->backups == NULL)
		return fault_nomem(f);
	for (size_t i = 0; i < n; i++) {
		struct evidence_backup *b = &e->backups[i];

		if ((rc = json_at(list, i, &j, f)) != 0 ||
		    (rc = json_get_text(j, "id", b->id, sizeof b->id, f)) !=
			0 ||
		    (rc = layout_check_id(b->id, f)) != 0 ||
		    (rc = json_get_u64(j, "objects", &b->objects, f)) != 0 ||
		    (rc = json_get_hex(j, "sum", b->sum, BLOCKS_SUM, f)) != 0 ||
		    (rc = json_get_i64(j, "read_us", &b->read_us, f)) != 0)
			return rc;
		e->n_backups++;
	}
	return 0;
}

static int
take_report(struct evidence *e, struct fault *f)
{
	struct json *read;
	const char *id;
	int rc;

	if ((rc = json_get_format(e->all, FORMAT, f)) != 0 ||
	    (rc = json_get_str(e->all, "id", &id, f)) != 0)
		return rc;
	if (strcmp(id, e->id) != 0)
		return fault_set(f, FAULT_CORRUPT, "is no report of this id");
	if ((rc = json_get_object(e->all, "read", &read, f)) != 0 ||
	    (rc = take_wal(read, e, f)) != 0)
		return rc;
	return take_backups(read, e, f);
}

/* What is read of it later: no run is to end at a report that cannot be. */
static int
check_rest(const struct evidence *e, struct fault *f)
{
	struct audit_head *heads = NULL;
	struct evidence_prune *prunes = NULL;
	struct evidence_tail *tails = NULL;
	struct evidence_named *unrecorded = NULL;
	struct ledger l;
	size_t n;
	int rc = evidence_heads(e->all, &heads, &n, f);

	if (rc == 0)
		rc = evidence_past_prunes(e->all, &prunes, &n, f);
	if (rc == 0)
		rc = evidence_past_tails(e->all, &tails, &n, f);
	if (rc == 0)
		rc = evidence_past_unrecorded(e->all, &unrecorded, &n, f);
	free(heads);
	free(prunes);
	free(tails);
	free(unrecorded);
	if (rc != 0)
		return rc;
	ledger_begin(&l);
	rc = ledger_recall(&l, e->all, true, f);
	ledger_free(&l);
	return rc;
}

int
evidence_decode(const void *text, size_t len, const char *id,
    struct evidence *out, struct fault *f)
{
	struct evidence e = {.id = ""};
	int rc;

	memcpy(e.id, id, strnlen(id, sizeof e.id - 1));
	rc = json_parse(&e.all, "report", text, len, f);
	if (rc == 0)
		rc = crypto_sha256(text, len, e.hash, f);
	if (rc == 0)
		rc = take_report(&e, f);
	if (rc == 0)
		rc = check_rest(&e, f);
	/* An id of a backup that is none. */
	if (rc == FAULT_CONFIG)
		rc = fault_recode(f, FAULT_CORRUPT);
	if (rc != 0)
		evidence_free(&e);
	else
		*out = e;
	return rc;
}

static int
get_report(
    struct repo *r, size_t i, const char *id, struct buf *text, struct fault *f)
{
	struct deadline d = deadline_in_ms(repo_conf(r)->store_deadline_ms);
	char key[LAYOUT_KEY], name[LAYOUT_KEY];
	int rc;

	if ((rc = layout_verify(
		 repo_cluster(r), repo_system_id(r), id, key, f)) != 0 ||
	    (rc = layout_hold_name(id, "report", name, f)) != 0)
		return rc;
	return repo_get_object(r, i, key, OBJECT_REPORT, name, text, &d, f);
}

int
evidence_hash(struct repo *r, size_t i, const char *id,
    unsigned char hash[AUDIT_HASH], struct fault *f)
{
	struct buf text = BUF_INIT(REPORT_MAX);
	int rc = get_report(r, i, id, &text, f);

	if (rc == 0)
		rc = crypto_sha256(text.data, text.len, hash, f);
	buf_free(&text);
	return rc;
}

int
evidence_last(struct repo *r, size_t i, struct evidence *out, struct fault *f)
{
	struct buf text = BUF_INIT(REPORT_MAX);
	char id[LAYOUT_ID] = "";
	int rc;

	memset(out, 0, sizeof *out);
	rc = evidence_list_newest(r, i, id, f);
	if (rc != 0 || id[0] == '\0')
		return rc;
	memcpy(out->id, id, sizeof id);
	if ((rc = get_report(r, i, id, &text, f)) == 0)
		rc = evidence_decode(text.data, text.len, id, out, f);
	buf_free(&text);
	if (rc == FAULT_CONFIG || rc == FAULT_ABSENT)
		rc = fault_recode(f, FAULT_CORRUPT);
	return rc;
}

static int
take_chain(const struct json *j, struct audit_head *h, struct fault *f)
{
	int rc;

	if ((rc = json_get_text(j, "writer", h->writer, sizeof h->writer, f)) !=
		0 ||
	    (rc = json_get_u64(j, "sequence", &h->sequence, f)) != 0)
		return rc;
	return json_get_hex(j, "hash", h->hash, AUDIT_HASH, f);
}

/* Behind those that *h has already. */
static int
take_chains(const struct json *report, const char *member,
    struct audit_head **h, size_t *n, struct fault *f)
{
	struct json *list, *j;
	size_t count;
	void *grown;
	int rc;

	if (report == NULL || !json_has(report, member))
		return 0;
	if ((rc = json_get_array(report, member, &list, &count, f)) != 0)
		return rc;
	grown = reallocarray(*h, *n + count + 1, sizeof **h);
	if (grown == NULL)
		return fault_nomem(f);
	*h = grown;
	for (size_t i = 0; rc == 0 && i < count; i++)
		if ((rc = json_at(list, i, &j, f)) == 0)
			rc = take_chain(j, *h + (*n)++, f);
	return rc;
}

int
evidence_heads(const struct json *report, struct audit_head **out, size_t *n,
    struct fault *f)
{
	struct audit_head *h = NULL;
	size_t count = 0;
	int rc = take_chains(report, "audit", &h, &count, f);

	if (rc == 0)
		rc = take_chains(report, "audit_lost", &h, &count, f);
	if (rc != 0) {
		free(h);
		return rc;
	}
	*out = h;
	*n = count;
	return 0;
}

/* ---- writing ---- */

static int
put_mark(struct json *list, const struct blocks_mark *m, struct fault *f)
{
	struct json *j;
	int rc;

	if ((rc = json_append_object(list, &j, f)) != 0 ||
	    (rc = json_put_i64(j, "timeline", m->timeline, f)) != 0 ||
	    (rc = json_put_i64(j, "log", m->log, f)) != 0 ||
	    (rc = json_put_i64(j, "first", m->first, f)) != 0 ||
	    (rc = json_put_i64(j, "last", m->last, f)) != 0 ||
	    (rc = json_put_i64(j, "files", m->files, f)) != 0 ||
	    (rc = json_put_hex(j, "sum", m->sum, BLOCKS_SUM, f)) != 0)
		return rc;
	return json_put_i64(j, "read_us", m->read_us, f);
}

static int
put_backup(struct json *list, const struct evidence_backup *b, struct fault *f)
{
	struct json *j;
	int rc;

	if ((rc = json_append_object(list, &j, f)) != 0 ||
	    (rc = json_put_str(j, "id", b->id, f)) != 0 ||
	    (rc = json_put_u64(j, "objects", b->objects, f)) != 0 ||
	    (rc = json_put_hex(j, "sum", b->sum, BLOCKS_SUM, f)) != 0)
		return rc;
	return json_put_i64(j, "read_us", b->read_us, f);
}

int
evidence_put(struct json *report, const struct blocks_mark *wal, size_t n_wal,
    const struct evidence_backup *backups, size_t n_backups, struct fault *f)
{
	struct json *read, *list;
	int rc;

	if ((rc = json_put_object(report, "read", &read, f)) != 0 ||
	    (rc = json_put_array(read, "wal", &list, f)) != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < n_wal; i++)
		rc = put_mark(list, &wal[i], f);
	if (rc == 0)
		rc = json_put_array(read, "backups", &list, f);
	for (size_t i = 0; rc == 0 && i < n_backups; i++)
		rc = put_backup(list, &backups[i], f);
	return rc;
}

int
evidence_store(struct repo *r, size_t i, const char *id,
    const struct json *report, unsigned char hash[AUDIT_HASH], struct fault *f)
{
	struct deadline d = deadline_in_ms(repo_conf(r)->store_deadline_ms);
	char key[LAYOUT_KEY], name[LAYOUT_KEY], *text = NULL;
	size_t len;
	int rc;

	if ((rc = json_dump(report, &text, &len, f)) == 0 &&
	    (rc = crypto_sha256(text, len, hash, f)) == 0 &&
	    (rc = layout_verify(
		 repo_cluster(r), repo_system_id(r), id, key, f)) == 0 &&
	    (rc = layout_hold_name(id, "report", name, f)) == 0)
		rc = repo_put_object(
		    r, i, key, OBJECT_REPORT, name, text, len, &d, f);
	if (rc != 0)
		fault_prefix(f, "the report of this verification");
	free(text);
	return rc;
}
