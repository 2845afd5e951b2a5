#ifndef ARCHIVE_JOB_H
#define ARCHIVE_JOB_H

#include "archive_file.h"
#include "archive_journal.h"
#include "archive_note.h"

/* One file into one repository: the part of archive_push that runs once for
 * each of them, side by side. */

/* A segment up to this size is sealed once, in memory, for all repositories; a
 * larger one is sealed by each as it streams there. */
#define ARCHIVE_JOB_MEMORY (16U << 20)
#define ARCHIVE_JOB_MARK_MS 5000

/* What the jobs share; none of them changes it. */
struct archive_job_task {
	const struct conf_cluster *conf;
	struct archive_file file;
	struct archive_file_key key;
	struct archive_note note;
	struct archive_journal journal;
	struct deadline deadline;
	unsigned hands;                  /* threads that seal it */
	const struct archive_room *room; /* to seal it in; NULL: enough */
	struct buf sealed; /* the whole object, if not larger than that */
	struct archive_spare *spare; /* where its memory is from; NULL */
	size_t spare_taken;
	/* archive_copy: where the object is, sealed; NULL for a file. Its
	 * header; whether file.digest is of its content, which takes the
	 * private key to know; and of one that is read again as it goes out,
	 * being too large for sealed, the digest of the object itself. */
	struct store *from;
	struct buf head;
	bool opened;
	struct object_digest object;
	struct buf mark; /* of the archive there; empty: none */
};

struct archive_job {
	const struct archive_job_task *task;
	struct repo *repo;
	size_t index;
	struct fault mark; /* why the mark could not be made */
	bool already;      /* the repository held this content before */
	bool marked;
	bool once;    /* the store was seen to refuse a name that is taken */
	bool damaged; /* the mark there */
	bool unread;  /* whose mark is there could not be seen */
	bool itself;  /* it is where archive_copy copies from */
	/* When it is durable in a directory: which one that is. */
	bool placed;
	uint64_t device, inode;
	uint64_t stored;
};

/* For archive_copy: a push of what is sealed, whose task the caller completes:
 * from, head, opened and, if it is small, sealed. */
int archive_push_begin_sealed(struct archive_push **out, struct repo *r,
    const char *name, struct archive_job_task **task, struct fault *f);

/* Seal the file into memory. */
int archive_job_seal(
    struct archive_job_task *t, const struct repo *r, struct fault *f);
/* 0: durable there. Faults as archive_push. Where the note does not tell
 * whether the store would write over what it holds, the mark is made first, to
 * see that; a store that would, or was not seen not to, is looked at before. */
int archive_job_put(struct archive_job *j, struct fault *f);
/* Sets marked, or fills mark. */
void archive_job_mark(struct archive_job *j);

#endif
