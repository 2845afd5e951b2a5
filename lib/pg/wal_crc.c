#include <string.h>

#include "wal.h"

/*
 * CRC-32C (Castagnoli). On x86-64 with SSE 4.2 the instruction does 8 bytes a
 * step, but each step waits three cycles for the one before; so long runs are
 * cut into three strands that run side by side and are joined by a carry-less
 * multiplication. Everywhere else: eight tables, 8 bytes a step.
 */

/* The CRC is linear: an entry is the XOR of the entries of its bits. */
#define ENTRY(i, c0, c1, c2, c3, c4, c5, c6, c7)                               \
	(((i)&1 ? (c0) : 0) ^ ((i)&2 ? (c1) : 0) ^ ((i)&4 ? (c2) : 0) ^        \
	    ((i)&8 ? (c3) : 0) ^ ((i)&16 ? (c4) : 0) ^ ((i)&32 ? (c5) : 0) ^   \
	    ((i)&64 ? (c6) : 0) ^ ((i)&128 ? (c7) : 0))
#define ENTRY4(i, ...)                                                         \
	ENTRY(i, __VA_ARGS__), ENTRY((i) + 1, __VA_ARGS__),                    \
	    ENTRY((i) + 2, __VA_ARGS__), ENTRY((i) + 3, __VA_ARGS__)
#define ENTRY16(i, ...)                                                        \
	ENTRY4(i, __VA_ARGS__), ENTRY4((i) + 4, __VA_ARGS__),                  \
	    ENTRY4((i) + 8, __VA_ARGS__), ENTRY4((i) + 12, __VA_ARGS__)
#define ENTRY64(i, ...)                                                        \
	ENTRY16(i, __VA_ARGS__), ENTRY16((i) + 16, __VA_ARGS__),               \
	    ENTRY16((i) + 32, __VA_ARGS__), ENTRY16((i) + 48, __VA_ARGS__)
#define ROW(...)                                                               \
	{                                                                      \
		ENTRY64(0, __VA_ARGS__), ENTRY64(64, __VA_ARGS__),             \
		    ENTRY64(128, __VA_ARGS__), ENTRY64(192, __VA_ARGS__)       \
	}

/* table[k][b]: what byte b does to the CRC with k zero bytes after it. */
static const uint32_t table[8][256] = {
    ROW(0xF26B8303U, 0xE13B70F7U, 0xC79A971FU, 0x8AD958CFU, 0x105EC76FU,
	0x20BD8EDEU, 0x417B1DBCU, 0x82F63B78U),
    ROW(0x13A29877U, 0x274530EEU, 0x4E8A61DCU, 0x9D14C3B8U, 0x3FC5F181U,
	0x7F8BE302U, 0xFF17C604U, 0xFBC3FAF9U),
    ROW(0xA541927EU, 0x4F6F520DU, 0x9EDEA41AU, 0x38513EC5U, 0x70A27D8AU,
	0xE144FB14U, 0xC76580D9U, 0x8B277743U),
    ROW(0xDD45AAB8U, 0xBF672381U, 0x7B2231F3U, 0xF64463E6U, 0xE964B13DU,
	0xD725148BU, 0xABA65FE7U, 0x52A0C93FU),
    ROW(0x38116FACU, 0x7022DF58U, 0xE045BEB0U, 0xC5670B91U, 0x8F2261D3U,
	0x1BA8B557U, 0x37516AAEU, 0x6EA2D55CU),
    ROW(0xEF306B19U, 0xDB8CA0C3U, 0xB2F53777U, 0x6006181FU, 0xC00C303EU,
	0x85F4168DU, 0x0E045BEBU, 0x1C08B7D6U),
    ROW(0x68032CC8U, 0xD0065990U, 0xA5E0C5D1U, 0x4E2DFD53U, 0x9C5BFAA6U,
	0x3D5B83BDU, 0x7AB7077AU, 0xF56E0EF4U),
    ROW(0x493C7D27U, 0x9278FA4EU, 0x211D826DU, 0x423B04DAU, 0x847609B4U,
	0x0D006599U, 0x1A00CB32U, 0x34019664U),
};

uint32_t
wal_crc32c_table(uint32_t crc, const void *data, size_t n)
{
	const unsigned char *p = data;

	crc = ~crc;
	for (; n >= 8; n -= 8, p += 8) {
		crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 |
		       (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		crc = table[7][crc & 255] ^ table[6][crc >> 8 & 255] ^
		      table[5][crc >> 16 & 255] ^ table[4][crc >> 24] ^
		      table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^
		      table[0][p[7]];
	}
	for (; n > 0; n--, p++)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 255];
	return (~crc);
}

#ifdef __x86_64__
#include <immintrin.h>

#define STRAND 256 /* bytes */
/* x^(8*STRAND - 33) and x^(16*STRAND - 33) mod P: shift a CRC over one strand
 * or two; the instruction's own reduction contributes the missing x^33. */
#define SHIFT_1 0xB9E02B86
#define SHIFT_2 0xDD7E3B0C

#define HARDWARE __attribute__((target("sse4.2,pclmul")))

static inline uint64_t
load64(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return (v);
}

HARDWARE static inline uint64_t
shift(uint64_t crc, uint32_t by)
{
	__m128i product = _mm_clmulepi64_si128(
	    _mm_cvtsi64_si128((int64_t)crc), _mm_cvtsi32_si128((int32_t)by), 0);

	return (_mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product)));
}

HARDWARE static uint32_t
crc_hardware(uint32_t crc, const unsigned char *p, size_t n)
{
	uint64_t a = crc;

	for (; n >= 3 * STRAND; n -= 3 * STRAND, p += 3 * STRAND) {
		uint64_t b = 0, c = 0;

		for (size_t i = 0; i < STRAND; i += 8) {
			a = _mm_crc32_u64(a, load64(p + i));
			b = _mm_crc32_u64(b, load64(p + STRAND + i));
			c = _mm_crc32_u64(c, load64(p + 2 * STRAND + i));
		}
		a = shift(a, SHIFT_2) ^ shift(b, SHIFT_1) ^ c;
	}
	for (; n >= 8; n -= 8, p += 8)
		a = _mm_crc32_u64(a, load64(p));
	crc = (uint32_t)a;
	if (n & 4) {
		uint32_t v;

		memcpy(&v, p, sizeof(v));
		crc = _mm_crc32_u32(crc, v);
		p += 4;
	}
	for (n &= 3; n > 0; n--, p++)
		crc = _mm_crc32_u8(crc, *p);
	return (crc);
}
#endif

uint32_t
wal_crc32c(uint32_t crc, const void *p, size_t n)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2") &&
	    __builtin_cpu_supports("pclmul"))
		return (~crc_hardware(~crc, p, n));
#endif
	return (wal_crc32c_table(crc, p, n));
}

/* ---- joining ---- */

/*
 * n zero bytes after a stretch multiply its CRC, as a polynomial, by x^8n; the
 * inversions before and after cancel out in the sum of all stretches. Bits are
 * reflected: x^0 is the highest.
 */
#define POLYNOMIAL 0x82F63B78U
#define ONE 0x80000000U

static uint32_t
multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (uint32_t bit = ONE; bit != 0; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = b >> 1 ^ (b & 1 ? POLYNOMIAL : 0);
	}
	return (product);
}

uint32_t
wal_crc32c_shift(uint32_t crc, uint64_t n)
{
	uint32_t power = ONE >> 8; /* x^8, then its squares */

	for (; n != 0; n >>= 1) {
		if (n & 1)
			crc = multiply(crc, power);
		power = multiply(power, power);
	}
	return (crc);
}
