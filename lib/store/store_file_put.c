#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_file.h"

/*
 * An object gets its name by one link(2) when all its bytes are on disk. Until
 * then it is a file without a name (O_TMPFILE), of which nothing stays when
 * the process is killed, or, where the file system has no such thing, one
 * called ".tmp-…" in the same folder (store_file_sweep).
 */

#define RACES 100
#define BLOCK ((size_t)1 << 20)
#define PROC_FD_SIZE 32

struct draft {
	struct store_file *s;
	char *key;
	struct deadline d;
	int dir;
	int fd;
	char temp[32]; /* "": it has no name */
	uint64_t written;
	uint64_t started; /* writing to disk was begun up to here */
};

static void
draft_drop(struct draft *t)
{
	if (t->temp[0])
		unlinkat(t->dir, t->temp, 0);
	if (t->fd >= 0)
		close(t->fd);
	if (t->dir >= 0)
		close(t->dir);
	free(t->key);
}

static void
proc_fd(int fd, char path[PROC_FD_SIZE])
{
	snprintf(path, PROC_FD_SIZE, "/proc/self/fd/%d", fd);
}

/* Does the file system, or the kernel, say that it has no O_TMPFILE? */
static bool
lacks_tmpfile(int errnum)
{
	return errnum == EOPNOTSUPP || errnum == EISDIR || errnum == EINVAL ||
	       errnum == ENOSYS;
}

