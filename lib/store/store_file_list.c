#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "store_file.h"

/*
 * Byte order of whole keys: a folder's name sorts as if a '/' stood after it,
 * so that "a.b" comes before "a/b". One folder's names are in memory at a
 * time, and those of the folders above it.
 */

struct lister {
	struct store_file *s;
	bool shallow;
	const char *after; /* NULL: from the start */
	store_list_fn cb;
	void *ctx;
	const struct deadline *d;
	char path[STORE_KEY_MAX + 2]; /* "" or with a '/' at its end */
	size_t len;
	int depth;
};

#define NAMES_LIMIT ((size_t)1 << 30)

/* The names of a folder, each with a '/' after it if it is one itself. */
struct names {
	struct buf text;
	const char **sorted;
	size_t n;
};

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
names_free(struct names *names)
{
	buf_free(&names->text);
	free(names->sorted);
}

static int
names_sort(struct names *names, struct fault *f)
{
	const char *p = (const char *)names->text.data;

	names->sorted = calloc(names->n + 1, sizeof(*names->sorted));
	if (!names->sorted)
		return fault_nomem(f);
	for (size_t i = 0; i < names->n; i++) {
		names->sorted[i] = p;
		p += strlen(p) + 1;
	}
	qsort(names->sorted, names->n, sizeof(*names->sorted), by_bytes);
	return 0;
}

/* The folder at l->path cannot be worked with. */
static int
folder_fault(const struct lister *l, int errnum, const char *leaf,
    const char *what, struct fault *f)
{
	char key[sizeof(l->path) + 256];

	snprintf(key, sizeof(key), "%.*s%s", (int)l->len, l->path, leaf);
	return store_file_fault(l->s, errnum, key, what, f);
}

/* *type: DT_REG, DT_DIR; DT_UNKNOWN when it is gone. */
static int
type_of(const struct lister *l, DIR *dir, const struct dirent *e,
    unsigned char *type, struct fault *f)
{
	struct stat st;

	*type = e->d_type;
	if (*type == DT_REG || *type == DT_DIR)
		return 0;
	*type = DT_UNKNOWN;
	if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0
				       : folder_fault(l, errno, e->d_name,
					     "cannot look at it", f);
	if (S_ISREG(st.st_mode))
		*type = DT_REG;
	else if (S_ISDIR(st.st_mode))
		*type = DT_DIR;
	else
		return folder_fault(
		    l, ENOTDIR, e->d_name, "is neither a file nor a folder", f);
	return 0;
}

static bool
is_name(const struct lister *l, const char *name)
{
	size_t n = strlen(name);

	/* What mkfs makes in the root of a file system. */
	if (l->len == 0 && strcmp(name, "lost+found") == 0)
		return false;
	return store_key_part_ok(name, n) && n <= STORE_KEY_MAX - l->len;
}

static int
names_read(
    const struct lister *l, DIR *dir, struct names *names, struct fault *f)
{
	const struct dirent *e;
	unsigned char type;
	int rc = 0;

	while (rc == 0) {
		errno = 0;
		e = readdir(dir);
		if (!e && errno)
			return folder_fault(
			    l, errno, "", "cannot read the folder", f);
		if (!e)
			break;
		if (!is_name(l, e->d_name))
			continue;
		rc = type_of(l, dir, e, &type, f);
		if (rc || type == DT_UNKNOWN)
			continue;
		rc = buf_put_str(&names->text, e->d_name, f);
		if (rc == 0 && type == DT_DIR)
			rc = buf_put_u8(&names->text, '/', f);
		if (rc == 0)
			rc = buf_put_u8(&names->text, '\0', f);
		names->n++;
		if (rc == 0)
			rc = store_file_late(l->d, l->s, l->path, f);
	}
	return rc ? rc : names_sort(names, f);
}

/* Open the folder called name ("x/") in dir: *out NULL when it is gone. */
static int
open_below(const struct lister *l, DIR *dir, const char *name, DIR **out,
    struct fault *f)
{
	char part[256];
	size_t n = strlen(name) - 1;
	int fd;

	memcpy(part, name, n);
	part[n] = '\0';
	*out = NULL;
	fd = openat(
	    dirfd(dir), part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd >= 0)
		*out = fdopendir(fd);
	if (*out)
		return 0;
	n = (size_t)errno;
	if (fd >= 0)
		close(fd);
	return folder_fault(l, (int)n, part, "cannot open the folder", f);
}

