#include <stdlib.h>
#include <string.h>

#include "object_core.h"
#include "secret.h"

/*
 * The object is a row of units: header, chunks, end chunk, trailer. Each is
 * taken as a whole, from the caller's data when it lies there in one piece,
 * else from pending. How long a unit is, its first bytes say: then want grows
 * and the unit is looked at again.
 */
enum state {
	STATE_HEADER,
	STATE_CHUNK,
	STATE_TRAILER,
	STATE_DONE,
};

struct object_reader {
	struct object_id expect; /* its strings are owned */
	char *cluster;
	char *name;
	const struct keyring *keys;
	sink_fn sink;
	void *ctx;
	struct object_opener *opener;
	enum state state;
	size_t want; /* bytes of this unit, as far as is known */
	unsigned char *pending;
	size_t have;
	size_t cap;
	unsigned char *out; /* content of a chunk */
	uint64_t size;      /* of all units that were taken */
	uint64_t content;
	uint32_t index;
	struct fault failed; /* the first failure, which stays */
};

#define HEADER_FIRST 16 /* enough for object_header_length */

int
object_reader_new(struct object_reader **out, const struct object_id *expect,
    const struct keyring *keys, sink_fn sink, void *ctx, struct fault *f)
{
	struct object_reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return fault_nomem(f);
	r->cluster = strdup(expect->cluster);
	r->name = strdup(expect->name);
	if (r->cluster == NULL || r->name == NULL) {
		object_reader_free(r);
		return fault_nomem(f);
	}
	r->expect = *expect;
	r->expect.cluster = r->cluster;
	r->expect.name = r->name;
	r->keys = keys;
	r->sink = sink;
	r->ctx = ctx;
	r->state = STATE_HEADER;
	r->want = HEADER_FIRST;
	*out = r;
	return 0;
}

void
object_reader_free(struct object_reader *r)
{
	if (r == NULL)
		return;
	if (r->out != NULL && r->opener != NULL &&
	    object_opener_secret(r->opener))
		secret_wipe(r->out, object_opener_chunk_limit(r->opener));
	object_opener_free(r->opener);
	free(r->out);
	free(r->pending);
	free(r->cluster);
	free(r->name);
	free(r);
}

/* Each step sets *taken when the unit is done with, or makes want longer. */

static int
step_header(struct object_reader *r, const unsigned char *p, bool *taken,
    struct fault *f)
{
	size_t len;
	int rc;

	rc = object_header_length(p, r->want, &len, f);
	if (rc != 0)
		return fault_prefix(f, "%s", r->name);
	if (r->want < len) {
		r->want = len;
		return 0;
	}
	rc = object_open_header(&r->opener, &r->expect, r->keys, p, r->want, f);
	if (rc != 0)
		return rc;
	r->out = malloc(object_opener_chunk_limit(r->opener));
	if (r->out == NULL)
		return fault_nomem(f);
	*taken = true;
	return 0;
}

static int
step_chunk(struct object_reader *r, const unsigned char *p, bool *taken,
    struct fault *f)
{
	const uint32_t field = bytes_get_u32(p);
	const bool end = (field & OBJECT_CORE_END) != 0;
	const size_t n = field & ~OBJECT_CORE_END;
	size_t len = 0;
	int rc;

	if (r->want == 4) {
		if (end ? n != OBJECT_CORE_END_STORED - 4
			: n <= CRYPTO_TAG ||
			      n > object_opener_stored_limit(r->opener) - 4 ||
			      r->index == UINT32_MAX)
			return fault_set(f, FAULT_CORRUPT,
			    "%s: chunk %u: has a wrong length", r->name,
			    r->index);
		r->want = 4 + n;
		return 0;
	}
	*taken = true;
	if (end) {
		r->state = STATE_TRAILER;
		return object_open_end(r->opener, p, r->index, r->content, f);
	}
	rc = object_open_chunk(r->opener, r->index, p, r->want, r->out,
	    object_opener_chunk_limit(r->opener), &len, f);
	if (rc != 0)
		return rc;
	r->index++;
	r->content += len;
	return r->sink(r->ctx, r->out, len, f);
}

