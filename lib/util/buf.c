#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_init(struct buf *b, size_t limit)
{
	b->data = NULL;
	b->len = 0;
	b->cap = 0;
	b->limit = limit;
}

void
buf_free(struct buf *b)
{
	free(b->data);
	buf_init(b, b->limit);
}

void
buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_free(b);
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
}

/* One byte over the limit is for buf_terminate's NUL. */
static int
grow(struct buf *b, size_t need, struct fault *f)
{
	size_t cap, most;
	unsigned char *p;

	if (need <= b->cap)
		return 0;
	most = b->limit < SIZE_MAX ? b->limit + 1 : SIZE_MAX;
	cap = b->cap < 64 ? 64 : b->cap;
	cap = cap > most / 2 ? most : cap * 2;
	if (cap < need)
		cap = need;
	p = realloc(b->data, cap);
	if (p == NULL)
		return fault_nomem(f);
	b->data = p;
	b->cap = cap;
	return 0;
}

int
buf_reserve(struct buf *b, size_t n, struct fault *f)
{
	if (n > b->limit - b->len)
		return fault_set(
		    f, FAULT_CORRUPT, "longer than %zu bytes", b->limit);
	return grow(b, b->len + n, f);
}

int
buf_put(struct buf *b, const void *data, size_t n, struct fault *f)
{
	int r;

	if (n == 0)
		return 0;
	r = buf_reserve(b, n, f);
	if (r != 0)
		return r;
	memcpy(b->data + b->len, data, n);
	b->len += n;
	return 0;
}

int
buf_put_u8(struct buf *b, uint8_t v, struct fault *f)
{
	return buf_put(b, &v, 1, f);
}

int
buf_put_u16(struct buf *b, uint16_t v, struct fault *f)
{
	unsigned char p[2];

	bytes_set_u16(p, v);
	return buf_put(b, p, sizeof(p), f);
}

int
buf_put_u32(struct buf *b, uint32_t v, struct fault *f)
{
	unsigned char p[4];

	bytes_set_u32(p, v);
	return buf_put(b, p, sizeof(p), f);
}

int
buf_put_u64(struct buf *b, uint64_t v, struct fault *f)
{
	unsigned char p[8];

	bytes_set_u64(p, v);
	return buf_put(b, p, sizeof(p), f);
}

int
buf_put_str(struct buf *b, const char *s, struct fault *f)
{
	return buf_put(b, s, strlen(s), f);
}

int
buf_printf(struct buf *b, struct fault *f, const char *fmt, ...)
{
	va_list ap;
	int n, r;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return fault_set(f, FAULT_SYSTEM, "cannot format a line");
	r = buf_reserve(b, (size_t)n, f);
	if (r == 0)
		r = grow(b, b->len + (size_t)n + 1, f);
	if (r != 0)
		return r;
	va_start(ap, fmt);
	vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

int
buf_terminate(struct buf *b, struct fault *f)
{
	int r;

	if (b->len == SIZE_MAX)
		return fault_nomem(f);
	r = grow(b, b->len + 1, f);
	if (r != 0)
		return r;
	b->data[b->len] = '\0';
	return 0;
}

int
buf_sink(void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	return buf_put(ctx, data, len, f);
}
