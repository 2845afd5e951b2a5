#include "archive_note.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fdio.h"
#include "text.h"

#define NOTE_MAX 65536
#define NOTE_SECONDS (24 * 60 * 60)
#define NOTE_UNREAD_SECONDS (10 * 60)
#define NOTE_BOOT "/proc/sys/kernel/random/boot_id"

/* All that tells one place from another: the endpoint too, which the URL in
 * messages leaves out. */
static int
note_place(const struct conf_repo *c, struct buf *out, struct fault *f)
{
	if (c->kind == CONF_STORE_FILE)
		return buf_printf(out, f, "file://%s\n", c->path);
	return buf_printf(
	    out, f, "%s s3://%s/%s\n", c->endpoint, c->bucket, c->prefix);
}

static int
note_keys(const struct archive_note *n, struct buf *out, struct fault *f)
{
	char id[2 * KEYRING_ID + 1];
	int rc = buf_printf(out, f, "keys");

	for (size_t i = 0;
	     rc == 0 && n->keys != NULL && i < keyring_count(n->keys); i++) {
		text_hex(keyring_at(n->keys, i)->id, KEYRING_ID, id);
		rc = buf_printf(out, f, " %s", id);
	}
	return rc != 0 ? rc : buf_printf(out, f, " boot %s\n", n->boot);
}

static bool
note_has_keys(const struct archive_note *n)
{
	struct fault f = FAULT_INIT;
	struct buf line = BUF_INIT(NOTE_MAX);
	bool same = note_keys(n, &line, &f) == 0 && n->text.len >= line.len &&
		    memcmp(n->text.data, line.data, line.len) == 0;

	buf_free(&line);
	return same;
}

/* Where there is none (a chroot), starting again goes unnoticed for as long as
 * the host runs shorter than before. */
static void
note_boot(struct archive_note *n)
{
	struct fault f = FAULT_INIT;
	struct timespec t;
	size_t got = 0;
	int fd;

	memset(n->boot, 0, sizeof(n->boot));
	if (fdio_open_read(NOTE_BOOT, &fd, &f) == 0) {
		if (fdio_read(fd, NOTE_BOOT, n->boot, sizeof(n->boot) - 1, &got,
			&f) != 0)
			got = 0;
		close(fd);
	}
	n->boot[strcspn(n->boot, "\n")] = '\0';
	clock_gettime(CLOCK_BOOTTIME, &t);
	n->now_s = t.tv_sec;
}

void
archive_note_load(
    struct archive_note *n, const char *path, const struct keyring *keys)
{
	struct fault f = FAULT_INIT;
	unsigned char *data;
	struct stat st;
	size_t len;

	n->path = path;
	n->keys = keys;
	n->fresh = n->unread = false;
	buf_init(&n->text, NOTE_MAX);
	if (path == NULL)
		return;
	note_boot(n);
	if (lstat(path, &st) != 0) {
		n->unread = errno != ENOENT && errno != ENOTDIR;
		return;
	}
	/* Those of others, where they may write in spool_dir, are not
	 * believed. */
	n->unread = !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		    st.st_size == 0 ||
		    fdio_slurp(path, NOTE_MAX, &data, &len, &f) != 0;
	if (n->unread)
		return;
	if (buf_put(&n->text, data, len, &f) != 0 ||
	    buf_terminate(&n->text, &f) != 0)
		buf_clear(&n->text);
	free(data);
	n->fresh = note_has_keys(n);
}

void
archive_note_free(struct archive_note *n)
{
	buf_free(&n->text);
}

struct note_line {
	char word[8];
	int64_t until_s;
	const char *place; /* and the line's end */
	size_t len;
};

