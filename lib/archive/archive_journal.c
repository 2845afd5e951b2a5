#include "archive_journal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdio.h"
#include "object.h"

#define TAG "pushed-1"
#define TAG_LEN 8
#define SUM_LEN 8
#define SLOT (WALMETA_PUSH + SUM_LEN)
#define FILE_MAX ((size_t)ARCHIVE_JOURNAL_MAX * SLOT)
/* Who holds the lock needs it for microseconds, unless he was stopped. */
#define TRIES 5

/* ---- slots ---- */

static void
slot_sum(const unsigned char *push, unsigned char sum[SUM_LEN])
{
	unsigned char all[TAG_LEN + WALMETA_PUSH];
	struct object_digest d;

	memcpy(all, TAG, TAG_LEN);
	memcpy(all + TAG_LEN, push, WALMETA_PUSH);
	object_digest(&d, all, sizeof all);
	memcpy(sum, d.xxh, SUM_LEN);
}

static void
slot_put(const struct walmeta_push *p, unsigned char out[SLOT])
{
	walmeta_put_push(p, out);
	slot_sum(out, out + WALMETA_PUSH);
}

size_t
archive_journal_decode(
    const void *data, size_t len, struct walmeta_push *out, size_t cap)
{
	const unsigned char *p = data;
	unsigned char sum[SUM_LEN];
	struct walmeta_push one;
	size_t n = 0;

	for (; len >= SLOT; p += SLOT, len -= SLOT) {
		slot_sum(p, sum);
		if (memcmp(sum, p + WALMETA_PUSH, SUM_LEN) != 0 ||
		    !walmeta_take_push(p, &one))
			continue;
		if (n == cap) {
			memmove(out, out + 1, (cap - 1) * sizeof *out);
			n--;
		}
		out[n++] = one;
	}
	return n;
}

/* ---- the file ---- */

static size_t
journal_read(const struct archive_journal *j, int fd,
    struct walmeta_push all[ARCHIVE_JOURNAL_MAX])
{
	struct fault ignored = FAULT_INIT;
	unsigned char *data = malloc(FILE_MAX);
	size_t got = 0;

	if (data == NULL ||
	    fdio_pread(fd, j->path, data, FILE_MAX, 0, &got, &ignored) != 0)
		got = 0;
	got = archive_journal_decode(data, got, all, ARCHIVE_JOURNAL_MAX);
	free(data);
	return got;
}

void
archive_journal_begin(struct archive_journal *j, const struct repo *r)
{
	memset(j, 0, sizeof *j);
	j->began_ms = clock_monotonic_ms();
	j->began_us = clock_now_us();
	if (repo_conf(r)->spool_dir == NULL ||
	    asprintf(&j->path, "%s/%s-%" PRIu64 ".pushed",
		repo_conf(r)->spool_dir, repo_cluster(r),
		repo_system_id(r)) < 0)
		j->path = NULL;
}

void
archive_journal_load(struct archive_journal *j, const struct repo *r)
{
	struct walmeta_push *all;
	int fd;

	archive_journal_begin(j, r);
	if (j->path == NULL)
		return;
	all = calloc(ARCHIVE_JOURNAL_MAX, sizeof *all);
	fd = all != NULL ? fdio_open_own(j->path, O_RDONLY) : -1;
	if (fd >= 0) {
		j->n = journal_read(j, fd, all);
		if (j->n > WALMETA_PUSHES)
			j->n = WALMETA_PUSHES;
		memcpy(j->carried, all, j->n * sizeof *all);
		close(fd);
	}
	free(all);
}

void
archive_journal_free(struct archive_journal *j)
{
	free(j->path);
	j->path = NULL;
	j->n = 0;
}

static bool
is_carried(const struct archive_journal *j, const struct walmeta_push *p)
{
	for (size_t i = 0; i < j->n; i++)
		if (memcmp(&j->carried[i], p, sizeof *p) == 0)
			return true;
	return false;
}

