#ifndef BYTES_H
#define BYTES_H

#include <stddef.h>
#include <stdint.h>

/*
 * A reader over bytes from outside, little-endian. Each function returns 0, or
 * -1 when the bytes do not suffice, and then consumes nothing.
 */

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

/* The same for bytes that are known to be there. */
uint16_t bytes_get_u16(const unsigned char *p);
uint32_t bytes_get_u32(const unsigned char *p);
uint64_t bytes_get_u64(const unsigned char *p);
void bytes_set_u16(unsigned char *p, uint16_t v);
void bytes_set_u32(unsigned char *p, uint32_t v);
void bytes_set_u64(unsigned char *p, uint64_t v);

#endif
