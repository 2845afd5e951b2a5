#include <stdlib.h>
#include <string.h>

#include "untar.h"
#include "wal.h"

#define BLOCK 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct seen {
	uint32_t crc; /* of everything announced, and of all content */
	uint64_t left;
};

static int
entry(void *ctx, const struct untar_entry *e, struct fault *f)
{
	struct seen *s = ctx;

	(void)f;
	if (s->left != 0 || e->name[0] == '/' ||
	    strncmp(e->name, "../", 3) == 0 || strcmp(e->name, "..") == 0 ||
	    strstr(e->name, "/../") != NULL)
		abort();
	s->crc = wal_crc32c(s->crc, e->name, strlen(e->name));
	s->crc = wal_crc32c(s->crc, e->link, strlen(e->link));
	s->left = e->size;
	return (0);
}

static int
content(void *ctx, const unsigned char *p, size_t n, struct fault *f)
{
	struct seen *s = ctx;

	(void)f;
	if (n == 0 || n > s->left)
		abort();
	s->left -= n;
	s->crc = wal_crc32c(s->crc, p, n);
	return (0);
}

static int
end(void *ctx, struct fault *f)
{
	struct seen *s = ctx;

	(void)f;
	if (s->left != 0)
		abort();
	return (0);
}

static int
parse(const uint8_t *data, size_t n, size_t piece, struct seen *s)
{
	const struct untar_events ev = {entry, content, end};
	struct fault f = FAULT_INIT;
	struct untar *t;
	int rc;

	memset(s, 0, sizeof(*s));
	if (untar_new(&t, &ev, s, &f) != 0)
		abort();
	rc = 0;
	for (size_t at = 0; at < n && rc == 0; at += piece)
		rc = untar_feed(
		    t, data + at, n - at < piece ? n - at : piece, &f);
	if (rc == 0)
		rc = untar_end(t, &f);
	untar_free(t);
	return (rc);
}

/* Makes every block that may be a header pass its checksum. */
static void
fix(uint8_t *p, size_t n)
{
	for (; n >= BLOCK; p += BLOCK, n -= BLOCK) {
		unsigned sum = 0;

		if (memcmp(p + 257, "ustar", 5) != 0)
			continue;
		memset(p + 148, ' ', 8);
		for (size_t i = 0; i < BLOCK; i++)
			sum += p[i];
		for (size_t i = 6; i-- > 0; sum >>= 3)
			p[148 + i] = (uint8_t)('0' + (sum & 7));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n + 1);
	struct seen whole, pieces;

	if (copy == NULL)
		abort();
	memcpy(copy, data, n);
	fix(copy, n);
	if (parse(copy, n, n + 1, &whole) != parse(copy, n, 7, &pieces) ||
	    whole.crc != pieces.crc)
		abort();
	free(copy);
	return (0);
}
