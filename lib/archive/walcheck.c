#include "walcheck.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive_file.h"
#include "history.h"
#include "label.h"
#include "wal.h"

#define IN_MEMORY (32U << 20)

struct walcheck {
	struct repo *repo;
	size_t index;
	size_t cap;
	size_t len;
	unsigned char *content;
	bool mapped;
	struct wal_sought *sought; /* or NULL */
};

/* Room on the disk is taken first: a mapped file raises SIGBUS without. */
static int
map_file(struct walcheck *w, const char *dir, struct fault *f)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), e;

	if (fd < 0)
		fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return fault_errno(f, errno, "no temporary file in %s", dir);
	e = posix_fallocate(fd, 0, (off_t)w->cap);
	if (e == 0) {
		void *p = mmap(
		    NULL, w->cap, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		e = p == MAP_FAILED ? errno : 0;
		w->content = p == MAP_FAILED ? NULL : p;
	}
	close(fd);
	w->mapped = w->content != NULL;
	return e != 0 ? fault_errno(f, e, "temporary file for a segment") : 0;
}

int
walcheck_new(struct walcheck **out, struct repo *r, size_t repo,
    uint32_t segment_size, const char *dir, struct fault *f)
{
	struct walcheck *w = calloc(1, sizeof *w);
	int rc = 0;

	if (w == NULL)
		return fault_nomem(f);
	w->repo = r;
	w->index = repo;
	w->cap =
	    segment_size < HISTORY_FILE_MAX ? HISTORY_FILE_MAX : segment_size;
	if (w->cap > IN_MEMORY)
		rc = map_file(w, dir, f);
	else if ((w->content = malloc(w->cap)) == NULL)
		rc = fault_nomem(f);
	if (rc != 0)
		walcheck_free(w);
	else
		*out = w;
	return rc;
}

void
walcheck_free(struct walcheck *w)
{
	if (w == NULL)
		return;
	if (w->mapped)
		munmap(w->content, w->cap);
	else
		free(w->content);
	free(w);
}

static int
take(void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	struct walcheck *w = ctx;

	if (len > w->cap - w->len)
		return fault_set(f, FAULT_CORRUPT,
		    "is longer than a file of this name can be");
	memcpy(w->content + w->len, data, len);
	w->len += len;
	return 0;
}

static int
check_history(
    const struct walcheck *w, const struct walname *n, struct fault *f)
{
	struct history h;
	int rc =
	    history_parse(&h, n->timeline, (const char *)w->content, w->len, f);

	if (rc == 0)
		history_free(&h);
	return rc;
}

static int
check_content(const struct walcheck *w, const struct archive_file_key *k,
    struct walcheck_result *r, struct fault *f)
{
	const struct walname *n = &k->walname;
	const struct wal_watch watch = {NULL, NULL, w->sought};
	struct wal_summary s;
	struct label label;
	int rc;

	r->full = true;
	if (n->kind == WALNAME_HISTORY)
		return check_history(w, n, f);
	if (n->kind == WALNAME_LABEL)
		return label_parse((const char *)w->content, w->len, &label, f);
	if ((rc = archive_file_check_header(w->content, w->len, w->len, n,
		 repo_system_id(w->repo), k->id.name, f)) != 0 ||
	    (rc = wal_walk_watched(w->content, w->len, n, &watch, &s, f)) != 0)
		return rc;
	r->full = s.full;
	r->meta.summary.joint = s.joint;
	return 0;
}

static int
take_meta(const struct object_opener *o, struct walmeta *m, struct fault *f)
{
	size_t len;
	const unsigned char *p = object_meta(o, &len);

	return walmeta_decode(p, len, m, f);
}

int
walcheck_read(struct walcheck *w, const char *name, struct walcheck_result *out,
    struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(w->repo)->store_deadline_ms);
	struct walcheck_result r = {.full = true};
	struct object_reader *o = NULL;
	struct archive_file_key k;
	struct store_info info;
	struct store *s;
	int rc;

	w->len = 0;
	if ((rc = archive_file_key(w->repo, name, &k, f)) == 0 &&
	    (rc = repo_store(w->repo, w->index, &s, f)) == 0 &&
	    (rc = object_reader_new(
		 &o, &k.id, repo_keys(w->repo), take, w, f)) == 0 &&
	    (rc = store_get(s, k.key, 0, UINT64_MAX, object_reader_feed, o,
		 &info, &d, f)) == 0 &&
	    (rc = object_reader_end(o, f)) == 0 &&
	    (rc = take_meta(object_reader_opener(o), &r.meta, f)) == 0 &&
	    r.meta.size != w->len)
		rc = fault_set(f, FAULT_CORRUPT,
		    "%zu bytes of content instead of %llu", w->len,
		    (unsigned long long)r.meta.size);
	if (rc == 0)
		rc = check_content(w, &k, &r, f);
	if (rc == 0) {
		r.stored = info.size;
		*out = r;
	}
	object_reader_free(o);
	return rc;
}

int
walcheck_seek(struct walcheck *w, const char *name, struct wal_sought *sought,
    struct walcheck_result *out, struct fault *f)
{
	int rc;

	w->sought = sought;
	rc = walcheck_read(w, name, out, f);
	w->sought = NULL;
	return rc;
}

/* The trailer knows how long the object was made. */
static int
check_length(struct walcheck *w, struct store *s,
    const struct archive_file_key *k, const struct buf *head, uint64_t size,
    const struct deadline *d, struct fault *f)
{
	static const struct object_digest none;
	struct buf tail = BUF_INIT(OBJECT_TRAILER);
	bool same;
	int rc;

	if (size < OBJECT_TRAILER)
		return fault_set(f, FAULT_CORRUPT, "is cut short");
	rc = store_get(s, k->key, size - OBJECT_TRAILER, OBJECT_TRAILER,
	    buf_sink, &tail, NULL, d, f);
	if (rc == 0 && tail.len != OBJECT_TRAILER)
		rc = fault_set(f, FAULT_CORRUPT, "is cut short");
	if (rc == 0)
		rc = object_compare(&k->id, repo_keys(w->repo), &none,
		    head->data, head->len, tail.data, size, &same, f);
	buf_free(&tail);
	return rc;
}

int
walcheck_look(struct walcheck *w, const char *name, struct walcheck_result *out,
    struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(w->repo)->store_deadline_ms);
	struct buf head = BUF_INIT(OBJECT_HEADER_MAX);
	struct walcheck_result r = {.full = true};
	struct object_opener *o = NULL;
	struct archive_file_key k;
	struct store_info info = {0};
	struct store *s;
	int rc;

	if ((rc = archive_file_key(w->repo, name, &k, f)) == 0 &&
	    (rc = repo_store(w->repo, w->index, &s, f)) == 0 &&
	    (rc = store_get(s, k.key, 0, OBJECT_HEADER_MAX, buf_sink, &head,
		 &info, &d, f)) == 0 &&
	    (rc = object_open_header(
		 &o, &k.id, repo_keys(w->repo), head.data, head.len, f)) == 0 &&
	    (rc = take_meta(o, &r.meta, f)) == 0)
		rc = check_length(w, s, &k, &head, info.size, &d, f);
	if (rc == 0) {
		r.stored = info.size;
		*out = r;
	}
	object_opener_free(o);
	buf_free(&head);
	return rc;
}
