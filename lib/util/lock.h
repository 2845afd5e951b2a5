#ifndef LOCK_H
#define LOCK_H

#include "fault.h"

/* A lock on a file, held until lock_release or the end of the process
 * (flock(2)). EXISTS when another process holds it. */
int lock_take(const char *path, int *fd, struct fault *f);
/* The same on a folder, which must be there: ABSENT when it is not. */
int lock_take_folder(const char *path, int *fd, struct fault *f);
void lock_release(int fd);

#endif
