#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "crypto.h"

/* A record's object is never larger. */
#define OBJECT_MAX (1U << 17)

const char *
audit_flaw_word(enum audit_flaw flaw)
{
	static const char *const words[] = {
	    [AUDIT_MISSING] = "missing",
	    [AUDIT_UNREADABLE] = "unreadable",
	    [AUDIT_MALFORMED] = "malformed",
	    [AUDIT_BROKEN] = "broken",
	    [AUDIT_STRAY] = "stray",
	    [AUDIT_CUT] = "cut",
	};

	return words[flaw];
}

/* One walk: the listing comes writer by writer and, as numbers have twelve
 * digits, number by number. */
struct walk {
	struct repo *repo; /* a handle of its own: the listing uses the other */
	size_t index;
	const struct audit_check *c;
	const struct deadline *d;
	size_t prefix_len;
	bool *seen;             /* for each known head: is it there? */
	struct audit_head head; /* the last record that was seen */
	struct audit_head ours; /* and the last that our keys opened: anybody
				 * can put others, so nobody misses them */
	bool is_sound;
	struct audit_record *record;
	struct buf sealed;
	struct buf text;
};

static const unsigned char nothing[AUDIT_HASH];

static int tell(struct walk *w, enum audit_flaw flaw, uint64_t first,
    uint64_t last, const unsigned char hash[AUDIT_HASH], struct fault *f,
    const char *fmt, ...) __attribute__((format(printf, 7, 8)));

static int
tell(struct walk *w, enum audit_flaw flaw, uint64_t first, uint64_t last,
    const unsigned char hash[AUDIT_HASH], struct fault *f, const char *fmt, ...)
{
	char text[1200];
	struct audit_finding x = {
	    .flaw = flaw,
	    .writer = flaw == AUDIT_STRAY ? "" : w->head.writer,
	    .first = first,
	    .last = last,
	    .text = text,
	};
	va_list ap;

	if (w->c->finding == NULL)
		return 0;
	memcpy(x.hash, hash, sizeof x.hash);
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return w->c->finding(w->c->ctx, &x, f);
}

/* ---- known heads ---- */

/* Is this number one that a known head has? Then its hash must be that one. */
static int
compare_known(struct walk *w, struct fault *f)
{
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < w->c->n_known; k++) {
		const struct audit_head *h = &w->c->known[k];

		if (strcmp(h->writer, w->head.writer) != 0 ||
		    h->sequence != w->head.sequence)
			continue;
		w->seen[k] = true;
		if (memcmp(h->hash, w->head.hash, AUDIT_HASH) != 0)
			rc = tell(w, AUDIT_CUT, h->sequence, h->sequence,
			    h->hash, f,
			    "%s/%012" PRIu64
			    ": not the record that was there before",
			    h->writer, h->sequence);
	}
	return rc;
}

static int
tell_unseen(struct walk *w, struct fault *f)
{
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < w->c->n_known; k++) {
		const struct audit_head *h = &w->c->known[k];

		if (w->seen[k])
			continue;
		memcpy(w->head.writer, h->writer, sizeof w->head.writer);
		rc = tell(w, AUDIT_CUT, h->sequence, h->sequence, h->hash, f,
		    "%s/%012" PRIu64 ": was there before, and is gone",
		    h->writer, h->sequence);
	}
	return rc;
}

/* Does a known head of this writer vouch for what lies before it? With 1 as
 * beyond: is it that head itself, or before it? */
static bool
is_vouched(const struct walk *w, uint64_t beyond)
{
	for (size_t k = 0; w->c->since_known && k < w->c->n_known; k++)
		if (strcmp(w->c->known[k].writer, w->head.writer) == 0 &&
		    w->head.sequence < w->c->known[k].sequence + beyond)
			return true;
	return false;
}

/* ---- one record ---- */

