#ifndef ROOM_H
#define ROOM_H

#include "place.h"

/* CONFIG when a file system that the restore goes to has less room than what
 * will come there. */
int room_check(const struct place *p, const struct head *h, struct fault *f);

#endif
