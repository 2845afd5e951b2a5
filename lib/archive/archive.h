#ifndef ARCHIVE_H
#define ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "repo.h"
#include "walmeta.h"

/*
 * The WAL archive: the rules of archive_command and restore_command.
 */

/* ---- push ---- */

struct archive_result {
	uint32_t durable_in; /* repositories that hold it now */
	bool already;        /* it was there before, in all of them */
	/* one line per repository that failed although the quorum was reached;
	 * "" when none */
	char warning[512];
	uint64_t size;
	uint64_t stored;
	/* A repository did not answer in time and a thread still waits for it:
	 * r must not be freed, and the process should end soon, or be told when
	 * it no longer is (archive_push_after). */
	bool busy;
	bool late[CONF_LIST]; /* which ones did not answer in time */
};

/*
 * Make the file durable in at least push_quorum repositories (two that are one
 * directory, by whatever names, count as one): in all of them
 * side by side; once the quorum holds it, the others get 5 s more, and less of
 * those that were late with a file of the last minute (archive_late.h).
 *
 * Checked before anything is sent: the name; for segments size, header (system
 * id, timeline, address, segment size) and every record's CRC (wal_walk); for
 * .history and .backup files that they parse and fit their name. FOREIGN when
 * it is not an intact file of this cluster with this name.
 * The same name again: 0 when the stored object is this content (fingerprint
 * and length, read by range), EXISTS when it is other content; CORRUPT/KEY when
 * what is stored cannot be told; nothing is ever overwritten. Other content in
 * any one repository is EXISTS although the quorum was reached: somebody else
 * writes there.
 * Then the archive's mark is made sure of; a mark that could not be made is a
 * warning (without it absence cannot be proven, which is the safe side).
 * Deadline: over all; AGAIN when the quorum was not reached in time. A call
 * into a hanging file system cannot be cut off when there is one repository.
 * mark_note: path of a small file that remembers for a day where the mark is,
 * so that this takes no request; its folder is made when only it is missing.
 * NULL or not writable: one request per repository and call. A directory that
 * had the mark, however long ago, and has it no more is AGAIN: it may not be
 * mounted.
 */
int archive_push(struct repo *r, const char *path, const char *mark_note,
    const struct deadline *d, struct archive_result *res, struct fault *f);

/* The same for a place that WAL is put aside to: that it is durable there is
 * told by no later object. */
int archive_push_aside(struct repo *r, const char *path, const char *mark_note,
    const struct deadline *d, struct archive_result *res, struct fault *f);

/*
 * The same in two steps, for who has several files on their way: begin checks
 * the file and, unless it is larger than 16 MiB, seals it, with so many hands
 * (threads); that takes as many processors and up to ARCHIVE_PUSH_ROOM, or 33
 * MiB and 4 for each hand if there are several, and meets no store. end does
 * the rest, whatever comes of it, and frees p (unless res->busy). held: memory
 * of p in between. r must last until then.
 * room: NULL, or what it may take at first, at least 8 MiB. It keeps to that by
 * letting go of the file's pages again and again, which costs time, and where
 * that is not enough calls widen once, which returns when it may take
 * ARCHIVE_PUSH_ROOM.
 */
#define ARCHIVE_PUSH_ROOM ((size_t)19 << 20)
struct archive_push;
struct archive_room {
	size_t bytes;
	void (*widen)(void *ctx);
	void *ctx;
	struct archive_spare *spare; /* NULL, or memory for the object */
};
int archive_push_begin(struct archive_push **out, struct repo *r,
    const char *path, unsigned hands, const struct archive_room *room,
    struct fault *f);
size_t archive_push_held(const struct archive_push *p);
int archive_push_end(struct archive_push *p, const char *mark_note,
    const struct deadline *d, struct archive_result *res, struct fault *f);
/* Instead of end. */
void archive_push_free(struct archive_push *p);
/* Before end: these repositories get nothing this time, which is told as that
 * they have failed. false, and all get it, where the others are fewer than the
 * quorum. */
bool archive_push_without(
    struct archive_push *p, const bool without[CONF_LIST]);
/* Before end: if res->busy, p is freed by the last thread that waits for a
 * repository, which then calls fn; so r can be freed there. */
