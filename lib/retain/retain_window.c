#include <stdlib.h>

#include "retain_path.h"

/* The oldest backup from which run r can be entered. */
static bool
oldest(const struct retain_input *in, const bool *alive,
    const struct retain_path *p, size_t r, size_t *found)
{
	for (size_t i = 0; i < in->n_backups; i++) {
		if ((alive != NULL && !alive[i]) || in->backups[i].needs_lost ||
		    !retain_path_holds(p, r, &in->backups[i], in->segment_size))
			continue;
		*found = i;
		return true;
	}
	return false;
}

static int
add_path(const struct retain_input *in, const bool *alive,
    const struct retain_path *p, struct retain_window **list, size_t *n,
    struct fault *f)
{
	for (size_t r = 0; r < p->n_runs; r++) {
		const struct retain_run *run = &p->runs[r];
		size_t b;
		void *grown;

		/* One that ends on an ancestor is told of there. */
		if (run->end_timeline != p->timeline ||
		    !oldest(in, alive, p, r, &b))
			continue;
		grown = reallocarray(*list, *n + 1, sizeof **list);
		if (grown == NULL)
			return fault_nomem(f);
		*list = grown;
		(*list)[(*n)++] = (struct retain_window){
		    p->timeline, b, run->end_timeline, run->last};
	}
	return 0;
}

int
retain_windows(const struct retain_input *input, const bool *alive,
    struct retain_window **out, size_t *n, struct fault *f)
{
	struct retain_window *list = NULL;
	size_t count = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < input->n_paths; i++) {
		struct retain_path path;

		rc = retain_path_make(&path, input, &input->paths[i], f);
		if (rc == 0) {
			rc = add_path(input, alive, &path, &list, &count, f);
			retain_path_free(&path);
		}
	}
	if (rc != 0) {
		free(list);
		return rc;
	}
	*out = list;
	*n = count;
	return 0;
}