/* The next line about a place, from *at on. */
static bool
note_next(const struct archive_note *n, size_t *at, struct note_line *out)
{
	while (*at < n->text.len) {
		const char *line = (const char *)n->text.data + *at;
		const char *end = memchr(line, '\n', n->text.len - *at);
		int k = 0;

		if (end == NULL)
			return false;
		*at += (size_t)(end - line) + 1;
		if (sscanf(line, "%7[a-z] %12" SCNd64 " %n", out->word,
			&out->until_s, &k) != 2 ||
		    k > end - line)
			continue;
		out->place = line + k;
		out->len = (size_t)(end - line) + 1 - (size_t)k;
		return true;
	}
	return false;
}

/* What it says of this place. */
static bool
note_find(const struct archive_note *n, const struct conf_repo *c,
    struct note_line *out)
{
	struct fault f = FAULT_INIT;
	struct buf place = BUF_INIT(NOTE_MAX);
	bool found = false;
	size_t at = 0;

	if (note_place(c, &place, &f) == 0)
		while (!found && note_next(n, &at, out))
			found = out->len == place.len &&
				memcmp(out->place, place.data, place.len) == 0;
	buf_free(&place);
	return found;
}

bool
archive_note_knew(const struct archive_note *n, const struct conf_repo *c)
{
	struct note_line l;

	return note_find(n, c, &l);
}

static bool
note_valid(const struct archive_note *n, const struct conf_repo *c,
    struct note_line *l)
{
	return n->fresh && note_find(n, c, l) && l->until_s > n->now_s &&
	       l->until_s <= n->now_s + NOTE_SECONDS &&
	       (strcmp(l->word, "once") == 0 || strcmp(l->word, "look") == 0);
}

bool
archive_note_has(
    const struct archive_note *n, const struct conf_repo *c, bool *once)
{
	struct note_line l;

	if (!note_valid(n, c, &l))
		return false;
	*once = strcmp(l.word, "once") == 0;
	return true;
}

static int
note_put(const struct archive_note *n, const struct conf_repo *c,
    const struct archive_note_flags *flags, struct buf *out, struct fault *f)
{
	int64_t until_s;
	struct note_line l;
	int rc;

	if (flags->old && note_valid(n, c, &l))
		until_s = l.until_s;
	else
		until_s = n->now_s +
			  (flags->unread ? NOTE_UNREAD_SECONDS : NOTE_SECONDS);
	rc = buf_printf(
	    out, f, "%s %" PRId64 " ", flags->once ? "once" : "look", until_s);
	return rc != 0 ? rc : note_place(c, out, f);
}

/* A directory that is not mounted now, or that other settings name, must not be
 * forgotten; nor is it known to have a mark of these keys. What there is no
 * room for is. */
static void
note_keep(const struct archive_note *n, struct buf *out)
{
	static const char directory[] = "file://";
	struct fault full = FAULT_INIT;
	struct note_line l;
	size_t at = 0;

	while (note_next(n, &at, &l))
		if (l.len > sizeof(directory) &&
		    memcmp(l.place, directory, sizeof(directory) - 1) == 0 &&
		    memmem(out->data, out->len, l.place, l.len) == NULL &&
		    out->len + sizeof("was 0 ") + l.len < out->limit)
			(void)buf_printf(
			    out, &full, "was 0 %.*s", (int)l.len, l.place);
}

void
archive_note_save(const struct archive_note *n,
    const struct conf_repo *const *repos,
    const struct archive_note_flags *flags, size_t count)
{
	struct fault f = FAULT_INIT;
	struct buf text = BUF_INIT(NOTE_MAX);
	char *folder;
	int rc;

	if (n->path == NULL)
		return;
	rc = note_keys(n, &text, &f);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (flags[i].has)
			rc = note_put(n, repos[i], &flags[i], &text, &f);
	note_keep(n, &text);
	folder = fdio_folder(n->path);
	if (rc != 0 || folder == NULL)
		goto done;
	(void)mkdir(folder, 0700);
	/* Synced: after a loss of power a name without its bytes would be a
	 * note that has forgotten. */
	(void)fdio_atomic_put(n->path, 0600, text.data, text.len, 1, &f);
done:
	free(folder);
	buf_free(&text);
}
