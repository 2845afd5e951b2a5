#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "history.h"

#define LINE_SHOWN 60

static bool
blank(int c)
{
	return (c == ' ' || (c >= '\t' && c <= '\r'));
}

static void
skip_blanks(struct bytes *line)
{
	while (line->left > 0 && blank(*line->p))
		(void)bytes_skip(line, 1);
}

static int
digit(int c, unsigned base)
{
	int v;

	if (c >= '0' && c <= '9')
		v = c - '0';
	else if (c >= 'a' && c <= 'f')
		v = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		v = c - 'A' + 10;
	else
		return (-1);
	return ((unsigned)v < base ? v : -1);
}

static int
take_u32(struct bytes *line, unsigned base, uint32_t *out)
{
	uint64_t v = 0;
	size_t n = 0;
	int d;

	while (n < line->left && (d = digit(line->p[n], base)) >= 0) {
		v = v * base + (unsigned)d;
		if (v > UINT32_MAX)
			return (-1);
		n++;
	}
	if (n == 0)
		return (-1);
	*out = (uint32_t)v;
	return (bytes_skip(line, n));
}

/* "TIMELINE LSN REASON"; the reason is for people. */
static int
parse_line(struct bytes line, uint32_t *timeline, uint64_t *lsn)
{
	uint32_t high, low;

	if (take_u32(&line, 10, timeline) != 0 || *timeline == 0 ||
	    line.left == 0 || !blank(*line.p))
		return (-1);
	skip_blanks(&line);
	if (take_u32(&line, 16, &high) != 0 || line.left == 0 ||
	    *line.p != '/' || bytes_skip(&line, 1) != 0 ||
	    take_u32(&line, 16, &low) != 0 ||
	    (line.left > 0 && !blank(*line.p)))
		return (-1);
	*lsn = (uint64_t)high << 32 | low;
	return (0);
}

static int
add(struct history *h, uint32_t timeline, uint64_t end, struct fault *f)
{
	struct history_entry *e;

	if (h->n > HISTORY_MAX)
		return (fault_set(f, FAULT_CORRUPT,
		    "timeline history has more than %d ancestors",
		    HISTORY_MAX));
	e = realloc(h->entry, (h->n + 1) * sizeof(*e));
	if (e == NULL)
		return (fault_nomem(f));
	h->entry = e;
	e[h->n].timeline = timeline;
	e[h->n].begin = h->n == 0 ? 0 : e[h->n - 1].end;
	e[h->n].end = end;
	h->n++;
	return (0);
}

static int
bad_line(struct bytes line, const char *why, struct fault *f)
{
	int shown = line.left > LINE_SHOWN ? LINE_SHOWN : (int)line.left;

	return (fault_set(f, FAULT_CORRUPT, "timeline history: %s: \"%.*s\"",
	    why, shown, (const char *)line.p));
}

static int
parse(struct history *h, uint32_t timeline, struct bytes text, struct fault *f)
{
	uint32_t parent, last = 0;
	uint64_t lsn;

	while (text.left > 0) {
		const unsigned char *nl = memchr(text.p, '\n', text.left);
		struct bytes line;
		size_t n = nl == NULL ? text.left : (size_t)(nl - text.p);

		(void)bytes_sub(&text, n, &line);
		(void)bytes_skip(&text, nl == NULL ? 0 : 1);
		skip_blanks(&line);
		if (line.left == 0 || *line.p == '#')
			continue;
		if (parse_line(line, &parent, &lsn) != 0)
			return (bad_line(
			    line, "expected a timeline and an LSN", f));
		if (parent <= last)
			return (bad_line(line, "timelines must rise", f));
		if (parent >= timeline)
			return (bad_line(
			    line, "an ancestor must be below its timeline", f));
		if (add(h, parent, lsn, f) != 0)
			return ((int)f->code);
		last = parent;
	}
	return (0);
}

int
history_parse(struct history *h, uint32_t timeline, const char *text,
    size_t len, struct fault *f)
{
	struct history made = {NULL, 0};
	struct bytes b = {(const unsigned char *)text, len};

	if (len > HISTORY_FILE_MAX)
		return (fault_set(f, FAULT_CORRUPT,
		    "timeline history of %zu bytes is too long", len));
	if ((text != NULL && parse(&made, timeline, b, f) != 0) ||
	    add(&made, timeline, UINT64_MAX, f) != 0) {
		history_free(&made);
		return ((int)f->code);
	}
	*h = made;
	return (0);
}

void
history_free(struct history *h)
{
	free(h->entry);
	h->entry = NULL;
	h->n = 0;
}

/* From the newest down, as PostgreSQL does: where LSNs went back, the entry
 * nearer to the tip is the one that counts. */
uint32_t
history_timeline_at(const struct history *h, uint64_t lsn)
{
	for (size_t i = h->n; i-- > 1;)
		if (lsn >= h->entry[i].begin && lsn < h->entry[i].end)
			return (h->entry[i].timeline);
	return (h->entry[0].timeline);
}

bool
history_reaches(const struct history *h, uint32_t t, uint64_t lsn)
{
	for (size_t i = h->n; i-- > 0;) {
		/* Left here, on the way to the tip, at the latest. */
		if (lsn > h->entry[i].end)
			return (false);
		if (h->entry[i].timeline == t)
			return (lsn >= h->entry[i].begin);
	}
	return (false);
}
