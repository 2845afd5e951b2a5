#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>

#include "waypath.h"

/* What a restore will do, for people and as JSON. */

struct report {
	const char *cluster;
	const char *repo_url;
	const struct head *head; /* NULL: none could be chosen */
	const char *classes; /* storage classes of its packs; "": not known */
	const struct waypath_goal *goal;
	const struct waypath *way; /* NULL: there is none */
	const char *target_dir;    /* NULL: not given */
	int64_t restore_ms;        /* estimates; -1: not known */
	int64_t fetch_ms;
	int64_t rto_ms; /* what the settings want it to take at most */
	const struct fault *obstacle; /* NULL: ready */
	const char *const *silent;    /* repositories that are left out */
	size_t n_silent;
	const char *const *notices; /* what else is to be done */
	size_t n_notices;
};

/* On stdout. */
int report_print(const struct report *r, bool json, struct fault *f);
/* "time 2026-11-22 07:53:01.250000+00 (exclusive)": out has room for 160. */
void report_goal(const struct waypath_goal *g, char out[160]);

#endif
