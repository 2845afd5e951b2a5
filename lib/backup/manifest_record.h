#ifndef MANIFEST_RECORD_H
#define MANIFEST_RECORD_H

#include "bytes.h"
#include "manifest.h"

/*
 * One record of a manifest, from bytes that nobody vouches for. Pure: what a
 * record says of itself is believed only as far as its bytes reach, and nothing
 * is known of the other records. CORRUPT for a record that is not to the rules
 * (pitrkit-format(5)).
 */

/* What the rows of a 'P' record are decoded into; kept from record to record,
 * so that memory is that of the largest one. Begins as zeros. */
struct manifest_file {
	const char *path;
	uint32_t mode;
	int64_t mtime_us;
	uint64_t size;
};
struct manifest_rows {
	struct manifest_file *files;
	size_t files_cap;
	struct manifest_extent *extents;
	size_t extents_cap;
	struct manifest_piece *pieces;
	size_t pieces_cap;
};
void manifest_rows_free(struct manifest_rows *r);

/* The payload of one record. Names point into b, and the rest of *p into rows:
 * both are valid as long as neither is used again. */
int manifest_record_entry(
    char type, struct bytes b, struct manifest_entry *e, struct fault *f);
int manifest_record_pack(struct bytes b, struct manifest_rows *rows,
    struct manifest_pack *p, struct fault *f);
int manifest_record_totals(
    struct bytes b, struct manifest_totals *t, struct fault *f);

#endif
