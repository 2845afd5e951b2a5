#ifndef LOTTERY_H
#define LOTTERY_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

/* Which extents and segments a sample takes. Pure: the same seed draws the
 * same ones, whoever asks and in whatever order. */

#define LOTTERY_ALL 10000

struct lottery {
	uint64_t seed;
	uint32_t share; /* of LOTTERY_ALL */
};

/* "25", "0.5": above 0, at most 100, two decimals; CONFIG otherwise. */
int lottery_percent(const char *s, uint32_t *share, struct fault *f);
bool lottery_draws(const struct lottery *l, const char *name, uint32_t index);

#endif
