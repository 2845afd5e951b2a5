#ifndef SHIP_H
#define SHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "archive.h"
#include "head.h"
#include "operation.h"
#include "pgconn.h"
#include "repo.h"
#include "shipper.h"

/* One run of basebackup-ship. */

struct server { /* what PostgreSQL says of itself */
	uint64_t system_id;
	uint32_t timeline;
	bool standby;
	uint32_t segment_size;
	bool checksums;
	uint32_t folder_mode;
	char role[64];
};

enum source {
	SOURCE_ANY, /* files where they can be read, else the stream */
	SOURCE_STREAM,
	SOURCE_FILES,
};

struct ship {
	const struct conf_cluster *conf;
	struct pgconn *pg;
	struct server server;
	struct repo *repo;
	size_t repo_index;
	int64_t wal_timeout_ms;
	bool fast_checkpoint;
	enum source source;
	struct control control; /* of pgdata, with SOURCE_FILES */
	unsigned jobs;
	uint64_t rate;
	bool progress;
	struct operation operation; /* open once the repository is known */
	char checksum[72]; /* of the head's content; "" until it is put */
	struct head head;  /* filled as the facts become known */
};

/* server.c */
int server_look(struct ship *s, struct fault *f);
/* CONFIG or DENIED when WAL cannot be archived as things stand. */
int server_check_archiving(struct ship *s, struct fault *f);
/* clock_timestamp() of the server. */
int server_clock(struct ship *s, int64_t *us, struct fault *f);
/* Some WAL, then a new segment: the LSN at which the full one ends. */
int server_switch(struct ship *s, uint64_t *lsn, struct fault *f);
/* The content of the timeline's history file; the caller frees it. */
int server_history(struct ship *s, char **text, struct fault *f);
/* What the archiver failed at last, if it did since the last success: one
 * line, or "". */
void server_archiver(struct ship *s, char *line, size_t cap);

/* trail.c: the records of this backup. A backup that is there is worth more
 * than its record: what cannot be recorded is warned of. */
void trail_open(struct ship *s);
void trail_begin(struct ship *s);
/* result: 0 or the code of *why. */
void trail_end(struct ship *s, int result, const struct fault *why);

/* prove.c */
/* One segment goes all the way into the repository, and the timeline's
 * history is there, before a byte is copied. */
int prove_archiving(struct ship *s, struct fault *f);
/* Every segment from start to stop is in the repository. */
int prove_wal(struct ship *s, struct fault *f);
/* With object lock: they are locked as long as the backup is. */
int prove_lock(struct ship *s, struct fault *f);

/* source.c */
/* SOURCE_ANY becomes one of the others; a fault when SOURCE_FILES cannot be. */
int source_choose(struct ship *s, struct fault *f);

/* copy.c */
/* All files into packs and a manifest; fills the head. */
int copy_run(struct ship *s, struct fault *f);

/* spool.c: a file without a name, for what is too large for memory */
int spool_open(const char *dir, int *fd, struct fault *f);

#endif
