#include "archive_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fdio.h"
#include "history.h"
#include "label.h"
#include "wal.h"

#define FILE_KEPT ((size_t)16 << 20)

enum object_kind
archive_file_kind(const struct walname *n)
{
	switch (n->kind) {
	case WALNAME_HISTORY:
		return OBJECT_HISTORY;
	case WALNAME_LABEL:
		return OBJECT_LABEL;
	case WALNAME_PARTIAL:
		return OBJECT_PARTIAL;
	case WALNAME_SEGMENT:
		break;
	}
	return OBJECT_WAL;
}

/* Least what may pass by itself, most what somebody must look into. */
bool
archive_file_worse(enum fault_code a, enum fault_code b)
{
	static const int rank[] = {
	    [FAULT_NONE] = 0,
	    [FAULT_ABSENT] = 1,
	    [FAULT_AGAIN] = 2,
	    [FAULT_DENIED] = 3,
	    [FAULT_FROZEN] = 3,
	    [FAULT_SYSTEM] = 4,
	    [FAULT_CONFIG] = 5,
	    [FAULT_KEY] = 6,
	    [FAULT_CORRUPT] = 7,
	    [FAULT_FOREIGN] = 8,
	    [FAULT_EXISTS] = 9,
	};

	return rank[a] > rank[b];
}

int
archive_file_key(const struct repo *r, const char *name,
    struct archive_file_key *out, struct fault *f)
{
	int rc = walname_parse(name, &out->walname, f);

	if (rc != 0)
		return rc;
	out->id = (struct object_id){repo_cluster(r), repo_system_id(r),
	    archive_file_kind(&out->walname), name};
	return layout_wal(out->id.cluster, out->id.system_id, name,
	    &out->walname, out->key, f);
}

int
archive_file_check_header(const void *data, size_t len, uint64_t size,
    const struct walname *n, uint64_t system_id, const char *what,
    struct fault *f)
{
	struct wal_header h;
	int rc = wal_header(data, len, &h, f);

	if (rc == 0 && h.system_id != system_id)
		rc = fault_set(f, FAULT_FOREIGN,
		    "WAL of system id %" PRIu64
		    ", but this cluster's is %" PRIu64,
		    h.system_id, system_id);
	if (rc == 0)
		rc = wal_check_name(&h, n, size, f);
	if (rc != 0)
		fault_prefix(f, "%s", what);
	return rc;
}

/* The digest of what the walk has passed, while it is in the processor's cache.
 */
struct file_sum {
	const struct archive_file *file;
	struct crypto_xxh *xxh;
	size_t at, passed;
};

static void
file_sum_to(void *ctx, size_t to)
{
	struct file_sum *s = ctx;

	crypto_xxh_update(s->xxh, s->file->data + s->at, to - s->at);
	s->at = to;
	if (s->file->passing &&
	    (to - s->passed >= ARCHIVE_FILE_PART || to == s->file->size)) {
		archive_file_pass(s->file, s->passed, to);
		s->passed = to;
	}
}

static int
archive_file_walk(struct archive_file *a, struct walmeta *m, struct fault *f)
{
	struct file_sum sum = {.file = a};
	const struct wal_watch watch = {file_sum_to, &sum, NULL};
	int rc = crypto_xxh_new(&sum.xxh, f);

	if (rc == 0)
		rc = wal_walk_watched(
		    a->data, a->size, &a->walname, &watch, &m->summary, f);
	while (rc == 0 && sum.at < a->size) {
		size_t n = a->size - sum.at;

		file_sum_to(&sum, sum.at + (n < WAL_WATCH ? n : WAL_WATCH));
	}
	if (rc == 0) {
		crypto_xxh_final(sum.xxh, a->digest.xxh);
		a->digest.length = a->size;
	}
	crypto_xxh_free(sum.xxh);
	return rc;
}

/* Header and every record; fills the segment's part of the meta. */
static int
archive_file_check_segment(struct archive_file *a, uint64_t system_id,
    struct walmeta *m, struct fault *f)
{
	struct wal_header h;
	int rc = archive_file_check_header(
	    a->data, a->size, a->size, &a->walname, system_id, a->path, f);

	if (rc == FAULT_CORRUPT)
		return fault_recode(f, FAULT_FOREIGN);
	if (rc != 0)
		return rc;
	rc = archive_file_walk(a, m, f);
	if (rc == FAULT_CORRUPT) {
		fault_prefix(f, "%s is damaged", a->path);
		return fault_recode(f, FAULT_FOREIGN);
	}
	if (rc != 0 || (rc = wal_header(a->data, a->size, &h, f)) != 0)
		return rc;
	m->magic = h.magic;
	m->timeline = h.timeline;
	m->address = h.address;
	m->segment_size = h.segment_size;
	return 0;
}

