#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>

/*
 * What went wrong, in one line, and what the caller can do about it.
 *
 * Every library function that can fail returns 0 or one of these codes and
 * fills the caller's struct fault. The line is made where the error was seen,
 * names the object, file or setting it is about, and says what to do when that
 * is known. Callers may put context in front of it; only commands print it.
 * A fault pointer is never NULL.
 */

enum fault_code {
	FAULT_NONE = 0,
	FAULT_AGAIN,   /* may pass: unreachable, busy, timed out */
	FAULT_ABSENT,  /* proven: there is no such thing */
	FAULT_EXISTS,  /* the name is taken, with other content */
	FAULT_FOREIGN, /* not this cluster's, or not what its name says */
	FAULT_CORRUPT, /* fails authentication, or its own rules */
	FAULT_KEY,     /* the key is missing or is not the right one */
	FAULT_CONFIG,  /* settings or usage; trying again will not help */
	FAULT_DENIED,  /* the store or the server refuses */
	FAULT_SYSTEM,  /* this host: I/O error, disk full, no memory */
	FAULT_FROZEN,  /* it is there, and has to be thawed to be read */
};

struct fault {
	enum fault_code code;
	char text[640];
	int errnum; /* what fault_errno was given; 0 */
};

#define FAULT_INIT                                                             \
	{                                                                      \
		FAULT_NONE, "", 0                                              \
	}

/* Fill f; returns code, so that "return fault_set(...)" works. Control
 * characters in the finished line are replaced by '?': names may come from
 * outside, and a message stays one line. */
int fault_set(struct fault *f, enum fault_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* FAULT_SYSTEM with ": " and the text of errnum appended. */
int fault_errno(struct fault *f, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* FAULT_SYSTEM, "out of memory". */
int fault_nomem(struct fault *f);

/* Put "CONTEXT: " in front of the line; the code stays. Returns the code. */
int fault_prefix(struct fault *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same with another code. */
int fault_recode(struct fault *f, enum fault_code code);

void fault_clear(struct fault *f);

/* A disk that does not give back what it holds (EIO), other than this host's
 * having run out of memory, descriptors or room. */
bool fault_of_medium(const struct fault *f);

#endif
