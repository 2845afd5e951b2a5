/* Any bytes as a store's answer: header fields, errors, listings, deletions. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "s3_answer.h"
#include "s3_delete.h"
#include "s3_list.h"
#include "s3_marks.h"
#include "s3_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
see(void *ctx, const struct s3_entry *e, struct fault *f)
{
	const struct s3_list_state *l = ctx;

	(void)f;
	if (strncmp(e->key, l->prefix, strlen(l->prefix)) != 0)
		abort();
	if (!e->is_prefix && strlen(e->storage_class) >= S3_CLASS)
		abort();
	return 0;
}

static int
see_mark(void *ctx, const char *key, const char *id, const struct xml_node *n,
    struct fault *f)
{
	const struct s3_marks *m = ctx;

	(void)f;
	if (n == NULL || id[0] == '\0' ||
	    strncmp(key, m->prefix, strlen(m->prefix)) != 0)
		abort();
	return 0;
}

/* A page of versions or of uploads; a next one lies further on. */
static void
read_marks(const struct http_response *rs, const char *root,
    const char *element, const char *id, const char *next_id)
{
	struct s3_marks m = {
	    .what = "w", .prefix = "p/", .id = id, .next_id = next_id};
	struct fault f = FAULT_INIT;
	struct xml *x = NULL;

	strcpy(m.key, "p/k");
	if (s3_answer_document(rs, root, &x, &f) != 0)
		return;
	if (s3_marks_entries(&m, x, element, see_mark, &m, &f) == 0 &&
	    s3_marks_end(&m, x, &f) == 0 && m.more && strcmp(m.key, "p/k") < 0)
		abort();
	xml_free(x);
}

static void
result(void *ctx, size_t i, const struct fault *r)
{
	unsigned *told = ctx;

	(void)r;
	told[i]++;
}

static void
read_lists(const struct http_response *rs, const struct s3_subject *s)
{
	static const char *const keys[] = {"a", "b", "a", "c/d"};
	struct s3_list_state l = {.prefix = "p/", .cb = see, .ctx = &l};
	unsigned told[4] = {0};
	struct fault f = FAULT_INIT;
	struct xml *x = NULL;

	if (s3_answer_document(rs, "ListBucketResult", &x, &f) == 0) {
		(void)s3_list_read(&l, x, &f);
		xml_free(x);
	}
	x = NULL;
	if (s3_answer_document(rs, "DeleteResult", &x, &f) == 0) {
		if (s3_delete_read(s, x, keys, 4, result, told, &f) == 0)
			for (size_t i = 0; i < 4; i++)
				if (told[i] != 1)
					abort();
		xml_free(x);
	}
	read_marks(rs, "ListVersionsResult", "Version", "VersionId",
	    "NextVersionIdMarker");
	read_marks(rs, "ListMultipartUploadsResult", "Upload", "UploadId",
	    "NextUploadIdMarker");
}

static void
judge(const struct http_response *rs, const struct s3_subject *s)
{
	struct fault f = FAULT_INIT;
	struct s3_answer a;
	struct s3_range r;
	enum s3_next next;
	int rc;

	if (s3_answer_range(rs->content_range, &r) == 0 &&
	    (r.first > r.last || r.last >= r.total))
		abort();
	if (s3_answer_retry_after_ms(rs->retry_after, 0) < -1)
		abort();
	s3_answer_read(&a, rs);
	rc = s3_answer_judge(&a, s, &next, &f);
	if (rc == FAULT_ABSENT &&
	    (rs->status != 404 || strcmp(a.code, "NoSuchKey") != 0))
		abort();
	if (rc == 0 && (rs->status < 200 || rs->status > 299))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct s3_subject s = {"r", "GET", "b", "k", "p", false};
	struct http_response rs;
	size_t head;

	memset(&rs, 0, sizeof rs);
	if (size < 3)
		return 0;
	rs.status = 100 + (data[0] | (data[1] & 1) << 8);
	head = data[2] % 60;
	data += 3;
	size -= 3;
	if (head > size)
		head = size;
	memcpy(rs.content_range, data, head);
	memcpy(rs.retry_after, data, head);
	rs.body = malloc(size - head + 1);
	if (rs.body == NULL)
		return 0;
	rs.body_len = size - head;
	memcpy(rs.body, data + head, rs.body_len);
	rs.body[rs.body_len] = '\0';

	judge(&rs, &s);
	read_lists(&rs, &s);
	(void)s3_url_decode((char *)rs.body);
	free(rs.body);
	return 0;
}
