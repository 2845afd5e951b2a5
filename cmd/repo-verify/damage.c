#include <stdlib.h>
#include <string.h>

#include "verify.h"

/* WAL that is there and leads nowhere, as those who read it tell. */

static int
room_for_one(void **p, size_t n, size_t size, struct fault *f)
{
	void *grown;

	/* Doubled at each power of two. */
	if ((n & (n - 1)) != 0)
		return 0;
	grown = reallocarray(*p, n == 0 ? 1 : 2 * n, size);
	if (grown == NULL)
		return fault_nomem(f);
	*p = grown;
	return 0;
}

int
damage_add(struct verify *v, const struct verify_damage *x, const char *why,
    struct fault *f)
{
	void *p = v->damaged;
	int rc = room_for_one(&p, v->n_damaged, sizeof *v->damaged, f);

	v->damaged = p;
	if (rc != 0)
		return rc;
	v->damaged[v->n_damaged] = *x;
	v->damaged[v->n_damaged].why = strdup(why);
	if (v->damaged[v->n_damaged].why == NULL)
		return fault_nomem(f);
	v->n_damaged++;
	return 0;
}

int
damage_end(struct verify *v, uint32_t timeline, uint64_t segno, struct fault *f)
{
	void *p = v->ends;
	int rc = room_for_one(&p, v->n_ends, sizeof *v->ends, f);

	v->ends = p;
	if (rc == 0)
		v->ends[v->n_ends++] =
		    (struct chain_hole){timeline, segno, segno};
	return rc;
}
