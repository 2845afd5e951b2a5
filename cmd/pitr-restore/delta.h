#ifndef DELTA_H
#define DELTA_H

#include <stdbool.h>

#include "fault.h"
#include "head.h"

/*
 * --delta: the data directory is there, of the same cluster, and becomes what
 * the backup holds. Anything that leaves a doubt whose files would be changed
 * is CONFIG: a postmaster.pid, no pg_control or that of another cluster, links
 * to tablespaces or pg_wal in a directory that is not the settings' pgdata,
 * which may be a copy whose links lead to the original's files.
 *
 * From before the first change to the end the directory has FOLDER_MARK and no
 * pg_control, which stands aside as DELTA_CONTROL: so it cannot start, and the
 * next run knows whose it is.
 */

#define DELTA_CONTROL "global/pg_control.pitrkit-old"

struct delta {
	bool own;       /* root is pgdata: its links are its own */
	char *wal;      /* where its pg_wal leads; NULL: nowhere */
	char *original; /* pgdata, when that is another directory */
};

/* May h be restored into root that way? *there is false when there is nothing
 * to begin from: absent or empty. pgdata may be NULL. Tells of tablespaces that
 * the backup does not have, when told is. */
int delta_check(const char *root, const char *pgdata, const struct head *h,
    bool told, struct delta *out, bool *there, struct fault *f);
void delta_free(struct delta *d);
/* The folder that root's own link for the tablespace leads to; malloc'ed, NULL
 * when there is none that may be trusted. */
char *delta_space(const struct delta *d, const char *root, uint32_t oid);
/* May the tablespace's folder dir be changed as well? *there is false when it
 * is not in use by root: it must be new then. named: it was given by name. */
int delta_check_space(const struct delta *d, const char *root, uint32_t oid,
    const char *dir, bool named, bool *there, struct fault *f);

/* pg_control goes aside; it must be marked before. CONFIG, and it is back, when
 * a server was started meanwhile. */
int delta_begin(const char *root, struct fault *f);
/* pg_control has its new one: the old one goes. */
int delta_end(const char *root, struct fault *f);

#endif
