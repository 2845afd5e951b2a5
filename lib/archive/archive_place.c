#include "archive_place.h"

#include <inttypes.h>

#include "layout.h"

int
archive_place_note(const struct repo *r, struct buf *path, struct fault *f)
{
	int rc = buf_printf(path, f, "%s/%s-%" PRIu64 ".marks",
	    repo_conf(r)->spool_dir, repo_cluster(r), repo_system_id(r));

	return rc != 0 ? rc : buf_terminate(path, f);
}

int
archive_place_check(struct repo *r, size_t i, const struct archive_note *n,
    const struct deadline *d, struct fault *f)
{
	char key[LAYOUT_KEY];
	struct store_info info;
	struct store *s;
	int rc = repo_store(r, i, &s, f);

	if (rc != 0 || store_may_rewrite(s) ||
	    !archive_note_knew(n, repo_conf(r)->repos[i]))
		return rc;
	rc = layout_mark(repo_cluster(r), repo_system_id(r), key, f);
	if (rc == 0)
		rc = store_stat(s, key, &info, d, f);
	if (rc == FAULT_ABSENT)
		return fault_set(f, FAULT_AGAIN,
		    "%s: the archive's mark, which was there, is gone: is it"
		    " mounted? If it was emptied on purpose, remove %s",
		    store_url(s), n->path);
	return rc;
}

int
archive_place_check_noted(
    struct repo *r, size_t i, const struct deadline *d, struct fault *f)
{
	struct buf path = BUF_INIT(4096);
	struct archive_note n;
	int rc = archive_place_note(r, &path, f);

	if (rc == 0) {
		archive_note_load(&n, (const char *)path.data, repo_keys(r));
		rc = archive_place_check(r, i, &n, d, f);
		archive_note_free(&n);
	}
	buf_free(&path);
	return rc;
}
