#ifndef HOLDING_H
#define HOLDING_H

#include <stdbool.h>

#include "cli.h"
#include "hold.h"

/* One run of retention-hold. */

struct options {
	const char *holder;
	const char *reason;
	const char *backup;
	const char *from;
	const char *to;
	const char *until;
	const char *repo;
	const char *system_id;
	bool all;
	bool json;
};

struct holding {
	const struct options *o;
	struct cli cli;
	struct conf *conf;
	const struct conf_cluster *cluster;
	struct repo *repo;
};

/* add.c: into all repositories; its id on stdout. */
int add_run(struct holding *s, struct fault *f);

/* release.c: in all repositories that have it. */
int release_run(struct holding *s, const char *id, struct fault *f);

/* list.c: on stdout. */
int list_run(struct holding *s, struct fault *f);

/* legal.c: where a store knows legal holds, they are made what ours are, of
 * which id is the one that has changed. */
int legal_sync(struct holding *s, const char *id, struct fault *f);

/* words.c: what is written into a hold. take: the value of an option that must
 * be given. who: who runs this. time: none when there is no such moment. */
int words_take(
    const char *option, const char *text, char out[HOLD_TEXT], struct fault *f);
void words_who(char out[HOLD_TEXT]);
void words_time(int64_t us, const char *none, char out[CLOCK_TEXT_SIZE]);

#endif
