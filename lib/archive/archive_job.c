#include "archive_job.h"

#include <string.h>
#include <sys/stat.h>

#include "archive_place.h"
#include "archive_spare.h"

/* Beside the file and its object: buffers, the codec's tables. */
#define JOB_BESIDE ((size_t)2 << 20)

static void
job_params(const struct archive_job_task *t, const struct repo *r,
    struct object_params *o)
{
	*o = (struct object_params){
	    .id = t->key.id,
	    .keys = repo_keys(r),
	    .codec = (enum codec_kind)t->conf->codec,
	    .level = t->conf->level,
	    .meta = t->file.meta.data,
	    .meta_len = t->file.meta.len,
	    .digest = &t->file.digest,
	};
}

/* What of the file and its object is in memory while it is sealed. */
struct job_memory {
	const struct archive_job_task *task;
	size_t most;
	size_t passed; /* up to there the file is not */
	bool widened;
};

static void
job_memory_begin(struct job_memory *m, const struct archive_job_task *t)
{
	const struct archive_room *room = t->room;

	*m = (struct job_memory){.task = t, .widened = room == NULL};
	m->most = (room != NULL ? room->bytes : ARCHIVE_PUSH_ROOM) - JOB_BESIDE;
}

/* Before so many bytes more are sealed: may the object grow by them? */
static void
job_memory_grow(struct job_memory *m, size_t n)
{
	const struct archive_job_task *t = m->task;

	if (m->widened || t->sealed.len + n + ARCHIVE_FILE_PART <= m->most)
		return;
	t->room->widen(t->room->ctx);
	m->most = ARCHIVE_PUSH_ROOM - JOB_BESIDE;
	m->widened = true;
}

/* What was sealed up to there is let go: of a passing file by parts, of another
 * when it and the object would take too much together. */
static void
job_memory_pass(struct job_memory *m, size_t to)
{
	const struct archive_job_task *t = m->task;
	bool due = t->file.size - m->passed + t->sealed.len > m->most;

	if (t->file.passing)
		due = to - m->passed >= ARCHIVE_FILE_PART;
	if (!due)
		return;
	archive_file_pass(&t->file, m->passed, to);
	m->passed = to;
}

/* The file is mapped, and its pages are the file: what goes out must still be
 * what was checked and what the fingerprint is of. */
static int
job_seal(const struct archive_job_task *t, const struct repo *r, sink_fn sink,
    void *ctx, uint64_t *size, struct fault *f)
{
	struct object_params params;
	struct object_sealer *s = NULL;
	struct crypto_xxh *seen = NULL;
	unsigned char xxh[sizeof(t->file.digest.xxh)];
	const size_t slice = t->hands > 1 ? ARCHIVE_JOB_MEMORY : OBJECT_CHUNK;
	struct job_memory memory;
	int rc;

	job_memory_begin(&memory, t);
	job_params(t, r, &params);
	if ((rc = crypto_xxh_new(&seen, f)) == 0)
		rc = object_seal_begin(&s, &params, sink, ctx, f);
	for (size_t at = 0; rc == 0 && at < t->file.size; at += slice) {
		size_t n = t->file.size - at;

		if (n > slice)
			n = slice;
		job_memory_grow(&memory, n);
		rc = object_seal_content(s, t->file.data + at, n, t->hands, f);
		if (rc == 0)
			crypto_xxh_update(seen, t->file.data + at, n);
		job_memory_pass(&memory, at + n);
	}
	if (rc == 0) {
		crypto_xxh_final(seen, xxh);
		if (memcmp(xxh, t->file.digest.xxh, sizeof(xxh)) != 0)
			rc = fault_set(f, FAULT_SYSTEM,
			    "%s: was changed while it was read", t->file.path);
	}
	if (rc == 0)
		rc = object_seal_end(s, size, f);
	object_seal_free(s);
	crypto_xxh_free(seen);
	return rc;
}

int
archive_job_seal(
    struct archive_job_task *t, const struct repo *r, struct fault *f)
{
	const size_t need = t->file.size + OBJECT_HEADER_MAX;
	uint64_t size;
	int rc;

	/* In one piece: what is not written to is no memory, and growing would
	 * copy. */
	buf_init(&t->sealed, ARCHIVE_JOB_MEMORY + (1U << 20));
	if (t->spare != NULL)
		t->spare_taken = archive_spare_take(t->spare, need, &t->sealed);
	rc = buf_reserve(&t->sealed, need, f);
	return rc != 0 ? rc : job_seal(t, r, buf_sink, &t->sealed, &size, f);
}

struct job_passing {
	struct store_upload *upload;
	struct crypto_xxh *seen;
};

