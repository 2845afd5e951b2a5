#include <string.h>
#include <strings.h>
#include <stdbool.h>

#include "autoconf.h"

/* Settings of an earlier restore; a '*' at the end stands for any rest. */
static const char *const recovery[] = {
    "restore_command",
    "archive_cleanup_command",
    "recovery_end_command",
    "recovery_target*",
};

/* The characters of a setting's name (guc-file.l: ID, QUALIFIED_ID). */
static bool
name_char(unsigned char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '_' || c == '$' || c == '.' ||
		c >= 0x80);
}

static bool
matches(const char *name, size_t n, const char *pattern)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] == '*')
		return (
		    n >= len - 1 && strncasecmp(name, pattern, len - 1) == 0);
	return (n == len && strncasecmp(name, pattern, n) == 0);
}

/* PostgreSQL's lexer ends a setting at the end of its line, always: a quoted
 * value cannot hold a line break. So a line can be judged by its first word,
 * which is returned with its length. */
static const char *
first_word(const char *line, size_t len, size_t *n)
{
	while (len > 0 && (*line == ' ' || *line == '\t' || *line == '\r')) {
		line++;
		len--;
	}
	for (*n = 0; *n < len && name_char((unsigned char)line[*n]);)
		++*n;
	return (line);
}

static bool
is_recovery(const char *line, size_t len)
{
	size_t n;

	line = first_word(line, len, &n);
	for (size_t i = 0; i < sizeof(recovery) / sizeof(*recovery); i++)
		if (matches(line, n, recovery[i]))
			return (true);
	return (false);
}

bool
autoconf_has(const char *text, size_t len, const char *name)
{
	while (len > 0) {
		const char *nl = memchr(text, '\n', len);
		size_t line = nl == NULL ? len : (size_t)(nl - text) + 1, n;
		const char *word = first_word(text, line, &n);

		if (matches(word, n, name))
			return (true);
		text += line;
		len -= line;
	}
	return (false);
}

static int
keep_others(const char *old, size_t old_len, struct buf *out, struct fault *f)
{
	while (old_len > 0) {
		const char *nl = memchr(old, '\n', old_len);
		size_t len = nl == NULL ? old_len : (size_t)(nl - old);

		if (!is_recovery(old, len) &&
		    (buf_put(out, old, len, f) != 0 ||
			buf_put_u8(out, '\n', f) != 0))
			return ((int)f->code);
		if (nl != NULL)
			len++;
		old += len;
		old_len -= len;
	}
	return (0);
}

int
autoconf_rewrite(const char *old, size_t old_len,
    const struct autoconf_setting *set, size_t n, struct buf *out,
    struct fault *f)
{
	if (keep_others(old, old_len, out, f) != 0)
		return ((int)f->code);
	for (size_t i = 0; i < n; i++)
		if (buf_put_str(out, set[i].name, f) != 0 ||
		    buf_put_str(out, " = ", f) != 0 ||
		    autoconf_quote(set[i].value, out, f) != 0 ||
		    buf_put_u8(out, '\n', f) != 0)
			return ((int)f->code);
	return (0);
}

int
autoconf_quote(const char *value, struct buf *out, struct fault *f)
{
	char one[2] = "";

	if (buf_put_u8(out, '\'', f) != 0)
		return ((int)f->code);
	for (const char *p = value; *p != '\0'; p++) {
		const char *as = one;

		one[0] = *p;
		if (*p == '\'')
			as = "''";
		else if (*p == '\\')
			as = "\\\\";
		else if (*p == '\n')
			as = "\\n";
		if (buf_put_str(out, as, f) != 0)
			return ((int)f->code);
	}
	return (buf_put_u8(out, '\'', f));
}

int
autoconf_shell_quote(const char *value, struct buf *out, struct fault *f)
{
	char one[2] = "";

	if (buf_put_u8(out, '\'', f) != 0)
		return ((int)f->code);
	for (const char *p = value; *p != '\0'; p++) {
		one[0] = *p;
		if (buf_put_str(out, *p == '\'' ? "'\\''" : one, f) != 0)
			return ((int)f->code);
	}
	return (buf_put_u8(out, '\'', f));
}
