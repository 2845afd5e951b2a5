#ifndef LEDGER_CORE_H
#define LEDGER_CORE_H

#include "ledger.h"

/* What ledger's own files share. */

/* No backup ended later: 2200. */
#define LEDGER_STOP_MAX INT64_C(7258118400000000)

/* One line about a backup; an id that is none names no backup. */
int ledger_add(struct ledger *l, const char *id,
    const struct ledger_backup *what, struct fault *f);

/* ledger_report.c: did the operation not let that backup go after all? Both
 * records of a pruning have the id of its operation, which begins with the
 * time: so both count, or neither. */
bool ledger_settled(
    const struct ledger *l, const char *id, const char *operation);

#endif
