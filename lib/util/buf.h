#ifndef BUF_H
#define BUF_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"

/*
 * A growing byte buffer with a hard limit, and a reader over bytes from
 * outside that cannot run past their end. Numbers are little-endian.
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

/* Reader: each take_* returns 0, or -1 when the bytes do not suffice, and then
 * consumes nothing. */
struct bytes {
	const unsigned char *p;
	size_t left;
};

int bytes_u8(struct bytes *b, uint8_t *out);
int bytes_u16(struct bytes *b, uint16_t *out);
int bytes_u32(struct bytes *b, uint32_t *out);
int bytes_u64(struct bytes *b, uint64_t *out);
int bytes_copy(struct bytes *b, void *out, size_t n);
int bytes_skip(struct bytes *b, size_t n);
int bytes_sub(struct bytes *b, size_t n, struct bytes *out);

uint16_t bytes_get_u16(const unsigned char *p);
uint32_t bytes_get_u32(const unsigned char *p);
uint64_t bytes_get_u64(const unsigned char *p);
void bytes_set_u16(unsigned char *p, uint16_t v);
void bytes_set_u32(unsigned char *p, uint32_t v);
void bytes_set_u64(unsigned char *p, uint64_t v);

#endif
