#ifndef PLAN_H
#define PLAN_H

#include "catalog.h"
#include "request.h"
#include "waypath.h"

/*
 * What is restored, from where, by which way, and to which folders: everything
 * that is decided and proven before a byte is written.
 */

struct plan {
	struct request want;
	struct waypath_goal goal; /* the request's, with its timeline found */
	struct conf *conf;
	const struct conf_cluster *cluster;
	struct conf_cluster only; /* with --repo */
	struct repo *repo;
	size_t index; /* of the repository: the first */
	struct catalog catalog;
	struct head named;       /* with --backup */
	const struct head *head; /* the backup; NULL: none was chosen */
	bool has_way;
	struct waypath way;
	bool has_place;
	struct place place;
};

/* For p->want: settings and repository; the key must be one that opens. */
int plan_open(struct plan *p, const struct cli *cli, struct fault *f);
/* The backup, the way from it to the goal, and where it goes (with a target
 * directory). Changes nothing anywhere. */
int plan_prove(struct plan *p, struct fault *f);
void plan_free(struct plan *p);

#endif
