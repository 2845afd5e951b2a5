#ifndef DYNLIB_H
#define DYNLIB_H

#include <stddef.h>

/*
 * A shared library that is loaded when it is wanted, since what it brings along
 * takes long to load and most calls do without.
 */

/* function: where the pointer to it is to be put. */
struct dynlib_symbol {
	const char *name;
	void *function;
};
#define DYNLIB_SYMBOL(lib, name)                                               \
	{                                                                      \
#name, &(lib).name                                             \
	}

/* 0; -1, and a text in error, when it or one of its functions is not there.
 * It stays until the process ends. Any thread. */
int dynlib_load(const char *soname, const struct dynlib_symbol *symbols,
    size_t n, char *error, size_t cap);

#endif
