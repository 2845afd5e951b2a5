#ifndef SINK_H
#define SINK_H

#include <stddef.h>

#include "fault.h"

/*
 * Where bytes go: the one shape in which data is pushed from module to module.
 * Takes all of data or fails; returns 0 or a FAULT_* code with f filled. A
 * producer stops at the first failure and passes it on unchanged.
 * Ownership: data belongs to the producer and is valid during the call only.
 */
typedef int (*sink_fn)(
    void *ctx, const unsigned char *data, size_t len, struct fault *f);

#endif
