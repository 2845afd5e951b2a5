#ifndef AUDIT_SETTINGS_H
#define AUDIT_SETTINGS_H

#include "audit_record.h"
#include "repo.h"

/*
 * By which settings something was done: lines of a name, a tab and a value,
 * which are texts as audit_text makes them; what is too long for a
 * record ends with a sum of all of it. They are what the settings file states
 * (conf_stated), without secrets, and "keys", the ids of the keys at hand.
 * Pure but for the first.
 */

#define AUDIT_SETTINGS_MAX (1U << 16)

/* malloc'ed; SYSTEM when there is too much of it. */
int audit_settings_list(const struct repo *r, char **out, struct fault *f);
int audit_settings_digest(
    const char *list, unsigned char out[AUDIT_HASH], struct fault *f);
/* What is not in both alike, into r. before: NULL when nothing is known, and so
 * nothing was changed; what is no line of it is passed over. */
void audit_settings_compare(
    const char *before, const char *now, struct audit_record *r);

#endif
