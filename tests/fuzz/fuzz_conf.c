#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"

/* Settings that are accepted are complete: what the rest of the program
 * relies on without looking again. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct conf_cluster *k)
{
	size_t i;

	if (k->conninfo == NULL || k->spool_dir == NULL || k->n_repos == 0 ||
	    k->push_quorum == 0 || k->push_quorum > k->n_repos ||
	    k->encryption != (k->n_key_files > 0) || k->push_deadline_ms <= 0)
		abort();
	for (i = 0; i < k->n_repos; i++) {
		const struct conf_repo *r = k->repos[i];

		if (r->kind == CONF_STORE_FILE) {
			if (r->path == NULL || r->path[0] != '/')
				abort();
			continue;
		}
		if (r->bucket == NULL || r->prefix == NULL ||
		    r->endpoint == NULL || r->region == NULL)
			abort();
		if (strncmp(r->endpoint, "http://", 7) == 0 && !r->insecure)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct conf_cluster *k;
	struct fault f = FAULT_INIT;
	struct conf *c;

	if (conf_parse(&c, "FILE", (const char *)data, size, &f) != 0) {
		if (f.code == FAULT_NONE || f.text[0] == '\0')
			abort();
		return 0;
	}
	if (conf_cluster(c, NULL, &k, &f) == 0)
		check(k);
	conf_free(c);
	return 0;
}
