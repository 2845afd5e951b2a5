#ifndef FDIO_H
#define FDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fault.h"

/*
 * File descriptors without surprises: EINTR and short transfers are handled,
 * everything is opened O_CLOEXEC, path stands in every fault.
 */

int fdio_open_read(const char *path, int *fd, struct fault *f);
/* A file of our own in a folder where others may write: not what they put
 * there, nor anything that an open would wait for. Made with mode 0600. -1 when
 * it is not to be had. */
int fdio_open_own(const char *path, int flags);
/* ABSENT when the path does not exist; fdio_open_read the same. */
int fdio_size(int fd, const char *path, uint64_t *size, struct fault *f);
/* Up to n bytes; *got < n only at the end of the file. */
int fdio_read(int fd, const char *path, void *data, size_t n, size_t *got,
    struct fault *f);
int fdio_pread(int fd, const char *path, void *data, size_t n, uint64_t offset,
    size_t *got, struct fault *f);
int fdio_write(
    int fd, const char *path, const void *data, size_t n, struct fault *f);
int fdio_pwrite(int fd, const char *path, const void *data, size_t n,
    uint64_t offset, struct fault *f);
int fdio_sync(int fd, const char *path, struct fault *f); /* fsync, once */
int fdio_sync_dir(const char *path, struct fault *f);
/* fsync the folder that holds path. */
int fdio_sync_parent(const char *path, struct fault *f);
/* close, reporting EIO and ENOSPC that come late. */
int fdio_close(int fd, const char *path, struct fault *f);
/* The whole file, at most limit bytes; the caller frees *data. A NUL stands
 * after the last byte. */
int fdio_slurp(const char *path, size_t limit, unsigned char **data,
    size_t *len, struct fault *f);
/* mkdir with all parents, each synced into its own; existing is fine. */
int fdio_mkdirs(const char *path, mode_t mode, struct fault *f);
/* malloc'ed "a/b"; NULL when out of memory. */
char *fdio_join(const char *a, const char *b);
/* malloc'ed: the folder that holds path, "." for a bare name; NULL when out of
 * memory. */
char *fdio_folder(const char *path);
/* Is path that directory, or in it? As they are written, so both absolute, or
 * as realpath(3) says. */
bool fdio_lies_in(const char *path, const char *dir);

/*
 * A file that appears whole or not at all. begin makes a temporary name in the
 * same folder; write through ->fd; publish gives it its name, replacing what
 * was there; publish_new fails with EXISTS if the name is taken (link(2)).
 * sync: fsync file and folder. abort (also after a failed publish) removes the
 * temporary file.
 */
struct fdio_atomic {
	int fd;
	char *temp;
	char *path;
};
int fdio_atomic_begin(
    struct fdio_atomic *a, const char *path, mode_t mode, struct fault *f);
int fdio_atomic_publish(struct fdio_atomic *a, int sync, struct fault *f);
int fdio_atomic_publish_new(struct fdio_atomic *a, int sync, struct fault *f);
void fdio_atomic_abort(struct fdio_atomic *a);
/* All of that at once: the file holds data, whatever it held before. */
int fdio_atomic_put(const char *path, mode_t mode, const void *data, size_t n,
    int sync, struct fault *f);

#endif