static int
job_pass_bytes(
    void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	struct job_passing *x = ctx;

	crypto_xxh_update(x->seen, data, len);
	return store_upload_write(x->upload, data, len, f);
}

/* An object that is sealed already, from where it is: under the same key. It is
 * read again, and must be what was proven. */
static int
job_pass_on(struct archive_job *j, struct store_upload *u, struct fault *f)
{
	const struct archive_job_task *t = j->task;
	struct job_passing x = {.upload = u};
	unsigned char xxh[sizeof(t->object.xxh)];
	struct store_info info = {0};
	struct store *from = NULL;
	int rc = store_clone(&from, t->from, f);

	if (rc == 0)
		rc = crypto_xxh_new(&x.seen, f);
	if (rc == 0)
		rc = store_get(from, t->key.key, 0, UINT64_MAX, job_pass_bytes,
		    &x, &info, &t->deadline, f);
	if (rc == 0) {
		crypto_xxh_final(x.seen, xxh);
		if (info.size != t->object.length ||
		    memcmp(xxh, t->object.xxh, sizeof(xxh)) != 0)
			rc = fault_set(f, FAULT_CORRUPT,
			    "%s: %s: other bytes when it was read again",
			    store_url(from), t->key.key);
		j->stored = info.size;
	}
	crypto_xxh_free(x.seen);
	store_free(from);
	return rc;
}

static int
job_stream(struct archive_job *j, struct store *s, struct fault *f)
{
	const struct archive_job_task *t = j->task;
	struct store_upload *u = NULL;
	int rc = store_upload_begin(&u, s, t->key.key, &t->deadline, f);

	if (rc == 0 && t->from != NULL)
		rc = job_pass_on(j, u, f);
	else if (rc == 0)
		rc = job_seal(t, j->repo, store_upload_write, u, &j->stored, f);
	if (rc == 0)
		rc = store_upload_commit(u, f);
	store_upload_free(u);
	return rc;
}

/* The name is taken: by this very content (pushed before, or by a try of ours
 * whose answer was lost), or by other content? */
static int
job_settle(struct archive_job *j, struct store *s, struct fault *f)
{
	const struct archive_job_task *t = j->task;
	bool same;
	int rc;

	if (t->from == NULL || t->opened)
		rc = archive_file_compare(j->repo, j->index, &t->key,
		    &t->file.digest, &same, &j->stored, &t->deadline, f);
	else
		rc = archive_file_compare_twin(j->repo, j->index, &t->key,
		    &t->head, &same, &j->stored, &t->deadline, f);

	if (rc == FAULT_ABSENT)
		return fault_recode(f, FAULT_AGAIN);
	if (rc != 0)
		return fault_prefix(
		    f, "%s is there, but cannot be compared", t->file.name);
	if (same) {
		j->already = true;
		/* An earlier push may have ended between the object and its
		 * lock. */
		return store_has_lock(s)
			   ? store_lock_ensure(s, t->key.key, &t->deadline, f)
			   : 0;
	}
	if (t->file.kind == OBJECT_PARTIAL)
		return fault_set(f, FAULT_EXISTS,
		    "%s: %s is there with other content, of an earlier"
		    " promotion; both are kept if you save %s elsewhere by hand"
		    " and rename its .ready file in archive_status to .done",
		    store_url(s), t->key.key, t->file.path);
	return fault_set(f, FAULT_EXISTS,
	    "%s: %s is there with other content: does another server archive"
	    " as cluster %s?",
	    store_url(s), t->key.key, t->key.id.cluster);
}

static const struct conf_repo *
job_conf(const struct archive_job *j)
{
	return repo_conf(j->repo)->repos[j->index];
}

/* At most half of the time is spent on the mark. */
static struct deadline
job_half(const struct archive_job_task *t)
{
	int64_t half = deadline_left_ms(&t->deadline) / 2;

	return deadline_in_ms(
	    half < ARCHIVE_JOB_MARK_MS ? half : ARCHIVE_JOB_MARK_MS);
}

/* The mark is small, and nothing is lost when it is written twice: so it is
 * what a store's habits are tried with. */
static void
job_learn(struct archive_job *j, struct store *s)
{
	const struct archive_job_task *t = j->task;
	struct deadline d = job_half(t);

	struct fault ignored = FAULT_INIT;

	if (!archive_note_has(&t->note, job_conf(j), &j->once))
		j->marked = archive_mark_probe(j->repo, j->index, &j->once, &d,
				j->damaged ? &ignored : &j->mark) == 0;
	if (!j->once)
		store_look_first(s);
}

