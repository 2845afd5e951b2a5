#ifndef TOLD_H
#define TOLD_H

#include "plan.h"

/* What people are told, on stdout: as text, or JSON with --json. */

/* What a restore would do; obstacle: why it would not, or NULL. */
int told_ahead(
    const struct plan *p, const struct fault *obstacle, struct fault *f);
/* What was done, how to start the server, and what will happen then. */
int told_done(const struct plan *p, struct fault *f);

#endif
