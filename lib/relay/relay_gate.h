#ifndef RELAY_GATE_H
#define RELAY_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"

/*
 * How many files the worker has on their way. One that is checked and sealed
 * takes a processor: no more than jobs at a time. One that is sealed takes
 * memory and waits for the store; so that the processors do not wait with it,
 * there are as many of these as the measured times say, while the store is
 * quick and there is memory: the time that sealing takes, and the least that
 * sending took of late, for what took longer waited for our own processors or
 * for each other. A line that is slow is not made slower: there it stays at
 * jobs, for all of them together must keep their deadlines.
 *
 * Threads: any. A thread that is in goes through sealed to leave.
 *
 * With many jobs there is not the memory for each to seal a file that does not
 * compress. Then one that comes in gets as much as the files before it took,
 * and asks for the rest (widen) if it is not enough.
 */

/* Most that sealing takes: a segment of 16 MiB, its pages let go while the
 * object grows. */
#define RELAY_GATE_SEAL ((size_t)19 << 20)

struct relay_gate;
/* most: in all, as many as there are threads. */
int relay_gate_new(
    struct relay_gate **out, size_t jobs, size_t most, struct fault *f);
/* Wait to be let in: the lowest turn goes first. Returns the memory it has for
 * sealing. */
size_t relay_gate_enter(struct relay_gate *g, uint64_t turn);
/* Wait for RELAY_GATE_SEAL instead of room; before any that is not in yet. */
void relay_gate_widen(struct relay_gate *g, size_t room);
/* It is sealed, or failed: instead of room it holds so much memory now. ms:
 * what it took. */
void relay_gate_sealed(
    struct relay_gate *g, size_t room, size_t held, int64_t ms);
/* It is over, and so much of that memory is free again. ok: it was sent, in
 * ms. */
void relay_gate_leave(struct relay_gate *g, size_t freed, bool ok, int64_t ms);
/* The rest of it. */
void relay_gate_free(struct relay_gate *g, size_t freed);

/* How many wait; and how many may be in. */
size_t relay_gate_waiting(struct relay_gate *g);
size_t relay_gate_window(struct relay_gate *g);

#endif
