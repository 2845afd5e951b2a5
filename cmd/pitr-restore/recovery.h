#ifndef RECOVERY_H
#define RECOVERY_H

#include "conf.h"
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
 * some: c has not all repositories of the settings' cluster, and walfetch is to
 * ask no others than c's. */
int recovery_command(const char *conf_path, const struct conf_cluster *c,
    bool some, char **out, struct fault *f);
int recovery_write(
    const char *root, const struct recovery *rec, struct fault *f);

#endif
