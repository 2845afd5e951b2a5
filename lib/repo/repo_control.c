#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "repo.h"

/* out: a struct control, or only the id. */
static int
read_control(const char *dir, unsigned char data[CONTROL_SIZE],
    struct control *out, uint64_t *system_id, struct fault *f)
{
	char *path = fdio_join(dir, "global/pg_control");
	int rc;

	if (path == NULL)
		return fault_nomem(f);
	/* The server writes all of the file in one write(2), so a torn read is
	 * over within microseconds; a disk that is slow to answer gets ten
	 * chances. */
	for (int try = 0;; try++) {
		size_t got = 0;
		int fd;

		rc = fdio_open_read(path, &fd, f);
		if (rc != 0)
			break;
		rc = fdio_read(fd, path, data, CONTROL_SIZE, &got, f);
		close(fd);
		if (rc != 0)
			break;
		memset(data + got, 0, CONTROL_SIZE - got);
		rc = out != NULL ? control_parse(data, got, out, f)
				 : control_system_id(data, got, system_id, f);
		if (rc != 0)
			fault_prefix(f, "%s", path);
		if (rc != FAULT_CORRUPT || try == 9)
			break;
		clock_sleep_ms(10);
	}
	free(path);
	return rc;
}

int
repo_control(const char *dir, struct control *out, struct fault *f)
{
	unsigned char data[CONTROL_SIZE];

	return read_control(dir, data, out, NULL, f);
}

int
repo_control_read(const char *dir, unsigned char data[CONTROL_SIZE],
    struct control *out, struct fault *f)
{
	return read_control(dir, data, out, NULL, f);
}

static int
read_id(const char *dir, uint64_t *out, struct fault *f)
{
	unsigned char data[CONTROL_SIZE];

	return read_control(dir, data, NULL, out, f);
}

int
repo_own_system_id(
    const char *pgdata, bool agree, uint64_t *out, struct fault *f)
{
	uint64_t here, there;
	int rc = read_id(".", &here, f);

	if (rc != 0 && rc != FAULT_ABSENT)
		return rc;
	if (rc == FAULT_ABSENT) {
		if (pgdata == NULL)
			return fault_set(f, FAULT_CONFIG,
			    "the working directory is no data directory"
			    " (global/pg_control), and the settings name no"
			    " pgdata");
		rc = read_id(pgdata, &there, f);
		if (rc == FAULT_ABSENT)
			return fault_recode(f, FAULT_CONFIG);
		if (rc == 0)
			*out = there;
		return rc;
	}
	if (agree && pgdata != NULL) {
		rc = read_id(pgdata, &there, f);
		if (rc != 0 && rc != FAULT_ABSENT)
			return rc;
		if (rc == 0 && there != here)
			return fault_set(f, FAULT_FOREIGN,
			    "the working directory is of system id %" PRIu64
			    ", but pgdata = %s of %" PRIu64
			    ": not this section's cluster",
			    here, pgdata, there);
	}
	*out = here;
	return 0;
}
