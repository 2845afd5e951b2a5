#ifndef SPILL_CORE_H
#define SPILL_CORE_H

#include "archive_note.h"
#include "layout.h"
#include "spill.h"

/* Inside of lib/spill. */

struct spill {
	const struct repo *base; /* settings and keys */
	struct conf_repo place;
	struct conf_cluster conf;
	struct repo *repo; /* the spill as a repository */
	char *note;        /* in spool_dir: */
	char *away;
	char *folder; /* of WAL; it is not there while there is none */
	char mark[LAYOUT_KEY];
	char prefix[LAYOUT_KEY];
};

/* spill.c */

/* The spill's store. */
int spill_core_store(struct spill *s, struct store **out, struct fault *f);
/* *used: it has the mark, so there may be WAL. AGAIN when it had, as the note
 * knows, and has not. */
int spill_core_used(
    struct spill *s, bool *used, const struct deadline *d, struct fault *f);
/* Who may write in it, and is it a repository? */
int spill_core_check_place(const struct spill *s, struct fault *f);

#endif
