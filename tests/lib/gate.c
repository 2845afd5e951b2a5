/*
 * LD_PRELOAD: before the first file of the name GATE_LEAF is deleted, the file
 * $GATE.at is made, and $GATE.go waited for.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
unlinkat(int dir, const char *name, int flags)
{
	static bool passed;
	const char *gate = getenv("GATE"), *leaf = getenv("GATE_LEAF");
	int (*real)(int, const char *, int);
	char path[4096];

	*(void **)&real = dlsym(RTLD_NEXT, "unlinkat");
	if (!passed && gate != NULL && leaf != NULL &&
	    strcmp(name, leaf) == 0) {
		passed = true;
		snprintf(path, sizeof(path), "%s.at", gate);
		close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		snprintf(path, sizeof(path), "%s.go", gate);
		while (access(path, F_OK) != 0)
			usleep(10000);
	}
	return real(dir, name, flags);
}
