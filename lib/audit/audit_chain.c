#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit_core.h"
#include "audit_settings.h"
#include "crypto.h"
#include "lock.h"

/* A record becomes the next of its chain. */

/* More than a record's JSON can grow by sealing. */
#define SEALED_MAX AUDIT_STATE_PENDING
_Static_assert(SEALED_MAX >= AUDIT_RECORD_MAX + OBJECT_HEADER_MAX + 4096,
    "room for a sealed record");
/* A number that others took each time is not chance. */
#define TURNS 4

const char *
audit_chain_place(const struct audit *a)
{
	return repo_conf(a->repo)->repos[a->index]->name;
}

/* There is nothing to go on from; but what the settings were is known. */
static void
forget(struct audit *a, const char *why)
{
	char *was = a->state.settings;

	audit_state_done(&a->state);
	memset(&a->state, 0, sizeof a->state);
	a->state.settings = was;
	audit_text(a->why, sizeof a->why, why);
}

static void
go_alone(struct audit *a, const struct fault *because)
{
	a->alone = true;
	forget(a, because->text);
}

static void
load(struct audit *a, int *lock, const struct deadline *d)
{
	struct fault f = FAULT_INIT;

	if (a->alone)
		return;
	if (audit_state_lock(a->path, lock, d, &f) != 0) {
		go_alone(a, &f);
		return;
	}
	audit_state_free(&a->state);
	if (audit_state_load(a->path, a->host, &a->state, &f) != 0)
		forget(a, f.text);
}

/* The first writer of a user on a host is nothing to be told of. */
static int
new_writer(struct audit *a, struct fault *f)
{
	uint32_t random;
	int rc = crypto_random(&random, sizeof random, f);

	if (rc != 0)
		return rc;
	layout_new_writer(a->host, random, a->state.writer);
	if (a->alone || access(a->path, F_OK) == 0)
		snprintf(a->remark, sizeof a->remark,
		    "audit trail in repository %s: a new writer %s begins: "
		    "%.600s%s",
		    audit_chain_place(a), a->state.writer, a->why,
		    a->alone && !a->shared
			? "; is spool_dir there, and this user's?"
			: "");
	return 0;
}

/* Stores that take a condition and pass over it are asked first. Credentials
 * that can only put are refused an answer, and put all the same. */
static int
is_free(
    struct store *s, const char *key, const struct deadline *d, struct fault *f)
{
	int rc;

	if (!store_may_rewrite(s))
		return 0;
	rc = store_stat(s, key, NULL, d, f);
	if (rc == 0)
		return fault_set(
		    f, FAULT_EXISTS, "%s: %s exists", store_url(s), key);
	return rc == FAULT_ABSENT || rc == FAULT_DENIED ? 0 : rc;
}

/* The pending object gets its name. */
static int
put(struct audit *a, const struct deadline *d, struct fault *f)
{
	const struct audit_state *s = &a->state;
	char key[LAYOUT_KEY];
	struct store *store;
	int rc;

	if ((rc = layout_audit(repo_cluster(a->repo), repo_system_id(a->repo),
		 s->writer, s->sequence + 1, key, f)) != 0 ||
	    (rc = repo_store_for(a->repo, a->index, OBJECT_AUDIT, &store, f)) !=
		0 ||
	    ((s->sequence > 0 || a->shared) &&
		(rc = is_free(store, key, d, f)) != 0))
		return rc;
	return store_put(store, key, s->pending, s->pending_len, d, f);
}

/* It is there: the chain goes on from it. That this cannot be noted is no
 * fault: the note that was made before the put is enough to find out. */
static int
settle(struct audit *a, struct fault *f)
{
	struct audit_state *s = &a->state;
	struct fault ignored = FAULT_INIT;
	int rc = crypto_sha256(s->pending, s->pending_len, s->hash, f);

	if (rc != 0)
		return rc;
	s->sequence++;
	if (s->pending_settings != NULL) {
		free(s->settings);
		s->settings = s->pending_settings;
		s->pending_settings = NULL;
	}
	audit_state_done(s);
	if (!a->alone)
		(void)audit_state_save(a->path, s, &ignored);
	return 0;
}

static void
taken(struct audit *a)
{
	char why[AUDIT_TEXT];

	snprintf(why, sizeof why,
	    "number %" PRIu64 " of writer %s was taken by another",
	    a->state.sequence + 1, a->state.writer);
	forget(a, why);
}

/* Whose is the object that has the name? */
enum owner {
	OWNER_US,
	OWNER_ANOTHER,
	OWNER_UNKNOWN, /* we may not read */
};

