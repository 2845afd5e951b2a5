#include <fcntl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fdio.h"
#include "layout.h"
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
	char key[LAYOUT_KEY];
	struct store *s;
	int rc;

	if ((size_t)snprintf(path, sizeof path, "%s/.pitrkit-manifest-XXXXXX",
		u->params->root) >= sizeof path)
		return fault_set(f, FAULT_CONFIG, "%s: the path is too long",
		    u->params->root);
	*fd = mkostemp(path, O_CLOEXEC);
	if (*fd < 0)
		return fault_errno(f, errno, "%s", path);
	unlink(path);
	rc = layout_base(repo_cluster(u->repo), repo_system_id(u->repo),
	    u->params->id, "manifest", key, f);
	if (rc == 0)
		rc = repo_store(u->repo, u->params->repo, &s, f);
	if (rc == 0)
		rc = store_get(
		    s, key, 0, UINT64_MAX, fetch_sink, fd, NULL, &d, f);
	if (rc == FAULT_ABSENT)
		rc = fault_recode(f, FAULT_CORRUPT);
	return rc;
}

int
unpacker_manifest_read(struct unpacker *u, int fd,
    const struct manifest_events *ev, struct manifest_totals *totals,
    struct fault *f)
{
	struct manifest_reader *m = NULL;
	struct object_reader *o = NULL;
	unsigned char *block = malloc(OBJECT_CHUNK);
	char name[LAYOUT_KEY];
	struct object_id id = {repo_cluster(u->repo), repo_system_id(u->repo),
	    OBJECT_MANIFEST, name};
	size_t got = 1;
	int rc;

	rc = block == NULL
		 ? fault_nomem(f)
		 : layout_base_name(u->params->id, "manifest", name, f);
	if (rc == 0 && lseek(fd, 0, SEEK_SET) != 0)
		rc = fault_errno(f, errno, "manifest");
	if (rc == 0)
		rc = manifest_reader_new(&m, ev, u, f);
	if (rc == 0)
		rc = object_reader_new(
		    &o, &id, repo_keys(u->repo), manifest_reader_feed, m, f);
	while (rc == 0 && got > 0) {
		rc = fdio_read(fd, "manifest", block, OBJECT_CHUNK, &got, f);
		if (rc == 0)
			rc = object_reader_feed(o, block, got, f);
	}
	if (rc == 0)
		rc = object_reader_end(o, f);
	if (rc == 0)
		rc = manifest_reader_end(m, totals, f);
	object_reader_free(o);
	manifest_reader_free(m);
	free(block);
	return rc;
}
