#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_file.h"

/* How often a race against other processes may be lost. */
#define RACES 100

int
store_file_fault(const struct store_file *s, int errnum, const char *key,
    const char *what, struct fault *f)
{
	enum fault_code code = FAULT_SYSTEM;
	const char *hint = "";

	switch (errnum) {
	case EACCES:
	case EPERM:
	case EROFS:
		code = FAULT_DENIED;
		hint = "; the directory must belong to the user that runs "
		       "this (postgres)";
		break;
	case ENOSPC:
	case EDQUOT:
		hint = "; make room there";
		break;
	case EIO:
		hint = "; look at the disk and the kernel's log";
		break;
	case ENOTDIR:
	case ELOOP:
		code = FAULT_CORRUPT;
		hint = "; below the repository's root there may be only "
		       "folders and regular files";
		break;
	case ENAMETOOLONG:
		code = FAULT_CONFIG;
		break;
	/* A file system over a network, or one that is going away. */
	case EAGAIN:
	case EBUSY:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENETDOWN:
	case ENETUNREACH:
	case ENODEV:
	case ENOENT:
	case ENOTCONN:
	case EREMOTEIO:
	case ESHUTDOWN:
	case ESTALE:
	case ETIMEDOUT:
		code = FAULT_AGAIN;
		break;
	default:
		break;
	}
	fault_errno(f, errnum, "%s/%s: %s", s->root, key, what);
	fault_recode(f, code);
	if (*hint) {
		struct fault told = *f;

		fault_set(f, code, "%s%s", told.text, hint);
	}
	return (int)code;
}

int
store_file_late(const struct deadline *d, const struct store_file *s,
    const char *key, struct fault *f)
{
	if (!deadline_passed(d))
		return 0;
	return fault_set(
	    f, FAULT_AGAIN, "%s/%s: the time allowed is over", s->root, key);
}

int
store_file_sync(
    const struct store_file *s, int fd, const char *key, struct fault *f)
{
	/* EINVAL: a file system that has no such thing for folders and writes
	 * them through (SMB). Never tried twice: after a failure the kernel
	 * holds the pages for clean, and a second call would succeed. */
	if (fsync(fd) == 0 || errno == EINVAL)
		return 0;
	return store_file_fault(s, errno, key, "cannot sync", f);
}

/* Sync the folder above the root. It need not be ours to read: that matters
 * only when the root was made just now. */
static int
sync_above(const struct store_file *s, bool made, struct fault *f)
{
	const char *slash = strrchr(s->root, '/');
	size_t len = slash && slash > s->root ? (size_t)(slash - s->root) : 1;
	char *above = strndup(slash ? s->root : ".", len);
	int fd, rc;

	if (!above)
		return fault_nomem(f);
	fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(above);
	if (fd < 0 && errno == EACCES && !made)
		return 0;
	if (fd < 0)
		return store_file_fault(
		    s, errno, "", "cannot open the folder above", f);
	rc = store_file_sync(s, fd, "..", f);
	close(fd);
	return rc;
}

static int
open_root(const struct store_file *s, enum store_file_walk how, int *fd,
    struct fault *f)
{
	bool made = false;
	int rc;

	*fd = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0 && errno == ENOENT && how != STORE_FILE_LOOK) {
		made = mkdir(s->root, 0700) == 0;
		if (!made && errno == ENOENT)
			return fault_set(f, FAULT_AGAIN,
			    "%s: neither it nor the folder above it is there; "
			    "is it mounted? Otherwise create it and give it "
			    "to the user postgres",
			    s->root);
		if (!made && errno != EEXIST)
			return store_file_fault(s, errno, "",
			    "cannot create it; create it and give it to the "
			    "user postgres",
			    f);
		*fd = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (*fd < 0 && errno == ENOENT)
		return fault_set(f, FAULT_AGAIN,
		    "%s: there is no such directory; is it mounted?", s->root);
	if (*fd < 0 && errno == ENOTDIR)
		return fault_set(
		    f, FAULT_CONFIG, "%s: is not a directory", s->root);
	if (*fd < 0)
		return store_file_fault(s, errno, "", "cannot open", f);
	if (!made && how != STORE_FILE_SYNC)
		return 0;
	rc = sync_above(s, made, f);
	if (rc)
		close(*fd);
	return rc;
}

/* Nothing at key: proven only while the root is there, as in one that was
 * removed under us nothing is ever found. */
static int
absent(const struct store_file *s, const char *key, struct fault *f)
{
	struct stat st;

	if (stat(s->root, &st) != 0 || !S_ISDIR(st.st_mode))
		return fault_set(f, FAULT_AGAIN,
		    "%s: the directory went away; is it mounted?", s->root);
	return fault_set(
	    f, FAULT_ABSENT, "%s/%s: there is no such object", s->root, key);
}

