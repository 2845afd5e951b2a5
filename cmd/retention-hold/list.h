#ifndef LIST_H
#define LIST_H

#include "hold.h"

/* Holds on stdout; all: released ones and those that are over, too. */
void list_text(const struct hold_list *l, bool all, int64_t now_us);
int list_json(
    const struct hold_list *l, bool all, int64_t now_us, struct fault *f);

/* none when there is no such moment. */
void list_time(int64_t us, const char *none, char out[CLOCK_TEXT_SIZE]);

#endif
