#ifndef FETCHLOG_RECORD_H
#define FETCHLOG_RECORD_H

#include "repo.h"
#include "tally.h"

/* A tally becomes a record of the audit trail. */

enum fetchlog_what {
	FETCHLOG_BEGUN, /* the first segments were read */
	FETCHLOG_DAY,   /* a day's, and it goes on */
	FETCHLOG_SUM,   /* who counted ends */
	FETCHLOG_LEFT,  /* somebody else counted, and did not get to this */
};

/*
 * In the first repository that shows the archive's mark: where nothing was ever
 * pushed nothing is written, as that may be a wrong place. why: NULL, or how it
 * ended. Takes less time than others wait for the writer's chain. In any case
 * syslog is told; store false: it alone.
 */
int fetchlog_record(struct repo *base, const struct tally *t,
    enum fetchlog_what what, const struct fault *why, bool store,
    struct fault *f);

/* For ids that need not be secret. */
uint32_t fetchlog_random(void);

#endif