typedef void (*archive_after_fn)(void *ctx);
void archive_push_after(struct archive_push *p, archive_after_fn fn, void *ctx);

/* ---- copy ---- */

/*
 * The same for what the first repository of from holds under that name, sealed
 * as it is. It is proven whole before: with a private key all of it is opened,
 * without one the header, the length and the MAC over both. ABSENT when from
 * has it not; CORRUPT (also when it cannot be read), KEY when it cannot be
 * proven. from must last while res->busy.
 * CONFIG, whatever the others say, when one of r's repositories has the same
 * mark to the byte as from: it is from, by another path or protocol, and holds
 * nothing that from does not. One that does not let its mark be read gets
 * nothing.
 */
int archive_copy(struct repo *r, struct repo *from, const char *name,
    const char *mark_note, const struct deadline *d, struct archive_result *res,
    struct fault *f);

/* ---- fetch ---- */

/*
 * Deliver name to dest: written beside it under a temporary name, verified
 * whole (authentication, length, and a segment's header against its name and
 * this system id), then renamed. Repositories are asked in their order.
 *
 * ABSENT only if every repository said that there is no such object AND showed
 * its archive's mark, opened with our keys: a wrong bucket, an unmounted
 * directory or another prefix has no mark, and is AGAIN. If one repository
 * has it but damaged, the next is tried; if none can deliver, the worst of
 * the faults is returned, never ABSENT.
 */
/* dest is made with mode 0600 and not synced: PostgreSQL does that. With
 * several repositories all are asked in the first half of the deadline: each
 * gets its share of that, at most 5 s, before the next is tried, and what is
 * left in a second round. One that did not answer is asked last for a minute,
 * by who keeps r. */
int archive_fetch(struct repo *r, const char *name, const char *dest,
    const struct deadline *d, struct fault *f);

/* ---- looking ---- */

/* Is this segment or history file in repository i? Reads the header by range
 * and opens its meta; m may be NULL. *stored: bytes of the object. */
int archive_look(struct repo *r, size_t i, const char *name, struct walmeta *m,
    uint64_t *stored, const struct deadline *d, struct fault *f);
/* The same in the first repository that has it, by the rules of archive_fetch:
 * what this finds is what walfetch delivers. ABSENT when all say so. */
int archive_look_any(struct repo *r, const char *name, struct walmeta *m,
    uint64_t *stored, const struct deadline *d, struct fault *f);
/* The same on a host without private key: fingerprints cannot be checked
 * without the content, so only the header's binding and the trailer are. */
int archive_look_sealed(struct repo *r, size_t i, const char *name,
    uint64_t *stored, const struct deadline *d, struct fault *f);
/* Is what repository i holds under the file's name its content? Needs no
 * private key. ABSENT as store_get; FOREIGN as archive_push. */
int archive_same(struct repo *r, size_t i, const char *path, bool *same,
    const struct deadline *d, struct fault *f);
/* Do repositories a and b hold the same content under that name? ABSENT when
 * one has none; KEY when they were sealed with different secrets. */
int archive_agree(struct repo *r, size_t a, size_t b, const char *name,
    bool *same, const struct deadline *d, struct fault *f);
/* A whole small file (.history) from the first repository that has it; by the
 * rules of archive_fetch. out's limit holds; it is cleared first. */
int archive_read(struct repo *r, const char *name, struct buf *out,
    const struct deadline *d, struct fault *f);

/* The mark: a small object that says "this is the archive of this cluster".
 * make: create it where it is missing. check: ABSENT when it is not there,
 * 0 only when it opens with our keys and says what it must. probe: as make, and
 * *once tells whether the store was seen to refuse a name that is taken: a mark
 * that is new is put a second time to see it. ours: KEY when what is there was
 * sealed without the secret of our keys, or with it and they are off; needs no
 * private key. */
int archive_mark_make(
    struct repo *r, size_t i, const struct deadline *d, struct fault *f);
int archive_mark_probe(struct repo *r, size_t i, bool *once,
    const struct deadline *d, struct fault *f);
int archive_mark_ours(
    struct repo *r, size_t i, const struct deadline *d, struct fault *f);
int archive_mark_check(
    struct repo *r, size_t i, const struct deadline *d, struct fault *f);

#endif
