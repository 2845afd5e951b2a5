#ifndef PGCONN_RAW_H
#define PGCONN_RAW_H

#include <libpq-fe.h>

#include "pgconn.h"

/* Within lib/pgconn only: the connection itself, and faults of its results. */

PGconn *pgconn_raw(struct pgconn *c);
/* The fault of a result that is not what was asked for; res may be NULL. what:
 * the command it answers, for the message. Does not clear res. */
int pgconn_fault(
    struct pgconn *c, const PGresult *res, const char *what, struct fault *f);
/* Warnings that the server sent since the last call of pgconn_warnings_clear,
 * one line, bounded; "" when none. */
const char *pgconn_warnings(const struct pgconn *c);
void pgconn_warnings_clear(struct pgconn *c);

#endif
