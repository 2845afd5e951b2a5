#include "packread.h"

#include <stdlib.h>
#include <string.h>

#include "layout.h"

/* A gap up to this size is read over: a request costs more. */
#define GAP_MAX (512U << 10)

struct packread {
	struct repo *repo;
	size_t index;
	unsigned char *stored; /* the header, then one extent at a time */
	unsigned char *content;
	size_t have; /* bytes of what is being collected */

	/* one run: */
	const struct manifest_pack *pack;
	packread_fn cb;
	void *ctx;
	struct object_opener *opener;
	uint64_t at;   /* offset in the object of the next byte that comes */
	uint32_t next; /* extent being collected */
};

int
packread_new(
    struct packread **out, struct repo *r, size_t repo, struct fault *f)
{
	struct packread *p = calloc(1, sizeof *p);

	if (p == NULL)
		return fault_nomem(f);
	p->repo = r;
	p->index = repo;
	p->stored = malloc(OBJECT_STORED_MAX);
	p->content = aligned_alloc(PACKREAD_ALIGN, OBJECT_CHUNK_MAX);
	if (p->stored == NULL || p->content == NULL) {
		packread_free(p);
		return fault_nomem(f);
	}
	*out = p;
	return 0;
}

void
packread_free(struct packread *p)
{
	if (p == NULL)
		return;
	free(p->stored);
	free(p->content);
	free(p);
}

/* The header's bytes come first; it is opened once it is whole. */
static int
take_header(struct packread *p, const unsigned char **data, size_t *len,
    struct fault *f)
{
	struct object_id id = {repo_cluster(p->repo), repo_system_id(p->repo),
	    OBJECT_PACK, p->pack->name};
	size_t want = 16;
	int rc = 0;

	while (*len > 0 && p->opener == NULL) {
		size_t n;

		if (p->have >= 16) {
			rc = object_header_length(p->stored, p->have, &want, f);
			if (rc != 0)
				return rc;
		}
		n = want - p->have < *len ? want - p->have : *len;
		memcpy(p->stored + p->have, *data, n);
		p->have += n;
		p->at += n;
		*data += n;
		*len -= n;
		if (p->have > 16 && p->have == want) {
			rc = object_open_header(&p->opener, &id,
			    repo_keys(p->repo), p->stored, p->have, f);
			p->have = 0;
			return rc;
		}
	}
	return 0;
}

static int
open_extent(struct packread *p, const struct manifest_extent *e,
    const unsigned char *stored, struct fault *f)
{
	size_t len;
	int rc;

	rc = object_open_chunk(p->opener, e->where.index, stored,
	    e->where.stored, p->content, OBJECT_CHUNK_MAX, &len, f);
	if (rc != 0)
		return rc;
	if (len != e->where.length)
		return fault_set(f, FAULT_CORRUPT,
		    "extent %u holds %zu bytes, the manifest says %u",
		    e->where.index, len, e->where.length);
	return p->cb(p->ctx, e, p->content, f);
}

/* Bytes of the object as they come: the header, gaps, extents. */
static int
take(void *ctx, const unsigned char *data, size_t len, struct fault *f)
{
	struct packread *p = ctx;
	int rc;

	if (p->opener == NULL) {
		rc = take_header(p, &data, &len, f);
		if (rc != 0)
			return rc;
	}
	while (len > 0 && p->next < p->pack->n_extents) {
		const struct manifest_extent *e = &p->pack->extents[p->next];
		size_t n;

		if (p->have == 0 && p->at < e->where.offset) {
			uint64_t gap = e->where.offset - p->at;

			n = gap < len ? (size_t)gap : len;
		} else {
			n = e->where.stored - p->have;
			if (n > len)
				n = len;
			/* Straight from the network when it is all there. */
			if (n == e->where.stored) {
				rc = open_extent(p, e, data, f);
			} else {
				memcpy(p->stored + p->have, data, n);
				p->have += n;
				rc = 0;
				if (p->have == e->where.stored)
					rc = open_extent(p, e, p->stored, f);
			}
			if (rc != 0)
				return rc;
			if (n == e->where.stored ||
			    p->have == e->where.stored) {
				p->have = 0;
				p->next++;
			}
		}
		p->at += n;
		data += n;
		len -= n;
	}
	return 0;
}

