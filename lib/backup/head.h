#ifndef HEAD_H
#define HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "clock.h"
#include "layout.h"
#include "manifest.h"

/*
 * A backup's head: written last, so a backup exists when it does. JSON in a
 * sealed object (pitrkit-format(5)); unknown members are passed over, so newer
 * versions may add some.
 */

#define HEAD_MAX (1U << 20)
#define HEAD_TABLESPACES 1024
#define HEAD_LABEL 256

struct head_tablespace {
	uint32_t oid;
	char *path; /* where it was; owned */
	uint64_t size;
};

struct head {
	char id[LAYOUT_ID];
	char type[8];             /* full diff incr */
	char retention_class[16]; /* "" or as --class */
	char label[HEAD_LABEL];
	char version[24]; /* of pitrkit */
	char host[256];
	uint32_t pg_version; /* server_version_num */
	uint64_t system_id;
	uint32_t segment_size;
	bool checksums; /* page checksums on, and verified */
	bool from_standby;
	char source[8]; /* stream files */
	uint32_t timeline;
	uint64_t start_lsn;
	uint64_t stop_lsn;
	uint32_t stop_timeline; /* = timeline */
	int64_t start_us;       /* by the server's clock */
	int64_t stop_us; /* taken after stop_lsn: a target time must not be
			    before it */
	int64_t done_us; /* head written, by our clock */
	struct head_tablespace *tablespaces; /* without pg_default, pg_global */
	size_t n_tablespaces;
	struct manifest_totals totals;
	uint64_t manifest_size; /* bytes of the manifest object */
};

/* SYSTEM when head_decode would not take it. */
int head_encode(const struct head *h, struct buf *out, struct fault *f);
/* Checks every value; h->id must be what the key says (the caller compares).*/
int head_decode(
    const void *text, size_t len, struct head *out, struct fault *f);
void head_free(struct head *h); /* what it owns, not h */

#endif
