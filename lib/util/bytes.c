#include "bytes.h"

#include <string.h>

int
bytes_skip(struct bytes *b, size_t n)
{
	if (n > b->left)
		return -1;
	if (n > 0)
		b->p += n;
	b->left -= n;
	return 0;
}

int
bytes_u8(struct bytes *b, uint8_t *out)
{
	const unsigned char *p = b->p;

	if (bytes_skip(b, 1) != 0)
		return -1;
	*out = p[0];
	return 0;
}

int
bytes_u16(struct bytes *b, uint16_t *out)
{
	const unsigned char *p = b->p;

	if (bytes_skip(b, 2) != 0)
		return -1;
	*out = bytes_get_u16(p);
	return 0;
}

int
bytes_u32(struct bytes *b, uint32_t *out)
{
	const unsigned char *p = b->p;

	if (bytes_skip(b, 4) != 0)
		return -1;
	*out = bytes_get_u32(p);
	return 0;
}

int
bytes_u64(struct bytes *b, uint64_t *out)
{
	const unsigned char *p = b->p;

	if (bytes_skip(b, 8) != 0)
		return -1;
	*out = bytes_get_u64(p);
	return 0;
}

int
bytes_copy(struct bytes *b, void *out, size_t n)
{
	const unsigned char *p = b->p;

	if (bytes_skip(b, n) != 0)
		return -1;
	if (n > 0)
		memcpy(out, p, n);
	return 0;
}

int
bytes_sub(struct bytes *b, size_t n, struct bytes *out)
{
	const unsigned char *p = b->p;

	if (bytes_skip(b, n) != 0)
		return -1;
	out->p = p;
	out->left = n;
	return 0;
}

uint16_t
bytes_get_u16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t
bytes_get_u32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

uint64_t
bytes_get_u64(const unsigned char *p)
{
	return (uint64_t)bytes_get_u32(p) | (uint64_t)bytes_get_u32(p + 4)
						<< 32;
}

void
bytes_set_u16(unsigned char *p, uint16_t v)
{
	p[0] = (unsigned char)(v & 0xff);
	p[1] = (unsigned char)(v >> 8);
}

void
bytes_set_u32(unsigned char *p, uint32_t v)
{
	bytes_set_u16(p, (uint16_t)(v & 0xffff));
	bytes_set_u16(p + 2, (uint16_t)(v >> 16));
}

void
bytes_set_u64(unsigned char *p, uint64_t v)
{
	bytes_set_u32(p, (uint32_t)(v & 0xffffffffU));
	bytes_set_u32(p + 4, (uint32_t)(v >> 32));
}
