#ifndef AUDIT_SYSLOG_H
#define AUDIT_SYSLOG_H

#include "audit_record.h"

/*
 * A record as one line of syslog, in RFC 3164's form and facility authpriv:
 * what is logged there only administrators read, and it holds names of paths
 * and people. syslog(3) would wait for a daemon that hangs; this does not, and
 * nobody hears of a failure.
 */

#define AUDIT_SYSLOG_LINE 1400
#define AUDIT_SYSLOG_PATH "/dev/log"

/* The line without RFC 3164's beginning. where: URL of the repository; stored:
 * is the record in it? */
void audit_syslog_format(const struct audit_record *r, const char *where,
    int stored, char line[AUDIT_SYSLOG_LINE]);
void audit_syslog_send(
    const struct audit_record *r, const char *line, const char *path);

#endif