/* One level down. *raced: a delete has removed the folder we stand in. */
static int
step(const struct store_file *s, int at, const char *part,
    enum store_file_walk how, const char *key, int *next, bool *raced,
    struct fault *f)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	bool sync = how == STORE_FILE_SYNC;
	int fd = openat(at, part, flags);
	int rc;

	/* Another put may make it, or a delete remove it, at any moment. */
	for (int i = 0; fd < 0 && errno == ENOENT && i < RACES; i++) {
		if (how == STORE_FILE_LOOK)
			return absent(s, key, f);
		if (mkdirat(at, part, 0700) != 0 && errno != EEXIST) {
			*raced = errno == ENOENT;
			return store_file_fault(
			    s, errno, key, "cannot make its folder", f);
		}
		sync = true;
		fd = openat(at, part, flags);
	}
	if (fd < 0)
		return store_file_fault(
		    s, errno, key, "cannot open its folder", f);
	rc = sync ? store_file_sync(s, at, key, f) : 0;
	if (rc)
		close(fd);
	else
		*next = fd;
	return rc;
}

static int
walk(const struct store_file *s, const char *key, enum store_file_walk how,
    int *fd, bool *raced, struct fault *f)
{
	const char *p = key, *slash;
	int at;
	int rc = open_root(s, how, &at, f);

	if (rc)
		return rc;
	for (; (slash = strchr(p, '/')); p = slash + 1) {
		char part[256];
		size_t n = (size_t)(slash - p);
		int next = -1;

		memcpy(part, p, n); /* n < 256: the key was checked */
		part[n] = '\0';
		rc = step(s, at, part, how, key, &next, raced, f);
		close(at);
		if (rc)
			return rc;
		at = next;
	}
	*fd = at;
	return 0;
}

int
store_file_folder(const struct store_file *s, const char *key,
    enum store_file_walk how, int *fd, struct fault *f)
{
	bool raced;
	int rc, tries = 0;

	do {
		raced = false;
		rc = walk(s, key, how, fd, &raced, f);
	} while (raced && ++tries < RACES);
	return rc;
}

const char *
store_file_leaf(const char *key)
{
	const char *slash = strrchr(key, '/');

	return slash ? slash + 1 : key;
}

static bool
is_synced(const struct store_file *s, const char *key, int fd)
{
	size_t n = (size_t)(store_file_leaf(key) - key);
	struct stat a, b;

	return s->synced && strncmp(s->synced, key, n) == 0 &&
	       s->synced[n] == '\0' && fstat(fd, &a) == 0 &&
	       fstat(s->synced_fd, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

int
store_file_durable_folder(
    struct store_file *s, const char *key, int *fd, struct fault *f)
{
	int at, keep;
	int rc = store_file_folder(s, key, STORE_FILE_MAKE, &at, f);

	if (rc)
		return rc;
	if (is_synced(s, key, at)) {
		*fd = at;
		return 0;
	}
	/* The folders may be another process's, which has made but not yet
	 * synced them, and may never: success must not rest on that. */
	close(at);
	rc = store_file_folder(s, key, STORE_FILE_SYNC, &at, f);
	if (rc)
		return rc;
	keep = fcntl(at, F_DUPFD_CLOEXEC, 3);
	if (keep >= 0) {
		free(s->synced);
		if (s->synced_fd >= 0)
			close(s->synced_fd);
		s->synced = strndup(key, (size_t)(store_file_leaf(key) - key));
		s->synced_fd = keep;
	}
	*fd = at;
	return 0;
}

int
store_file_object(const struct store_file *s, const char *key, int *fd,
    struct stat *st, struct fault *f)
{
	int dir, rc;

	rc = store_file_folder(s, key, STORE_FILE_LOOK, &dir, f);
	if (rc)
		return rc;
	/* O_NONBLOCK: a FIFO in the place of an object must not hang us. */
	*fd = openat(dir, store_file_leaf(key),
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	rc = errno;
	close(dir);
	if (*fd < 0 && rc == ENOENT)
		return absent(s, key, f);
	if (*fd < 0)
		return store_file_fault(s, rc, key, "cannot open", f);
	if (fstat(*fd, st) != 0)
		rc = store_file_fault(s, errno, key, "cannot look at it", f);
	else if (!S_ISREG(st->st_mode))
		rc = fault_set(f, FAULT_CORRUPT, "%s/%s: is not a regular file",
		    s->root, key);
	else
		return 0;
	close(*fd);
	return rc;
}

int64_t
store_file_modified_us(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000 +
	       st->st_mtim.tv_nsec / 1000;
}
