#include "dynlib.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static int
dynlib_failed(char *error, size_t cap)
{
	const char *why = dlerror();

	snprintf(error, cap, "%s", why != NULL ? why : "unknown reason");
	return -1;
}

/* ISO C has no conversion between pointers to data and to functions; POSIX has
 * them of one size. */
int
dynlib_load(const char *soname, const struct dynlib_symbol *symbols, size_t n,
    char *error, size_t cap)
{
	void *handle = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

	if (handle == NULL)
		return dynlib_failed(error, cap);
	for (size_t i = 0; i < n; i++) {
		void *p = dlsym(handle, symbols[i].name);

		if (p == NULL)
			return dynlib_failed(error, cap);
		memcpy(symbols[i].function, &p, sizeof(p));
	}
	return 0;
}
