#include "recovery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autoconf.h"
#include "fdio.h"
#include "text.h"
#include "unpacker.h"

#define AUTO_CONF_MAX (1U << 20)
#define SETTINGS_MAX 12 /* 9 and others[] */

/* walfetch stands beside us, wherever both were installed. */
static int
walfetch_path(char *path, size_t cap, struct fault *f)
{
	ssize_t n = readlink("/proc/self/exe", path, cap);
	char *slash;

	if (n < 0 || (size_t)n >= cap)
		return fault_errno(f, errno, "/proc/self/exe");
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL || (size_t)(slash - path) + 10 > cap)
		return fault_set(f, FAULT_SYSTEM, "%s: no folder", path);
	memcpy(slash, "/walfetch", 10);
	if (access(path, X_OK) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s: %s; walfetch must stand beside pitr-restore", path,
		    strerror(errno));
	return 0;
}

/* restore_command turns %f, %p, %r into names, and %% into %. */
static int
put_word(struct buf *b, const char *word, struct fault *f)
{
	struct buf plain = BUF_INIT(8192);
	int rc = 0;

	for (; rc == 0 && *word != '\0'; word++)
		rc = buf_put(&plain, *word == '%' ? "%%" : word,
		    *word == '%' ? 2 : 1, f);
	if (rc == 0)
		rc = buf_terminate(&plain, f);
	if (rc == 0)
		rc = autoconf_shell_quote((const char *)plain.data, b, f);
	buf_free(&plain);
	return rc;
}

int
recovery_command(const char *conf_path, const struct conf_cluster *c, bool some,
    char **out, struct fault *f)
{
	struct buf b = BUF_INIT(32768);
	char path[4096];
	size_t k;
	int rc;

	rc = walfetch_path(path, sizeof path, f);
	if (rc == 0)
		rc = put_word(&b, path, f);
	if (rc == 0)
		rc = buf_put_str(&b, " -c ", f);
	if (rc == 0)
		rc = put_word(&b, conf_path, f);
	if (rc == 0)
		rc = buf_put_str(&b, " -C ", f);
	if (rc == 0)
		rc = put_word(&b, c->name, f);
	for (k = 0; rc == 0 && some && k < c->n_repos; k++) {
		rc = buf_put_str(&b, " --repo ", f);
		if (rc == 0)
			rc = put_word(&b, c->repos[k]->name, f);
	}
	if (rc == 0)
		rc = buf_put_str(&b, " %f %p", f);
	if (rc == 0)
		rc = buf_terminate(&b, f);
	if (rc != 0) {
		buf_free(&b);
		return rc;
	}
	*out = (char *)b.data;
	return 0;
}

/* What a standby's postgresql.conf, which came with the backup, may still ask
 * for: to fall behind by hours, to remove WAL from an archive of its own, to
 * tell the world of a failover. None of it is part of a restore. */
static const struct autoconf_setting others[] = {
    {"recovery_min_apply_delay", "0"},
    {"archive_cleanup_command", ""},
    {"recovery_end_command", ""},
};

/* The name and value of the one target; the others are set empty, as the
 * cluster's own postgresql.conf may still name one of an earlier recovery and
 * PostgreSQL refuses two. */
static size_t
targets(
    const struct waypath_goal *g, char value[64], struct autoconf_setting *set)
{
	static const char *const names[] = {"recovery_target",
	    "recovery_target_time", "recovery_target_lsn",
	    "recovery_target_xid", "recovery_target_name"};
	const char *wanted = NULL;
	const char *text = value;
	size_t k;

	switch (g->target) {
	case WAYPATH_IMMEDIATE:
		wanted = names[0];
		text = "immediate";
		break;
	case WAYPATH_TIME:
		wanted = names[1];
		clock_format(g->time_us, value);
		break;
	case WAYPATH_LSN:
		wanted = names[2];
		text_format_lsn(g->lsn, value);
		break;
	case WAYPATH_XID:
		wanted = names[3];
		snprintf(value, 64, "%u", g->xid);
		break;
	case WAYPATH_NAME:
		wanted = names[4];
		text = g->name;
		break;
	case WAYPATH_LATEST:
		break;
	}
	/* The empty ones first: an empty value after the real one would make
	 * some versions forget the target. */
	for (k = 0; k < 5; k++)
		if (names[k] != wanted)
			*set++ = (struct autoconf_setting){names[k], ""};
	if (wanted != NULL)
		*set++ = (struct autoconf_setting){wanted, text};
	return 5;
}

