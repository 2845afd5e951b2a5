#ifndef WAL_JOINT_H
#define WAL_JOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

/*
 * The two edges of a WAL segment, by which it is told whether one goes on where
 * the other ended. Names and addresses fit between any two servers that have
 * the same past; the chain of records does not: each names the place of the one
 * before it, and one that lies on both sides has one CRC. Recovery follows
 * that chain, and takes its first break for the end of the WAL.
 */
struct wal_joint {
	/* Its beginning is known: */
	bool head;
	bool overwrites;      /* a record of before was given up in it */
	uint32_t carried;     /* bytes of a record of before; 0: none */
	uint32_t carried_crc; /* CRC-32C of those that lie in it */
	uint64_t first;       /* LSN of the first record in it; 0: none */
	uint64_t first_prev;  /* of the record before that, as it says */
	/* Its end is known: records fill it. */
	bool tail;
	uint64_t last;  /* LSN of the last record begun in it; 0: none */
	uint64_t whole; /* … of the last that ended, too; 0: none */
	uint32_t left;  /* bytes of it that belong in the next segment */
	bool owes;      /* owed is known */
	uint32_t owed;  /* what they add to its CRC: wal_crc32c_shift */
};

/* Does after follow before? CORRUPT, with what does not fit, when it cannot. An
 * edge that is not known fits. */
int wal_joint_check(const struct wal_joint *before,
    const struct wal_joint *after, struct fault *f);

#endif
