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
 * quick and there is memory. A line that is slow is not made slower: there it
 * stays at jobs, for all of them together must keep their deadlines.
 *
 * Threads: any. A thread that is in goes through sealed to leave.
 */

struct relay_gate;
/* most: in all, as many as there are threads. */
int relay_gate_new(
    struct relay_gate **out, size_t jobs, size_t most, struct fault *f);
/* Wait to be let in: the lowest turn goes first. */
void relay_gate_enter(struct relay_gate *g, uint64_t turn);
/* It is sealed, or failed: it holds so much memory now. ms: what it took. */
void relay_gate_sealed(struct relay_gate *g, size_t held, int64_t ms);
/* It is over, and so much of that memory is free again. ok: it was sent, in
 * ms. */
void relay_gate_leave(struct relay_gate *g, size_t freed, bool ok, int64_t ms);

/* How many wait. */
size_t relay_gate_waiting(struct relay_gate *g);

#endif
