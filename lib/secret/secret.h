#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "clock.h"
#include "fault.h"

/* Bytes that must not leak: kept out of core dumps and swap where the system
 * lets us, wiped before they are freed. */

#define SECRET_MAX 65536

struct secret {
	unsigned char *data; /* owned; a NUL stands after the last byte */
	size_t len;
};

#define SECRET_INIT                                                            \
	{                                                                      \
		NULL, 0                                                        \
	}

/* Copy of n bytes. */
int secret_copy(struct secret *s, const void *data, size_t n, struct fault *f);
/* From a file. CONFIG when group or others may read it, when it is no regular
 * file, or is longer than SECRET_MAX; DENIED when we may not. A trailing
 * newline is kept. */
int secret_load(struct secret *s, const char *path, struct fault *f);
/* A single-line secret from a file or a command: trailing newlines go. */
int secret_load_line(struct secret *s, const char *path, struct fault *f);
int secret_run_line(struct secret *s, const char *command,
    const struct deadline *d, struct fault *f);
void secret_free(struct secret *s); /* wipes; s is empty afterwards */
void secret_wipe(void *p, size_t n);
bool secret_equal(const void *a, const void *b, size_t n); /* constant time */

#endif
