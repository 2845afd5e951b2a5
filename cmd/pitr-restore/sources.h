#ifndef SOURCES_H
#define SOURCES_H

#include "cli.h"
#include "repo.h"

/*
 * The repositories that a restore goes by: those of the settings, or of --repo,
 * that answer and show this cluster's archive mark under our keys. Without its
 * mark a repository proves no absence: it may not be mounted. Whoever needs to
 * know the newest of something needs all of them (sources_require_all).
 */

struct sources {
	struct conf_cluster cluster;   /* with those that answer */
	const char *silent[CONF_LIST]; /* the others */
	struct fault why[CONF_LIST];
	size_t n_silent;
};

/* Opens them, too, with a key that opens what they hold. system_id: the option
 * or NULL, then they tell. One that is left out is told. A fault when none
 * answers. out must stay where it is as long as *r. */
int sources_open(struct sources *out, struct repo **r,
    const struct conf_cluster *c, const struct cli_list *only,
    const char *system_id, struct fault *f);
/* The fault of the first silent one, with what can be done. */
int sources_require_all(const struct sources *s, struct fault *f);

#endif
