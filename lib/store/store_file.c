#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdio.h"
#include "store_file.h"

#define BLOCK ((size_t)256 * 1024)

static int
stat_object(struct store *base, const char *key, struct store_info *info,
    const struct deadline *d, struct fault *f)
{
	struct store_file *s = (struct store_file *)base;
	struct stat st;
	int fd;
	int rc = store_file_late(d, s, key, f);

	if (rc == 0)
		rc = store_file_object(s, key, &fd, &st, f);
	if (rc)
		return rc;
	close(fd);
	info->size = (uint64_t)st.st_size;
	info->modified_us = store_file_modified_us(&st);
	return 0;
}

/* Bytes [at, end) of fd to sink. */
static int
read_range(const struct store_file *s, const char *key, int fd, uint64_t at,
    uint64_t end, sink_fn sink, void *ctx, const struct deadline *d,
    struct fault *f)
{
	size_t block = end - at < BLOCK ? (size_t)(end - at) : BLOCK;
	unsigned char *data = malloc(block ? block : 1);
	int rc = data ? 0 : fault_nomem(f);

	while (rc == 0 && at < end) {
		size_t n = end - at < block ? (size_t)(end - at) : block;
		size_t got;

		rc = store_file_late(d, s, key, f);
		if (rc == 0)
			rc = fdio_pread(fd, key, data, n, at, &got, f);
		if (rc)
			break;
		if (got < n)
			rc = fault_set(f, FAULT_CORRUPT,
			    "%s/%s: became shorter while it was read", s->root,
			    key);
		else
			rc = sink(ctx, data, n, f);
		at += n;
	}
	free(data);
	return rc;
}

static int
get(struct store *base, const char *key, uint64_t offset, uint64_t length,
    sink_fn sink, void *ctx, struct store_info *info, const struct deadline *d,
    struct fault *f)
{
	struct store_file *s = (struct store_file *)base;
	struct stat st;
	uint64_t size;
	int fd;
	int rc = store_file_late(d, s, key, f);

	if (rc == 0)
		rc = store_file_object(s, key, &fd, &st, f);
	if (rc)
		return rc;
	size = (uint64_t)st.st_size;
	if (offset > 0 && offset >= size) {
		rc = fault_set(f, FAULT_CORRUPT,
		    "%s/%s: has %ju bytes, fewer than expected", s->root, key,
		    (uintmax_t)size);
	} else {
		uint64_t left = size - offset;

		if (left > BLOCK)
			posix_fadvise(
			    fd, (off_t)offset, 0, POSIX_FADV_SEQUENTIAL);
		rc = read_range(s, key, fd, offset,
		    offset + (length < left ? length : left), sink, ctx, d, f);
	}
	close(fd);
	info->size = size;
	info->modified_us = store_file_modified_us(&st);
	return rc;
}

static void
free_store(struct store *base)
{
	struct store_file *s = (struct store_file *)base;

	if (s->synced_fd >= 0)
		close(s->synced_fd);
	free(s->synced);
	free(s->root);
	free(s);
}

static int clone_store(
    struct store **out, const struct store *base, struct fault *f);

static const struct store_ops ops = {
    .clone = clone_store,
    .free = free_store,
    .put = store_file_put,
    .get = get,
    .stat = stat_object,
    .list = store_file_list,
    .remove = store_file_remove,
    .upload_begin = store_file_upload_begin,
    .upload_write = store_file_upload_write,
    .upload_deadline = store_file_upload_deadline,
    .upload_commit = store_file_upload_commit,
    .upload_free = store_file_upload_free,
};

static int
make(struct store **out, const char *name, const char *path, struct fault *f)
{
	struct store_file *s = calloc(1, sizeof(*s));
	size_t n = strlen(path);

	if (!s)
		return fault_nomem(f);
	while (n > 1 && path[n - 1] == '/')
		n--;
	s->base.ops = &ops;
	s->synced_fd = -1;
	s->base.name = strdup(name);
	s->root = strndup(path, n);
	if (s->root && asprintf(&s->base.url, "file://%s", s->root) < 0)
		s->base.url = NULL;
	if (!s->base.name || !s->root || !s->base.url) {
		store_free(&s->base);
		return fault_nomem(f);
	}
	*out = &s->base;
	return 0;
}

static int
clone_store(struct store **out, const struct store *base, struct fault *f)
{
	const struct store_file *s = (const struct store_file *)base;

	return make(out, base->name, s->root, f);
}

int
store_file_open(
    struct store **out, const struct conf_repo *repo, struct fault *f)
{
	if (!repo->path || repo->path[0] != '/')
		return fault_set(f, FAULT_CONFIG,
		    "repository %s: its directory is not an absolute path",
		    repo->name);
	return make(out, repo->name, repo->path, f);
}
