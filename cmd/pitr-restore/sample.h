#ifndef SAMPLE_H
#define SAMPLE_H

#include <stdint.h>

#include "repo.h"
#include "head.h"

/*
 * How fast does a restore go here and now? Reads one pack of the backup as the
 * restore would (fetch, authenticate, decompress) and throws it away.
 * *bytes_per_second of content for one worker; 0 when the backup has none.
 */
int sample_speed(struct repo *r, size_t i, const struct head *h,
    uint64_t *bytes_per_second, struct fault *f);

#endif
