#ifndef BLOCKS_H
#define BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "walname.h"

/*
 * Which WAL was read before, told by its listing. The files of a timeline are
 * taken in blocks of 64 segment numbers; a block that was read is remembered
 * with a SHA-256 over the names, sizes and times of its files as they were
 * listed. One that is listed otherwise now (something went, came in between,
 * or was put anew) was not read before; files that came behind its end only
 * were not. Pure.
 */

#define BLOCKS_SUM 32

struct blocks_mark {
	uint32_t timeline;
	uint32_t log;   /* the halves of the names */
	uint32_t first; /* … of the lowest and the highest segment number */
	uint32_t last;
	uint32_t files; /* .partial and .backup files count */
	unsigned char sum[BLOCKS_SUM];
	int64_t read_us; /* when */
};

struct blocks_one {
	struct blocks_mark all;          /* as it is listed */
	const struct blocks_mark *known; /* its beginning, read before */
	uint64_t bytes;
	uint32_t done; /* files read now */
	bool torn;     /* to be read again, whatever was read */
};

struct blocks {
	struct blocks_one *b; /* in order */
	size_t n;
	/* private */
	size_t cap;
	const struct blocks_mark *known;
	size_t n_known;
	size_t next;
	struct crypto_hash *all;
	struct crypto_hash *old; /* up to the end of what is known */
	uint32_t old_files;
};

/* known: in order, as it came out of blocks_mark_of; kept by the caller. */
void blocks_begin(struct blocks *b, const struct blocks_mark *known, size_t n);
/* One file (no .history), in the order of a listing. */
int blocks_add(struct blocks *b, const struct walname *n, const char *name,
    uint64_t size, int64_t modified_us, struct fault *f);
int blocks_end(struct blocks *b, struct fault *f);
void blocks_free(struct blocks *b);

/* NULL when there is none. */
struct blocks_one *blocks_find(const struct blocks *b, const struct walname *n);
bool blocks_was_read(const struct blocks_one *b, const struct walname *n);
/* What is to be remembered of it after this run; false: nothing. */
bool blocks_mark_of(
    const struct blocks_one *b, int64_t now_us, struct blocks_mark *out);
/* Does a come before b? */
bool blocks_in_order(const struct blocks_mark *a, const struct blocks_mark *b);

#endif