/* As the server makes its files: the group reads them where it may read the
 * data directory. */
static int
write_file(const char *root, const char *path, const void *data, size_t n,
    struct fault *f)
{
	struct stat st;

	if (stat(root, &st) != 0)
		return fault_errno(f, errno, "%s", root);
	return fdio_atomic_put(path, 0600 | (st.st_mode & 0040), data, n, 1, f);
}

static int
write_settings(const char *root, const struct recovery *rec, struct fault *f)
{
	struct autoconf_setting set[SETTINGS_MAX];
	struct buf text = BUF_INIT(2 * AUTO_CONF_MAX);
	char *path = fdio_join(root, "postgresql.auto.conf");
	unsigned char *old = NULL;
	char value[64];
	char timeline[12];
	struct stat st;
	size_t len = 0;
	size_t n;
	int rc = 0;

	if (path == NULL)
		return fault_nomem(f);
	snprintf(timeline, sizeof timeline, "%u", rec->timeline);
	n = targets(rec->goal, value, set);
	set[n++] =
	    (struct autoconf_setting){"restore_command", rec->restore_command};
	set[n++] =
	    (struct autoconf_setting){"recovery_target_timeline", timeline};
	set[n++] = (struct autoconf_setting){
	    "recovery_target_inclusive", rec->goal->exclusive ? "off" : "on"};
	set[n++] = (struct autoconf_setting){
	    "recovery_target_action", rec->target_action};
	for (size_t k = 0; k < sizeof others / sizeof others[0]; k++)
		set[n++] = others[k];
	/* A link in its place may lead to what only this user may read. */
	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
		rc = fdio_slurp(path, AUTO_CONF_MAX, &old, &len, f);
	if (rc == 0)
		rc = autoconf_rewrite((const char *)old, len, set, n, &text, f);
	if (rc == 0)
		rc = write_file(root, path, text.data, text.len, f);
	buf_free(&text);
	free(old);
	free(path);
	return rc;
}

static int
write_signal(const char *root, struct fault *f)
{
	char *path = fdio_join(root, "recovery.signal");
	int rc;

	if (path == NULL)
		return fault_nomem(f);
	rc = write_file(root, path, "", 0, f);
	free(path);
	return rc;
}

static int
name_control(const char *root, struct fault *f)
{
	char *from = fdio_join(root, UNPACKER_CONTROL);
	char *to = fdio_join(root, "global/pg_control");
	int rc = 0;

	if (from == NULL || to == NULL)
		rc = fault_nomem(f);
	else if (rename(from, to) != 0)
		rc = fault_errno(f, errno, "%s", from);
	else
		rc = fdio_sync_parent(to, f);
	free(from);
	free(to);
	return rc;
}

/* A backup of a standby brings its standby.signal along: the restored server
 * would follow the archive for ever instead of recovering to its target. */
static int
remove_signals(const char *root, struct fault *f)
{
	char *path = fdio_join(root, "standby.signal");
	int rc = 0;

	if (path == NULL)
		return fault_nomem(f);
	if (unlink(path) != 0 && errno != ENOENT)
		rc = fault_errno(f, errno, "%s", path);
	free(path);
	return rc;
}

int
recovery_write(const char *root, const struct recovery *rec, struct fault *f)
{
	int rc;

	rc = remove_signals(root, f);
	if (rc == 0)
		rc = write_settings(root, rec, f);
	if (rc == 0)
		rc = write_signal(root, f);
	if (rc == 0)
		rc = name_control(root, f);
	return rc;
}
