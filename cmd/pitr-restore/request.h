#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>

#include "cli.h"
#include "goal.h"
#include "place.h"

/* The options as they were given; NULL where they were not. */
struct options {
	const char *target_dir;
	const char *backup;
	struct goal_options goal;
	struct cli_list tablespaces;
	struct cli_list repos;
	const char *system_id;
	const char *jobs;
	bool delta;
	bool discard_wal;
	bool dry_run;
	bool json;
	bool no_progress;
};

/* What they ask for. */
struct request {
	const struct options *o;
	struct waypath_goal goal;
	struct place_map map[CLI_LIST];
	size_t n_map;
	unsigned jobs;
};

/* CONFIG, with the option's name, for what cannot be read. o must live as long
 * as out. */
int request_parse(
    const struct options *o, struct request *out, struct fault *f);

#endif
