#ifndef LISTING_H
#define LISTING_H

#include "holding.h"

/* The holds of all repositories, each once. Sets of repositories have the bit
 * 1 << i for the cluster's repository i; there are 64 at most. */

struct listed {
	struct hold h;     /* with its release, if one has it */
	uint64_t in;       /* which have it */
	uint64_t released; /* ... and its release */
};

struct listing {
	const struct conf_cluster *cluster;
	int64_t now_us;
	bool all; /* those that are released or over are shown as well */
	uint64_t asked;
	uint64_t read;    /* of those: which told theirs */
	struct listed *v; /* by id, that is by time */
	size_t n;
};

/* show.c: on stdout. */
void show_text(const struct listing *l);
int show_json(const struct listing *l, struct fault *f);

#endif
