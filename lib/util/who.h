#ifndef WHO_H
#define WHO_H

/*
 * Who runs this process, for records that name people: the effective user's
 * name, its number where it has none, and the host's name, "" when there is
 * none; cut to fit. One thread at a time.
 */
#define WHO_MAX 256
struct who {
	char user[WHO_MAX];
	char host[WHO_MAX];
};

void who_read(struct who *w);

#endif