/* 0 and *there; its hash is in hash. */
static int
fetch(struct walk *w, const char *key, unsigned char hash[AUDIT_HASH],
    bool *there, struct fault *f)
{
	struct deadline d =
	    deadline_step(w->d, repo_conf(w->repo)->store_deadline_ms);
	struct store *s;
	int rc = repo_store(w->repo, w->index, &s, f);

	buf_clear(&w->sealed);
	*there = false;
	if (rc != 0)
		return rc;
	rc =
	    store_get(s, key, 0, UINT64_MAX, buf_sink, &w->sealed, NULL, &d, f);
	if (rc != 0)
		return rc;
	*there = true;
	return crypto_sha256(w->sealed.data, w->sealed.len, hash, f);
}

/* Open what was fetched; a fault says what is wrong with it. */
static int
open_record(
    struct walk *w, const char *name, enum audit_flaw *flaw, struct fault *f)
{
	const struct object_id id = {
	    repo_cluster(w->repo), repo_system_id(w->repo), OBJECT_AUDIT, name};
	int rc;

	buf_clear(&w->text);
	*flaw = AUDIT_UNREADABLE;
	rc = object_open_all(&id, repo_keys(w->repo), w->sealed.data,
	    w->sealed.len, &w->text, f);
	if (rc != 0)
		return rc;
	*flaw = AUDIT_MALFORMED;
	rc = audit_record_decode(w->text.data, w->text.len, w->record, f);
	if (rc == 0 && (strcmp(w->record->writer, w->head.writer) != 0 ||
			   w->record->sequence != w->head.sequence))
		rc = fault_set(f, FAULT_CORRUPT, "says that it is another one");
	return rc;
}

static int
tell_broken(struct walk *w, const char *name,
    const unsigned char before[AUDIT_HASH], struct fault *f)
{
	unsigned char both[2 * AUDIT_HASH], hash[AUDIT_HASH];
	int rc;

	memcpy(both, before, AUDIT_HASH);
	memcpy(both + AUDIT_HASH, w->head.hash, AUDIT_HASH);
	rc = crypto_sha256(both, sizeof both, hash, f);
	if (rc != 0)
		return rc;
	return tell(w, AUDIT_BROKEN, w->head.sequence - 1, w->head.sequence,
	    hash, f,
	    "%s: was written behind another number %" PRIu64
	    " than the one that is there",
	    name, w->head.sequence - 1);
}

/* The record that is now the head, which followed on one of this hash. */
static int
look(struct walk *w, const char *name, bool follows,
    const unsigned char before[AUDIT_HASH], struct fault *f)
{
	struct fault why = FAULT_INIT;
	enum audit_flaw flaw;
	int rc = compare_known(w, f);

	if (rc != 0)
		return rc;
	rc = open_record(w, name, &flaw, &why);
	if (rc == FAULT_SYSTEM) {
		*f = why;
		return rc;
	}
	if (rc == 0 || flaw == AUDIT_MALFORMED)
		w->ours = w->head;
	if (rc != 0)
		return tell(w, flaw, w->head.sequence, w->head.sequence,
		    w->head.hash, f, "%s: %s", name, why.text);
	w->is_sound = true;
	if (follows && memcmp(w->record->previous, before, AUDIT_HASH) != 0 &&
	    (rc = tell_broken(w, name, before, f)) != 0)
		return rc;
	if (w->c->record == NULL || is_vouched(w, 1))
		return 0;
	return w->c->record(w->c->ctx, w->record, f);
}

/* ---- the walk ---- */

static int
end_writer(struct walk *w, struct fault *f)
{
	int rc = 0;

	if (w->ours.sequence > 0 && w->c->head != NULL)
		rc = w->c->head(w->c->ctx, &w->ours, f);
	memset(&w->head, 0, sizeof w->head);
	memset(&w->ours, 0, sizeof w->ours);
	w->is_sound = false;
	return rc;
}

