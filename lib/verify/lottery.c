#include "lottery.h"

#include <string.h>

#include "bytes.h"
#include "crypto.h"
#include "text.h"

#define NAME_MAX_LEN 512

int
lottery_percent(const char *s, uint32_t *share, struct fault *f)
{
	const char *dot = strchr(s, '.');
	char whole[4] = "", part[3] = "00";
	size_t n = dot == NULL ? strlen(s) : (size_t)(dot - s);
	size_t decimals = dot == NULL ? 0 : strlen(dot + 1);
	uint32_t w, p, v = 0;

	if (n < sizeof whole)
		memcpy(whole, s, n);
	if (dot != NULL && decimals >= 1 && decimals <= 2)
		memcpy(part, dot + 1, decimals);
	if ((dot == NULL || (decimals >= 1 && decimals <= 2)) &&
	    text_u32(whole, &w) == 0 && text_u32(part, &p) == 0)
		v = w * 100 + p;
	if (v == 0 || v > LOTTERY_ALL)
		return fault_set(f, FAULT_CONFIG,
		    "--sample '%.40s': give a percentage above 0 and up to "
		    "100, with two decimals at most",
		    s);
	*share = v;
	return 0;
}

bool
lottery_draws(const struct lottery *l, const char *name, uint32_t index)
{
	unsigned char text[12 + NAME_MAX_LEN], hash[16];
	size_t n = strnlen(name, NAME_MAX_LEN);

	if (l->share >= LOTTERY_ALL)
		return true;
	for (unsigned k = 0; k < 8; k++)
		text[k] = (unsigned char)(l->seed >> (8 * k));
	for (unsigned k = 0; k < 4; k++)
		text[8 + k] = (unsigned char)(index >> (8 * k));
	memcpy(text + 12, name, n);
	crypto_xxh(text, 12 + n, hash);
	return bytes_get_u64(hash) % LOTTERY_ALL < l->share;
}