/* -1 with errno. */
static int
open_temp(struct draft *t)
{
	char path[PROC_FD_SIZE];
	uint64_t r;

	t->fd = openat(t->dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (t->fd >= 0) {
		/* Without /proc it could not be given a name. */
		proc_fd(t->fd, path);
		if (access(path, F_OK) == 0)
			return 0;
		close(t->fd);
		t->fd = -1;
	} else if (!lacks_tmpfile(errno)) {
		return -1;
	}
	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return -1;
	snprintf(
	    t->temp, sizeof(t->temp), STORE_FILE_TEMP "%016jx", (uintmax_t)r);
	t->fd = openat(t->dir, t->temp,
	    O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (t->fd < 0) {
		t->temp[0] = '\0';
		return -1;
	}
	/* Where there are no locks its age protects it. */
	(void)flock(t->fd, LOCK_EX | LOCK_NB);
	return 0;
}

/* Whoever is told that the name is taken may rely on what has it, which may
 * come from a put that was killed before it had synced the folder. *vanished:
 * it was deleted meanwhile. */
static int
taken(struct draft *t, bool *vanished, struct fault *f)
{
	struct stat st;
	int rc = 0;
	int fd = openat(t->dir, store_file_leaf(t->key),
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	*vanished = fd < 0 && errno == ENOENT;
	if (fd < 0)
		return store_file_fault(
		    t->s, errno, t->key, "cannot open what is there", f);
	if (fstat(fd, &st) != 0)
		rc = store_file_fault(
		    t->s, errno, t->key, "cannot look at it", f);
	else if (!S_ISREG(st.st_mode))
		rc = fault_set(f, FAULT_CORRUPT,
		    "%s/%s: is there, but is not a regular file", t->s->root,
		    t->key);
	if (rc == 0)
		rc = store_file_sync(t->s, fd, t->key, f);
	if (rc == 0)
		rc = store_file_sync(t->s, t->dir, t->key, f);
	close(fd);
	if (rc)
		return rc;
	return fault_set(
	    f, FAULT_EXISTS, "%s/%s: the name is taken", t->s->root, t->key);
}

/* Was a call in dir refused because a delete has just removed that folder,
 * which was empty? ext4 then says EPERM for O_TMPFILE, where others say
 * ENOENT. */
static bool
is_gone(int dir, int errnum)
{
	struct stat st;

	return errnum == ENOENT || (fstat(dir, &st) == 0 && st.st_nlink == 0);
}

/* unless_taken: spare the writing when the name is taken already. */
static int
draft_begin(struct draft *t, struct store_file *s, const char *key,
    bool unless_taken, const struct deadline *d, struct fault *f)
{
	int rc = store_file_late(d, s, key, f);

	*t = (struct draft){.s = s, .d = *d, .dir = -1, .fd = -1};
	t->key = strdup(key);
	if (!t->key)
		rc = fault_nomem(f);
	for (int i = 0; rc == 0; i++) {
		struct stat st;
		bool vanished = false;
		int errnum;

		rc = store_file_durable_folder(s, key, &t->dir, f);
		if (rc)
			break;
		if (unless_taken && fstatat(t->dir, store_file_leaf(key), &st,
					AT_SYMLINK_NOFOLLOW) == 0) {
			rc = taken(t, &vanished, f);
			if (!vanished)
				break;
			rc = 0;
		}
		if (open_temp(t) == 0)
			return 0;
		errnum = errno;
		if (!is_gone(t->dir, errnum) || i == RACES)
			rc = store_file_fault(
			    s, errnum, key, "cannot create", f);
		close(t->dir);
		t->dir = -1;
	}
	draft_drop(t);
	return rc;
}

static int
draft_write(
    struct draft *t, const unsigned char *p, size_t len, struct fault *f)
{
	while (len > 0) {
		ssize_t n;
		int rc = store_file_late(&t->d, t->s, t->key, f);

		if (rc)
			return rc;
		n = write(t->fd, p, len < BLOCK ? len : BLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return store_file_fault(
			    t->s, errno, t->key, "cannot write", f);
		p += n;
		len -= (size_t)n;
		t->written += (uint64_t)n;
	}
	return 0;
}

/* Is the file under the wanted name our own? NFS may carry out a link and lose
 * the answer; the second try then says EEXIST. */
static bool
is_ours(const struct draft *t)
{
	struct stat a, b;

	return fstat(t->fd, &a) == 0 &&
	       fstatat(t->dir, store_file_leaf(t->key), &b,
		   AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Give it the name: 0, or an errno. */
static int
give_name(struct draft *t)
{
	const char *leaf = store_file_leaf(t->key);
	char path[PROC_FD_SIZE];

	if (!t->temp[0]) {
		proc_fd(t->fd, path);
		if (linkat(AT_FDCWD, path, t->dir, leaf, AT_SYMLINK_FOLLOW) ==
		    0)
			return 0;
	} else {
		if (linkat(t->dir, t->temp, t->dir, leaf, 0) == 0)
			return 0;
		/* No hard links here (SMB, FUSE): a rename that does not
		 * replace is as good. */
		if ((errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK ||
			errno == ENOSYS) &&
		    renameat2(
			t->dir, t->temp, t->dir, leaf, RENAME_NOREPLACE) == 0) {
			t->temp[0] = '\0';
			return 0;
		}
	}
	if (errno == EEXIST && is_ours(t))
		return 0;
	return errno;
}

/* The name, once all bytes are on disk. Nothing that happens afterwards may
 * take it away again: another process may have found the object by now, and
 * have told its caller that it is safe. */
static int
publish(struct draft *t, struct fault *f)
{
	bool vanished;
	int rc, errnum;

	for (int i = 0; (errnum = give_name(t)) != 0; i++) {
		vanished = false;
		if (errnum == EEXIST) {
			rc = taken(t, &vanished, f);
		} else if (errnum == ENOENT && !t->temp[0] && i < RACES) {
			int dir;

			rc = store_file_durable_folder(t->s, t->key, &dir, f);
			vanished = rc == 0;
			if (rc == 0) {
				close(t->dir);
				t->dir = dir;
			}
		} else if (errnum == EINVAL || errnum == ENOSYS) {
			rc = fault_set(f, FAULT_CONFIG,
			    "%s/%s: this file system can neither link nor "
			    "rename without replacing, and cannot hold a "
			    "repository",
			    t->s->root, t->key);
		} else {
			rc = store_file_fault(
			    t->s, errnum, t->key, "cannot name it", f);
		}
		if (!vanished || i == RACES)
			return rc;
		rc = store_file_late(&t->d, t->s, t->key, f);
		if (rc)
			return rc;
	}
	if (t->temp[0] && unlinkat(t->dir, t->temp, 0) == 0)
		t->temp[0] = '\0';
	return store_file_sync(t->s, t->dir, t->key, f);
}

static int
draft_commit(struct draft *t, struct fault *f)
{
	int rc;

	if (fdatasync(t->fd) != 0)
		return store_file_fault(t->s, errno, t->key, "cannot sync", f);
	rc = store_file_late(&t->d, t->s, t->key, f);
	return rc ? rc : publish(t, f);
}

int
store_file_put(struct store *base, const char *key, const void *data,
    size_t len, const struct deadline *d, struct fault *f)
{
	struct draft t;
	int rc = draft_begin(&t, (struct store_file *)base, key, true, d, f);

	if (rc)
		return rc;
	rc = draft_write(&t, data, len, f);
	if (rc == 0)
		rc = draft_commit(&t, f);
	draft_drop(&t);
	return rc;
}

int
store_file_upload_begin(void **out, struct store *base, const char *key,
    const struct deadline *d, struct fault *f)
{
	struct draft *t = malloc(sizeof(*t));
	int rc;

	if (!t)
		return fault_nomem(f);
	rc = draft_begin(t, (struct store_file *)base, key, false, d, f);
	if (rc)
		free(t);
	else
		*out = t;
	return rc;
}

int
store_file_upload_write(
    void *u, const unsigned char *data, size_t len, struct fault *f)
{
	struct draft *t = u;
	int rc = draft_write(t, data, len, f);

	/* Let the disk begin now, so that the sync at the end is short. A
	 * failure here shows again there. */
	if (rc == 0 && t->written - t->started >= 8 * BLOCK) {
		sync_file_range(t->fd, (off_t)t->started,
		    (off_t)(t->written - t->started), SYNC_FILE_RANGE_WRITE);
		t->started = t->written;
	}
	return rc;
}

void
store_file_upload_deadline(void *u, const struct deadline *d)
{
	struct draft *t = u;

	t->d = *d;
}

int
store_file_upload_commit(void *u, struct fault *f)
{
	return draft_commit(u, f);
}

void
store_file_upload_free(void *u)
{
	draft_drop(u);
	free(u);
}
