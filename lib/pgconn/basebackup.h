#ifndef BASEBACKUP_H
#define BASEBACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "pgconn.h"

/*
 * BASE_BACKUP for PostgreSQL 14 to 18: keyword syntax with a COPY stream per
 * tablespace up to 14, option list with one stream from 15. Everything comes
 * out as events, whatever the version. Source: PostgreSQL, "Streaming
 * Replication Protocol".
 */

struct basebackup_options {
	const char *label;
	bool fast_checkpoint;
	uint64_t rate; /* bytes per second by the server's MAX_RATE; 0: none */
};

struct basebackup_start {
	uint64_t lsn;
	uint32_t timeline;
};

struct basebackup_events {
	/* before the first archive */
	int (*start)(
	    void *ctx, const struct basebackup_start *s, struct fault *f);
	/* oid 0: the data directory itself; size in bytes, estimated by the
	 * server, UINT64_MAX when it did not tell. Called for all tablespaces
	 * before the first archive. */
	int (*tablespace)(void *ctx, uint32_t oid, const char *path,
	    uint64_t size, struct fault *f);
	int (*archive)(void *ctx, uint32_t oid, struct fault *f);
	int (*data)(void *ctx, const unsigned char *p, size_t n,
	    struct fault *f); /* tar */
	int (*archive_end)(void *ctx, struct fault *f);
	int (*manifest)(
	    void *ctx, const unsigned char *p, size_t n, struct fault *f);
};

/* *stop_lsn, *stop_timeline: as the server said at the end. A page checksum
 * failure that the server reports makes this CORRUPT, with its warnings. */
int basebackup_run(struct pgconn *c, const struct basebackup_options *o,
    const struct basebackup_events *ev, void *ctx, uint64_t *stop_lsn,
    uint32_t *stop_timeline, struct fault *f);

#endif
