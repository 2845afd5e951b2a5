#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fdio.h"
#include "manifest_source.h"
#include "unpacker_core.h"

static int
fetch_sink(void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	return fdio_write(*(int *)ctx, "the manifest's copy", data, len, f);
}

int
unpacker_manifest_fetch(struct unpacker *u, int *fd, struct fault *f)
{
	struct deadline d =
	    deadline_in_ms(repo_conf(u->repo)->store_deadline_ms);
	char path[4096];
	int rc;

	if ((size_t)snprintf(path, sizeof path, "%s/.pitrkit-manifest-XXXXXX",
		u->params->root) >= sizeof path)
		return fault_set(f, FAULT_CONFIG, "%s: the path is too long",
		    u->params->root);
	*fd = mkostemp(path, O_CLOEXEC);
	if (*fd < 0)
		return fault_errno(f, errno, "%s", path);
	if (unlink(path) != 0)
		return fault_errno(f, errno, "%s", path);
	rc = manifest_source_get(u->repo, u->params->repo, u->params->id,
	    fetch_sink, fd, NULL, &d, f);
	if (rc == FAULT_ABSENT)
		rc = fault_recode(f, FAULT_CORRUPT);
	return rc;
}
