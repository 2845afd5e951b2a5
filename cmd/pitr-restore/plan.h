#ifndef PLAN_H
#define PLAN_H

#include "catalog.h"
#include "packcheck.h"
#include "request.h"
#include "sources.h"
#include "trail.h"
#include "unpacker.h"
#include "waypath.h"

/*
 * What is restored, from where, by which way, and to which folders: everything
 * that is decided and proven before a byte is written.
 */

struct plan {
	struct request want;
	struct waypath_goal goal; /* the request's, with its timeline found */
	struct conf *conf;
	const struct conf_cluster *cluster; /* in it */
	struct sources sources;
	struct repo *repo; /* all sources */
	size_t index;      /* of the one that the backup comes from */
	struct catalog catalog;
	struct head named;               /* with --backup */
	const struct head *head;         /* the backup; NULL: none was chosen */
	char classes[PACKCHECK_CLASSES]; /* storage classes of its packs */
	bool has_way;
	struct waypath way;
	struct place_want where;
	bool has_place;
	struct place place;
	struct trail trail;
	struct unpacker_result unpacked;
};

/* For p->want: settings and repository; the key must be one that opens. */
int plan_open(struct plan *p, const struct cli *cli, struct fault *f);
/* The backup, the way from it to the goal, where it goes (with a target
 * directory), and that all of it is there. Changes nothing anywhere. */
int plan_prove(struct plan *p, struct fault *f);
/* Not by all repositories of the settings: then recovery must not either. */
bool plan_goes_by_some(const struct plan *p);
void plan_free(struct plan *p);

#endif
