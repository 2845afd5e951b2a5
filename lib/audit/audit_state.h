#ifndef AUDIT_STATE_H
#define AUDIT_STATE_H

#include <stdbool.h>

#include "audit_record.h"
#include "repo.h"

/*
 * What a writer has to remember between two records: its name, the last number
 * and that object's hash, and an object that was sent and of which it is not
 * known whether it arrived; and by which settings, to tell what was changed. A
 * file for each repository, cluster and user in spool_dir, replaced atomically
 * and durably, under a lock.
 */

struct audit_state {
	char writer[LAYOUT_WRITER]; /* "": there is none yet */
	uint64_t sequence;          /* of the last record; 0: none */
	unsigned char hash[AUDIT_HASH];
	unsigned char *pending; /* number sequence + 1; owned; may be NULL */
	size_t pending_len;
	/* Owned, may be NULL: the settings of the last record, and of the
	 * pending one, as audit_settings_list has them. */
	char *settings;
	char *pending_settings;
};
#define AUDIT_STATE_PENDING (1U << 17) /* most bytes of it */

/* malloc'ed: "SPOOL/audit-HASH-UID". */
int audit_state_path(struct repo *r, size_t i, char **path, struct fault *f);
/* Waits for it. EXISTS when somebody else keeps it for too long. The folder
 * is made when only it is missing, but not by root. */
int audit_state_lock(
    const char *path, int *fd, const struct deadline *d, struct fault *f);
/* ABSENT when there is no file; another fault when it cannot be believed: not
 * ours, not whole, of another host. */
int audit_state_load(const char *path, const char *host,
    struct audit_state *out, struct fault *f);
int audit_state_save(
    const char *path, const struct audit_state *s, struct fault *f);
/* Nothing is pending any more. */
void audit_state_done(struct audit_state *s);
void audit_state_free(struct audit_state *s); /* what it owns, not s */

#endif
