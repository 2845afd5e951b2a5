#include "page.h"

#include <stdbool.h>
#include <string.h>

#include "bytes.h"

/*
 * PostgreSQL's checksum: FNV-1a over 32-bit words in 32 lanes side by side,
 * each step with a shift more, two rounds of zeros at the end, the lanes
 * joined by XOR, and with them the block's number. The checksum's own field
 * counts as zero.
 */
#define AT_CHECKSUM 8
#define AT_UPPER 14
#define LANES 32
#define PRIME 16777619U

static const uint32_t basis[LANES] = {0x5B1F36E9, 0xB8525960, 0x02AB50AA,
    0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C, 0xF8D4474F,
    0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A,
    0x0B1C9CDB, 0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979,
    0xCCA6C0B2, 0x304A0979, 0x85AA43D4, 0x783125BB, 0x6CA8EAA2, 0xE407EAC6,
    0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756};

/* A loop over lanes that the compiler makes vectors of; with 32-bit
 * multiplication in them it runs at several GB/s. */
#if defined(__x86_64__) && defined(__GLIBC__) &&                               \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CLONES __attribute__((target_clones("avx2", "sse4.1", "default")))
#else
#define CLONES
#endif

CLONES static uint32_t
lanes(const unsigned char *p, size_t size)
{
	uint32_t sum[LANES], word[LANES], result = 0;

	memcpy(sum, basis, sizeof sum);
	for (size_t at = 0; at < size; at += sizeof word) {
		memcpy(word, p + at, sizeof word);
		if (at == 0)
			word[AT_CHECKSUM / 4] &= 0xFFFF0000U;
		for (int i = 0; i < LANES; i++) {
			uint32_t x = sum[i] ^ word[i];

			sum[i] = x * PRIME ^ x >> 17;
		}
	}
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < LANES; i++)
			sum[i] = sum[i] * PRIME ^ sum[i] >> 17;
	for (int i = 0; i < LANES; i++)
		result ^= sum[i];
	return result;
}

uint16_t
page_checksum(const void *page, size_t size, uint32_t block)
{
	return (uint16_t)((lanes(page, size) ^ block) % 65535 + 1);
}

static bool
all_zero(const unsigned char *p, size_t size)
{
	return p[0] == 0 && memcmp(p, p + 1, size - 1) == 0;
}

enum page_state
page_check(const void *page, size_t size, uint32_t block)
{
	const unsigned char *p = page;

	/* pd_upper 0 is how PostgreSQL tells a page that nobody used yet */
	if (bytes_get_u16(p + AT_UPPER) == 0)
		return all_zero(p, size) ? PAGE_EMPTY : PAGE_BAD;
	return bytes_get_u16(p + AT_CHECKSUM) ==
		       page_checksum(page, size, block)
		   ? PAGE_GOOD
		   : PAGE_BAD;
}

uint64_t
page_lsn(const void *page)
{
	const unsigned char *p = page;

	return (uint64_t)bytes_get_u32(p) << 32 | bytes_get_u32(p + 4);
}
