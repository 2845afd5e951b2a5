#ifndef WALMETA_H
#define WALMETA_H

#include <stdint.h>

#include "buf.h"
#include "wal.h"

/*
 * The sealed meta of a WAL object: what later work needs of a segment without
 * opening it. Layout in pitrkit-format(5). Newer versions append fields;
 * readers take the ones they know.
 */

struct walmeta {
	uint64_t size;     /* of the file */
	int64_t pushed_us; /* when walpush read it */
	char version[24];  /* of pitrkit that wrote it */
	/* the rest only for segments and .partial files: */
	uint16_t magic;
	uint32_t timeline; /* as the first page says */
	uint64_t address;
	uint32_t segment_size;
	struct wal_summary summary;
};

/* At most OBJECT_META_MAX bytes, whatever the summary holds. */
int walmeta_encode(const struct walmeta *m, struct buf *out, struct fault *f);
int walmeta_decode(
    const void *p, size_t len, struct walmeta *out, struct fault *f);

#endif
