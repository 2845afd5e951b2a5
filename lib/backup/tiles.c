#include "tiles.h"

#include <string.h>

#include "bytes.h"
#include "crypto.h"
#include "manifest.h"

void
tiles_begin(struct tiles *t, const unsigned char seed[TILES_SEED])
{
	memcpy(t->seed, seed, sizeof t->seed);
	t->sum[0] = t->sum[1] = 0;
}

static void
weigh(
    struct tiles *t, const char *path, uint64_t size, uint64_t place, bool plus)
{
	unsigned char text[32 + MANIFEST_PATH], hash[16];
	size_t n = strnlen(path, MANIFEST_PATH);

	memcpy(text, t->seed, 16);
	for (unsigned k = 0; k < 8; k++) {
		text[16 + k] = (unsigned char)(size >> (8 * k));
		text[24 + k] = (unsigned char)(place >> (8 * k));
	}
	memcpy(text + 32, path, n);
	crypto_xxh(text, 32 + n, hash);
	for (unsigned k = 0; k < 2; k++) {
		uint64_t v = bytes_get_u64(hash + 8 * (size_t)k);

		t->sum[k] += plus ? v : 0 - v;
	}
}

void
tiles_add(struct tiles *t, const char *path, uint64_t file_size,
    uint64_t offset, uint64_t length)
{
	/* The beginning of the first piece and that of the file cancel. */
	weigh(t, path, file_size, offset == 0 ? file_size : offset, false);
	weigh(t, path, file_size, offset + length, true);
}

bool
tiles_whole(const struct tiles *t)
{
	return t->sum[0] == 0 && t->sum[1] == 0;
}
