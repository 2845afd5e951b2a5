#ifndef WIRE_H
#define WIRE_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/*
 * What a front (front.h) and a lingering worker (relay.h) say to each other,
 * in messages over an abstract Unix socket of type SOCK_SEQPACKET. Both come
 * from the same build: the socket's name holds the identity of the worker's
 * program file, so there are no versions. Both check the other's user id.
 *
 *	front	one struct wire_request
 *	worker	WIRE_WORKING at once and every WIRE_BEAT_MS, for as long as it
 *		works on it; then WIRE_DONE with exit status and messages, or
 *		WIRE_DECLINED: the front is to run the program itself
 *
 * The end of the connection means WIRE_DECLINED, too, and so does a silence of
 * WIRE_SILENCE_MS: a worker that was stopped, or hangs, holds nobody up.
 */

#define WIRE_MAGIC 0x50726c61u
#define WIRE_TEXT 3072 /* operands, each with its NUL; or messages */
#define WIRE_BEAT_MS 500
#define WIRE_SILENCE_MS 3000
#define WIRE_OPERANDS 2

struct wire_request {
	uint32_t magic;
	uint32_t verbosity;
	uint32_t n_operands;
	uint32_t len; /* of text */
	char text[WIRE_TEXT];
};

enum wire_kind {
	WIRE_WORKING = 1,
	WIRE_DONE,
	WIRE_DECLINED,
	WIRE_NOTED, /* to the worker program itself: see relay_note */
};

struct wire_answer {
	uint32_t magic;
	uint32_t kind;
	uint32_t status;
	uint32_t len; /* of text: whole lines for standard error, each kind */
	char text[WIRE_TEXT];
};

/* The verbosity of a request that is only a note: nobody waits. */
#define WIRE_NOTE UINT32_MAX

/* How the front tells the program it runs instead of asking a worker, and that
 * tells the worker it starts: an environment variable. In the first case it is
 * "call:SOCKET-NAME:MILLISECONDS", where a worker is to be had, and when the
 * call began (monotonic); in the second "serve:DESCRIPTOR": be the worker, and
 * listen there. */
#define WIRE_ENV "PITRKIT_RELAY"
#define WIRE_NAME 80

/* The abstract socket of that name, shorter than WIRE_NAME: its address;
 * connected without waiting, or -1 when nobody of this user listens there. */
socklen_t wire_address(const char *name, struct sockaddr_un *a);
int wire_connect(const char *name);
/* Is at the other end a process of this user? */
int wire_ours(int fd);

#endif
