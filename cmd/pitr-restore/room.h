#ifndef ROOM_H
#define ROOM_H

#include "place.h"

/* CONFIG when a file system that the restore goes to has less room than what
 * will come there, what the remains of an unfinished one will leave free
 * counted. */
int room_check(const struct place *p, const struct head *h, struct fault *f);

#endif
