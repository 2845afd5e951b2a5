#ifndef WAL_H
#define WAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "fault.h"
#include "wal_joint.h"
#include "walname.h"

/*
 * What a WAL segment says of itself. Pure; the bytes are hostile.
 * Source: access/xlog_internal.h, xlogrecord.h, xact.h of PostgreSQL 14-19.
 */

#define WAL_PAGE 8192

struct wal_header {
	uint16_t magic;
	uint32_t timeline;
	uint64_t address; /* LSN of the first byte */
	uint64_t system_id;
	uint32_t segment_size;
	uint32_t page_size;
};

/* The long header of the first page (40 bytes). CORRUPT when it is none. */
int wal_header(
    const void *segment, size_t len, struct wal_header *out, struct fault *f);
/* Major version of PostgreSQL for a page magic; 0 when not known (a newer
 * version: not an error by itself). */
int wal_version(uint16_t magic);

/*
 * Header against name and file size: segment size valid and equal to file_size,
 * address as named, timeline not above the one named (after a promotion the
 * first segment of a timeline begins with pages of the one before). FOREIGN,
 * with what was found and what expected.
 */
int wal_check_name(const struct wal_header *h, const struct walname *n,
    uint64_t file_size, struct fault *f);

#define WAL_POINTS 8      /* restore points told of, per segment */
#define WAL_POINT_NAME 64 /* MAXFNAMELEN, NUL included */

struct wal_summary {
	uint64_t end_lsn; /* after the last whole record; else the start */
	int64_t first_commit_us; /* CLOCK_NONE: no commit record in it */
	int64_t last_commit_us;  /* the oldest and the newest: their times
				  * need not rise with their LSNs */
	uint32_t commits;        /* commit and abort records with a time */
	uint32_t xid_first;      /* first and last xid that ended, 0: none */
	uint32_t xid_last;
	uint32_t xid_min; /* numerically; with wraparound inside: 3..2^32-1 */
	uint32_t xid_max;
	uint32_t n_points; /* restore points in it; may exceed WAL_POINTS */
	struct {
		char name[WAL_POINT_NAME];
		uint64_t lsn;
		int64_t time_us;
	} points[WAL_POINTS];
	bool switched; /* ended by a segment switch */
	bool full;     /* records fill it: up to its end or a switch */
	struct wal_joint joint;
};

/*
 * Walk all records of a segment: page headers, record lengths and CRC-32C of
 * every record that lies wholly in it; collect the times. A record that began
 * in the segment before is passed over by its remaining length; one that runs
 * on into the next segment ends the walk.
 *
 * CORRUPT, with the LSN, when a page or record is broken and yet a later page
 * of the segment carries WAL of this very segment: damage in the middle. That
 * is a page with the same magic, the address of its place, and a timeline not
 * below the last whole page's nor above the named one. PostgreSQL writes and
 * streams WAL in order, so behind the end of the records there is none.
 * Otherwise the records simply end there: zeros, or an older segment's bytes in
 * a recycled file. Seen in segments that a standby with archive_mode = always
 * gets in part before its primary changes timeline. In a .partial file
 * nothing is CORRUPT: what stands behind its end, PostgreSQL never reads.
 *
 * Copes with: a record that began before the segment and ends after it; records
 * given up after a crash (XLP_FIRST_IS_OVERWRITE_CONTRECORD); timelines that
 * rise between pages; XLOG_SWITCH; magics not known yet; other page sizes.
 * segment may be mapped; len is the segment size. FOREIGN as wal_check_name.
 */
int wal_walk(const void *segment, size_t len, const struct walname *n,
    struct wal_summary *out, struct fault *f);

/* The same; on its way the watch hears, every WAL_WATCH bytes or so, how far it
 * has come: what is before that it does not read again. */
#define WAL_WATCH ((size_t)256 << 10)
struct wal_watch {
	void (*passed)(void *ctx, size_t to); /* or NULL */
	void *ctx;
	struct wal_sought *sought; /* or NULL */
};
/* The record with which a primary ends the backup that began at start. */
struct wal_sought {
	uint64_t start;
	uint64_t stop; /* where it ends itself */
	bool found;
};
int wal_walk_watched(const void *segment, size_t len, const struct walname *n,
    const struct wal_watch *watch, struct wal_summary *out, struct fault *f);

/* CRC-32C of n bytes that follow bytes with this CRC (0 at the beginning). */
uint32_t wal_crc32c(uint32_t crc, const void *p, size_t n);
/* The same without the processor's help: for machines that have none. */
uint32_t wal_crc32c_table(uint32_t crc, const void *p, size_t n);
/* What a stretch with this CRC of its own adds to the CRC of a whole in which n
 * bytes follow it: the XOR of that over all stretches, whatever their order,
 * is the CRC of the whole. */
uint32_t wal_crc32c_shift(uint32_t crc, uint64_t n);

#endif
