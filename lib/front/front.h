#ifndef FRONT_H
#define FRONT_H

/*
 * The small program that PostgreSQL starts for every WAL file. It links
 * nothing but a C library (the Makefile says which), statically: starting a
 * program with libcurl and OpenSSL takes longer than asking a worker that
 * lingers from an earlier call (relay.h) whether the work is done already.
 * Whatever it does not know, or the worker does not answer, it leaves to the
 * full program NAME-worker, which it becomes by exec(3): so options, messages
 * and statuses are that program's.
 */

struct front {
	const char *name; /* "walpush" */
	int n_operands;
	int (*status)(void); /* when the full program cannot be run */
	/* May a worker be asked for these operands? NULL: always. */
	int (*suits)(char *const *operands);
};

/* For main to return. */
int front_main(const struct front *f, int argc, char **argv);

#endif
