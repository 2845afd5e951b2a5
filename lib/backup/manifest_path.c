#include <string.h>

#include "manifest.h"

bool
manifest_path_ok(const char *path, size_t len)
{
	const char *p = path, *end = path + len;

	if (len == 0 || len >= MANIFEST_PATH)
		return false;
	for (;;) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		size_t n = (size_t)((slash != NULL ? slash : end) - p);

		if (n == 0 || memchr(p, '\0', n) != NULL ||
		    (n == 1 && p[0] == '.') ||
		    (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (slash == NULL)
			return true;
		p = slash + 1;
	}
}

int
manifest_path_in_space(const char *path, const char *below, struct fault *f)
{
	size_t n = strcspn(below, "/");

	if (n > 3 && memcmp(below, "PG_", 3) == 0 &&
	    3 + strspn(below + 3, "0123456789_") == n)
		return 0;
	return fault_set(f, FAULT_CORRUPT,
	    "the manifest names '%s', where no server puts anything", path);
}