/* Killed in between, some are told twice; after a loss of power, not at all. */
static void
journal_rewrite(const struct archive_journal *j, int fd,
    struct walmeta_push all[ARCHIVE_JOURNAL_MAX],
    const struct walmeta_push *own)
{
	struct fault ignored = FAULT_INIT;
	size_t n = journal_read(j, fd, all), kept = 0;
	unsigned char *data = malloc(FILE_MAX);

	for (size_t i = 0; i < n; i++)
		if (!is_carried(j, &all[i]))
			all[kept++] = all[i];
	if (own != NULL && kept == ARCHIVE_JOURNAL_MAX)
		memmove(all, all + 1, --kept * sizeof *all);
	if (own != NULL)
		all[kept++] = *own;
	for (size_t i = 0; data != NULL && i < kept; i++)
		slot_put(&all[i], data + i * SLOT);
	if (data != NULL &&
	    fdio_pwrite(fd, j->path, data, kept * SLOT, 0, &ignored) == 0 &&
	    ftruncate(fd, (off_t)(kept * SLOT)) != 0)
		fault_clear(&ignored);
	free(data);
}

/* own: NULL, nothing is known of it. */
static void
journal_pass(const struct archive_journal *j, const struct walmeta_push *own)
{
	struct walmeta_push *all;
	bool locked = false;
	int fd;

	if (j->path == NULL || (j->n == 0 && own == NULL))
		return;
	fd = fdio_open_own(j->path, O_RDWR | O_CREAT);
	if (fd < 0)
		return;
	for (int k = 0; !locked && k < TRIES; k++) {
		if (k > 0)
			clock_sleep_ms(1);
		locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
	}
	all = calloc(ARCHIVE_JOURNAL_MAX, sizeof *all);
	if (locked && all != NULL)
		journal_rewrite(j, fd, all, own);
	free(all);
	close(fd);
}

/* When the quorum had it; false when it had had it before. */
static bool
quorum_ms(const struct archive_journal_seen *seen, size_t count,
    uint32_t quorum, int64_t *ms)
{
	uint32_t before = 0;

	*ms = INT64_MAX;
	for (size_t i = 0; i < count; i++) {
		uint32_t by_then = 0;

		if (!seen[i].durable)
			continue;
		before += seen[i].already;
		for (size_t k = 0; k < count; k++)
			by_then += seen[k].durable &&
				   seen[k].durable_ms <= seen[i].durable_ms;
		if (by_then >= quorum && seen[i].durable_ms < *ms)
			*ms = seen[i].durable_ms;
	}
	return before < quorum && *ms != INT64_MAX;
}

static bool
was_there(const struct archive_journal_seen *seen, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (seen[i].durable && seen[i].already)
			return true;
	return false;
}

void
archive_journal_note(const struct archive_journal *j,
    const struct walname *name, const struct archive_journal_seen *seen,
    size_t count, uint32_t quorum, bool drained)
{
	struct archive_journal passed = *j;
	struct walmeta_push own;
	int64_t ms;

	/* Where an object was before, it is not this one, which carries. */
	if (was_there(seen, count))
		passed.n = 0;
	memset(&own, 0, sizeof own);
	if (name->kind != WALNAME_SEGMENT ||
	    !quorum_ms(seen, count, quorum, &ms)) {
		journal_pass(&passed, NULL);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (seen[i].durable)
			own.held |= UINT32_C(1) << i;
	own.timeline = name->timeline;
	own.log = name->log;
	own.seg = name->seg;
	own.asked = (uint8_t)count;
	own.quorum = (uint8_t)quorum;
	own.durable_us = j->began_us + (ms - j->began_ms) * 1000;
	own.duration_ms = (uint32_t)(ms - j->began_ms);
	/* When it was put aside its own header tells. */
	if (drained) {
		own.flags = WALMETA_DRAINED;
		own.duration_ms = WALMETA_UNKNOWN;
	}
	journal_pass(&passed, &own);
}
