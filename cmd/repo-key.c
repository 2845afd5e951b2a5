/* repo-key: makes keys. See repo-key(1). */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "clock.h"
#include "fdio.h"
#include "keyring.h"
#include "log.h"
#include "secret.h"
#include "text.h"

static int
repo_key_write(const char *path, const char *text, size_t len, struct fault *f)
{
	struct fdio_atomic a;
	int rc = fdio_atomic_begin(&a, path, 0600, f);

	if (rc != 0)
		return rc;
	rc = fdio_write(a.fd, path, text, len, f);
	if (rc == 0)
		rc = fdio_atomic_publish_new(&a, 1, f);
	if (rc != 0)
		fdio_atomic_abort(&a);
	if (rc == FAULT_EXISTS)
		return fault_set(f, FAULT_EXISTS,
		    "%s exists; a key file is never replaced", path);
	return rc;
}

static int
repo_key_generate(const char *path, struct fault *f)
{
	struct keyring *k = NULL;
	char *text = NULL, id[2 * KEYRING_ID + 1];
	size_t len = 0;
	int rc = keyring_generate(clock_now_us(), &text, &len, f);

	if (rc == 0)
		rc = keyring_parse(&k, path, text, len, f);
	if (rc == 0)
		rc = repo_key_write(path, text, len, f);
	if (rc == 0) {
		text_hex(keyring_at(k, 0)->id, KEYRING_ID, id);
		printf("%s\n", id);
		log_line(0,
		    "%s: keep a copy away from this host; without this key"
		    " nobody can read the backups",
		    path);
	}
	keyring_free(k);
	if (text != NULL)
		secret_wipe(text, len);
	free(text);
	return rc;
}

static int
repo_key_recipient(const char *path, struct fault *f)
{
	struct keyring *k = NULL;
	char *text = NULL;
	size_t len = 0;
	int rc = keyring_load(&k, &path, 1, f);

	if (rc == 0)
		rc = keyring_recipient_text(k, &text, &len, f);
	if (rc == 0)
		rc = fdio_write(STDOUT_FILENO, "standard output", text, len, f);
	keyring_free(k);
	if (text != NULL)
		secret_wipe(text, len);
	free(text);
	return rc;
}

int
main(int argc, char **argv)
{
	const struct cli_program program = {
	    .name = "repo-key",
	    .operands = "generate|recipient FILE",
	    .summary = "make a key, or print its recipient part",
	    .min_args = 2,
	    .max_args = 2,
	};
	struct fault f = FAULT_INIT;
	struct cli cli;
	int status = cli_start(&cli, &program, argc, argv), rc;

	if (status != CLI_GO)
		return status;
	if (strcmp(cli.args[0], "generate") == 0)
		rc = repo_key_generate(cli.args[1], &f);
	else if (strcmp(cli.args[0], "recipient") == 0)
		rc = repo_key_recipient(cli.args[1], &f);
	else
		return cli_usage(
		    &cli, "\"%s\": generate or recipient", cli.args[0]);
	return cli_end(rc, &f);
}
