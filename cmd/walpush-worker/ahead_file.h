#ifndef AHEAD_FILE_H
#define AHEAD_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "fault.h"
#include "walname.h"

/* The files that wait to be archived, and what makes one the same as before. */

/* Name, size, times, file and the beginning of the content (which holds
 * timeline, address and system id): no two files that PostgreSQL ever hands
 * over agree in all of them. */
struct ahead_identity {
	char name[WALNAME_SIZE];
	struct stat st;
	unsigned char page[16];
};

int ahead_identify(
    const char *path, struct ahead_identity *out, struct fault *f);
bool ahead_same(const struct ahead_identity *a, const struct ahead_identity *b);

/* Offers the names of the files that wait, in PostgreSQL's order, until offer
 * says false; at most the first few dozen. */
typedef bool (*ahead_offer_fn)(void *ctx, const char *name);
void ahead_ready(ahead_offer_fn offer, void *ctx);

#endif
