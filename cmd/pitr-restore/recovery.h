#ifndef RECOVERY_H
#define RECOVERY_H

#include "waypath.h"

/*
 * What turns a restored tree into a server that recovers to the target: its
 * settings in postgresql.auto.conf, recovery.signal, and last of all
 * pg_control under its own name: until then the tree does not start.
 */

struct recovery {
	const struct waypath_goal *goal;
	uint32_t timeline;
	const char *target_action; /* pause promote shutdown */
	const char *restore_command;
};

/* "'/…/walfetch' -c '/…/pitrkit.conf' -C 'main' %f %p"; the caller frees.
 * repo: the one to ask, or NULL. */
int recovery_command(const char *conf_path, const char *cluster,
    const char *repo, char **out, struct fault *f);
int recovery_write(
    const char *root, const struct recovery *rec, struct fault *f);

#endif
