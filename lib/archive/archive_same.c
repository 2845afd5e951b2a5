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

int
archive_agree(struct repo *r, size_t a, size_t b, const char *name, bool *same,
    const struct deadline *d, struct fault *f)
{
	struct buf head = BUF_INIT(OBJECT_HEADER_MAX);
	struct archive_file_key k;
	struct store *s;
	uint64_t stored;
	int rc = archive_file_key(r, name, &k, f);

	if (rc == 0)
		rc = repo_store(r, a, &s, f);
	if (rc == 0)
		rc = store_get(s, k.key, 0, OBJECT_HEADER_MAX, buf_sink, &head,
		    NULL, d, f);
	if (rc == 0)
		rc = archive_file_compare_twin(
		    r, b, &k, &head, same, &stored, d, f);
	buf_free(&head);
	return rc;
}
