#ifndef WALMAKE_H
#define WALMAKE_H

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "wal.h"

/*
 * Writes WAL as PostgreSQL does: for tests that need segments with just the
 * right thing wrong. Bytes beyond the segment's end are dropped.
 */

#define WALMAKE_RECORD 24
#define WALMAKE_MAX (4 << 20) /* longest record */

struct walmake {
	unsigned char *segment;
	size_t len;
	size_t page;
	uint64_t base;
	uint32_t timeline;
	uint16_t magic;
	size_t at;
	uint64_t previous;
	unsigned flags; /* for the next page begun */
};

static void
walmake_page(struct walmake *m, size_t left)
{
	unsigned char *p = m->segment + m->at;
	unsigned info = m->flags | (left > 0 ? 1U : 0U);

	if (m->at >= m->len)
		return;
	memset(p, 0, m->page);
	bytes_set_u16(p, m->magic);
	bytes_set_u32(p + 4, m->timeline);
	bytes_set_u64(p + 8, m->base + m->at);
	bytes_set_u32(p + 16, (uint32_t)left);
	if (m->at == 0) {
		info |= 2;
		bytes_set_u64(p + 24, 7000000000000000000U);
		bytes_set_u32(p + 32, (uint32_t)m->len);
		bytes_set_u32(p + 36, (uint32_t)m->page);
	}
	bytes_set_u16(p + 2, (uint16_t)info);
	m->flags = 0;
	m->at += m->at == 0 ? 40 : 24;
}

/* n bytes of a record, over as many pages as it takes. */
static void
walmake_put(struct walmake *m, const unsigned char *p, size_t n)
{
	while (n > 0 && m->at < m->len) {
		size_t room;

		if (m->at % m->page == 0)
			walmake_page(m, n);
		room = m->page - m->at % m->page;
		if (room > n)
			room = n;
		memcpy(m->segment + m->at, p, room);
		m->at += room;
		p += room;
		n -= room;
	}
	m->at = (m->at + 7) & ~(size_t)7;
}

/* Segment number 5 on timeline 3 of PostgreSQL 15; its first page is there
 * when left > 0, being what a record before it leaves over. */
static void
walmake_begin(struct walmake *m, unsigned char *segment, size_t len,
    size_t page, size_t left)
{
	memset(segment, 0, len);
	*m = (struct walmake){
	    segment, len, page, 5 * (uint64_t)len, 3, 0xD110, 0, 0, 0};
	if (left > 0) {
		unsigned char *rest = calloc(1, left);

		if (rest == NULL)
			abort();
		walmake_put(m, rest, left);
		free(rest);
	}
}

/* A record with this body (block references and data). Returns its offset. */
static size_t
walmake_record(struct walmake *m, unsigned manager, unsigned info, uint32_t xid,
    const void *body, size_t n)
{
	unsigned char *r = calloc(1, WALMAKE_RECORD + n);
	size_t start;
	uint32_t crc;

	if (r == NULL)
		abort();
	if (m->at % m->page == 0)
		walmake_page(m, 0);
	start = m->at;
	bytes_set_u32(r, (uint32_t)(WALMAKE_RECORD + n));
	bytes_set_u32(r + 4, xid);
	bytes_set_u64(r + 8, m->previous);
	r[16] = (unsigned char)info;
	r[17] = (unsigned char)manager;
	if (n > 0)
		memcpy(r + WALMAKE_RECORD, body, n);
	crc = wal_crc32c_table(0, r + WALMAKE_RECORD, n);
	bytes_set_u32(r + 20, wal_crc32c_table(crc, r, 20));
	m->previous = m->base + start;
	walmake_put(m, r, WALMAKE_RECORD + n);
	free(r);
	return (start);
}

/* A record that has main data only. */
static size_t
walmake_main(struct walmake *m, unsigned manager, unsigned info, uint32_t xid,
    const void *data, size_t n)
{
	unsigned char *body = malloc(n + 5);
	size_t head, start;

	if (body == NULL)
		abort();
	if (n < 256) {
		body[0] = 255;
		body[1] = (unsigned char)n;
		head = 2;
	} else {
		body[0] = 254;
		bytes_set_u32(body + 1, (uint32_t)n);
		head = 5;
	}
	if (n > 0)
		memcpy(body + head, data, n);
	start = walmake_record(m, manager, info, xid, body, head + n);
	free(body);
	return (start);
}

/* A commit record (0x00) or another operation, at us since 2000. */
static inline size_t
walmake_end(struct walmake *m, unsigned operation, uint32_t xid, int64_t us)
{
	unsigned char data[8];

	bytes_set_u64(data, (uint64_t)us);
	return (walmake_main(m, 1, operation, xid, data, sizeof(data)));
}

/* Some other resource manager's record with n bytes. */
static inline size_t
walmake_filler(struct walmake *m, size_t n)
{
	unsigned char *data = malloc(n + 1);
	size_t start;

	if (data == NULL)
		abort();
	memset(data, 0x5A, n + 1);
	start = walmake_main(m, 10, 0, 9, data, n);
	free(data);
	return (start);
}

#endif
