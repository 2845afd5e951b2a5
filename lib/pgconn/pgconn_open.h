#ifndef PGCONN_OPEN_H
#define PGCONN_OPEN_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "fault.h"

/* Within lib/pgconn only: a connection that is ready, its session set up. */
int pgconn_open_raw(
    PGconn **out, const char *conninfo, bool replication, struct fault *f);

#endif