static int list_folder(
    struct lister *l, DIR *dir, bool *found, struct fault *f);

static int
list_file(struct lister *l, DIR *dir, const char *name, struct fault *f)
{
	struct store_entry e = {.key = l->path};
	struct stat st;

	if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT
			   ? 0
			   : folder_fault(l, errno, "", "cannot look at it", f);
	if (!S_ISREG(st.st_mode))
		return folder_fault(
		    l, ENOTDIR, "", "is no longer a regular file", f);
	e.size = (uint64_t)st.st_size;
	e.modified_us = store_file_modified_us(&st);
	return l->cb(l->ctx, &e, f);
}

/* A folder is listed only if there is an object in it or below it, as an
 * object store has no empty ones. */
static int
list_subfolder(
    struct lister *l, DIR *dir, const char *name, bool *found, struct fault *f)
{
	struct store_entry e = {.key = l->path, .is_folder = true};
	size_t above = l->len;
	bool holds = false;
	DIR *sub;
	int rc;

	e.modified_us = CLOCK_NONE;
	l->len = above - strlen(name);
	rc = open_below(l, dir, name, &sub, f);
	l->len = above;
	if (rc || !sub)
		return rc;
	l->depth++;
	if (l->depth < STORE_KEY_PARTS) /* below that there are no keys */
		rc = list_folder(l, sub, l->shallow ? &holds : found, f);
	l->depth--;
	closedir(sub);
	l->path[l->len] = '\0';
	if (rc || !holds)
		return rc;
	if (!found)
		return l->cb(l->ctx, &e, f);
	*found = true;
	return 0;
}

/* Is everything that is, or lies below, this path before l->after? */
static bool
is_passed(const struct lister *l, bool folder)
{
	if (!l->after || strcmp(l->path, l->after) > 0)
		return false;
	return !folder || l->shallow || strncmp(l->path, l->after, l->len) != 0;
}

/* found: do not list, only say whether there is an object. */
static int
list_folder(struct lister *l, DIR *dir, bool *found, struct fault *f)
{
	struct names names = {BUF_INIT(NAMES_LIMIT), NULL, 0};
	size_t above = l->len;
	int rc = names_read(l, dir, &names, f);

	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		const char *name = names.sorted[i];
		size_t n = strlen(name);
		bool folder = name[n - 1] == '/';

		rc = store_file_late(l->d, l->s, l->path, f);
		if (rc)
			break;
		memcpy(l->path + above, name, n + 1);
		l->len = above + n;
		if (found && !folder)
			*found = true;
		else if (!found && is_passed(l, folder))
			rc = 0;
		else if (folder)
			rc = list_subfolder(l, dir, name, found, f);
		else
			rc = list_file(l, dir, name, f);
		l->len = above;
		l->path[above] = '\0';
		if (found && *found)
			break;
	}
	names_free(&names);
	return rc;
}

/* The folder that prefix names. *dir NULL: there is none. */
static int
open_prefix(struct lister *l, const char *prefix, DIR **dir, struct fault *f)
{
	int fd;
	int rc = store_file_folder(l->s, prefix, STORE_FILE_LOOK, &fd, f);

	*dir = NULL;
	if (rc == FAULT_ABSENT)
		return 0;
	if (rc)
		return rc;
	*dir = fdopendir(fd);
	if (*dir)
		return 0;
	rc = store_file_fault(l->s, errno, prefix, "cannot list", f);
	close(fd);
	return rc;
}

int
store_file_list(struct store *base, const char *prefix, bool shallow,
    const char *start_after, store_list_fn cb, void *ctx,
    const struct deadline *d, struct fault *f)
{
	struct lister *l = calloc(1, sizeof(*l));
	DIR *dir = NULL;
	int rc;

	if (!l)
		return fault_nomem(f);
	l->s = (struct store_file *)base;
	l->shallow = shallow;
	l->after = start_after;
	l->cb = cb;
	l->ctx = ctx;
	l->d = d;
	l->len = strlen(prefix);
	memcpy(l->path, prefix, l->len + 1);
	for (const char *p = prefix; *p; p++)
		l->depth += *p == '/';
	rc = open_prefix(l, prefix, &dir, f);
	if (dir) {
		rc = list_folder(l, dir, NULL, f);
		closedir(dir);
	}
	free(l);
	return rc;
}
