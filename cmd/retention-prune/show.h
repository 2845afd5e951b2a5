#ifndef SHOW_H
#define SHOW_H

#include "planfile.h"

/* The plan as a table for people. objects: each one that goes, too. */
int show_table(struct planfile *in, bool objects, struct fault *f);
/* Its lines as they are. */
int show_lines(struct planfile *in, struct fault *f);

#endif