static int
tell_missing(struct walk *w, uint64_t first, uint64_t last, struct fault *f)
{
	if (first == last)
		return tell(w, AUDIT_MISSING, first, last, nothing, f,
		    "%s/%012" PRIu64 ": is gone", w->head.writer, first);
	return tell(w, AUDIT_MISSING, first, last, nothing, f,
	    "%s/%012" PRIu64 " to %012" PRIu64 ": are gone", w->head.writer,
	    first, last);
}

static int
visit(struct walk *w, const struct store_entry *e, const char *name,
    uint64_t sequence, struct fault *f)
{
	unsigned char before[AUDIT_HASH], hash[AUDIT_HASH];
	/* What is unsound has been told: that its successor was not written
	 * behind such a thing goes without saying. */
	bool follows = w->is_sound && sequence == w->head.sequence + 1;
	bool there;
	int rc = 0;

	if (sequence > w->head.sequence + 1)
		rc = tell_missing(w, w->head.sequence + 1, sequence - 1, f);
	if (rc != 0)
		return rc;
	memcpy(before, w->head.hash, sizeof before);
	w->head.sequence = sequence;
	w->is_sound = false;
	if (is_vouched(w, 0))
		return 0;
	rc = fetch(w, e->key, hash, &there, f);
	if (rc == FAULT_ABSENT)
		return tell_missing(w, sequence, sequence, f);
	if (rc == FAULT_CORRUPT || (rc != 0 && fault_of_medium(f)))
		return tell(w, AUDIT_UNREADABLE, sequence, sequence, nothing, f,
		    "%s: %s", name, f->text);
	if (rc != 0)
		return rc;
	memcpy(w->head.hash, hash, sizeof hash);
	return look(w, name, follows, before, f);
}

static int
listed(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct walk *w = ctx;
	const char *name = e->key + w->prefix_len;
	struct fault ignored = FAULT_INIT;
	char writer[LAYOUT_WRITER];
	uint64_t sequence;
	int rc = 0;

	if (layout_audit_parse(name, writer, &sequence, &ignored) != 0)
		return tell(w, AUDIT_STRAY, 0, 0, nothing, f,
		    "%s: no audit record has such a name", e->key);
	if (strcmp(writer, w->head.writer) != 0) {
		rc = end_writer(w, f);
		memcpy(w->head.writer, writer, sizeof writer);
	}
	return rc != 0 ? rc : visit(w, e, name, sequence, f);
}

static int
walk_all(struct walk *w, struct repo *r, struct fault *f)
{
	char prefix[LAYOUT_KEY];
	struct store *s;
	int rc;

	if ((rc = layout_audit_prefix(
		 repo_cluster(r), repo_system_id(r), prefix, f)) != 0 ||
	    (rc = repo_store(r, w->index, &s, f)) != 0)
		return rc;
	w->prefix_len = strlen(prefix);
	rc = store_list(s, prefix, false, NULL, listed, w, w->d, f);
	if (rc == 0)
		rc = end_writer(w, f);
	return rc != 0 ? rc : tell_unseen(w, f);
}

int
audit_check(struct repo *r, size_t i, const struct audit_check *c,
    const struct deadline *d, struct fault *f)
{
	struct walk w = {.index = i, .c = c, .d = d};
	int rc;

	if (repo_keys(r) != NULL && !keyring_can_open(repo_keys(r)))
		return fault_set(f, FAULT_KEY,
		    "the audit trail can be read with the key itself only, "
		    "not with its recipient part");
	buf_init(&w.sealed, OBJECT_MAX);
	buf_init(&w.text, AUDIT_RECORD_MAX);
	w.seen = calloc(c->n_known + 1, sizeof *w.seen);
	w.record = calloc(1, sizeof *w.record);
	if (w.seen == NULL || w.record == NULL)
		rc = fault_nomem(f);
	else if ((rc = repo_clone(&w.repo, r, f)) == 0)
		rc = walk_all(&w, r, f);
	repo_free(w.repo);
	buf_free(&w.sealed);
	buf_free(&w.text);
	free(w.record);
	free(w.seen);
	return rc;
}
