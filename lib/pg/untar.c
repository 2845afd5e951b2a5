#include <stdlib.h>
#include <string.h>

#include "untar.h"

#define BLOCK 512

/* Offsets and lengths of the header's fields (POSIX ustar). */
#define AT_NAME 0
#define NAME_LEN 100
#define AT_MODE 100
#define AT_SIZE 124
#define AT_MTIME 136
#define AT_CHECKSUM 148
#define AT_TYPE 156
#define AT_LINK 157
#define AT_MAGIC 257
#define AT_PREFIX 345
#define PREFIX_LEN 155

struct untar {
	struct untar_events ev;
	void *ctx;
	unsigned char header[BLOCK];
	size_t have;      /* bytes of header */
	uint64_t content; /* bytes of the file still to come */
	size_t padding;   /* zero bytes that follow it */
	bool in_file;
	bool ended; /* a block of zeros came: nothing else may follow */
	char name[256];
};

int
untar_new(struct untar **out, const struct untar_events *ev, void *ctx,
    struct fault *f)
{
	struct untar *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return (fault_nomem(f));
	t->ev = *ev;
	t->ctx = ctx;
	*out = t;
	return (0);
}

void
untar_free(struct untar *t)
{
	free(t);
}

static int
bad(const struct untar *t, const char *what, struct fault *f)
{
	return (fault_set(
	    f, FAULT_CORRUPT, "tar stream, after \"%s\": %s", t->name, what));
}

/* Octal digits that a blank or NUL may end, or GNU's base 256: the first byte
 * is 0x80 and the rest a big-endian number. */
static int
number(const unsigned char *p, size_t n, uint64_t *out)
{
	uint64_t v = 0;
	size_t i = 0;

	if (p[0] == 0x80) {
		for (i = 1; i < n; i++) {
			if (v >> 55 != 0)
				return (-1);
			v = v << 8 | p[i];
		}
		*out = v;
		return (0);
	}
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++) {
		if (v >> 60 != 0)
			return (-1);
		v = v << 3 | (uint64_t)(p[i] - '0');
	}
	for (; i < n; i++)
		if (p[i] != ' ' && p[i] != '\0')
			return (-1);
	*out = v;
	return (0);
}

static int
check_sum(const struct untar *t, struct fault *f)
{
	const unsigned char *h = t->header;
	uint64_t sum = 0, said;

	/* The field itself counts as eight blanks. */
	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= AT_CHECKSUM && i < AT_CHECKSUM + 8 ? ' ' : h[i];
	if (number(h + AT_CHECKSUM, 8, &said) != 0 || said != sum)
		return (bad(t, "a header's checksum is wrong", f));
	return (0);
}

/* Relative, and every part of it a plain name. */
static bool
safe_name(const char *name)
{
	const char *p = name;

	if (*p == '\0')
		return (true); /* the folder itself */
	for (;;) {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && p[0] == '.') ||
		    (n == 2 && p[0] == '.' && p[1] == '.'))
			return (false);
		if (p[n] == '\0')
			return (true);
		p += n + 1;
	}
}

static int
take_name(const struct untar *t, struct untar_entry *e, struct fault *f)
{
	const char *prefix = (const char *)t->header + AT_PREFIX;
	const char *name = (const char *)t->header + AT_NAME;
	size_t np = strnlen(prefix, PREFIX_LEN);
	size_t nn = strnlen(name, NAME_LEN), at = 0;
	char full[PREFIX_LEN + 1 + NAME_LEN + 1];

	if (nn == 0)
		return (bad(t, "an entry without a name", f));
	if (np > 0) {
		memcpy(full, prefix, np);
		full[np++] = '/';
	}
	memcpy(full + np, name, nn);
	nn += np;
	full[nn] = '\0';
	while (full[at] == '.' && full[at + 1] == '/')
		at += 2;
	if (strcmp(full + at, ".") == 0)
		at++;
	if (nn > at && full[nn - 1] == '/')
		full[--nn] = '\0';
	if (!safe_name(full + at))
		return (fault_set(f, FAULT_CORRUPT,
		    "tar stream: the name \"%s\" leads out of its folder",
		    full));
	memcpy(e->name, full + at, nn - at + 1);
	return (0);
}

