#ifndef PGBACKUP_H
#define PGBACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "pgconn.h"

/*
 * The server's backup mode, by SQL: for who copies the data directory himself.
 * pg_backup_start and pg_backup_stop from 15, pg_start_backup and
 * pg_stop_backup (not exclusive) in 14. It lasts as long as the connection:
 * however that ends, the server leaves the mode by itself. Source: PostgreSQL,
 * "Making a Base Backup Using the Low Level API".
 */

/* May this role start and stop a backup? DENIED with the GRANT that helps. */
int pgbackup_allowed(struct pgconn *c, const char *role, struct fault *f);
/* After a checkpoint, fast or spread out. *lsn: where replay will start. */
int pgbackup_start(struct pgconn *c, const char *label, bool fast,
    uint64_t *lsn, struct fault *f);
/* Is the connection there still? AGAIN when not. Costs a system call. */
int pgbackup_check(struct pgconn *c, struct fault *f);
/* *label: the text of backup_label, which the caller frees. Does not wait for
 * the archive. */
int pgbackup_stop(
    struct pgconn *c, uint64_t *lsn, char **label, struct fault *f);

/* Is dir the data directory of the server at the other end? The server puts an
 * exported snapshot into it as a file, with a name and a content that tell
 * this session. ABSENT when the file is not seen there; its reason in f. */
int pgbackup_sees(struct pgconn *c, const char *dir, struct fault *f);

#endif
