#ifndef REPORT_H
#define REPORT_H

#include "move.h"

/* What was deleted and moved, for people or as a JSON document. */
int report_print(const struct apply_result *r, const struct move_result *m,
    bool as_json, struct fault *f);

#endif