static int
take_kind(const struct untar *t, struct untar_entry *e, struct fault *f)
{
	const char *link = (const char *)t->header + AT_LINK;

	switch (t->header[AT_TYPE]) {
	case '0':
	case '\0':
		e->kind = UNTAR_FILE;
		if (e->name[0] == '\0')
			return (bad(t, "a file without a name", f));
		return (0);
	case '5':
		e->kind = UNTAR_FOLDER;
		break;
	case '2':
		e->kind = UNTAR_LINK;
		memcpy(e->link, link, strnlen(link, NAME_LEN));
		if (e->link[0] == '\0' || e->name[0] == '\0')
			return (bad(t, "a link without name or target", f));
		break;
	default:
		return (fault_set(f, FAULT_CORRUPT,
		    "tar stream: \"%s\" has type %02x, which PostgreSQL never "
		    "writes",
		    e->name, t->header[AT_TYPE]));
	}
	if (e->size != 0)
		return (bad(t, "a folder or link with content", f));
	return (0);
}

static int
finish_file(struct untar *t, struct fault *f)
{
	t->in_file = false;
	return (t->ev.end(t->ctx, f));
}

static int
take_header(struct untar *t, struct fault *f)
{
	struct untar_entry e;
	uint64_t mode, mtime;

	memset(&e, 0, sizeof(e));
	if (t->header[0] == '\0') {
		for (size_t i = 0; i < BLOCK; i++)
			if (t->header[i] != 0)
				return (bad(t, "a header without a name", f));
		t->ended = true;
		return (0);
	}
	if (t->ended)
		return (bad(t, "data after the end", f));
	if (check_sum(t, f) != 0)
		return ((int)f->code);
	if (memcmp(t->header + AT_MAGIC, "ustar", 5) != 0)
		return (bad(t, "a header that is not ustar", f));
	if (number(t->header + AT_SIZE, 12, &e.size) != 0 ||
	    e.size > INT64_MAX ||
	    number(t->header + AT_MTIME, 12, &mtime) != 0 ||
	    mtime > INT64_MAX || number(t->header + AT_MODE, 8, &mode) != 0)
		return (bad(t, "a number in a header is malformed", f));
	e.mtime = (int64_t)mtime;
	e.mode = (uint32_t)(mode & 07777);
	if (take_name(t, &e, f) != 0 || take_kind(t, &e, f) != 0)
		return ((int)f->code);
	memcpy(t->name, e.name, sizeof(t->name));
	t->content = e.size;
	t->padding = (size_t)((BLOCK - e.size % BLOCK) % BLOCK);
	t->in_file = e.kind == UNTAR_FILE;
	if (t->ev.entry(t->ctx, &e, f) != 0)
		return ((int)f->code);
	if (t->in_file && e.size == 0)
		return (finish_file(t, f));
	return (0);
}

static int
take_content(struct untar *t, const unsigned char *p, size_t len, size_t *used,
    struct fault *f)
{
	size_t n = len < t->content ? len : (size_t)t->content;

	if (t->ev.data(t->ctx, p, n, f) != 0)
		return ((int)f->code);
	t->content -= n;
	*used = n;
	return (t->content == 0 ? finish_file(t, f) : 0);
}

static int
take_padding(struct untar *t, const unsigned char *p, size_t len, size_t *used,
    struct fault *f)
{
	size_t n = len < t->padding ? len : t->padding;

	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return (bad(t, "padding that is not zero", f));
	t->padding -= n;
	*used = n;
	return (0);
}

int
untar_feed(void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	struct untar *t = ctx;
	size_t used = 0;

	for (; len > 0; data += used, len -= used) {
		if (t->in_file) {
			if (take_content(t, data, len, &used, f) != 0)
				return ((int)f->code);
			continue;
		}
		if (t->padding > 0) {
			if (take_padding(t, data, len, &used, f) != 0)
				return ((int)f->code);
			continue;
		}
		used = BLOCK - t->have < len ? BLOCK - t->have : len;
		memcpy(t->header + t->have, data, used);
		t->have += used;
		if (t->have == BLOCK) {
			t->have = 0;
			if (take_header(t, f) != 0)
				return ((int)f->code);
		}
	}
	return (0);
}

int
untar_end(struct untar *t, struct fault *f)
{
	if (t->in_file || t->padding > 0 || t->have > 0)
		return (bad(t, "it breaks off in the middle", f));
	return (0);
}
