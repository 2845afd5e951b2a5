#ifndef LOST_H
#define LOST_H

#include "cli.h"
#include "gather.h"

/*
 * Folders of backups without head that were once finished, by the audit trail
 * and the last report of repo-verify: somebody took their heads away, and with
 * head, manifest, packs and WAL such a backup may come back. So nothing is
 * pruned until it does, or is given up.
 *
 * The trail is read only when there is such a folder, or something is to be
 * given up; from the last report on, if it knew the trail whole.
 */

/* CORRUPT when there is one that forget does not name; each is told. CONFIG
 * when forget names one that is not lost. */
int lost_check(
    struct gather *g, const struct cli_list *forget, struct fault *f);

#endif
