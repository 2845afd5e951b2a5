#ifndef LABEL_H
#define LABEL_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"

/* backup_label, as pg_backup_stop and BASE_BACKUP write it. Pure. */

#define LABEL_MAX 8192

struct label {
	uint64_t start_lsn;
	uint64_t checkpoint_lsn;
	uint32_t timeline; /* 0 when not told */
	char start_wal[25];
	char text[256];           /* LABEL:, cut off when longer */
	char start_time[64];      /* as written */
	char from[16];            /* "primary" or "standby" */
	uint64_t incremental_lsn; /* 17+; 0: none */
	uint32_t incremental_timeline;
};

/* Also reads TTTTTTTTLLLLLLLLSSSSSSSS.OOOOOOOO.backup, which has more lines.
 * CORRUPT when a location is missing, a known line comes twice or malformed,
 * or the timelines do not agree. */
int label_parse(
    const char *text, size_t len, struct label *out, struct fault *f);

#endif
