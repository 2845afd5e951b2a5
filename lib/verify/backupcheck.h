#ifndef BACKUPCHECK_H
#define BACKUPCHECK_H

#include "gang.h"
#include "head.h"
#include "lottery.h"

/*
 * One backup, proved by content: its manifest opens, parses, makes up whole
 * files and is what the head says; each pack that it names is there, as long as
 * it should be and bound to its name; its extents open and hold what the
 * manifest says. The manifest is read as a stream and never held; extents are
 * read by range.
 */

struct backupcheck {
	struct repo *repo; /* of the calling thread */
	size_t index;
	struct gang *gang;
	const struct head *head;
	const struct lottery *lottery; /* which extents are opened */
	/* As the listing has it; false: there is no such object. name: the
	 * bound name, "ID/pack/NNNNNNNN". */
	bool (*listed)(void *ctx, const char *name, uint64_t *size);
	/* What is wrong with an object of this bound name; from any thread. */
	void (*found)(void *ctx, const char *name, const struct fault *why);
	/* Bytes as they are stored; from any thread. */
	void (*progress)(void *ctx, uint64_t stored);
	void *ctx;

	/* out: */
	_Atomic uint64_t extents; /* opened */
	_Atomic uint64_t bytes;   /* content in them */
	_Atomic uint64_t stored;
	_Atomic uint64_t frozen; /* packs that have to be thawed: not read */
};

/* A fault is the store's, or this host's: nothing is known then. */
int backupcheck_run(struct backupcheck *b, struct fault *f);

/* Does such a fault tell of the object, and not of the way to it? */
bool backupcheck_tells(const struct fault *f);

#endif
