#ifndef WAYSPLIT_H
#define WAYSPLIT_H

#include "waypath.h"

/*
 * Do the repositories hold one server's WAL on that way? While a network was
 * cut in two, each of two servers may have archived to the one it could reach;
 * recovery would follow whichever is asked first, and the other's commits would
 * be gone without a word. Once they have parted all that follows differs, so
 * the newest segments that two repositories both have are compared, and the
 * histories of the timelines, by their fingerprints. CONFIG, with the file and
 * both names, when they differ; what cannot be compared is no fault.
 */
int waysplit_check(struct repo *r, const struct waypath *w,
    const struct deadline *d, struct fault *f);

#endif
