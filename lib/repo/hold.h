#ifndef HOLD_H
#define HOLD_H

#include "clock.h"
#include "layout.h"
#include "repo.h"

/*
 * Legal holds: what is under hold is never pruned. A hold is one object that
 * is written once; its release is another. Both stay for good, as evidence.
 */

#define HOLD_TEXT 512 /* holder, reason, by, NUL included */

struct hold {
	char id[LAYOUT_ID];
	int64_t placed_us;
	char holder[HOLD_TEXT];
	char reason[HOLD_TEXT];
	char by[HOLD_TEXT];     /* user@host that placed it */
	char backup[LAYOUT_ID]; /* "" for a range of time */
	int64_t from_us;        /* CLOCK_NONE with a backup */
	int64_t to_us;          /* CLOCK_NONE: open */
	int64_t until_us;       /* CLOCK_NONE: until it is released */
	bool released;
	int64_t released_us;
	char released_by[HOLD_TEXT];
	char released_for[HOLD_TEXT]; /* why */
};

struct hold_list {
	struct hold *h; /* by id, that is by time */
	size_t n;
};

/* Put it into repository i. EXISTS: the id is taken. */
int hold_place(struct repo *r, size_t i, const struct hold *h,
    const struct deadline *d, struct fault *f);
/* EXISTS: it is released already. ABSENT: no such hold there. */
int hold_release(struct repo *r, size_t i, const struct hold *h,
    const struct deadline *d, struct fault *f);
/* All of repository i, released ones included. A record that cannot be read
 * is a fault: guessing could delete what is held. */
int hold_read(struct repo *r, size_t i, struct hold_list *out,
    const struct deadline *d, struct fault *f);
/* Their ids, and which are released: one listing. */
int hold_list(struct repo *r, size_t i, struct hold_list *out,
    const struct deadline *d, struct fault *f);
void hold_free(struct hold_list *l);
/* Neither released nor over. */
bool hold_active(const struct hold *h, int64_t now_us);

#endif
