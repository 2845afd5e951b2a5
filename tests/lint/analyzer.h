#ifndef ANALYZER_H
#define ANALYZER_H

/* clang-tidy sees one file at a time. This tells it what fault.h promises:
 * none of these returns 0. */

#include "fault.h"

#define fault_set(f, code, ...)                                                \
	((void)fault_set((f), (code), __VA_ARGS__), (int)(code))
#define fault_errno(f, ...) ((void)fault_errno((f), __VA_ARGS__), FAULT_SYSTEM)
#define fault_nomem(f) ((void)fault_nomem(f), FAULT_SYSTEM)
#define fault_prefix(f, ...)                                                   \
	((void)fault_prefix((f), __VA_ARGS__), FAULT_SYSTEM)

#endif
