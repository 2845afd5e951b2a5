#include "deadline.h"

#include "clock.h"

struct deadline
deadline_in_ms(int64_t ms)
{
	struct deadline d;
	int64_t now = clock_monotonic_ms();

	if (ms < 0)
		ms = 0;
	d.at_ms = ms > INT64_MAX - now ? INT64_MAX : now + ms;
	return d;
}

struct deadline
deadline_never(void)
{
	struct deadline d = {INT64_MAX};

	return d;
}

struct deadline
deadline_step(const struct deadline *d, int64_t ms)
{
	struct deadline step = deadline_in_ms(ms);

	return step.at_ms < d->at_ms ? step : *d;
}

int64_t
deadline_left_ms(const struct deadline *d)
{
	int64_t now;

	if (d->at_ms == INT64_MAX)
		return INT64_MAX;
	now = clock_monotonic_ms();
	return d->at_ms > now ? d->at_ms - now : 0;
}

bool
deadline_passed(const struct deadline *d)
{
	return deadline_left_ms(d) == 0;
}

/* Half of the pause is fixed and half is drawn: many hosts that lost the same
 * store must not come back in step. */
int64_t
deadline_pause_ms(const struct deadline *d, unsigned attempt, uint32_t random)
{
	int64_t pause = 100, left = deadline_left_ms(d);

	while (attempt > 1 && pause < 5000) {
		pause *= 2;
		attempt--;
	}
	if (pause > 5000)
		pause = 5000;
	pause = pause / 2 + (int64_t)random % (pause / 2 + 1);
	return pause < left ? pause : left;
}
