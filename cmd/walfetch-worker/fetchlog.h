#ifndef FETCHLOG_H
#define FETCHLOG_H

#include "relay.h"
#include "repo.h"

/*
 * What walfetch reads, in the audit trail: one record soon after a recovery has
 * begun, and sums (tally.h). A thread of the lingering worker writes them; no
 * call waits for it, and nothing is written once the server has gone. Where
 * there is no worker, syslog is told.
 */

struct fetchlog;

/* base must outlive it. NULL: there is no thread for it. */
struct fetchlog *fetchlog_start(
    struct repo *base, const struct relay_home *home, uint32_t segment_size);
/* PostgreSQL has got this segment. Waits for nothing. */
void fetchlog_delivered(struct fetchlog *l, const char *segment);
/* One line for standard error, once, when there is one: a record is missing.
 * NULL: there is none. */
#define FETCHLOG_LINE 512
const char *fetchlog_remark(struct fetchlog *l, char line[FETCHLOG_LINE]);

enum fetchlog_end {
	FETCHLOG_GOES_ON,
	FETCHLOG_IDLE, /* nobody calls any more, or nothing can be had */
	FETCHLOG_OVER, /* recovery has ended */
	FETCHLOG_GONE, /* the server has: nothing is waited for */
};
/* The last record, if one is due; why: NULL, or why nothing can be had. Returns
 * early when the server goes. The thread may be at work afterwards: the process
 * is to end. */
void fetchlog_end(
    struct fetchlog *l, enum fetchlog_end end, const struct fault *why);

/* Without a worker: a call has delivered that file itself, of so many bytes. */
void fetchlog_alone(struct repo *r, const char *name, uint64_t bytes);

#endif
