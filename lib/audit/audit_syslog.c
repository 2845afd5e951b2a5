#include "audit_syslog.h"
#include "audit_text.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define VALUE_MAX 200

/* Quotes become apostrophes, so that a text cannot pass for a field. */
static void
add(char *line, const char *name, const char *value)
{
	char text[VALUE_MAX + 1];
	size_t n = strlen(line);

	if (value[0] == '\0' || n >= AUDIT_SYSLOG_LINE - 1)
		return;
	audit_text(text, sizeof text, value);
	for (char *p = text; *p != '\0'; p++)
		if (*p == '"')
			*p = '\'';
	snprintf(line + n, AUDIT_SYSLOG_LINE - n, " %s=\"%s\"", name, text);
}

static void
add_count(char *line, const char *name, uint64_t value)
{
	char text[24];

	if (value == AUDIT_UNKNOWN)
		return;
	snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	add(line, name, text);
}

/* What was changed; all of it is in the record. */
static void
add_changes(char *line, const struct audit_record *r)
{
	char text[VALUE_MAX + 1] = "";
	size_t at = 0;

	for (size_t i = 0; i < r->n_changes && at < sizeof text; i++)
		at += (size_t)snprintf(text + at, sizeof text - at,
		    "%s%s: %s -> %s", i > 0 ? "; " : "", r->changes[i].name,
		    r->changes[i].from, r->changes[i].to);
	add(line, "settings_changed", text);
}

void
audit_syslog_format(const struct audit_record *r, const char *where, int stored,
    char line[AUDIT_SYSLOG_LINE])
{
	static const char *const phases[] = {"begun", "ended", "done"};

	snprintf(line, AUDIT_SYSLOG_LINE, "%s %s", r->action, phases[r->phase]);
	add(line, "operation", r->operation);
	add(line, "user", r->user);
	add(line, "repository", where);
	add(line, "object", r->object);
	add_count(line, "objects", r->objects);
	add_count(line, "bytes", r->bytes);
	add(line, "reason", r->reason);
	add(line, "approved_by", r->approved_by);
	if (r->status >= 0)
		add_count(line, "status", (uint64_t)r->status);
	add(line, "message", r->message);
	add_changes(line, r);
	if (!stored)
		add(line, "record", "NOT STORED in the repository");
}

/* Datagrams are the rule, but some daemons listen for streams. */
static int
reach(const char *path)
{
	static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof a.sun_path)
		return -1;
	memcpy(a.sun_path, path, strlen(path) + 1);
	for (size_t i = 0; i < 2; i++) {
		int fd =
		    socket(AF_UNIX, types[i] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (fd < 0)
			return -1;
		if (connect(fd, (const struct sockaddr *)&a, sizeof a) == 0)
			return fd;
		close(fd);
	}
	return -1;
}

void
audit_syslog_send(
    const struct audit_record *r, const char *line, const char *path)
{
	char text[AUDIT_SYSLOG_LINE + 160], when[32] = "";
	time_t now = (time_t)(r->at_us / 1000000);
	struct tm tm;
	int fd = reach(path), n;
	ssize_t sent = 0;

	if (fd < 0)
		return;
	if (localtime_r(&now, &tm) != NULL)
		(void)strftime(when, sizeof when, "%b %e %H:%M:%S", &tm);
	n = snprintf(text, sizeof text, "<%d>%s %s[%u]: %s",
	    LOG_AUTHPRIV | (r->status > 0 ? LOG_WARNING : LOG_NOTICE), when,
	    r->program, r->pid, line);
	/* A stream's messages end with a NUL, which datagrams may have. */
	if (n > 0 && (size_t)n < sizeof text)
		sent =
		    send(fd, text, (size_t)n + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)sent;
	close(fd);
}
