#ifndef WALDAYS_H
#define WALDAYS_H

#include <stdbool.h>

#include "json.h"
#include "walmeta.h"

/*
 * The WAL that came on one day (UTC), and what is known of when it became
 * durable: of each segment its own header, and what the headers of later
 * objects tell of its push (struct walmeta_push). Pure.
 */

struct waldays_one {
	uint32_t timeline; /* the name's parts */
	uint32_t log;
	uint32_t seg;
	bool read; /* its header opens */
	bool known;
	uint64_t stored;
	/* by its header */
	uint64_t size;
	int64_t pushed_us;
	int64_t first_commit_us;
	int64_t last_commit_us;
	struct walmeta_push push; /* if it is known; the earliest */
};

/* By name. */
void waldays_sort(struct waldays_one *x, size_t n);
/* Its own header, and what that tells of others: x, if they are in it. Any
 * other's header: own NULL. x is sorted. */
void waldays_header(struct waldays_one *x, size_t n, struct waldays_one *own,
    const struct walmeta *m);

#define WALDAYS_NAME 25
struct waldays_span {
	int64_t ms; /* -1: of no segment */
	char of[WALDAYS_NAME];
};
struct waldays_sum {
	uint64_t segments;
	uint64_t bytes;
	uint64_t stored;
	uint64_t unknown; /* of these nothing tells when they were durable */
	uint64_t partly;  /* not all repositories had them then */
	uint64_t drained; /* they had been put aside */
	char first[WALDAYS_NAME];
	char last[WALDAYS_NAME];
	int64_t median_ms;           /* -1: of none */
	struct waldays_span longest; /* from reading the file to durable */
	struct waldays_span lag;     /* from its newest commit */
	struct waldays_span loss;    /* and from its oldest: so long a commit
				      * was on its host only */
};
/* x is sorted. */
int waldays_sum(const struct waldays_one *x, size_t n, struct waldays_sum *out,
    struct fault *f);

/* "2026-11-21"; days are counted from 1970-01-01. */
void waldays_text(int64_t day, char out[11]);
/* -1: it is none. */
int64_t waldays_day(const char *text);
/* One of a report's "wal_days". */
int waldays_put(
    struct json *j, int64_t day, const struct waldays_sum *s, struct fault *f);

#endif
