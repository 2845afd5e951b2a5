#include "ahead_file.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ahead.h"
#include "crypto.h"
#include "fdio.h"
#include "push.h"

#define READY_DIR "pg_wal/archive_status"
#define READY_MAX 64
#define PAGE 8192

int
ahead_identify(const char *path, struct ahead_identity *out, struct fault *f)
{
	unsigned char page[PAGE];
	const char *name = push_name(path);
	struct walname ignored;
	size_t got;
	int fd, rc = walname_parse(name, &ignored, f);

	memset(out, 0, sizeof(*out));
	if (rc != 0 || (rc = fdio_open_read(path, &fd, f)) != 0)
		return rc;
	strcpy(out->name, name); /* it parsed, so it fits */
	if (fstat(fd, &out->st) != 0 || !S_ISREG(out->st.st_mode))
		rc = fault_set(f, FAULT_SYSTEM, "%s: no regular file", path);
	if (rc == 0)
		rc = fdio_pread(fd, path, page, sizeof(page), 0, &got, f);
	close(fd);
	if (rc == 0)
		crypto_xxh(page, got, out->page);
	return rc;
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool
ahead_same(const struct ahead_identity *a, const struct ahead_identity *b)
{
	return strcmp(a->name, b->name) == 0 && a->st.st_dev == b->st.st_dev &&
	       a->st.st_ino == b->st.st_ino && a->st.st_size == b->st.st_size &&
	       same_time(&a->st.st_mtim, &b->st.st_mtim) &&
	       same_time(&a->st.st_ctim, &b->st.st_ctim) &&
	       memcmp(a->page, b->page, sizeof(a->page)) == 0;
}

/* The name of the file that "NAME.ready" speaks of. */
static bool
ready_name(const char *entry, char name[WALNAME_SIZE])
{
	struct fault ignored = FAULT_INIT;
	struct walname w;
	size_t len = strlen(entry);

	if (len < 6 || strcmp(entry + len - 6, ".ready") != 0 ||
	    len - 6 >= WALNAME_SIZE)
		return false;
	memcpy(name, entry, len - 6);
	name[len - 6] = '\0';
	return walname_parse(name, &w, &ignored) == 0;
}

bool
ahead_wanted(const char *path)
{
	char name[WALNAME_SIZE];
	DIR *d = opendir(READY_DIR);
	struct dirent *e;
	bool found = false;

	while (d != NULL && !found && (e = readdir(d)) != NULL)
		found = ready_name(e->d_name, name) &&
			strcmp(name, push_name(path)) != 0;
	if (d != NULL)
		closedir(d);
	return found;
}

/* History files first, then by name: the archiver's order. */
static int
ready_order(const void *a, const void *b)
{
	const char *x = a, *y = b;
	int hx = strstr(x, ".history") != NULL;
	int hy = strstr(y, ".history") != NULL;

	return hx != hy ? hy - hx : strcmp(x, y);
}

void
ahead_ready(ahead_offer_fn offer, void *ctx)
{
	static char names[2 * READY_MAX][WALNAME_SIZE];
	DIR *d = opendir(READY_DIR);
	struct dirent *e;
	size_t n = 0;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (!ready_name(e->d_name, names[n]) || ++n < 2 * READY_MAX)
			continue;
		/* Thousands may wait; only the first ones are of interest. */
		qsort(names, n, WALNAME_SIZE, ready_order);
		n = READY_MAX;
	}
	closedir(d);
	qsort(names, n, WALNAME_SIZE, ready_order);
	for (size_t i = 0; i < n && i < READY_MAX; i++)
		if (!offer(ctx, names[i]))
			break;
}
