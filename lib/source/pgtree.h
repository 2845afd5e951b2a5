#ifndef PGTREE_H
#define PGTREE_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

/*
 * The walk over a running server's data directory: every folder and file that
 * belongs to a base backup, none that does not. Source: PostgreSQL, "Streaming
 * Replication Protocol", BASE_BACKUP, and backup/basebackup.c.
 *
 * Left out: what stands in pg_wal, pg_dynshmem, pg_notify, pg_replslot,
 * pg_serial, pg_snapshots, pg_stat_tmp and pg_subtrans (the folders are told,
 * and those that pg_wal holds); pgsql_tmp*; pg_internal.init*; temporary
 * relations; unlogged relations but for their init fork; in the data directory
 * itself backup_label and tablespace_map, also with .old, backup_manifest,
 * postmaster.pid and .opts, the signal files, *.tmp of postgresql.auto.conf
 * and current_logfiles; global/pg_control, which the caller reads last;
 * sockets, pipes and devices.
 *
 * Links: pg_tblspc/OID leads to a tablespace, of which only this server's own
 * folder is walked; it may be that tablespace's folder itself (in place). Any
 * other link counts as the file or folder it leads to;
 * one that leads nowhere, or back into a folder above it, is left out, and
 * told.
 *
 * What vanishes meanwhile was dropped, and is passed over. Memory: one open
 * folder for each level, PGTREE_DEPTH at most, whatever the number of files.
 */

#define PGTREE_DEPTH 32

struct pgtree_params {
	const char *root;
	uint32_t major;           /* of the server, for a tablespace's folder */
	uint32_t catalog_version; /* the same */
	bool sizes_only;          /* files are not opened */
};

struct pgtree_file {
	const char *path; /* relative to the data directory */
	int fd;           /* the event's to close; -1 with sizes_only */
	uint64_t size;
	uint32_t mode; /* permission bits */
	int64_t mtime_us;
	uint32_t space;   /* tablespace it lies in; 0: the data directory */
	bool relation;    /* made of pages */
	uint32_t segment; /* of the relation */
};

struct pgtree_events {
	/* before anything in it */
	int (*folder)(void *ctx, const char *path, uint32_t mode,
	    int64_t mtime_us, struct fault *f);
	int (*file)(void *ctx, const struct pgtree_file *file, struct fault *f);
	/* before anything in it; its own folder is not told */
	int (*space)(
	    void *ctx, uint32_t oid, const char *path, struct fault *f);
	/* may be NULL */
	void (*left_out)(void *ctx, const char *path, const char *why);
};

int pgtree_walk(const struct pgtree_params *p, const struct pgtree_events *ev,
    void *ctx, struct fault *f);

#endif
