#ifndef GOAL_H
#define GOAL_H

#include "waypath.h"

/* The --target-* options as they were given; NULL where they were not. */
struct goal_options {
	const char *time;
	const char *lsn;
	const char *xid;
	const char *name;
	const char *timeline;
	const char *action;
	bool immediate;
	bool exclusive;
};

/* CONFIG, with the option's name, for what cannot be read or does not go
 * together. Strings stay the caller's. */
int goal_parse(
    const struct goal_options *o, struct waypath_goal *out, struct fault *f);

#endif
