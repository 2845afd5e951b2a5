#include "archive_note.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fdio.h"
#include "text.h"

#define NOTE_MAX 65536
#define NOTE_SECONDS (24 * 60 * 60)

/* All that tells one place from another: the endpoint too, which the URL in
 * messages leaves out. */
static int
note_line(const struct conf_repo *c, const char *word, struct buf *out,
    struct fault *f)
{
	if (c->kind == CONF_STORE_FILE)
		return buf_printf(out, f, "%s file://%s\n", word, c->path);
	return buf_printf(out, f, "%s %s s3://%s/%s\n", word, c->endpoint,
	    c->bucket, c->prefix);
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
	return rc != 0 ? rc : buf_printf(out, f, "\n");
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
	n->fresh = false;
	buf_init(&n->text, NOTE_MAX);
	/* A clock that was set back makes notes of the future: not fresh. Those
	 * of others, where they may write in spool_dir, are not believed. */
	if (path == NULL || lstat(path, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_uid != geteuid() ||
	    fdio_slurp(path, NOTE_MAX, &data, &len, &f) != 0)
		return;
	if (buf_put(&n->text, data, len, &f) != 0 ||
	    buf_terminate(&n->text, &f) != 0)
		buf_clear(&n->text);
	free(data);
	n->fresh = st.st_mtime <= time(NULL) &&
		   st.st_mtime >= time(NULL) - NOTE_SECONDS && note_has_keys(n);
}

void
archive_note_free(struct archive_note *n)
{
	buf_free(&n->text);
}

static bool
note_finds(
    const struct archive_note *n, const struct conf_repo *c, const char *word)
{
	struct fault f = FAULT_INIT;
	struct buf line = BUF_INIT(NOTE_MAX);
	bool found = false;

	if (n->text.len > 0 && note_line(c, word, &line, &f) == 0 &&
	    buf_terminate(&line, &f) == 0) {
		const char *text = (const char *)n->text.data;
		const char *at = strstr(text, (const char *)line.data);

		found = at != NULL && (at == text || at[-1] == '\n');
	}
	buf_free(&line);
	return found;
}

bool
archive_note_knew(const struct archive_note *n, const struct conf_repo *c)
{
	return note_finds(n, c, "look") || note_finds(n, c, "once") ||
	       note_finds(n, c, "was");
}

bool
archive_note_has(
    const struct archive_note *n, const struct conf_repo *c, bool *once)
{
	bool look = note_finds(n, c, "look");

	if (!n->fresh || (!look && !note_finds(n, c, "once")))
		return false;
	*once = !look;
	return true;
}

void
archive_note_save(const struct archive_note *n,
    const struct conf_repo *const *repos,
    const struct archive_note_flags *flags, size_t count)
{
	struct fault f = FAULT_INIT;
	struct buf text = BUF_INIT(NOTE_MAX);
	char *slash, *folder;
	int rc;

	if (n->path == NULL)
		return;
	rc = note_keys(n, &text, &f);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (flags[i].has || flags[i].was)
			rc = note_line(repos[i],
			    !flags[i].has   ? "was"
			    : flags[i].once ? "once"
					    : "look",
			    &text, &f);
	folder = strdup(n->path);
	if (rc != 0 || folder == NULL)
		goto done;
	slash = strrchr(folder, '/');
	if (slash != NULL && slash != folder) {
		*slash = '\0';
		(void)mkdir(folder, 0700);
	}
	(void)fdio_atomic_put(n->path, 0600, text.data, text.len, 0, &f);
done:
	free(folder);
	buf_free(&text);
}
