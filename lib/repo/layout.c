#include "layout.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "text.h"

/* A name of LAYOUT_KEY bytes, of which at bytes are written. */
static int append(char *name, size_t at, struct fault *f, const char *fmt,
    va_list ap) __attribute__((format(printf, 4, 0)));
static int
append(char *name, size_t at, struct fault *f, const char *fmt, va_list ap)
{
	int n = vsnprintf(name + at, LAYOUT_KEY - at, fmt, ap);

	if (n < 0 || (size_t)n >= LAYOUT_KEY - at)
		return fault_set(f, FAULT_CONFIG,
		    "%.64s…: name in the repository would be longer than %d"
		    " bytes",
		    name, LAYOUT_KEY - 1);
	return 0;
}

/* A bound name, without the cluster. */
static int name_of(char *name, struct fault *f, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int
name_of(char *name, struct fault *f, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = append(name, 0, f, fmt, ap);
	va_end(ap);
	return rc;
}

/* A cluster's name is one part of a key: a slash would let two clusters of
 * other names share objects. */
static int
check_cluster(const char *cluster, struct fault *f)
{
	if (cluster[0] == '\0' || cluster[0] == '.' ||
	    strchr(cluster, '/') != NULL)
		return fault_set(f, FAULT_CONFIG,
		    "cluster name \"%s\" must not be empty, begin with '.' or"
		    " hold a '/'",
		    cluster);
	return 0;
}

/* "CLUSTER/SYSTEM-ID/" and what follows. */
static int key_of(char *key, const char *cluster, uint64_t system_id,
    struct fault *f, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
static int
key_of(char *key, const char *cluster, uint64_t system_id, struct fault *f,
    const char *fmt, ...)
{
	va_list ap;
	int rc = check_cluster(cluster, f);

	if (rc == 0)
		rc = name_of(key, f, "%s/%" PRIu64 "/", cluster, system_id);
	if (rc != 0)
		return rc;
	va_start(ap, fmt);
	rc = append(key, strlen(key), f, fmt, ap);
	va_end(ap);
	return rc;
}

int
layout_prefix(
    const char *cluster, uint64_t system_id, char *key, struct fault *f)
{
	return key_of(key, cluster, system_id, f, "%s", "");
}

int
layout_mark(const char *cluster, uint64_t system_id, char *key, struct fault *f)
{
	return key_of(key, cluster, system_id, f, "archive");
}

int
layout_wal_prefix(
    const char *cluster, uint64_t system_id, char *key, struct fault *f)
{
	return key_of(key, cluster, system_id, f, "wal/");
}

int
layout_wal_timeline(const char *cluster, uint64_t system_id, uint32_t timeline,
    char *key, struct fault *f)
{
	return key_of(
	    key, cluster, system_id, f, "wal/%08" PRIX32 "/", timeline);
}

int
layout_wal(const char *cluster, uint64_t system_id, const char *name,
    const struct walname *n, char *key, struct fault *f)
{
	if (n->kind == WALNAME_HISTORY)
		return key_of(key, cluster, system_id, f,
		    "wal/%08" PRIX32 "/%s", n->timeline, name);
	return key_of(key, cluster, system_id, f,
	    "wal/%08" PRIX32 "/%08" PRIX32 "%08" PRIX32 "/%s", n->timeline,
	    n->timeline, n->log, name);
}

int
layout_base_prefix(
    const char *cluster, uint64_t system_id, char *key, struct fault *f)
{
	return key_of(key, cluster, system_id, f, "base/");
}

int
layout_base_key(const char *cluster, uint64_t system_id, const char *name,
    char *key, struct fault *f)
{
	const char *slash = strchr(name, '/');
	char id[LAYOUT_ID];

	if (slash == NULL || (size_t)(slash - name) >= sizeof id)
		return fault_set(
		    f, FAULT_CORRUPT, "\"%s\" names no object", name);
	memcpy(id, name, (size_t)(slash - name));
	id[slash - name] = '\0';
	return layout_base(cluster, system_id, id, slash + 1, key, f);
}

int
layout_base(const char *cluster, uint64_t system_id, const char *id,
    const char *what, char *key, struct fault *f)
{
	int rc = layout_check_id(id, f);

	return rc != 0
		   ? rc
		   : key_of(key, cluster, system_id, f, "base/%s/%s", id, what);
}

int
layout_base_name(const char *id, const char *what, char *name, struct fault *f)
{
	int rc = layout_check_id(id, f);

	return rc != 0 ? rc : name_of(name, f, "%s/%s", id, what);
}

void
layout_pack(uint32_t number, char what[16])
{
	/* Ten digits at most: "pack/4294967295" is 15 bytes. */
	snprintf(what, 16, "pack/%08" PRIu32, number);
}

bool
layout_is_pack(const char *what, uint32_t *number)
{
	char own[16];

	if (!text_prefix(what, "pack/") || text_u32(what + 5, number) != 0)
		return false;
	layout_pack(*number, own);
	return strcmp(what, own) == 0;
}

void
layout_new_id(
    int64_t start_us, const char *type, uint32_t random, char id[LAYOUT_ID])
{
	char stamp[17];

	clock_format_compact(start_us, stamp);
	snprintf(id, LAYOUT_ID, "%s-%.4s-%08" PRIx32, stamp, type, random);
}

/* Does c stand where the form has k: '0' for a digit, 'x' for a lower-case
 * hex digit, anything else for itself? */
static bool
fits(char k, char c)
{
	bool digit = c >= '0' && c <= '9';

	if (k == '0')
		return digit;
	if (k == 'x')
		return digit || (c >= 'a' && c <= 'f');
	return c == k;
}

/* Does s begin with the form? The place after it, or NULL. */
static const char *
match(const char *s, const char *form)
{
	for (; *form != '\0'; form++, s++)
		if (!fits(*form, *s))
			return NULL;
	return s;
}

int
layout_check_id(const char *id, struct fault *f)
{
	static const char *const types[] = {"full", "diff", "incr"};
	const char *rest = match(id, "00000000T000000Z-");

	for (size_t i = 0; rest != NULL && i < 3; i++) {
		if (!text_prefix(rest, types[i]))
			continue;
		rest = match(rest + 4, "-xxxxxxxx");
		if (rest != NULL && *rest == '\0')
			return 0;
		break;
	}
	return fault_set(f, FAULT_CONFIG,
	    "\"%.60s\" is no backup's id (such as"
	    " 20261122T020000Z-full-1a2b3c4d)",
	    id);
}

int
layout_hold_prefix(
    const char *cluster, uint64_t system_id, char *key, struct fault *f)
{
	return key_of(key, cluster, system_id, f, "hold/");
}

int
layout_verify_prefix(
    const char *cluster, uint64_t system_id, char *key, struct fault *f)
{
	return key_of(key, cluster, system_id, f, "verify/");
}

int
layout_hold(const char *cluster, uint64_t system_id, const char *id,
    const char *what, char *key, struct fault *f)
{
	int rc = layout_check_hold(id, f);

	return rc != 0
		   ? rc
		   : key_of(key, cluster, system_id, f, "hold/%s/%s", id, what);
}

int
layout_verify(const char *cluster, uint64_t system_id, const char *id,
    char *key, struct fault *f)
{
	int rc = layout_check_hold(id, f);

	return rc != 0
		   ? rc
		   : key_of(key, cluster, system_id, f, "verify/%s/report", id);
}

int
layout_hold_name(const char *id, const char *what, char *name, struct fault *f)
{
	int rc = layout_check_hold(id, f);

	return rc != 0 ? rc : name_of(name, f, "%s/%s", id, what);
}

void
layout_new_hold(int64_t now_us, uint32_t random, char id[LAYOUT_ID])
{
	char stamp[17];

	clock_format_compact(now_us, stamp);
	snprintf(id, LAYOUT_ID, "%s-%08" PRIx32, stamp, random);
}

int
layout_check_hold(const char *id, struct fault *f)
{
	const char *rest = match(id, "00000000T000000Z-xxxxxxxx");

	if (rest != NULL && *rest == '\0')
		return 0;
	return fault_set(f, FAULT_CONFIG,
	    "\"%.60s\" is no hold's id (such as 20261122T020000Z-1a2b3c4d)",
	    id);
}

/* ---- the trail ---- */

#define HOST_MAX 63

int
layout_audit_prefix(
    const char *cluster, uint64_t system_id, char *key, struct fault *f)
{
	return key_of(key, cluster, system_id, f, "audit/");
}

int
layout_audit(const char *cluster, uint64_t system_id, const char *writer,
    uint64_t sequence, char *key, struct fault *f)
{
	char name[LAYOUT_KEY];
	int rc = layout_audit_name(writer, sequence, name, f);

	return rc != 0 ? rc
		       : key_of(key, cluster, system_id, f, "audit/%s", name);
}

int
layout_audit_name(
    const char *writer, uint64_t sequence, char *name, struct fault *f)
{
	int rc = layout_check_writer(writer, f);

	if (rc != 0)
		return rc;
	if (sequence < 1 || sequence > LAYOUT_SEQUENCE_MAX)
		return fault_set(f, FAULT_CONFIG,
		    "%" PRIu64 " is no number of an audit record", sequence);
	return name_of(name, f, "%s/%012" PRIu64, writer, sequence);
}

int
layout_audit_parse(const char *name, char writer[LAYOUT_WRITER],
    uint64_t *sequence, struct fault *f)
{
	struct fault ignored = FAULT_INIT;
	const char *slash = strchr(name, '/');
	char text[LAYOUT_WRITER] = "";
	uint64_t n = 0;

	if (slash != NULL && (size_t)(slash - name) < sizeof text)
		memcpy(text, name, (size_t)(slash - name));
	if (layout_check_writer(text, &ignored) != 0 ||
	    strlen(slash + 1) != 12 || text_u64(slash + 1, &n) != 0 || n == 0)
		return fault_set(f, FAULT_CORRUPT,
		    "\"%.200s\" is no audit record's name", name);
	memcpy(writer, text, sizeof text);
	*sequence = n;
	return 0;
}

static bool
is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

void
layout_new_writer(const char *host, uint32_t random, char writer[LAYOUT_WRITER])
{
	char clean[HOST_MAX + 1] = "";
	size_t n = 0;

	for (; n < HOST_MAX && host[n] != '\0'; n++) {
		clean[n] = '-';
		if (is_host_char(host[n]))
			clean[n] = host[n];
	}
	/* No part of a key begins with a dot. */
	if (clean[0] == '.')
		clean[0] = '-';
	snprintf(writer, LAYOUT_WRITER, "%s-%08" PRIx32, n > 0 ? clean : "host",
	    random);
}

int
layout_check_writer(const char *writer, struct fault *f)
{
	size_t n = strlen(writer);
	const char *rest = n > 9 && n <= HOST_MAX + 9 ? writer + n - 9 : writer;
	bool good = rest != writer && writer[0] != '.' &&
		    match(rest, "-xxxxxxxx") != NULL;

	for (const char *p = writer; good && p < rest; p++)
		good = is_host_char(*p);
	if (good)
		return 0;
	return fault_set(f, FAULT_CONFIG,
	    "\"%.60s\" is no writer of audit records (such as db1-1a2b3c4d)",
	    writer);
}
