#include "archive_file.h"

int
archive_same(struct repo *r, size_t i, const char *path, bool *same,
    const struct deadline *d, struct fault *f)
{
	struct archive_file_key k;
	struct archive_file a;
	uint64_t stored;
	int rc = archive_file_load(&a, path, false, repo_system_id(r), f);

	if (rc != 0)
		return rc;
	rc = archive_file_key(r, a.name, &k, f);
	if (rc == 0)
		rc = archive_file_compare(
		    r, i, &k, &a.digest, same, &stored, d, f);
	archive_file_free(&a);
	return rc;
}
