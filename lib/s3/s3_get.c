#include <stdio.h>
#include <string.h>

#include "s3_call.h"

/* A read that may take several answers. Positions are in the object. */
struct getter {
	struct s3 *s;
	struct s3_request rq;
	struct http_response rs;
	sink_fn sink;
	void *ctx;
	uint64_t at;  /* next byte to deliver */
	uint64_t end; /* first byte not wanted; UINT64_MAX: not known yet */
	bool ranged;  /* this try asked for a range */
	bool known;   /* info is filled */
	struct s3_info info;

	/* of the answer that is coming in */
	uint64_t pos;
	bool checked;
	bool ours;   /* the fault is this file's or the sink's: no retry */
	bool enough; /* the rest is not wanted */
};

static int
wrong(struct getter *g, enum fault_code code, const char *why, struct fault *f)
{
	g->ours = true;
	fault_set(f, code, "%s", why);
	return s3_call_context(g->s, &g->rq, f);
}

/* Of which object, and from where in it, is what comes now? */
static int
place(struct getter *g, uint64_t *total, struct fault *f)
{
	const struct http_response *rs = &g->rs;
	struct s3_range r;

	if (rs->status == 206) {
		if (!g->ranged || s3_answer_range(rs->content_range, &r) != 0)
			return wrong(g, FAULT_CORRUPT,
			    "206 without a fitting Content-Range", f);
		if (r.first != g->at || r.last >= g->end ||
		    (rs->content_length != UINT64_MAX &&
			rs->content_length != r.last - r.first + 1))
			return wrong(g, FAULT_CORRUPT,
			    "the store sent another range than asked for", f);
		*total = r.total;
		g->pos = g->at;
		return 0;
	}
	if (rs->status != 200)
		return wrong(g, FAULT_AGAIN, "unexpected status", f);
	if (rs->content_length == UINT64_MAX)
		return wrong(g, FAULT_AGAIN, "answer without a length", f);
	/* All of it, though a part was asked for: some stores do. */
	*total = rs->content_length;
	g->pos = 0;
	if (g->ranged && g->at >= *total)
		return wrong(g, FAULT_CORRUPT,
		    "the object is shorter than it has to be", f);
	return 0;
}

static int
check(struct getter *g, struct fault *f)
{
	uint64_t total = 0;
	int rc;

	rc = place(g, &total, f);
	if (rc != 0)
		return rc;
	if (g->known && (total != g->info.size ||
			    (g->rs.etag[0] != '\0' && g->info.etag[0] != '\0' &&
				strcmp(g->rs.etag, g->info.etag) != 0)))
		return wrong(g, FAULT_CORRUPT,
		    "the object was replaced while it was read", f);
	if (!g->known) {
		g->known = true;
		g->info.size = total;
		memcpy(g->info.etag, g->rs.etag, sizeof g->info.etag);
		if (clock_parse_http(
			g->rs.last_modified, &g->info.modified_us) != 0)
			g->info.modified_us = CLOCK_NONE;
	}
	if (g->end > total)
		g->end = total;
	g->checked = true;
	return 0;
}

static int
take(void *ctx, const unsigned char *data, size_t n, struct fault *f)
{
	struct getter *g = ctx;
	uint64_t skip, want;
	int rc;

	if (!g->checked && (rc = check(g, f)) != 0)
		return rc;
	skip = g->at - g->pos;
	if (skip > n)
		skip = n;
	g->pos += skip;
	data += skip;
	n -= (size_t)skip;
	want = g->end - g->at;
	if (want > n)
		want = n;
	if (want > 0) {
		rc = g->sink(g->ctx, data, (size_t)want, f);
		if (rc != 0) {
			g->ours = true;
			return rc;
		}
		g->at += want;
		g->pos += want;
	}
	if (n > want) {
		g->enough = true;
		return fault_set(f, FAULT_AGAIN, "the rest is not wanted");
	}
	return 0;
}

static int
try_once(struct getter *g, enum s3_next *next, struct fault *f)
{
	static const struct s3_request nothing = {.method = "GET"};
	struct http_header h[2];
	struct s3_sums sums;
	char range[64];
	int rc;

	g->ranged = g->at > 0 || g->end != UINT64_MAX;
	g->rq.headers = h;
	g->rq.n_headers = 0;
	if (g->ranged) {
		if (g->end == UINT64_MAX)
			snprintf(range, sizeof range, "bytes=%llu-",
			    (unsigned long long)g->at);
		else
			snprintf(range, sizeof range, "bytes=%llu-%llu",
			    (unsigned long long)g->at,
			    (unsigned long long)(g->end - 1));
		h[g->rq.n_headers++] = (struct http_header){"range", range};
	}
	if (g->known && g->info.etag[0] != '\0')
		h[g->rq.n_headers++] =
		    (struct http_header){"if-match", g->info.etag};
	g->checked = g->enough = false;
	*next = S3_NEXT_GIVE_UP;
	rc = s3_call_sums(g->s, &nothing, &sums, f);
	if (rc == 0)
		rc = s3_call_once(g->s, &g->rq, &sums, &g->rs, NULL, next, f);
	if (g->enough)
		rc = 0;
	if (rc == 0 && !g->checked)
		rc = check(g, f);
	g->rq.n_headers = 0;
	g->rq.headers = NULL;
	return rc;
}

static int
fetch(struct getter *g, struct fault *f)
{
	struct s3_retry retry = {0, false};
	enum s3_next next;
	uint64_t before;
	int rc;
	bool again;

	do {
		before = g->at;
		memset(&g->rs, 0, sizeof g->rs);
		rc = try_once(g, &next, f);
		if (!g->ours && g->known && g->at == g->end)
			rc = 0; /* it broke behind the last byte we want */
		else if (rc == 0) {
			/* A store may send less than was asked for. */
			wrong(g, FAULT_AGAIN, "answer too short", f);
			g->ours = false;
			rc = FAULT_AGAIN;
			next = S3_NEXT_RETRY;
		}
		if (g->at > before)
			retry.tries = 0;
		again = rc != 0 && !g->ours &&
			s3_call_again(g->s, &retry, next, &g->rs, g->rq.d);
		http_response_free(&g->rs);
	} while (again);
	return rc;
}

int
s3_get(struct s3 *s, const char *key, uint64_t offset, uint64_t length,
    sink_fn sink, void *ctx, struct s3_info *info, const struct deadline *d,
    struct fault *f)
{
	struct deadline never = deadline_never();
	struct getter g = {.s = s, .sink = sink, .ctx = ctx, .at = offset};
	int rc;

	g.rq = (struct s3_request){.method = "GET",
	    .key = key,
	    .permission = "s3:GetObject, and s3:ListBucket to tell absent "
			  "from forbidden",
	    .sink = take,
	    .ctx = &g,
	    .d = d != NULL ? d : &never};
	if (length == 0) { /* HTTP has no empty range */
		rc = s3_head(s, key, &g.info, g.rq.d, f);
		if (rc == 0 && offset > g.info.size)
			rc = wrong(&g, FAULT_CORRUPT,
			    "the object is shorter than it has to be", f);
	} else {
		g.end =
		    length > UINT64_MAX - offset ? UINT64_MAX : offset + length;
		rc = fetch(&g, f);
	}
	if (rc == 0) {
		fault_clear(f);
		if (info != NULL)
			*info = g.info;
	}
	return rc;
}
