#include "layout.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "text.h"

static int layout_format(char *key, size_t cap, struct fault *f,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static int
layout_format(char *key, size_t cap, struct fault *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(key, cap, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= cap)
		return fault_set(f, FAULT_CONFIG,
		    "%.64s…: name in the repository would be longer than %zu"
		    " bytes",
		    key, cap - 1);
	return 0;
}

/* A cluster's name is one part of a key: a slash would let two clusters of
 * other names share objects. */
static int
layout_check_cluster(const char *cluster, struct fault *f)
{
	if (cluster[0] == '\0' || cluster[0] == '.' ||
	    strchr(cluster, '/') != NULL)
		return fault_set(f, FAULT_CONFIG,
		    "cluster name \"%s\" must not be empty, begin with '.' or"
		    " hold a '/'",
		    cluster);
	return 0;
}

int
layout_mark(const char *cluster, uint64_t system_id, char *key, struct fault *f)
{
	int rc = layout_check_cluster(cluster, f);

	if (rc != 0)
		return rc;
	return layout_format(
	    key, LAYOUT_KEY, f, "%s/%" PRIu64 "/archive", cluster, system_id);
}

int
layout_wal_prefix(
    const char *cluster, uint64_t system_id, char *key, struct fault *f)
{
	int rc = layout_check_cluster(cluster, f);

	if (rc != 0)
		return rc;
	return layout_format(
	    key, LAYOUT_KEY, f, "%s/%" PRIu64 "/wal/", cluster, system_id);
}

int
layout_wal_timeline(const char *cluster, uint64_t system_id, uint32_t timeline,
    char *key, struct fault *f)
{
	int rc = layout_check_cluster(cluster, f);

	if (rc != 0)
		return rc;
	return layout_format(key, LAYOUT_KEY, f,
	    "%s/%" PRIu64 "/wal/%08" PRIX32 "/", cluster, system_id, timeline);
}

int
layout_wal_folder(const char *cluster, uint64_t system_id,
    const struct walname *n, char *key, struct fault *f)
{
	int rc = layout_check_cluster(cluster, f);

	if (rc != 0)
		return rc;
	return layout_format(key, LAYOUT_KEY, f,
	    "%s/%" PRIu64 "/wal/%08" PRIX32 "/%08" PRIX32 "%08" PRIX32 "/",
	    cluster, system_id, n->timeline, n->timeline, n->log);
}

int
layout_wal(const char *cluster, uint64_t system_id, const char *name,
    const struct walname *n, char *key, struct fault *f)
{
	int rc = layout_check_cluster(cluster, f);

	if (rc != 0)
		return rc;
	if (n->kind == WALNAME_HISTORY)
		return layout_format(key, LAYOUT_KEY, f,
		    "%s/%" PRIu64 "/wal/%08" PRIX32 "/%s", cluster, system_id,
		    n->timeline, name);
	return layout_format(key, LAYOUT_KEY, f,
	    "%s/%" PRIu64 "/wal/%08" PRIX32 "/%08" PRIX32 "%08" PRIX32 "/%s",
	    cluster, system_id, n->timeline, n->timeline, n->log, name);
}

int
layout_base_prefix(
    const char *cluster, uint64_t system_id, char *key, struct fault *f)
{
	int rc = layout_check_cluster(cluster, f);

	if (rc != 0)
		return rc;
	return layout_format(
	    key, LAYOUT_KEY, f, "%s/%" PRIu64 "/base/", cluster, system_id);
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
	int rc = layout_check_cluster(cluster, f);

	if (rc == 0)
		rc = layout_check_id(id, f);
	if (rc != 0)
		return rc;
	return layout_format(key, LAYOUT_KEY, f, "%s/%" PRIu64 "/base/%s/%s",
	    cluster, system_id, id, what);
}

int
layout_base_name(const char *id, const char *what, char *name, struct fault *f)
{
	int rc = layout_check_id(id, f);

	if (rc != 0)
		return rc;
	return layout_format(name, LAYOUT_KEY, f, "%s/%s", id, what);
}

void
layout_pack(uint32_t number, char what[16])
{
	/* Ten digits at most: "pack/4294967295" is 15 bytes. */
	snprintf(what, 16, "pack/%08" PRIu32, number);
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
layout_fits(char k, char c)
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
layout_match(const char *s, const char *form)
{
	for (; *form != '\0'; form++, s++)
		if (!layout_fits(*form, *s))
			return NULL;
	return s;
}

int
layout_check_id(const char *id, struct fault *f)
{
	static const char *const types[] = {"full", "diff", "incr"};
	const char *rest = layout_match(id, "00000000T000000Z-");

	for (size_t i = 0; rest != NULL && i < 3; i++) {
		if (!text_prefix(rest, types[i]))
			continue;
		rest = layout_match(rest + 4, "-xxxxxxxx");
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
	int rc = layout_check_cluster(cluster, f);

	if (rc != 0)
		return rc;
	return layout_format(
	    key, LAYOUT_KEY, f, "%s/%" PRIu64 "/hold/", cluster, system_id);
}

static int
layout_record(const char *cluster, uint64_t system_id, const char *folder,
    const char *id, const char *what, char *key, struct fault *f)
{
	int rc = layout_check_cluster(cluster, f);

	if (rc == 0)
		rc = layout_check_hold(id, f);
	if (rc != 0)
		return rc;
	return layout_format(key, LAYOUT_KEY, f, "%s/%" PRIu64 "/%s/%s/%s",
	    cluster, system_id, folder, id, what);
}

int
layout_hold(const char *cluster, uint64_t system_id, const char *id,
    const char *what, char *key, struct fault *f)
{
	return layout_record(cluster, system_id, "hold", id, what, key, f);
}

int
layout_prune(const char *cluster, uint64_t system_id, const char *id,
    const char *what, char *key, struct fault *f)
{
	return layout_record(cluster, system_id, "prune", id, what, key, f);
}

int
layout_hold_name(const char *id, const char *what, char *name, struct fault *f)
{
	int rc = layout_check_hold(id, f);

	if (rc != 0)
		return rc;
	return layout_format(name, LAYOUT_KEY, f, "%s/%s", id, what);
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
	const char *rest = layout_match(id, "00000000T000000Z-xxxxxxxx");

	if (rest != NULL && *rest == '\0')
		return 0;
	return fault_set(f, FAULT_CONFIG,
	    "\"%.60s\" is no hold's id (such as 20261122T020000Z-1a2b3c4d)",
	    id);
}
