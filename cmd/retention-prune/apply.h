#ifndef APPLY_H
#define APPLY_H

#include "plan.h"

struct apply_result {
	uint64_t deleted;
	uint64_t bytes;
	uint64_t locked;   /* by the store, until a moment to come */
	uint64_t failed;   /* the store did not delete them */
	uint64_t extended; /* locked for longer now */
	uint64_t aborted;  /* unfinished uploads */
	uint64_t skipped;  /* they belong to a backup that could not go */
	bool *head_gone;   /* by backup; the caller's to free */
};

/* Does the plan fit the repository as it is? EXISTS, with the first
 * contradiction: a backup that the plan keeps is gone, or something that it
 * lets go is kept by now. FOREIGN: another cluster's or repository's plan. */
int apply_check(struct planfile *in, const struct gather *g,
    const struct retain_plan *p, struct fault *f);

/* The moment that the plan was made at. */
int apply_moment(struct planfile *in, int64_t *now_us, struct fault *f);

/* Is it the key of a backup's head? */
bool apply_head(const char *key, char id[LAYOUT_ID]);

/* told: each object that could not be deleted, with the reason. */
typedef void (*apply_told)(const char *key, const char *why);
int apply_run(struct planfile *in, const struct gather *g,
    const struct retain_plan *p, apply_told told, struct apply_result *res,
    struct fault *f);

#endif
