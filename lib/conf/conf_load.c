#include "conf_core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdio.h"

/* From a file to settings: read, parsed, checked. */

int
conf_parse(struct conf **out, const char *path, const char *text, size_t len,
    struct fault *f)
{
	struct conf *c;
	int r;

	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return fault_nomem(f);
	c->path = strdup(path);
	if (c->path == NULL)
		r = fault_nomem(f);
	else
		r = conf_ini_read(c, text, len, f);
	if (r == 0)
		r = conf_check_all(c, f);
	if (r != 0) {
		conf_free(c);
		return r;
	}
	*out = c;
	return 0;
}

/* PostgreSQL runs us in the data directory, cron elsewhere: what a relative
 * path meant is kept while it is known. */
static char *
absolute(const char *path)
{
	char *cwd, *full;

	if (path[0] == '/')
		return strdup(path);
	cwd = getcwd(NULL, 0);
	if (cwd == NULL)
		return strdup(path);
	full = fdio_join(cwd, path);
	free(cwd);
	return full;
}

/* CONFIG whatever the reason: a missing settings file must never pass for a
 * missing object. */
static int
slurp(const char *path, struct stat *st, unsigned char **text, size_t *len,
    struct fault *f)
{
	int r;

	if (stat(path, st) != 0) {
		if (errno == ENOENT)
			return fault_set(f, FAULT_CONFIG,
			    "%s: no such settings file; name one with -c or "
			    "PITRKIT_CONF",
			    path);
		fault_errno(f, errno, "%s", path);
		return fault_recode(f, FAULT_CONFIG);
	}
	if (!S_ISREG(st->st_mode))
		return fault_set(
		    f, FAULT_CONFIG, "%s: not a regular file", path);
	r = fdio_slurp(path, CONF_FILE, text, len, f);
	return r == 0 ? 0 : fault_recode(f, FAULT_CONFIG);
}

int
conf_load(struct conf **out, const char *path, struct fault *f)
{
	unsigned char *text = NULL;
	struct conf *c = NULL;
	struct stat st;
	size_t len = 0;
	char *full;
	int r, line;

	full = absolute(path != NULL ? path : CONF_DEFAULT);
	if (full == NULL)
		return fault_nomem(f);
	r = slurp(full, &st, &text, &len, f);
	if (r != 0)
		goto out;
	r = conf_parse(&c, full, (const char *)text, len, f);
	if (r != 0)
		goto out;
	line = conf_key_inline_secret(c);
	if (line != 0 && (st.st_mode & 077) != 0) {
		r = conf_fault(c, line, f,
		    "a secret stands in a file of mode %04o that others may "
		    "read; chmod 600 it, or put the secret into a file of its "
		    "own (..._file)",
		    (unsigned)(st.st_mode & 07777));
		conf_free(c);
		goto out;
	}
	*out = c;
out:
	secret_wipe(text, len);
	free(text);
	free(full);
	return r;
}
