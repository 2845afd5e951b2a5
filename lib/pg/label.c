#include <string.h>

#include "buf.h"
#include "label.h"
#include "text.h"
#include "walname.h"

enum {
	LINE_START,
	LINE_CHECKPOINT,
	LINE_FROM,
	LINE_TIME,
	LINE_TEXT,
	LINE_TIMELINE,
	LINE_INCREMENTAL_LSN,
	LINE_INCREMENTAL_TIMELINE,
	LINES
};

static const char *const key[LINES] = {
    [LINE_START] = "START WAL LOCATION: ",
    [LINE_CHECKPOINT] = "CHECKPOINT LOCATION: ",
    [LINE_FROM] = "BACKUP FROM: ",
    [LINE_TIME] = "START TIME: ",
    [LINE_TEXT] = "LABEL: ",
    [LINE_TIMELINE] = "START TIMELINE: ",
    [LINE_INCREMENTAL_LSN] = "INCREMENTAL FROM LSN: ",
    [LINE_INCREMENTAL_TIMELINE] = "INCREMENTAL FROM TLI: ",
};

/* The first n-1 bytes of src, not ending inside a UTF-8 character. */
static void
copy_cut(char *dst, size_t n, const char *src)
{
	size_t len = strlen(src);

	if (len >= n) {
		len = n - 1;
		while (len > 0 && ((unsigned char)src[len] & 0xC0) == 0x80)
			len--;
	}
	memcpy(dst, src, len);
	dst[len] = '\0';
}

/* "0/2000028 (file 000000010000000000000002)" */
static int
parse_start(char *value, struct label *l)
{
	char *file = strchr(value, ' ');
	struct fault ignored = FAULT_INIT;
	struct walname n;
	size_t len;

	if (file == NULL || !text_prefix(file, " (file "))
		return (-1);
	*file = '\0';
	file += strlen(" (file ");
	len = strlen(file);
	if (len != sizeof(l->start_wal) || file[len - 1] != ')')
		return (-1);
	file[len - 1] = '\0';
	if (walname_parse(file, &n, &ignored) != 0 || n.kind != WALNAME_SEGMENT)
		return (-1);
	memcpy(l->start_wal, file, sizeof(l->start_wal));
	return (text_lsn(value, &l->start_lsn));
}

static int
parse_from(const char *value, struct label *l)
{
	if (strcmp(value, "primary") != 0 && strcmp(value, "standby") != 0 &&
	    strcmp(value, "master") != 0)
		return (-1);
	copy_cut(l->from, sizeof(l->from),
	    strcmp(value, "standby") == 0 ? "standby" : "primary");
	return (0);
}

static int
parse_value(int which, char *value, struct label *l)
{
	switch (which) {
	case LINE_START:
		return (parse_start(value, l));
	case LINE_CHECKPOINT:
		return (text_lsn(value, &l->checkpoint_lsn));
	case LINE_FROM:
		return (parse_from(value, l));
	case LINE_TIME:
		copy_cut(l->start_time, sizeof(l->start_time), value);
		return (0);
	case LINE_TEXT:
		copy_cut(l->text, sizeof(l->text), value);
		return (0);
	case LINE_TIMELINE:
		return (text_u32(value, &l->timeline));
	case LINE_INCREMENTAL_LSN:
		return (text_lsn(value, &l->incremental_lsn));
	default:
		return (text_u32(value, &l->incremental_timeline));
	}
}

static int
parse_line(char *line, struct label *l, unsigned *seen, struct fault *f)
{
	for (int i = 0; i < LINES; i++) {
		if (!text_prefix(line, key[i]))
			continue;
		/*
		 * PostgreSQL takes a label with line breaks in it, so the
		 * label could pretend to be other lines: none comes twice.
		 */
		if (*seen & 1U << i)
			return (fault_set(f, FAULT_CORRUPT,
			    "backup label: the line \"%s\" comes twice",
			    key[i]));
		*seen |= 1U << i;
		if (parse_value(i, line + strlen(key[i]), l) != 0)
			return (fault_set(f, FAULT_CORRUPT,
			    "backup label: malformed line \"%.80s\"", line));
		return (0);
	}
	return (0); /* lines of other versions and of .backup files */
}

static int
check(const struct label *l, unsigned seen, struct fault *f)
{
	struct walname n;

	for (int i = LINE_START; i <= LINE_CHECKPOINT; i++)
		if (!(seen & 1U << i))
			return (fault_set(f, FAULT_CORRUPT,
			    "backup label: no line \"%s\"", key[i]));
	if (walname_parse(l->start_wal, &n, f) != 0)
		return ((int)f->code);
	if (l->timeline != 0 && l->timeline != n.timeline)
		return (fault_set(f, FAULT_CORRUPT,
		    "backup label: starts in %s but on timeline %u",
		    l->start_wal, l->timeline));
	return (0);
}

int
label_parse(const char *text, size_t len, struct label *out, struct fault *f)
{
	char copy[LABEL_MAX + 1], *line, *rest = copy;
	struct label l;
	unsigned seen = 0;

	if (len > LABEL_MAX || memchr(text, '\0', len) != NULL)
		return (fault_set(f, FAULT_CORRUPT,
		    "backup label: %zu bytes are too many, or not text", len));
	memcpy(copy, text, len);
	copy[len] = '\0';
	memset(&l, 0, sizeof(l));
	while ((line = strsep(&rest, "\n")) != NULL)
		if (parse_line(line, &l, &seen, f) != 0)
			return ((int)f->code);
	if (check(&l, seen, f) != 0)
		return ((int)f->code);
	*out = l;
	return (0);
}
