/* LD_PRELOAD: what is meant for /dev/log goes to the socket $DEVLOG names. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int
connect(int fd, const struct sockaddr *to, socklen_t len)
{
	int (*real)(int, const struct sockaddr *, socklen_t) = (int (*)(int,
	    const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");
	const struct sockaddr_un *u = (const struct sockaddr_un *)to;
	const char *other = getenv("DEVLOG");
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (other == NULL || to->sa_family != AF_UNIX ||
	    strcmp(u->sun_path, "/dev/log") != 0)
		return real(fd, to, len);
	snprintf(a.sun_path, sizeof a.sun_path, "%s", other);
	return real(fd, (const struct sockaddr *)&a, sizeof a);
}
