#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Deadlines are on the monotonic clock, so a step of the wall clock neither
 * hangs nor cuts off anything.
 */

struct deadline {
	int64_t at_ms; /* monotonic; INT64_MAX: never */
};

struct deadline deadline_in_ms(int64_t ms);
struct deadline deadline_never(void);
/* The sooner of d and ms from now: one step of something longer. */
struct deadline deadline_step(const struct deadline *d, int64_t ms);
int64_t deadline_left_ms(const struct deadline *d); /* 0 when it has passed */
bool deadline_passed(const struct deadline *d);

/* Pause before try number attempt (1, 2, …): exponential from 100 ms to 5 s,
 * with jitter drawn from random; never beyond the deadline. Returns ms. */
int64_t deadline_pause_ms(
    const struct deadline *d, unsigned attempt, uint32_t random);

#endif
