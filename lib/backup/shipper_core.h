#ifndef SHIPPER_CORE_H
#define SHIPPER_CORE_H

#include <pthread.h>
#include <stdbool.h>

#include "layout.h"
#include "shipper.h"

/*
 * Within the shipper only. Who owns what:
 *
 *	caller's thread	  the extent being filled, the file at hand
 *	lock		  queue, free extents, builders, stop, fault
 *	manifest_lock	  writer, its sealer and upload
 *	worker		  its pack, its repo handle
 *
 * An extent goes caller -> queue -> worker -> free list -> caller. Never are
 * both locks held at once.
 *
 * Memory, at most (MiB): packs 32, what the store buffers of the manifest's
 * upload 24, four workers compressing at a time 4 each, six extents 1.2 each,
 * and with TLS 1.5 for each worker's connection. So only SHIPPER_WORKERS are
 * ever made, and of them only SHIPPER_BUILDERS compress at a time: that is
 * faster than a walsender sends, and uploads are what takes many. There is one
 * more than may compress at least: the store is waited for at the end of each
 * pack, and the processors are not to wait as well.
 */

#define SHIPPER_WORKERS 20
#define SHIPPER_BUILDERS 4
#define SHIPPER_EXTENTS (SHIPPER_BUILDERS + 2)
#define SHIPPER_PACK_MEMORY (32U << 20)
#define SHIPPER_PACK_MAX (16U << 20)
#define SHIPPER_EXTENT_PIECES 1024
#define SHIPPER_EXTENT_NAMES (64U << 10)
#define SHIPPER_EXTENT_PULLED (SHIPPER_PULLED_MAX / SHIPPER_EXTENTS)
#define SHIPPER_SECTION_MEMORY (8U << 20)
#define SHIPPER_SECTION_MAX (1U << 20)
#define SHIPPER_SECTION_MIN (128U << 10)

struct shipper_extent {
	struct shipper_extent *next;
	unsigned char *content; /* OBJECT_CHUNK */
	uint32_t used;
	struct manifest_piece *pieces; /* SHIPPER_EXTENT_PIECES */
	void **files; /* for each piece who reads it, NULL: it is there */
	uint32_t n_pieces;
	uint32_t n_pulled;
	char *names; /* SHIPPER_EXTENT_NAMES; the pieces' paths */
	size_t names_used;
};

struct shipper_worker {
	struct shipper *s;
	pthread_t thread;
	bool running;
	struct repo *repo;
	unsigned char *pack; /* s->pack_cap */
	size_t pack_len;
	uint32_t number;
	struct object_sealer *sealer;
	struct manifest_extent *extents;
	uint32_t n_extents;
	struct manifest_piece *pieces;
	uint32_t n_pieces;
	char *names;
	size_t names_used;
};

struct shipper {
	struct repo *repo;
	size_t repo_index;
	char id[LAYOUT_ID];
	struct shipper_params params;
	unsigned n_workers;
	struct shipper_worker *workers;
	size_t pack_cap;     /* bytes of a pack's buffer */
	size_t pack_reserve; /* what one more extent and the end may take */
	size_t section_cap;  /* bytes of a pack's names */

	pthread_mutex_t lock;
	/* all of them at a stop, a fault and the end */
	pthread_cond_t queued;     /* workers that have a pack wait */
	pthread_cond_t turn;       /* workers that have none */
	pthread_cond_t given_back; /* the caller */
	struct shipper_extent *queue, **queue_end;
	struct shipper_extent *idle;
	unsigned builders; /* that may begin */
	uint32_t next_pack;
	bool closed;  /* no more extents will come */
	bool drained; /* everything was read, and more will be later */
	bool stop;
	bool failed;
	struct fault fault;

	pthread_mutex_t manifest_lock;
	struct repo *manifest_repo;
	struct store_upload *upload;
	struct object_sealer *sealer;
	struct manifest_writer *writer;

	struct shipper_extent *filling;
	struct manifest_piece *piece; /* of the file at hand, in filling */
	struct manifest_piece file;   /* path points to path */
	char path[MANIFEST_PATH];
	bool in_file;
	void *pulled; /* the file at hand, when the workers read it */
	uint64_t file_done;
	int64_t tokens; /* bytes that the rate lets through now */
	int64_t tokens_at_ms;
};

/* shipper_queue.c */
/* All extents there will be, empty; and an end to a list of them. */
int shipper_queue_fill(struct shipper *s, struct fault *f);
void shipper_queue_free(struct shipper_extent *e);
/* The first fault wins; wakes everybody. Returns f's code. */
int shipper_queue_fail(struct shipper *s, const struct fault *f);
/* 0, or the fault of whoever failed. */
int shipper_queue_check(struct shipper *s, struct fault *f);
/* An empty extent; blocks until a worker gives one back. */
int shipper_queue_idle(
    struct shipper *s, struct shipper_extent **out, struct fault *f);
void shipper_queue_put(struct shipper *s, struct shipper_extent *e);
void shipper_queue_close(struct shipper *s);
void shipper_queue_stop(struct shipper *s);
/* Until the free list holds n extents. */
int shipper_queue_wait_idle(struct shipper *s, unsigned n, struct fault *f);
/* Begin a pack: false when there will be nothing to put into it. */
bool shipper_queue_enter(struct shipper *s, uint32_t *number);
void shipper_queue_leave(struct shipper *s);
/* The next extent comes much later: packs that are large do not wait for it. */
void shipper_queue_drained(struct shipper *s);
/* The next extent, for a pack of so many bytes; NULL when no more will come, or
 * little and much later, or at a stop. */
struct shipper_extent *shipper_queue_take(struct shipper *s, size_t pack_len);
void shipper_queue_give_back(struct shipper *s, struct shipper_extent *e);

/* shipper_worker.c */
int shipper_worker_init(
    struct shipper_worker *w, struct shipper *s, struct fault *f);
void *shipper_worker_run(void *w);
void shipper_worker_release(struct shipper_worker *w);

/* shipper_manifest.c; each takes the manifest's lock */
int shipper_manifest_begin(struct shipper *s, struct fault *f);
int shipper_manifest_entry(
    struct shipper *s, const struct manifest_entry *e, struct fault *f);
int shipper_manifest_pack(
    struct shipper *s, const struct manifest_pack *p, struct fault *f);
int shipper_manifest_end(struct shipper *s, struct manifest_totals *t,
    uint64_t *size, struct fault *f);
void shipper_manifest_release(struct shipper *s);
/* What every object of a backup is sealed with. */
void shipper_manifest_params(const struct shipper *s, enum object_kind kind,
    const char *name, struct object_params *out);

#endif