/* The name tells the segment and, in its third part, the offset in it at which
 * the backup began. The segment size follows from both. What somebody called
 * his backup is not judged, nor what follows it: PostgreSQL takes a text of
 * several lines, which may look like any of the others. */
static int
archive_file_check_label(struct archive_file *a, struct fault *f)
{
	static const char text[] = "\nLABEL: ";
	const struct walname *n = &a->walname;
	const char *start = (const char *)a->data;
	const char *end = memmem(start, a->size, text, sizeof(text) - 1);
	struct label l;
	uint64_t low, size;
	int rc = label_parse(
	    start, end != NULL ? (size_t)(end - start) : a->size, &l, f);

	if (rc != 0) {
		fault_prefix(f, "%s", a->path);
		return fault_recode(f, FAULT_FOREIGN);
	}
	low = l.start_lsn & UINT32_MAX;
	if (strncmp(l.start_wal, a->name, 24) != 0 || l.start_wal[24] != '\0' ||
	    l.start_lsn >> 32 != n->log || low < n->offset)
		goto foreign;
	low -= n->offset;
	if (n->seg == 0 ? low != 0 : low % n->seg != 0)
		goto foreign;
	size = n->seg == 0 ? WALNAME_SEGMENT_MAX : low / n->seg;
	if (!walname_segment_size_ok(size) || n->offset >= size)
		goto foreign;
	return 0;
foreign:
	return fault_set(f, FAULT_FOREIGN,
	    "%s: START WAL LOCATION in it is not where its name says", a->path);
}

static int
archive_file_check_history(struct archive_file *a, struct fault *f)
{
	struct history h;
	int rc = history_parse(
	    &h, a->walname.timeline, (const char *)a->data, a->size, f);

	if (rc == 0) {
		history_free(&h);
		return 0;
	}
	fault_prefix(f, "%s", a->path);
	return rc == FAULT_CORRUPT ? fault_recode(f, FAULT_FOREIGN) : rc;
}

void
archive_file_pass(const struct archive_file *a, size_t from, size_t to)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	from = from / page * page;
	if (to < a->size)
		to = to / page * page;
	if (a->mapped && to > from)
		(void)madvise((void *)(uintptr_t)(a->data + from), to - from,
		    MADV_DONTNEED);
}

static int
archive_file_slurp(struct archive_file *a, size_t limit, struct fault *f)
{
	unsigned char *data;
	int rc = fdio_slurp(a->path, limit, &data, &a->size, f);

	if (rc == 0)
		a->data = data;
	return rc;
}

static int
archive_file_map(struct archive_file *a, struct fault *f)
{
	uint64_t size;
	int fd, rc = fdio_open_read(a->path, &fd, f);
	void *p;

	if (rc != 0)
		return rc;
	if ((rc = fdio_size(fd, a->path, &size, f)) != 0)
		goto done;
	if (!walname_segment_size_ok(size)) {
		rc = fault_set(f, FAULT_FOREIGN,
		    "%s: %" PRIu64 " bytes long, which no WAL segment is",
		    a->path, size);
		goto done;
	}
	a->passing = a->passing || size > FILE_KEPT;
	/* Nobody writes to a segment that is handed to archive_command. All of
	 * it is read: its pages come in one go rather than by hundreds of
	 * faults. */
	p = mmap(NULL, (size_t)size, PROT_READ,
	    MAP_PRIVATE | (a->passing ? 0 : MAP_POPULATE), fd, 0);
	if (p == MAP_FAILED) {
		rc = fault_set(
		    f, FAULT_SYSTEM, "%s: cannot be mapped: %m", a->path);
		goto done;
	}
	a->data = p;
	a->size = (size_t)size;
	a->mapped = true;
done:
	close(fd);
	return rc;
}

static int
archive_file_read(struct archive_file *a, uint64_t system_id, struct walmeta *m,
    struct fault *f)
{
	int rc;

	switch (a->walname.kind) {
	case WALNAME_HISTORY:
		rc = archive_file_slurp(a, HISTORY_FILE_MAX, f);
		return rc != 0 ? rc : archive_file_check_history(a, f);
	case WALNAME_LABEL:
		rc = archive_file_slurp(a, LABEL_MAX, f);
		return rc != 0 ? rc : archive_file_check_label(a, f);
	case WALNAME_SEGMENT:
	case WALNAME_PARTIAL:
		break;
	}
	rc = archive_file_map(a, f);
	return rc != 0 ? rc : archive_file_check_segment(a, system_id, m, f);
}

