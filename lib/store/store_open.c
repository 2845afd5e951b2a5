#include "http.h"
#include "store_ops.h"

int
store_open(struct store **out, const struct conf_repo *repo, struct fault *f)
{
	switch (repo->kind) {
	case CONF_STORE_FILE:
		return store_file_open(out, repo, f);
	case CONF_STORE_S3:
		return store_s3_open(out, repo, f);
	}
	return fault_set(f, FAULT_CONFIG,
	    "repository %s: this kind of store is not known", repo->name);
}

void
store_warm(const struct conf_repo *repo)
{
	if (repo->kind == CONF_STORE_S3)
		http_warm();
}
