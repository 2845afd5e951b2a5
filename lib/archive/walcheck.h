#ifndef WALCHECK_H
#define WALCHECK_H

#include "archive.h"

/*
 * One object of the WAL archive, proved to be what its name says.
 *
 * A walcheck belongs to one thread and may be used for many objects. Memory:
 * one segment, and of one above 32 MiB none: its bytes are in an unnamed file
 * in dir (in /tmp where that cannot be).
 * Faults are about the content, without the object's name; ABSENT as store_get.
 */

struct walcheck;

/* r is used by this thread alone. */
int walcheck_new(struct walcheck **out, struct repo *r, size_t repo,
    uint32_t segment_size, const char *dir, struct fault *f);
void walcheck_free(struct walcheck *w);

struct walcheck_result {
	struct walmeta meta; /* read: its edges are those of the content */
	uint64_t stored;     /* bytes of the object */
	/* walcheck_read, of a segment: records fill it, so that the next one
	 * can follow. */
	bool full;
};

/* All of it: opened, authenticated to its end, and of a segment header and
 * records (wal_walk) against name, system id and size; other files parse. */
int walcheck_read(struct walcheck *w, const char *name,
    struct walcheck_result *out, struct fault *f);
/* The same of a segment, with an eye for one record. */
int walcheck_seek(struct walcheck *w, const char *name,
    struct wal_sought *sought, struct walcheck_result *out, struct fault *f);
/* Header and trailer alone: bound to this name, its meta opens, and the object
 * is as long as it was made. */
int walcheck_look(struct walcheck *w, const char *name,
    struct walcheck_result *out, struct fault *f);

#endif