/* The end of a stretch of extents, beginning with first, that one request
 * gets. */
static uint64_t
stretch_end(const struct manifest_pack *pack, uint32_t first, uint32_t *last)
{
	const struct object_extent *w = &pack->extents[first].where;
	uint64_t end = w->offset + w->stored;
	uint32_t k = first + 1;

	for (; k < pack->n_extents; k++) {
		w = &pack->extents[k].where;
		if (w->offset - end > GAP_MAX)
			break;
		end = w->offset + w->stored;
	}
	*last = k;
	return end;
}

static int
check_pack(const struct manifest_pack *pack, struct fault *f)
{
	uint64_t end = 0;
	uint32_t k;

	for (k = 0; k < pack->n_extents; k++) {
		const struct object_extent *w = &pack->extents[k].where;

		if (w->offset < end || w->stored > OBJECT_STORED_MAX ||
		    w->stored == 0 || w->length > OBJECT_CHUNK_MAX ||
		    w->offset > pack->size ||
		    w->stored > pack->size - w->offset)
			return fault_set(f, FAULT_CORRUPT,
			    "the manifest's extent %u lies outside", k);
		end = w->offset + w->stored;
	}
	return 0;
}

static int
fetch(struct packread *p, const char *key, uint64_t from, uint64_t to,
    struct fault *f)
{
	const struct conf_cluster *c = repo_conf(p->repo);
	struct deadline d = deadline_in_ms(c->store_deadline_ms);
	struct store_info info;
	struct store *s;
	int rc;

	rc = repo_store(p->repo, p->index, &s, f);
	if (rc != 0)
		return rc;
	p->at = from;
	rc = store_get(s, key, from, to - from, take, p, &info, &d, f);
	if (rc == 0 && info.size != p->pack->size)
		rc = fault_set(f, FAULT_CORRUPT,
		    "is %llu bytes long, the manifest says %llu",
		    (unsigned long long)info.size,
		    (unsigned long long)p->pack->size);
	return rc;
}

int
packread_run(struct packread *p, const struct manifest_pack *pack,
    packread_fn cb, void *ctx, struct fault *f)
{
	char key[LAYOUT_KEY];
	uint64_t end;
	uint32_t last;
	int rc;

	p->pack = pack;
	p->cb = cb;
	p->ctx = ctx;
	p->next = 0;
	p->have = 0;
	p->opener = NULL;
	rc = check_pack(pack, f);
	if (rc == 0)
		rc = layout_base_key(repo_cluster(p->repo),
		    repo_system_id(p->repo), pack->name, key, f);
	if (rc == 0 && pack->n_extents > 0 &&
	    pack->extents[0].where.offset > GAP_MAX)
		rc = fetch(p, key, 0,
		    pack->size < OBJECT_HEADER_MAX ? pack->size
						   : OBJECT_HEADER_MAX,
		    f);
	while (rc == 0 && p->next < pack->n_extents) {
		uint64_t from =
		    p->opener == NULL ? 0 : pack->extents[p->next].where.offset;

		end = stretch_end(pack, p->next, &last);
		p->have = 0;
		rc = fetch(p, key, from, end, f);
		if (rc == 0 && p->next != last)
			rc = fault_set(f, FAULT_CORRUPT, "is cut short");
	}
	object_opener_free(p->opener);
	p->opener = NULL;
	/* What a manifest names was there when the head was written. */
	if (rc == FAULT_ABSENT)
		rc = fault_recode(f, FAULT_CORRUPT);
	if (rc != 0)
		fault_prefix(f, "%s", pack->name);
	return rc;
}
