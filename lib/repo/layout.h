#ifndef LAYOUT_H
#define LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "walname.h"

/*
 * Every name in a repository, computed in one place. Pure. The last argument
 * of each is a buffer of LAYOUT_KEY bytes; CONFIG when a name would not fit.
 *
 * All begin with CLUSTER/SYSTEM-ID/ and go on with
 *	archive				the archive's mark
 *	wal/TIMELINE/LOGHALF/NAME	segments, .partial, .backup
 *	wal/TIMELINE/NAME		.history
 *	base/ID/head			a backup
 *	base/ID/manifest
 *	base/ID/pack/NNNNNNNN
 *	hold/ID/placed			a hold, and its end
 *	hold/ID/released
 *	audit/WRITER/NNNNNNNNNNNN	the audit trail
 *	verify/ID/report		of verifications
 *
 * TIMELINE: 8 hex digits; LOGHALF: the first 16 digits of a segment's name;
 * SYSTEM-ID: decimal.
 */

#define LAYOUT_KEY 512
#define LAYOUT_ID 48 /* a backup's id and its NUL */

/* "CLUSTER/SYSTEM-ID/": of all that is the cluster's. */
int layout_prefix(
    const char *cluster, uint64_t system_id, char *key, struct fault *f);
int layout_mark(
    const char *cluster, uint64_t system_id, char *key, struct fault *f);
int layout_wal(const char *cluster, uint64_t system_id, const char *name,
    const struct walname *n, char *key, struct fault *f);
/* "…/wal/" and "…/wal/TIMELINE/": prefixes for listings. */
int layout_wal_prefix(
    const char *cluster, uint64_t system_id, char *key, struct fault *f);
int layout_wal_timeline(const char *cluster, uint64_t system_id,
    uint32_t timeline, char *key, struct fault *f);
int layout_base_prefix(
    const char *cluster, uint64_t system_id, char *key, struct fault *f);
/* what: "head", "manifest", or layout_pack's. */
int layout_base(const char *cluster, uint64_t system_id, const char *id,
    const char *what, char *key, struct fault *f);
/* From a bound name, "ID/WHAT", as manifests have it. */
int layout_base_key(const char *cluster, uint64_t system_id, const char *name,
    char *key, struct fault *f);
/* The bound name of a backup's object: "ID/WHAT" (struct object_id). */
int layout_base_name(
    const char *id, const char *what, char *name, struct fault *f);
void layout_pack(uint32_t number, char what[16]); /* "pack/00000001" */
/* Is what such a name, to the letter? Anybody who can write puts others. */
bool layout_is_pack(const char *what, uint32_t *number);

int layout_hold_prefix(
    const char *cluster, uint64_t system_id, char *key, struct fault *f);
/* what: "placed" or "released". The bound name is "ID/WHAT". */
int layout_hold(const char *cluster, uint64_t system_id, const char *id,
    const char *what, char *key, struct fault *f);
int layout_hold_name(
    const char *id, const char *what, char *name, struct fault *f);
/* The report of a verification; the same kind of id, and bound to "ID/report".
 */
int layout_verify(const char *cluster, uint64_t system_id, const char *id,
    char *key, struct fault *f);
int layout_verify_prefix(
    const char *cluster, uint64_t system_id, char *key, struct fault *f);
/* "20261122T020000Z-1a2b3c4d" */
void layout_new_hold(int64_t now_us, uint32_t random, char id[LAYOUT_ID]);
int layout_check_hold(const char *id, struct fault *f); /* else CONFIG */

/* The trail (lib/audit). WRITER: a host's name, in [A-Za-z0-9._-], cut to 63
 * bytes, and "-1a2b3c4d"; sequence: 1 to LAYOUT_SEQUENCE_MAX, 12 digits. The
 * bound name is "WRITER/NNNNNNNNNNNN". */
#define LAYOUT_WRITER 80 /* and its NUL */
#define LAYOUT_SEQUENCE_MAX UINT64_C(999999999999)
int layout_audit_prefix(
    const char *cluster, uint64_t system_id, char *key, struct fault *f);
int layout_audit(const char *cluster, uint64_t system_id, const char *writer,
    uint64_t sequence, char *key, struct fault *f);
int layout_audit_name(
    const char *writer, uint64_t sequence, char *name, struct fault *f);
/* A bound name to its parts; CORRUPT when it is none. */
int layout_audit_parse(const char *name, char writer[LAYOUT_WRITER],
    uint64_t *sequence, struct fault *f);
/* Any host name makes a writer. */
void layout_new_writer(
    const char *host, uint32_t random, char writer[LAYOUT_WRITER]);
int layout_check_writer(const char *writer, struct fault *f); /* else CONFIG */

/* "20261122T020000Z-full-1a2b3c4d": sorts by start. type: full diff incr. */
void layout_new_id(
    int64_t start_us, const char *type, uint32_t random, char id[LAYOUT_ID]);
int layout_check_id(const char *id, struct fault *f); /* else CONFIG */

#endif
