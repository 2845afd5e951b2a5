#include <stdio.h>
#include <stdlib.h>

#include "conf_core.h"

static int
repo_stated(
    const struct conf_repo *r, conf_stated_fn fn, void *ctx, struct fault *f)
{
	const char *key;
	int rc = 0;

	for (size_t i = 0; rc == 0 && r->stated != NULL &&
			   (key = conf_key_repo_name(i)) != NULL;
	     i++) {
		char *name;

		if (r->stated[i] == NULL)
			continue;
		if (asprintf(&name, "%s.%s", r->name, key) < 0)
			return fault_nomem(f);
		rc = fn(ctx, name, r->stated[i], f);
		free(name);
	}
	return rc;
}

int
conf_stated(
    const struct conf_cluster *c, conf_stated_fn fn, void *ctx, struct fault *f)
{
	const char *key;
	int rc = 0;

	if (c->whole != NULL)
		c = c->whole;
	if (c->conf != NULL)
		rc = fn(ctx, "settings_file", conf_path(c->conf), f);
	for (size_t i = 0; rc == 0 && c->stated != NULL &&
			   (key = conf_key_cluster_name(i)) != NULL;
	     i++)
		if (c->stated[i] != NULL)
			rc = fn(ctx, key, c->stated[i], f);
	for (size_t i = 0; rc == 0 && i < c->n_repos; i++)
		rc = repo_stated(c->repos[i], fn, ctx, f);
	return rc;
}