/* One unit at p, of which want bytes are there. */
static int
step(struct object_reader *r, const unsigned char *p, struct fault *f)
{
	const enum state was = r->state;
	const size_t n = r->want;
	bool taken = false;
	int rc = 0;

	switch (was) {
	case STATE_HEADER:
		rc = step_header(r, p, &taken, f);
		if (taken)
			r->state = STATE_CHUNK;
		break;
	case STATE_CHUNK:
		rc = step_chunk(r, p, &taken, f);
		break;
	case STATE_TRAILER:
		rc = object_open_trailer(r->opener, p, r->size + n, f);
		taken = true;
		r->state = STATE_DONE;
		break;
	case STATE_DONE:
		return fault_set(f, FAULT_CORRUPT,
		    "%s: goes on behind its trailer", r->name);
	}
	if (taken) {
		r->size += n;
		r->have = 0;
		r->want = r->state == STATE_CHUNK     ? 4
			  : r->state == STATE_TRAILER ? OBJECT_TRAILER
						      : 1;
	}
	return rc;
}

/* Up to want bytes to pending; returns how many. 0 with f filled: no memory. */
static size_t
collect(struct object_reader *r, const unsigned char *data, size_t len,
    struct fault *f)
{
	const size_t n = len < r->want - r->have ? len : r->want - r->have;

	if (r->cap < r->want) {
		unsigned char *p = realloc(r->pending, r->want);

		if (p == NULL) {
			(void)fault_nomem(f);
			return 0;
		}
		r->pending = p;
		r->cap = r->want;
	}
	memcpy(r->pending + r->have, data, n);
	r->have += n;
	return n;
}

static int
feed(struct object_reader *r, const unsigned char *data, size_t len,
    struct fault *f)
{
	while (len > 0) {
		const uint64_t size = r->size;
		size_t n = r->want;
		int rc;

		if (r->have == 0 && len >= n) {
			rc = step(r, data, f);
			/* Not taken: want has grown, look again. */
			if (r->size == size)
				n = 0;
		} else {
			n = collect(r, data, len, f);
			if (n == 0)
				return (int)f->code;
			rc = r->have < r->want ? 0 : step(r, r->pending, f);
		}
		if (rc != 0)
			return rc;
		data += n;
		len -= n;
	}
	return 0;
}

/* For good: what was fed before the failure stays without an end. */
static int
fail(struct object_reader *r, const struct fault *f)
{
	if (r->failed.code == FAULT_NONE)
		r->failed = *f;
	return (int)f->code;
}

int
object_reader_feed(
    void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	struct object_reader *r = ctx;

	if (r->failed.code != FAULT_NONE) {
		*f = r->failed;
		return (int)f->code;
	}
	return feed(r, data, len, f) == 0 ? 0 : fail(r, f);
}

int
object_reader_end(struct object_reader *r, struct fault *f)
{
	if (r->failed.code != FAULT_NONE) {
		*f = r->failed;
		return (int)f->code;
	}
	if (r->state != STATE_DONE) {
		(void)fault_set(f, FAULT_CORRUPT,
		    "%s: is cut off after %llu bytes", r->name,
		    (unsigned long long)(r->size + r->have));
		return fail(r, f);
	}
	return 0;
}

const struct object_opener *
object_reader_opener(const struct object_reader *r)
{
	return r->opener;
}

uint64_t
object_reader_content(const struct object_reader *r)
{
	return r->content;
}

int
object_open_all(const struct object_id *expect, const struct keyring *keys,
    const void *object, size_t len, struct buf *out, struct fault *f)
{
	struct object_reader *r = NULL;
	int rc = object_reader_new(&r, expect, keys, buf_sink, out, f);

	if (rc == 0)
		rc = object_reader_feed(r, object, len, f);
	if (rc == 0)
		rc = object_reader_end(r, f);
	object_reader_free(r);
	return rc;
}
