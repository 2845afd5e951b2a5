#include "conf_core.h"

#include <ini.h>
#include <string.h>

/*
 * inih splits a line into name and value. What it does silently is kept away
 * from it by the reader that hands it one line at a time: it cuts long lines
 * and long section names, takes an indented line for more of the value above,
 * passes over a section without keys, and over what follows a "]".
 */

/* Debian's inih lets its line length be set; elsewhere it is 200. The reader
 * is told the length in force and refuses what does not fit. */
extern int ini_max_line __attribute__((weak));
#define LINE_MAX_WANTED 4096

struct source {
	struct conf *conf;
	const char *p;
	size_t left;
	struct conf_target at; /* the section we are in, and the line */
	int code;
	struct fault *f;
};

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Copies "WORD" up to a blank or end; returns its length, 0 if too long. */
static size_t
word(const char **p, const char *end, char *out, size_t cap)
{
	size_t n = 0;

	while (*p < end && blank(**p))
		(*p)++;
	for (; *p < end && !blank(**p); (*p)++) {
		if (n + 1 >= cap)
			return 0;
		out[n++] = **p;
	}
	out[n] = '\0';
	while (*p < end && blank(**p))
		(*p)++;
	return n;
}

static int
add_cluster(struct source *s, const char *name)
{
	struct conf *c = s->conf;
	struct conf_cluster_slot *slot;
	size_t i;

	for (i = 0; i < c->n_clusters; i++)
		if (strcmp(c->clusters[i].c.name, name) == 0)
			return conf_fault(c, s->at.line, s->f,
			    "[cluster %s] stands here for the second time, "
			    "first in line %d",
			    name, c->clusters[i].c.line);
	if (c->n_clusters == CONF_SECTIONS)
		return conf_fault(c, s->at.line, s->f, "too many clusters");
	slot = &c->clusters[c->n_clusters];
	if (conf_keep(c, name, strlen(name), &slot->c.name, s->f) != 0)
		return (int)s->f->code;
	slot->c.line = s->at.line;
	slot->c.conf = c;
	slot->c.stated = slot->stated;
	c->n_clusters++;
	s->at.cluster = slot;
	s->at.repo = NULL;
	return 0;
}

static int
add_repo(struct source *s, const char *name)
{
	struct conf *c = s->conf;
	struct conf_repo_slot *slot;
	size_t i;

	for (i = 0; i < c->n_repos; i++)
		if (strcmp(c->repos[i].r.name, name) == 0)
			return conf_fault(c, s->at.line, s->f,
			    "[repo %s] stands here for the second time, "
			    "first in line %d",
			    name, c->repos[i].r.line);
	if (c->n_repos == CONF_SECTIONS)
		return conf_fault(c, s->at.line, s->f, "too many repos");
	slot = &c->repos[c->n_repos];
	if (conf_keep(c, name, strlen(name), &slot->r.name, s->f) != 0)
		return (int)s->f->code;
	slot->r.line = s->at.line;
	slot->r.stated = slot->stated;
	c->n_repos++;
	s->at.repo = slot;
	s->at.cluster = NULL;
	return 0;
}

/* line begins with "[". */
static int
section(struct source *s, const char *line, size_t n)
{
	const char *end = memchr(line, ']', n), *p = line + 1, *tail;
	char kind[16], name[CONF_NAME + 1];
	bool comment;

	if (end == NULL)
		return conf_fault(
		    s->conf, s->at.line, s->f, "a section without its \"]\"");
	tail = end + 1;
	comment = tail < line + n && blank(*tail);
	while (tail < line + n && blank(*tail))
		tail++;
	if (tail < line + n && !(comment && *tail == ';'))
		return conf_fault(s->conf, s->at.line, s->f,
		    "something stands behind the section's \"]\"");
	if (word(&p, end, kind, sizeof(kind)) == 0 ||
	    (strcmp(kind, "cluster") != 0 && strcmp(kind, "repo") != 0))
		return conf_fault(s->conf, s->at.line, s->f,
		    "unknown section; there are [cluster NAME] and "
		    "[repo NAME]");
	if (word(&p, end, name, sizeof(name)) == 0 || p != end ||
	    !conf_value_is_name(name))
		return conf_fault(s->conf, s->at.line, s->f,
		    "the name of a section has 1 to %d letters, digits, _ "
		    "and -",
		    CONF_NAME);
	return kind[0] == 'c' ? add_cluster(s, name) : add_repo(s, name);
}

/* An ini_reader: the next line without blanks around it, NULL at the end and
 * after a fault. */
static char *
next_line(char *out, int cap, void *ctx)
{
	struct source *s = ctx;
	const char *p = s->p, *nl;
	size_t n, i;

	if (s->left == 0 || s->code != 0 || cap < 4)
		return NULL;
	nl = memchr(p, '\n', s->left);
	n = nl != NULL ? (size_t)(nl - p) : s->left;
	s->p += nl != NULL ? n + 1 : n;
	s->left -= nl != NULL ? n + 1 : n;
	s->at.line++;
	while (n > 0 && (blank(p[n - 1]) || p[n - 1] == '\r'))
		n--;
	for (; n > 0 && blank(*p); p++)
		n--;
	for (i = 0; i < n; i++)
		if (((unsigned char)p[i] < 0x20 && p[i] != '\t') ||
		    p[i] == 0x7f) {
			s->code = conf_fault(
			    s->conf, s->at.line, s->f, "a control character");
			return NULL;
		}
	if (n > (size_t)cap - 3) {
		s->code = conf_fault(s->conf, s->at.line, s->f,
		    "the line is longer than %d bytes", cap - 3);
		return NULL;
	}
	if (n > 0 && *p == '[') {
		s->code = section(s, p, n);
		if (s->code != 0)
			return NULL;
		/* inih keeps 49 bytes of it, and need not know it. */
		p = "[x]";
		n = 3;
	}
	memcpy(out, p, n);
	memcpy(out + n, "\n", 2);
	return out;
}

/* An ini_handler. */
static int
take(void *ctx, const char *sec, const char *name, const char *value)
{
	struct source *s = ctx;

	(void)sec;
	if (s->code != 0)
		return 0;
	if (s->at.cluster == NULL && s->at.repo == NULL)
		s->code = conf_fault(s->conf, s->at.line, s->f,
		    "\"%.40s\" stands before the first section", name);
	else
		s->code = conf_key_set(&s->at, name, value, s->f);
	return s->code == 0;
}

int
conf_ini_read(struct conf *c, const char *text, size_t len, struct fault *f)
{
	struct source s = {c, text, len, {c, NULL, NULL, 0}, 0, f};
	int bad;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		s.p += 3;
		s.left -= 3;
	}
	if (&ini_max_line != NULL)
		ini_max_line = LINE_MAX_WANTED;
	bad = ini_parse_stream(next_line, &s, take, &s);
	if (bad < 0)
		return fault_nomem(f);
	/* A line that inih refused may stand before the one that we did. */
	if (bad > 0 && (s.code == 0 || bad < s.at.line))
		return conf_fault(c, bad, f,
		    "neither a section nor a setting (NAME = VALUE)");
	return s.code;
}
