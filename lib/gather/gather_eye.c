#include "gather_core.h"

int
gather_eye_unreadable(const struct gather *g, const char *what, struct fault *f)
{
	struct fault why = *f;

	if (g->eye == NULL ||
	    (why.code != FAULT_CORRUPT && why.code != FAULT_KEY &&
		why.code != FAULT_FOREIGN && !fault_of_medium(&why)))
		return (int)why.code;
	fault_clear(f);
	return g->eye->unreadable(g->eye->ctx, what, &why);
}