/* What is sealed with other keys than the archive's could not be restored: no
 * backup would go with it, and at its end walfetch could not open the mark. It
 * is looked at when the note is old or of other keys. A mark that cannot be
 * read now is looked at again soon; one that is damaged is told each time, and
 * keeps nobody from archiving. */
static int
job_check_keys(struct archive_job *j, struct fault *f)
{
	const struct archive_job_task *t = j->task;
	struct fault why = FAULT_INIT;
	struct deadline d = job_half(t);
	bool once;
	int rc;

	if (archive_note_has(&t->note, job_conf(j), &once))
		return 0;
	rc = archive_mark_ours(j->repo, j->index, &d, &why);
	if (rc == FAULT_KEY)
		return fault_set(f, FAULT_KEY,
		    "the archive there was begun with another key (%s): put"
		    " that key back, below a new one in the key file if need"
		    " be, or begin a new archive under another cluster name or"
		    " URL",
		    why.text);
	j->damaged = rc == FAULT_CORRUPT;
	j->unread = rc != 0 && rc != FAULT_ABSENT;
	if (j->damaged)
		fault_set(&j->mark, FAULT_CORRUPT,
		    "the archive's mark there is damaged or not of this"
		    " cluster's keys, and no end of the archive can be proven"
		    " with it (%s): remove that object and %s, and the next"
		    " push makes it anew",
		    why.text,
		    t->note.path != NULL ? t->note.path : "what notes it");
	return 0;
}

/* A repository that is the place the object is copied from has everything that
 * is there, and would lose it when it is removed there. No two archives have
 * the same mark to the byte. */
static int
job_check_apart(struct archive_job *j, struct store *s, struct fault *f)
{
	const struct archive_job_task *t = j->task;
	struct buf mark = BUF_INIT(ARCHIVE_MARK_MAX);
	int rc;

	if (t->mark.len == 0 || repo_is_apart(j->repo, j->index))
		return 0;
	rc = archive_mark_read(j->repo, s, &mark, &t->deadline, f);
	if (rc == 0) {
		j->itself = mark.len == t->mark.len &&
			    memcmp(mark.data, t->mark.data, mark.len) == 0;
		if (j->itself)
			rc = fault_set(f, FAULT_CONFIG,
			    "%s is %s itself: it has the same mark",
			    store_url(s), store_url(t->from));
		else
			repo_set_apart(j->repo, j->index);
	}
	buf_free(&mark);
	return rc;
}

/* A directory has many names: links, mounts. */
static void
job_place(struct archive_job *j)
{
	const struct conf_repo *c = job_conf(j);
	struct stat st;

	j->placed = c->kind == CONF_STORE_FILE && stat(c->path, &st) == 0;
	if (j->placed) {
		j->device = st.st_dev;
		j->inode = st.st_ino;
	}
}

int
archive_job_put(struct archive_job *j, struct fault *f)
{
	const struct archive_job_task *t = j->task;
	struct store *s;
	int rc = repo_store(j->repo, j->index, &s, f);

	if (rc != 0)
		return rc;
	if (t->from != NULL && (rc = job_check_apart(j, s, f)) != 0)
		return rc;
	/* The keys first: trying the mark would write over that of another key
	 * where the store lets it, and say that ours is there. */
	if ((rc = archive_place_check(j->repo, j->index, &j->task->note,
		 &j->task->deadline, f)) != 0 ||
	    (rc = job_check_keys(j, f)) != 0)
		return rc;
	if (store_may_rewrite(s))
		job_learn(j, s);
	else
		j->once = true;
	/* The mark, which may have been put, is kept otherwise. */
	rc = repo_store_for(j->repo, j->index, t->file.kind, &s, f);
	if (rc != 0)
		return rc;
	if (t->sealed.len == 0) {
		rc = job_stream(j, s, f);
	} else {
		j->stored = t->sealed.len;
		rc = store_put(s, t->key.key, t->sealed.data, t->sealed.len,
		    &t->deadline, f);
	}
	if (rc == FAULT_EXISTS)
		rc = job_settle(j, s, f);
	if (rc == 0)
		job_place(j);
	return rc;
}

void
archive_job_mark(struct archive_job *j)
{
	const struct archive_job_task *t = j->task;
	struct deadline d = deadline_in_ms(ARCHIVE_JOB_MARK_MS);

	if (j->damaged)
		j->marked = false;
	if (j->marked || j->damaged)
		return;
	if (d.at_ms > t->deadline.at_ms)
		d = t->deadline;
	fault_clear(&j->mark);
	if (archive_note_has(&t->note, job_conf(j), &j->once) ||
	    archive_mark_make(j->repo, j->index, &d, &j->mark) == 0)
		j->marked = true;
}
