#ifndef WALMETA_H
#define WALMETA_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "wal.h"

/*
 * The sealed meta of a WAL object: what later work needs of a segment without
 * opening it. Layout in pitrkit-format(5). Newer versions append fields;
 * readers take the ones they know.
 */

/* What is known of the push of another segment, which was before. */
struct walmeta_push {
	uint32_t timeline; /* the name's parts */
	uint32_t log;
	uint32_t seg;
	uint16_t flags;       /* WALMETA_DRAINED */
	uint8_t asked;        /* repositories in the settings, up to 32 */
	uint8_t quorum;       /* and how many had to hold it */
	uint32_t held;        /* those which did then; bit 0: the first */
	uint32_t duration_ms; /* WALMETA_UNKNOWN: it came out of a spill */
	int64_t durable_us;   /* when the quorum had it */
};
#define WALMETA_DRAINED 1U
#define WALMETA_UNKNOWN UINT32_MAX
#define WALMETA_PUSH 32   /* bytes of one */
#define WALMETA_PUSHES 32 /* an object tells of no more */

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
	struct walmeta_push pushes[WALMETA_PUSHES];
	size_t n_pushes;
};

/* At most OBJECT_META_MAX bytes, whatever the summary holds. The pushes come
 * behind it, by a call of their own. */
int walmeta_encode(const struct walmeta *m, struct buf *out, struct fault *f);
int walmeta_encode_pushes(
    const struct walmeta_push *p, size_t n, struct buf *out, struct fault *f);
int walmeta_decode(
    const void *p, size_t len, struct walmeta *out, struct fault *f);

/* One of them; take: false when it cannot be one. */
void walmeta_put_push(
    const struct walmeta_push *p, unsigned char out[WALMETA_PUSH]);
bool walmeta_take_push(
    const unsigned char in[WALMETA_PUSH], struct walmeta_push *out);

#endif
