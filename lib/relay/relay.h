#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "relay_pool.h"
#include "wire.h"

/*
 * A worker that lingers between PostgreSQL's calls of a program, so that these
 * find warm connections and work done ahead. A call starts it, and nobody has
 * to know of it: it has a session of its own and nothing that it inherited
 * open, listens on an abstract socket that leaves nothing on disk, and ends by
 * itself when it is not called any more, or at once when the server or the data
 * directory has gone. It only saves time: a front that gets no answer runs the
 * full program, whose result does not depend on any worker.
 */

/* ---- how this process was started ---- */

enum relay_role {
	RELAY_ALONE, /* not by a front: no worker is to be had */
	RELAY_CALL,  /* by a front that found no worker, or was declined */
	RELAY_SERVE, /* be the worker */
};

struct relay_start {
	enum relay_role role;
	char name[WIRE_NAME]; /* CALL: of the socket */
	int64_t began_ms;     /* CALL: when the front was started (monotonic) */
	int listener;         /* SERVE */
};

/* From the environment, which then no longer says so. To be called first.
 * program: a worker shows in process lists as PROGRAM-linger. */
void relay_started(struct relay_start *s, const char *program);

/* ---- the data directory ---- */

/* The working directory, while it is that of a running server. */
struct relay_home {
	char path[4096];
	uint64_t device, inode; /* of the directory */
	uint64_t pid_inode;     /* of postmaster.pid */
	uint64_t pid_started;   /* when, so that a number used again is told */
	int pid;
};

/* -1 when it is not such a directory. */
int relay_home_find(struct relay_home *h);
/* Is it still there, under the same path, and the same server runs? */
bool relay_home_stands(const struct relay_home *h);

/* ---- starting a worker ---- */

/*
 * Start this very program once more, with these arguments, as the worker
 * called s->name; it listens before this returns. Does nothing when there is
 * such a worker. Failures are of no interest: there is no worker then.
 * To be called while there is one thread.
 */
void relay_spawn(const struct relay_start *s, char **argv);

/* Tell the worker called s->name something; 0 when it was there to hear. */
int relay_note(const struct relay_start *s, const char *text);

/* ---- being the worker ---- */

/* A call that waits for its answer. */
struct relay_call {
	int fd; /* -1: the caller has gone */
	bool used;
	bool note;
	bool taken; /* relay_call_allow was called */
	int verbosity;
	size_t n_operands;
	const char *operands[WIRE_OPERANDS];
	int64_t came_ms;
	int64_t late_ms; /* when it is given up */
	int64_t beat_ms;
	struct wire_request rq;
};

/* It is worked on, and gets an answer within that many milliseconds. */
void relay_call_allow(struct relay_call *c, int64_t ms);
/* For the standard error of a call that waits: whole lines. */
void relay_call_say(struct relay_call *c, const char *lines);
/* The answer; the call is over with either. lines: whole lines, or "". */
void relay_call_done(struct relay_call *c, int status, const char *lines);
void relay_call_decline(struct relay_call *c);

struct relay_service {
	void *ctx;
	/* Answer the call, or allow it time and answer it later. */
	void (*request)(void *ctx, struct relay_call *c);
	/* The time allowed is over: answer it. */
	void (*late)(void *ctx, struct relay_call *c);
	/* A job came back from the pool. */
	void (*finished)(void *ctx, void *job);
	/* Several times a second, and after everything else. false: it is time
	 * to end. */
	bool (*tick)(void *ctx);
};

/* Serve until tick says no; then calls that wait see the end of their
 * connection. */
void relay_serve(
    int listener, struct relay_pool *pool, const struct relay_service *service);

#endif
