#ifndef BUF_H
#define BUF_H

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "fault.h"

/*
 * A growing byte buffer with a hard limit. Numbers are little-endian.
 */

struct buf {
	unsigned char *data; /* owned; NULL while empty */
	size_t len;
	size_t cap;
	size_t limit; /* len never grows beyond; crossing it is CORRUPT */
};

#define BUF_INIT(limit)                                                        \
	{                                                                      \
		NULL, 0, 0, (limit)                                            \
	}

void buf_init(struct buf *b, size_t limit);
void buf_free(struct buf *b); /* b may be used again afterwards */
/* As buf_free, for bytes that are secret. Whoever puts such in reserves the
 * whole room first: growing leaves a copy behind. */
void buf_wipe(struct buf *b);
void buf_clear(struct buf *b); /* len = 0, memory kept */

/* Make room for n more bytes; they start at data + len. */
int buf_reserve(struct buf *b, size_t n, struct fault *f);
int buf_put(struct buf *b, const void *data, size_t n, struct fault *f);
int buf_put_u8(struct buf *b, uint8_t v, struct fault *f);
int buf_put_u16(struct buf *b, uint16_t v, struct fault *f);
int buf_put_u32(struct buf *b, uint32_t v, struct fault *f);
int buf_put_u64(struct buf *b, uint64_t v, struct fault *f);
int buf_put_str(struct buf *b, const char *s, struct fault *f); /* no NUL */
int buf_printf(struct buf *b, struct fault *f, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A NUL after the last byte (not counted in len), so that data is a string. */
int buf_terminate(struct buf *b, struct fault *f);
/* A sink_fn; ctx is a struct buf. */
int buf_sink(void *ctx, const unsigned char *data, size_t len, struct fault *f);

#endif
