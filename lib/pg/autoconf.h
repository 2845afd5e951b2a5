#ifndef AUTOCONF_H
#define AUTOCONF_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "fault.h"

/*
 * postgresql.auto.conf: the old file without recovery settings of earlier
 * restores (restore_command, archive_cleanup_command, recovery_end_command,
 * recovery_target*), then ours. Pure. Every other line stays as it was.
 */
struct autoconf_setting {
	const char *name;
	const char *value; /* quoted here */
};
int autoconf_rewrite(const char *old, size_t old_len,
    const struct autoconf_setting *set, size_t n, struct buf *out,
    struct fault *f);
/* Does a line of this postgresql.conf set name? Included files are not seen. */
bool autoconf_has(const char *text, size_t len, const char *name);
/* 'it''s', with backslashes doubled and line breaks as \n, as PostgreSQL's
 * parser reads it. */
int autoconf_quote(const char *value, struct buf *out, struct fault *f);
/* A word for sh: 'it'\''s'. */
int autoconf_shell_quote(const char *value, struct buf *out, struct fault *f);

#endif
