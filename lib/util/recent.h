#ifndef RECENT_H
#define RECENT_H

#include <stdbool.h>

/*
 * That something has happened a short while ago, for the processes that come
 * after: a file whose time tells when. Losing it costs what it was to save, so
 * nothing here can fail for the caller; a time that is still to come, as a
 * clock that was set back leaves it, is none.
 */

bool recent_is(const char *path, int seconds);
/* It has happened now; or, if not, there is nothing to remember. */
void recent_set(const char *path, bool now);

#endif
