#include "who.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

void
who_read(struct who *w)
{
	const struct passwd *pw = getpwuid(geteuid());

	if (pw != NULL)
		snprintf(w->user, sizeof w->user, "%s", pw->pw_name);
	else
		snprintf(
		    w->user, sizeof w->user, "%lu", (unsigned long)geteuid());
	/* A name that is too long has no NUL. */
	w->host[sizeof w->host - 1] = '\0';
	if (gethostname(w->host, sizeof w->host - 1) != 0)
		w->host[0] = '\0';
}
