#ifndef SHIFT_H
#define SHIFT_H

#include "move.h"

/* One backup's packs into another storage class, several side by side. */

#define SHIFT_CLASS 80

struct shift_order {
	const char *backup;
	const char *from;
	const char *to;
	const char *setting; /* that says so */
	/* as planned: */
	uint64_t objects;
	uint64_t bytes;
	uint64_t spares; /* older versions that were left */
};

/* Is it a pack, in a class that has a name? */
bool shift_is_pack(const struct store_entry *e);

/* Those that are in class from, and what an earlier run left of such. What is
 * in its place already is no work, so any run may be repeated. */
int shift_run(const struct gather *g, const struct shift_order *o,
    apply_told told, struct move_result *res, struct fault *f);

#endif
