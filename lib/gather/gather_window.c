#include "gather.h"

/* Segments without commits that are looked at to find when a window ends. */
#define QUIET_MAX 64

int
gather_window_commit(const struct gather *g, uint32_t timeline, uint64_t segno,
    int64_t floor_us, int64_t *us, struct fault *f)
{
	*us = floor_us;
	for (uint64_t n = 0; n < QUIET_MAX && segno >= n; n++) {
		char name[WALNAME_SIZE];
		struct walmeta m;
		int rc;

		walname_format(timeline, segno - n, g->in.segment_size, name);
		rc = gather_wal_look(g, name, &m, f);
		/* Further back it is another timeline's. */
		if (rc == FAULT_ABSENT && n > 0)
			break;
		if (rc == FAULT_ABSENT)
			return fault_recode(f, FAULT_AGAIN);
		if (rc != 0)
			return rc;
		if (m.summary.last_commit_us != CLOCK_NONE) {
			if (m.summary.last_commit_us > floor_us)
				*us = m.summary.last_commit_us;
			break;
		}
	}
	return 0;
}

int
gather_window_end(const struct gather *g, const struct retain_window *x,
    int64_t *to_us, struct fault *f)
{
	return gather_window_commit(g, x->end_timeline, x->end_segno,
	    g->heads[x->backup].stop_us, to_us, f);
}
