#ifndef LETGO_H
#define LETGO_H

#include "audit_details.h"
#include "gather.h"
#include "planfile.h"

/* The backups that a pruning lets go, for its records. */

struct letgo {
	char (*ids)[LAYOUT_ID];
	size_t n;
	size_t at; /* so many of them were put */
	char texts[AUDIT_DETAILS][AUDIT_TEXT];
};

/* Those of which the plan deletes the heads. */
int letgo_collect(struct letgo *l, struct planfile *plan, struct fault *f);
void letgo_free(struct letgo *l); /* what it owns */

/* Leave those that stay. head_gone: by backup; NULL: none is. Only of one whose
 * head is seen to be there is that sure: one of which nothing is known may have
 * been deleted, and then it was by us. */
void letgo_stayed(struct letgo *l, const struct gather *g,
    const bool *head_gone, const struct deadline *d);

/* One id, or as many as there is room for, from at on; they belong to l. */
bool letgo_put_one(struct letgo *l, struct audit_details *to,
    struct audit_event *e, const char *name, const char *id);
void letgo_put(struct letgo *l, struct audit_details *to, struct audit_event *e,
    const char *name);

#endif
