#ifndef WAL_RECORD_H
#define WAL_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "wal.h"

/*
 * One WAL record that was found whole: what wal_walk() wants of it. Private to
 * lib/pg. Source: xlogrecord.h, xactdesc.c, xlogdesc.c.
 */

#define WAL_RECORD_HEADER 24
#define WAL_PAGE_HEADER 24 /* of every page but a segment's first */
#define WAL_LONG_HEADER 40

/* A position in a record; steps over the page headers inside it. The record's
 * last byte must be known to lie in the segment. */
struct wal_record {
	const unsigned char *segment;
	size_t page; /* size of one */
	size_t at;   /* offset in the segment */
	size_t left; /* bytes of the record from there on */
};

int wal_record_take(struct wal_record *r, void *out, size_t n);
/* CRC-32C of the rest of the record, after bytes whose CRC is crc. */
uint32_t wal_record_crc(struct wal_record *r, uint32_t crc);

/* Note commits, aborts and restore points; r stands at the record's header,
 * lsn is its. A record that is not laid out as expected tells nothing. */
void wal_record_note(
    struct wal_record *r, uint64_t lsn, int version, struct wal_summary *s);

/* Does it end the backup that began at start? */
bool wal_record_ends_backup(struct wal_record *r, int version, uint64_t start);

#endif
