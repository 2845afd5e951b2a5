#ifndef OPERATION_H
#define OPERATION_H

#include <stdbool.h>

#include "audit.h"

/*
 * What a command does to a repository and its record in the audit trail, with
 * what people are told of it: once that a new writer began, and why, when the
 * first record is stored; and once that the record is missing, where the
 * command goes on without. For commands only: these functions print.
 */

struct operation {
	/* Who goes on without a record names here what does, as in "the backup
	 * goes on": then that is warned of, and the functions below return 0.
	 * NULL: what is done needs its record. */
	const char *without;
	struct audit *audit; /* NULL: not opened */
	bool begun;
	bool told; /* that a record is missing */
};

/* r must outlive it; i: the repository. Does nothing when it is open. */
int operation_open(struct operation *o, struct repo *r, size_t i,
    const char *program, struct fault *f);
/* Does nothing, as the next one, when it is not open. */
int operation_begin(struct operation *o, const struct audit_event *e,
    const struct deadline *d, struct fault *f);
/* result: 0 or the code of *why, which is how it ended. One that had not begun
 * gets one record for all of it. */
int operation_end(struct operation *o, const struct audit_event *e, int result,
    const struct fault *why, const struct deadline *d, struct fault *f);
/* What it owns, not o; it may be opened again. */
void operation_free(struct operation *o);

#endif
