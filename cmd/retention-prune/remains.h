#ifndef REMAINS_H
#define REMAINS_H

#include "gather.h"
#include "planfile.h"

/* What puts that were cut off left in the store and is no object: multipart
 * uploads that were begun a day ago or earlier and neither completed nor
 * aborted. Those of a backup that may be running stay. */

/* out->blind: the store's answer made no sense, which is told. */
int remains_plan(struct planfile *out, const struct gather *g, struct fault *f);
/* EXISTS when this line must not be carried out. */
int remains_check(const struct planfile *in, const struct json *j,
    const struct gather *g, struct fault *f);
/* *key belongs to j. */
int remains_run(const struct planfile *in, const struct json *j,
    const struct gather *g, const char **key, struct fault *f);

#endif