int
archive_file_load(struct archive_file *a, const char *path, bool passing,
    uint64_t system_id, struct fault *f)
{
	const char *slash = strrchr(path, '/');
	struct walmeta m;
	int rc;

	memset(a, 0, sizeof(*a));
	memset(&m, 0, sizeof(m));
	buf_init(&a->meta, OBJECT_META_MAX);
	a->path = path;
	a->name = slash != NULL ? slash + 1 : path;
	a->passing = passing;
	rc = walname_parse(a->name, &a->walname, f);
	if (rc != 0)
		return rc;
	a->kind = archive_file_kind(&a->walname);
	m.pushed_us = clock_now_us();
	m.summary.first_commit_us = m.summary.last_commit_us = CLOCK_NONE;
	if ((rc = archive_file_read(a, system_id, &m, f)) == 0) {
		m.size = a->size;
		strncpy(m.version, PITRKIT_VERSION, sizeof(m.version) - 1);
		if (!a->mapped)
			object_digest(&a->digest, a->data, a->size);
		rc = walmeta_encode(&m, &a->meta, f);
	}
	if (rc != 0)
		archive_file_free(a);
	return rc;
}

void
archive_file_drop(struct archive_file *a)
{
	if (a->mapped)
		munmap((void *)(uintptr_t)a->data, a->size);
	else
		free((void *)(uintptr_t)a->data);
	a->data = NULL;
	a->mapped = false;
}

void
archive_file_free(struct archive_file *a)
{
	archive_file_drop(a);
	buf_free(&a->meta);
}

/* With the content's digest, or the header of an object that has it. */
static int
compare(struct repo *r, size_t i, const struct archive_file_key *k,
    const struct object_digest *digest, const struct buf *own, bool *same,
    uint64_t *stored, const struct deadline *d, struct fault *f)
{
	struct store_info info = {0};
	struct buf head = BUF_INIT(OBJECT_HEADER_MAX);
	struct buf tail = BUF_INIT(OBJECT_TRAILER);
	struct store *s;
	int rc;

	if ((rc = repo_store(r, i, &s, f)) != 0 ||
	    (rc = store_get(s, k->key, 0, OBJECT_HEADER_MAX, buf_sink, &head,
		 &info, d, f)) != 0)
		goto done;
	if (info.size < OBJECT_TRAILER || head.len > info.size) {
		rc = fault_set(f, FAULT_CORRUPT,
		    "%s: %s is too short for an object", store_url(s), k->key);
		goto done;
	}
	/* A small one came whole. */
	if (head.len == info.size)
		rc = buf_put(&tail, head.data + head.len - OBJECT_TRAILER,
		    OBJECT_TRAILER, f);
	else
		rc = store_get(s, k->key, info.size - OBJECT_TRAILER,
		    OBJECT_TRAILER, buf_sink, &tail, NULL, d, f);
	if (rc == 0 && tail.len != OBJECT_TRAILER)
		rc = fault_set(f, FAULT_AGAIN,
		    "%s: %s: %zu bytes of its trailer came", store_url(s),
		    k->key, tail.len);
	if (rc != 0)
		goto done;
	if (own == NULL)
		rc = object_compare(&k->id, repo_keys(r), digest, head.data,
		    head.len, tail.data, info.size, same, f);
	else
		rc = object_compare_twin(&k->id, repo_keys(r), own->data,
		    own->len, head.data, head.len, tail.data, info.size, same,
		    f);
	if (rc != 0)
		fault_prefix(f, "%s: %s", store_url(s), k->key);
	else
		*stored = info.size;
done:
	buf_free(&head);
	buf_free(&tail);
	return rc;
}

int
archive_file_compare(struct repo *r, size_t i, const struct archive_file_key *k,
    const struct object_digest *digest, bool *same, uint64_t *stored,
    const struct deadline *d, struct fault *f)
{
	return compare(r, i, k, digest, NULL, same, stored, d, f);
}

int
archive_file_compare_twin(struct repo *r, size_t i,
    const struct archive_file_key *k, const struct buf *own, bool *same,
    uint64_t *stored, const struct deadline *d, struct fault *f)
{
	return compare(r, i, k, NULL, own, same, stored, d, f);
}