/* A store that does not answer now may answer later: that is a fault. */
static int
whose(struct audit *a, enum owner *o, const struct deadline *d, struct fault *f)
{
	struct buf there = BUF_INIT(SEALED_MAX);
	char key[LAYOUT_KEY];
	struct store *s;
	int rc;

	if ((rc = layout_audit(repo_cluster(a->repo), repo_system_id(a->repo),
		 a->state.writer, a->state.sequence + 1, key, f)) != 0 ||
	    (rc = repo_store(a->repo, a->index, &s, f)) != 0)
		return rc;
	rc = store_get(s, key, 0, UINT64_MAX, buf_sink, &there, NULL, d, f);
	*o = OWNER_ANOTHER;
	if (rc == FAULT_DENIED)
		*o = OWNER_UNKNOWN;
	else if (rc == 0 && there.len == a->state.pending_len &&
		 memcmp(there.data, a->state.pending, there.len) == 0)
		*o = OWNER_US;
	buf_free(&there);
	/* No record is so large. */
	if (rc == FAULT_DENIED || rc == FAULT_CORRUPT)
		return 0;
	return rc == FAULT_ABSENT ? fault_recode(f, FAULT_AGAIN) : rc;
}

/* What was sent before, and may have arrived or not. Who may not read takes
 * what is there for his: it was he who last used the name. */
static int
send_pending(struct audit *a, const struct deadline *d, struct fault *f)
{
	enum owner o = OWNER_US;
	int rc = put(a, d, f);

	if (rc == FAULT_EXISTS)
		rc = whose(a, &o, d, f);
	if (rc != 0)
		return rc;
	if (o == OWNER_ANOTHER) {
		taken(a);
		return 0;
	}
	return settle(a, f);
}

/* Seal the record as the next of its chain: it is pending then. */
static int
compose(struct audit *a, struct fault *f)
{
	struct audit_record *r = &a->record;
	struct audit_state *s = &a->state;
	struct buf text = BUF_INIT(AUDIT_RECORD_MAX);
	struct buf sealed = BUF_INIT(SEALED_MAX);
	char name[LAYOUT_KEY];
	int rc;

	memcpy(r->writer, s->writer, sizeof r->writer);
	r->sequence = s->sequence + 1;
	memcpy(r->previous, s->hash, sizeof r->previous);
	memcpy(r->began, s->sequence == 0 ? a->why : "",
	    s->sequence == 0 ? sizeof r->began : 1);
	audit_settings_compare(s->settings, a->settings, r);
	if ((rc = layout_audit_name(r->writer, r->sequence, name, f)) == 0 &&
	    (rc = audit_record_encode(r, &text, f)) == 0)
		rc = repo_seal_object(a->repo, OBJECT_AUDIT, name, text.data,
		    text.len, &sealed, f);
	buf_free(&text);
	if (rc != 0) {
		buf_free(&sealed);
		return rc;
	}
	s->pending = sealed.data;
	s->pending_len = sealed.len;
	free(s->pending_settings);
	s->pending_settings = a->settings != NULL ? strdup(a->settings) : NULL;
	return 0;
}

/* The store will not have it. */
static void
drop(struct audit *a)
{
	struct fault ignored = FAULT_INIT;

	audit_state_done(&a->state);
	if (a->alone)
		return;
	if (a->state.sequence > 0)
		(void)audit_state_save(a->path, &a->state, &ignored);
	else
		(void)unlink(a->path);
}

/* One try: *again when the chain that was gone on with has turned out not to
 * be ours, or cannot be noted. */
static int
turn(struct audit *a, bool *again, const struct deadline *d, struct fault *f)
{
	struct fault note = FAULT_INIT;
	enum owner o;
	int rc;

	*again = false;
	if (a->state.pending != NULL && (rc = send_pending(a, d, f)) != 0)
		return rc;
	if (a->state.writer[0] == '\0' && (rc = new_writer(a, f)) != 0)
		return rc;
	if ((rc = compose(a, f)) != 0)
		return rc;
	if (!a->alone && audit_state_save(a->path, &a->state, &note) != 0) {
		go_alone(a, &note);
		*again = true;
		return 0;
	}
	rc = put(a, d, f);
	/* A request whose answer was lost was made again: then the name is
	 * taken by its own object. Who may not read cannot tell, and rather
	 * records twice. */
	if (rc == 0)
		return settle(a, f);
	if (rc == FAULT_DENIED)
		drop(a);
	if (rc != FAULT_EXISTS)
		return rc;
	if ((rc = whose(a, &o, d, f)) != 0)
		return rc;
	if (o == OWNER_US)
		return settle(a, f);
	if (a->shared) {
		audit_state_done(&a->state);
		return fault_set(f, FAULT_EXISTS,
		    "%s goes on already: another has recorded it",
		    a->state.writer);
	}
	taken(a);
	*again = true;
	return 0;
}

int
audit_chain_store(struct audit *a, const struct deadline *d, struct fault *f)
{
	int lock = -1, rc = 0;
	bool again = true;

	load(a, &lock, d);
	for (int k = 0; again && k < TURNS; k++)
		rc = turn(a, &again, d, f);
	lock_release(lock);
	if (rc == 0 && again)
		rc = fault_set(f, FAULT_SYSTEM, "no chain can be gone on with");
	return rc != 0
		   ? fault_prefix(f, "audit record not stored in repository %s",
			 audit_chain_place(a))
		   : 0;
}
