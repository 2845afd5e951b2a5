#ifndef ARCHIVE_FILE_H
#define ARCHIVE_FILE_H

#include "archive.h"
#include "layout.h"

/* What archive_push and archive_fetch share. Not for other modules. */

/* A file to be archived, read and proved to be what its name says. */
struct archive_file {
	const char *path;
	const char *name; /* last part of path */
	struct walname walname;
	enum object_kind kind;
	const unsigned char *data;
	size_t size;
	bool mapped;
	bool passing; /* its pages leave our memory, not the page cache */
	struct object_digest digest;
	struct buf meta;
};

/* FOREIGN when it is not an intact file of this cluster with this name. A
 * mapped file that somebody truncates raises SIGBUS: the program's affair.
 * passing: it must not be in our memory as a whole, nor is it when it is larger
 * than 16 MiB. */
int archive_file_load(struct archive_file *a, const char *path, bool passing,
    uint64_t system_id, struct fault *f);
void archive_file_free(struct archive_file *a);
/* The content alone: data is NULL afterwards. */
void archive_file_drop(struct archive_file *a);
/* The part of a passing file that is in our memory. */
#define ARCHIVE_FILE_PART ((size_t)4 << 20)
/* Lets this part go; each time takes an interrupt of all processors. */
void archive_file_pass(const struct archive_file *a, size_t from, size_t to);

/* The first bytes of a segment against the name and the system id. */
int archive_file_check_header(const void *data, size_t len, uint64_t size,
    const struct walname *n, uint64_t system_id, const char *what,
    struct fault *f);
enum object_kind archive_file_kind(const struct walname *n);

/* Of two faults the one to tell: 1 when a outranks b. */
bool archive_file_worse(enum fault_code a, enum fault_code b);

/* Something to be fetched: its key, and what it must be bound to. */
struct archive_file_key {
	struct walname walname;
	char key[LAYOUT_KEY];
	struct object_id id;
};
int archive_file_key(const struct repo *r, const char *name,
    struct archive_file_key *out, struct fault *f);

/* The mark that s holds, as it is stored; out is empty when there is none. */
#define ARCHIVE_MARK_MAX 65536
int archive_mark_read(const struct repo *r, struct store *s, struct buf *out,
    const struct deadline *d, struct fault *f);

/* Is what repository i holds under that key this content? Two range reads, no
 * private key. As object_compare; ABSENT as store_get. */
int archive_file_compare(struct repo *r, size_t i,
    const struct archive_file_key *k, const struct object_digest *digest,
    bool *same, uint64_t *stored, const struct deadline *d, struct fault *f);
/* The same about an object of the same name, of which own is the header. */
int archive_file_compare_twin(struct repo *r, size_t i,
    const struct archive_file_key *k, const struct buf *own, bool *same,
    uint64_t *stored, const struct deadline *d, struct fault *f);

#endif
