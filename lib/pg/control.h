#ifndef CONTROL_H
#define CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"

/*
 * global/pg_control of PostgreSQL 13 to 18: what we need of it, after its
 * CRC-32C was checked. Pure. Source: catalog/pg_control.h of each version.
 */

#define CONTROL_SIZE 8192

#define CONTROL_SHUT_DOWN 1
#define CONTROL_SHUT_DOWN_IN_RECOVERY 2

struct control {
	uint64_t system_id;
	uint32_t control_version; /* 1300, 1700, 1800 … */
	uint32_t catalog_version;
	uint32_t segment_size;
	uint32_t block_size;
	uint32_t relation_blocks; /* pages in a relation's file, at most */
	uint32_t checksums;       /* data_checksum_version */
	uint32_t state;           /* enum DBState, of which: */
	uint64_t checkpoint;
	uint64_t redo;
	uint32_t timeline; /* of the last checkpoint */
};

/* CORRUPT when too short or the CRC is wrong; FOREIGN for a version that is
 * not known. A running server rewrites the file in place: the caller reads
 * again before it believes CORRUPT. */
int control_parse(
    const void *data, size_t len, struct control *out, struct fault *f);

/*
 * Only the system identifier, which stands first in every version: also of
 * versions that are not known, if a CRC-32C stands anywhere behind it as it
 * does in the others. WAL of a new release is archived before this program
 * knows what else is in the file. Faults as control_parse.
 */
int control_system_id(
    const void *data, size_t len, uint64_t *out, struct fault *f);

#endif
