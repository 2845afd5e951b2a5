#ifndef AUDIT_CORE_H
#define AUDIT_CORE_H

#include "audit.h"
#include "audit_state.h"
#include "audit_text.h"
#include "who.h"

/* Inside lib/audit. */

struct audit {
	struct repo *repo;
	size_t index;
	int64_t start_ms;
	char operation[LAYOUT_ID];
	char host[WHO_MAX];
	char user[WHO_MAX];
	char program[AUDIT_WORD];
	char *path;  /* of the state */
	bool alone;  /* no state can be kept: a chain of this process */
	bool shared; /* nor is it to be: the chain is everybody's */
	struct audit_state state;
	char *settings; /* NULL: not known */
	unsigned char settings_digest[AUDIT_HASH];
	char why[AUDIT_TEXT]; /* there is no state to go on from */
	char remark[AUDIT_TEXT];
	/* Filled for one record at a time: it is large. */
	struct audit_record record;
};

/* audit_chain.c
 * The repository's name, for messages. */
const char *audit_chain_place(const struct audit *a);
/* a->record, whose event is filled in, becomes the next of the
 * chain in the repository. */
int audit_chain_store(
    struct audit *a, const struct deadline *d, struct fault *f);

#endif
