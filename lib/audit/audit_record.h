#ifndef AUDIT_RECORD_H
#define AUDIT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "layout.h"

/*
 * One record of the audit trail, as JSON (pitrkit-format(5)). Pure.
 */

#define AUDIT_RECORD_MAX (1U << 16) /* bytes of its JSON */
#define AUDIT_TEXT 1024             /* of each text, NUL included */
#define AUDIT_WORD 64               /* of words: action, names, versions */
#define AUDIT_DETAILS 16
#define AUDIT_CHANGES 16
#define AUDIT_VALUE 128 /* of a setting, NUL included */
#define AUDIT_HASH 32
#define AUDIT_UNKNOWN UINT64_MAX /* a count or size that is not known */

enum audit_phase {
	AUDIT_BEGUN, /* written before anything is done */
	AUDIT_ENDED, /* the same operation's end */
	AUDIT_DONE,  /* one record for all of it */
};

struct audit_detail {
	char name[AUDIT_WORD];
	char value[AUDIT_TEXT];
};

/* Of a setting, since the writer's record before; "": not stated. */
struct audit_change {
	char name[AUDIT_WORD];
	char from[AUDIT_VALUE];
	char to[AUDIT_VALUE];
};

struct audit_record {
	/* The chain. */
	char writer[LAYOUT_WRITER];
	uint64_t sequence;                  /* from 1 */
	unsigned char previous[AUDIT_HASH]; /* zeros in the first */
	char began[AUDIT_TEXT]; /* in the first: why there is a new writer */
	/* Who and when. */
	int64_t at_us;
	char host[AUDIT_TEXT];
	char user[AUDIT_TEXT];
	char program[AUDIT_WORD];
	char version[AUDIT_WORD];
	uint32_t pid;
	/* What. */
	char operation[LAYOUT_ID]; /* the same in begun and ended */
	char action[AUDIT_WORD];
	enum audit_phase phase;
	char object[AUDIT_TEXT];
	uint64_t objects; /* AUDIT_UNKNOWN, as are the next two */
	uint64_t bytes;
	uint64_t stored;
	char checksum[AUDIT_TEXT];
	char reason[AUDIT_TEXT];
	char approved_by[AUDIT_TEXT];
	struct audit_detail details[AUDIT_DETAILS];
	size_t n_details;
	/* By which settings (audit_settings.h). Records of before have none. */
	bool has_settings;
	unsigned char settings[AUDIT_HASH];
	struct audit_change changes[AUDIT_CHANGES];
	size_t n_changes;
	uint32_t more_changes; /* for which there is no room */
	/* How it went; not when begun. */
	int64_t duration_ms; /* -1: not known */
	int status;          /* exit status, 0 to 255; -1: none yet */
	char message[AUDIT_TEXT];
};

/* Appends; texts must be as audit_text (audit_text.h) makes them. */
int audit_record_encode(
    const struct audit_record *r, struct buf *out, struct fault *f);
/* CORRUPT when it is not one, to the letter; members that are not known are
 * passed over. */
int audit_record_decode(
    const void *text, size_t len, struct audit_record *out, struct fault *f);

#endif
