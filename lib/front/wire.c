#include "wire.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

socklen_t
wire_address(const char *name, struct sockaddr_un *a)
{
	size_t n = strlen(name);

	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	memcpy(a->sun_path + 1, name, n);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n);
}

int
wire_ours(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       peer.uid == geteuid();
}

int
wire_connect(const char *name)
{
	struct sockaddr_un a;
	socklen_t len = wire_address(name, &a);
	int s =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (s < 0)
		return -1;
	if (connect(s, (struct sockaddr *)&a, len) == 0 && wire_ours(s))
		return s;
	close(s);
	return -1;
}
