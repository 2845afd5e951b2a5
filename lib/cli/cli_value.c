#include "cli.h"

#include <unistd.h>

#include "log.h"
#include "text.h"

int
cli_value_jobs(const char *text, unsigned *jobs, struct fault *f)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t n;

	if (text == NULL) {
		*jobs = processors < 2   ? 2
			: processors > 8 ? 8
					 : (unsigned)processors;
		return 0;
	}
	if (text_u32(text, &n) != 0 || n == 0 || n > CLI_JOBS_MAX)
		return fault_set(f, FAULT_CONFIG,
		    "--jobs '%s': give a number from 1 to %d", text,
		    CLI_JOBS_MAX);
	*jobs = n;
	return 0;
}

int
cli_value_time(
    const char *option, const char *text, int64_t *us, struct fault *f)
{
	bool assumed = false;

	if (text == NULL) {
		*us = CLOCK_NONE;
		return 0;
	}
	if (clock_parse(text, us, &assumed, f) != 0)
		return fault_prefix(f, "--%s", option);
	if (assumed)
		log_line(0, "--%s has no zone: taken as UTC", option);
	return 0;
}
