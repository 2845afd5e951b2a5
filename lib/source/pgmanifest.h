#ifndef PGMANIFEST_H
#define PGMANIFEST_H

#include <stdint.h>

#include "fault.h"

/*
 * backup_manifest as the server writes it, so that pg_verifybackup works on
 * what is restored: version 1 up to PostgreSQL 16, 2 with the system id from
 * 17. Source: PostgreSQL, "Backup Manifest Format". It goes into fd, part by
 * part, so memory does not grow with the number of files.
 */

struct pgmanifest;

/* fd stays the caller's; name is for faults. */
int pgmanifest_new(struct pgmanifest **out, int fd, const char *name,
    uint32_t major, uint64_t system_id, struct fault *f);
/* Any thread; any order. crc: CRC-32C of the content. */
int pgmanifest_file(struct pgmanifest *m, const char *path, uint64_t size,
    int64_t mtime_us, uint32_t crc, struct fault *f);
/* *size: bytes of all. */
int pgmanifest_end(struct pgmanifest *m, uint32_t timeline, uint64_t start_lsn,
    uint64_t stop_lsn, uint64_t *size, struct fault *f);
void pgmanifest_free(struct pgmanifest *m);

#endif
