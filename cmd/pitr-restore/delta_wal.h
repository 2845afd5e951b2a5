#ifndef DELTA_WAL_H
#define DELTA_WAL_H

#include "fault.h"

/*
 * What a server committed last may be in its pg_wal and nowhere else: --delta
 * would remove it. CONFIG when a file there waits to be archived, and when the
 * server did not shut down and there is WAL, as the end of it was archived by
 * nobody. root is a data directory without a server.
 */
int delta_wal_check(const char *root, struct fault *f);

#endif
