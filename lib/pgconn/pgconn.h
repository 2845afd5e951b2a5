#ifndef PGCONN_H
#define PGCONN_H

#include <stdbool.h>
#include <stddef.h>

#include "fault.h"

/*
 * The server, over libpq. Faults: AGAIN when it cannot be reached, DENIED when
 * it refuses the login or a right is missing (with the GRANT that helps),
 * CONFIG for settings of the server that must change (with the setting).
 * application_name is "pitrkit". One thread at a time.
 */

struct pgconn;

/* replication: true makes a walsender connection that takes SQL as well
 * (replication=database). */
int pgconn_open(struct pgconn **out, const char *conninfo, bool replication,
    struct fault *f);
void pgconn_free(struct pgconn *c);
int pgconn_version(const struct pgconn *c); /* server_version_num */

/* One row of text; *out[i] malloc'ed, NULL for SQL NULL. The query must give
 * exactly one row of n columns. */
int pgconn_row(
    struct pgconn *c, const char *sql, char **out, size_t n, struct fault *f);

#endif
