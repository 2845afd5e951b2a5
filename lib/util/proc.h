#ifndef PROC_H
#define PROC_H

#include <stddef.h>

#include "clock.h"
#include "fault.h"

/*
 * Run "sh -c COMMAND" with no standard input and collect its standard output,
 * at most limit bytes, within the deadline (then it is killed, AGAIN). It is
 * killed as well when this process ends meanwhile, in whatever way. A non-zero
 * exit is a fault that names the status but never the output. *out
 * is malloc'ed with a NUL after it; the caller wipes and frees it.
 */
int proc_output(const char *command, size_t limit, const struct deadline *d,
    unsigned char **out, size_t *len, struct fault *f);

#endif
