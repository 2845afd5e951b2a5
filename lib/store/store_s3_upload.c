#include <stdlib.h>
#include <string.h>

#include "store_s3.h"

/* An upload is sent in parts of this size, which S3 takes 10,000 of. */
#define PART ((size_t)24 << 20)
#define PARTS 10000

struct upload {
	struct store_s3 *s;
	struct deadline d;
	struct s3_terms terms; /* as they were when it began */
	char key[STORE_S3_KEY_MAX + 1];
	unsigned char *part;
	size_t len;
	size_t cap; /* grows to PART: most objects are small */
	unsigned parts;
	struct s3_multipart *m;
	bool done;
};

int
store_s3_upload_begin(void **out, struct store *base, const char *key,
    const struct deadline *d, struct fault *f)
{
	struct upload *u = calloc(1, sizeof(*u));
	int rc;

	if (!u)
		return fault_nomem(f);
	u->s = (struct store_s3 *)base;
	u->d = *d;
	u->terms = u->s->terms;
	rc = store_s3_key(u->s, key, u->key, f);
	if (rc)
		free(u);
	else
		*out = u;
	return rc;
}

static int
send_part(struct upload *u, struct fault *f)
{
	int rc = 0;

	if (u->parts == PARTS)
		return fault_set(f, FAULT_CONFIG,
		    "%s: larger than %u parts of 24 MiB, the most that S3 "
		    "takes",
		    u->key, PARTS);
	if (!u->m) {
		s3_set_terms(u->s->s3, &u->terms);
		rc = s3_multipart_begin(&u->m, u->s->s3, u->key, &u->d, f);
		s3_set_terms(u->s->s3, &u->s->terms);
	}
	if (rc == 0)
		rc = s3_multipart_part(u->m, u->part, u->len, &u->d, f);
	if (rc == 0) {
		u->parts++;
		u->len = 0;
	}
	return rc;
}

static int
make_room(struct upload *u, size_t more, struct fault *f)
{
	size_t cap = u->cap ? u->cap : (size_t)256 << 10;
	unsigned char *part;

	while (cap < PART && cap - u->len < more)
		cap *= 2;
	if (cap > PART)
		cap = PART;
	if (cap == u->cap)
		return 0;
	part = realloc(u->part, cap);
	if (!part)
		return fault_nomem(f);
	u->part = part;
	u->cap = cap;
	return 0;
}

int
store_s3_upload_write(
    void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	struct upload *u = ctx;

	while (len > 0) {
		size_t n;
		int rc = 0;

		/* Only when more comes: a last part is never empty. */
		if (u->len == PART)
			rc = send_part(u, f);
		if (rc == 0)
			rc = make_room(u, len, f);
		if (rc)
			return rc;
		n = u->cap - u->len < len ? u->cap - u->len : len;
		memcpy(u->part + u->len, data, n);
		u->len += n;
		data += n;
		len -= n;
	}
	return 0;
}

void
store_s3_upload_deadline(void *ctx, const struct deadline *d)
{
	struct upload *u = ctx;

	u->d = *d;
}

int
store_s3_upload_commit(void *ctx, struct fault *f)
{
	struct upload *u = ctx;
	int rc;

	if (!u->m && u->len < PART) {
		s3_set_terms(u->s->s3, &u->terms);
		rc = store_put_own(&u->s->base, u->key + u->s->prefix_len,
		    u->part, u->len, &u->d, f);
		s3_set_terms(u->s->s3, &u->s->terms);
		return rc;
	}
	rc = send_part(u, f);
	if (rc == 0)
		rc = s3_multipart_complete(u->m, &u->d, f);
	u->done = rc == 0;
	return rc;
}

void
store_s3_upload_free(void *ctx)
{
	struct upload *u = ctx;

	if (u->m && !u->done) {
		/* The upload's own deadline may be why it failed. */
		struct deadline d = deadline_in_ms(10000);

		s3_multipart_abort(u->m, &d);
	}
	s3_multipart_free(u->m);
	free(u->part);
	free(u);
}
