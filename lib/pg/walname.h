#ifndef WALNAME_H
#define WALNAME_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

/*
 * Names of the files PostgreSQL archives, and the arithmetic between names and
 * LSNs. Pure. Source: PostgreSQL, "WAL Internals"; access/xlog_internal.h.
 *
 *	TTTTTTTTLLLLLLLLSSSSSSSS			segment
 *	TTTTTTTT.history				timeline history
 *	TTTTTTTTLLLLLLLLSSSSSSSS.OOOOOOOO.backup	backup label
 *	TTTTTTTTLLLLLLLLSSSSSSSS.partial		last of an old timeline
 *
 * Upper-case hexadecimal only, as PostgreSQL writes them.
 */

#define WALNAME_SIZE 41 /* the longest name and its NUL */
#define WALNAME_SEGMENT_MIN (1U << 20)
#define WALNAME_SEGMENT_MAX (1U << 30)

enum walname_kind {
	WALNAME_SEGMENT,
	WALNAME_HISTORY,
	WALNAME_LABEL,
	WALNAME_PARTIAL,
};

struct walname {
	enum walname_kind kind;
	uint32_t timeline; /* never 0 */
	uint32_t log;      /* high half of the segment's number */
	uint32_t seg;      /* low half */
	uint32_t offset;   /* WALNAME_LABEL: of the start in the segment */
};

/* FOREIGN when it is no name of these four forms. */
int walname_parse(const char *s, struct walname *out, struct fault *f);

/* Is size a segment size: a power of two, 1 MB to 1 GB? */
bool walname_segment_size_ok(uint64_t size);
/* Segment number of a name (0, 1, …) and its first LSN. FOREIGN when seg is
 * not below 2^32 / size. */
int walname_segno(const struct walname *n, uint32_t segment_size,
    uint64_t *segno, struct fault *f);
uint64_t walname_lsn(uint64_t segno, uint32_t segment_size);
uint64_t walname_segno_of(uint64_t lsn, uint32_t segment_size);
/* The segment that holds the byte before lsn (where a backup stops). */
uint64_t walname_segno_before(uint64_t lsn, uint32_t segment_size);
void walname_format(uint32_t timeline, uint64_t segno, uint32_t segment_size,
    char out[WALNAME_SIZE]);
void walname_format_history(uint32_t timeline, char out[WALNAME_SIZE]);

#endif
