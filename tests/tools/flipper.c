/*
 * flipper [-a] [-s SEED] KEYFILE REPOSITORY CLUSTER
 *
 * Damages every object of a directory repository in memory and opens it the
 * way its readers do: one bit of each byte flipped, cut at each length,
 * lengthened, put in the place of each other object, chunks exchanged.
 * Whatever is accepted is told, and makes the exit status 1.
 *
 * Objects of more than 64 KiB: all of the header, the first and last 4 KiB,
 * all around chunk boundaries, and single bytes elsewhere, chosen by SEED; with
 * -a everything.
 */
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive_file.h"
#include "fdio.h"
#include "head.h"
#include "manifest.h"
#include "object.h"
#include "text.h"
#include "walmeta.h"

#define ITEMS_MAX 4096
#define SMALL 65536U
#define EDGE 4096U
#define STRIDE 499U
#define CONTENT_MAX ((size_t)256 << 20)

struct item {
	char *path;
	const char *rest; /* below CLUSTER/SYSTEM-ID/ */
	struct object_id id;
	unsigned char *bytes;
	size_t len;
	size_t header;
	struct object_digest digest;
};

static struct item items[ITEMS_MAX];
static size_t n_items;
static struct keyring *keys;
static const char *cluster;
static size_t root_len;
static bool all;
static uint32_t random_state = 1;
static struct buf content = BUF_INIT(CONTENT_MAX);
static uint64_t flips, cuts, swaps, accepted;

static void
die(const char *what, const struct fault *f)
{
	fprintf(stderr, "flipper: %s: %s\n", what, f->text);
	exit(2);
}

static uint32_t
next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

/* ---- what there is ---- */

/* Kind and bound name, from where the object stands. */
static void
identify(struct item *t)
{
	struct fault f = FAULT_INIT;
	const char *last = strrchr(t->path, '/') + 1;
	struct walname n;

	t->id.cluster = cluster;
	if (strcmp(t->rest, "archive") == 0) {
		t->id.kind = OBJECT_ARCHIVE;
		t->id.name = "archive";
	} else if (text_prefix(t->rest, "wal/")) {
		if (walname_parse(last, &n, &f) != 0)
			die(t->path, &f);
		t->id.kind = archive_file_kind(&n);
		t->id.name = last;
	} else if (text_prefix(t->rest, "audit/")) {
		t->id.kind = OBJECT_AUDIT;
		t->id.name = t->rest + strlen("audit/");
	} else {
		t->id.kind = strcmp(last, "head") == 0       ? OBJECT_HEAD
			     : strcmp(last, "manifest") == 0 ? OBJECT_MANIFEST
							     : OBJECT_PACK;
		t->id.name = t->rest + strlen("base/");
	}
}

static int
take_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct fault f = FAULT_INIT;
	struct item *t = &items[n_items];
	char id[32] = "";

	(void)st;
	(void)ftw;
	if (type != FTW_F)
		return 0;
	if (n_items == ITEMS_MAX || (t->path = strdup(path)) == NULL)
		return 1;
	t->rest = strchr(t->path + root_len, '/');
	if (t->rest == NULL ||
	    (size_t)(t->rest - t->path) - root_len >= sizeof id)
		return 1;
	memcpy(id, t->path + root_len, (size_t)(t->rest - t->path) - root_len);
	t->rest++;
	if (text_u64(id, &t->id.system_id) != 0)
		return 1;
	identify(t);
	if (fdio_slurp(path, CONTENT_MAX, &t->bytes, &t->len, &f) != 0 ||
	    object_header_length(t->bytes, t->len, &t->header, &f) != 0)
		die(path, &f);
	n_items++;
	return 0;
}

/* ---- reading, as the readers do ---- */

static int
read_manifest(struct fault *f)
{
	static const struct manifest_events ev = {NULL, NULL};
	struct manifest_reader *m;
	struct manifest_totals totals;
	int rc = manifest_reader_new(&m, &ev, NULL, f);

	if (rc != 0)
		return rc;
	rc = manifest_reader_feed(m, content.data, content.len, f);
	if (rc == 0)
		rc = manifest_reader_end(m, &totals, f);
	manifest_reader_free(m);
	return rc;
}

static int
check_wal(
    const struct object_id *id, const struct object_opener *o, struct fault *f)
{
	const unsigned char *p;
	struct walmeta m;
	struct walname n;
	size_t len;
	int rc;

	p = object_meta(o, &len);
	if ((rc = walmeta_decode(p, len, &m, f)) != 0 ||
	    (rc = walname_parse(id->name, &n, f)) != 0)
		return rc;
	if (m.size != content.len)
		return fault_set(f, FAULT_CORRUPT, "another size");
	if (n.kind != WALNAME_SEGMENT && n.kind != WALNAME_PARTIAL)
		return 0;
	return archive_file_check_header(content.data, content.len, content.len,
	    &n, id->system_id, id->name, f);
}

/* The whole object, fed in pieces of so many bytes. */
static int
open_whole(const struct object_id *id, const unsigned char *p, size_t len,
    size_t piece, struct fault *f)
{
	struct object_reader *r;
	struct head h;
	size_t at;
	int rc;

	fault_clear(f);
	buf_clear(&content);
	rc = object_reader_new(&r, id, keys, buf_sink, &content, f);
	for (at = 0; rc == 0 && at < len; at += piece)
		rc = object_reader_feed(
		    r, p + at, len - at < piece ? len - at : piece, f);
	if (rc == 0)
		rc = object_reader_end(r, f);
	if (rc == 0 && id->kind == OBJECT_MANIFEST)
		rc = read_manifest(f);
	if (rc == 0 && id->kind == OBJECT_HEAD &&
	    (rc = head_decode(content.data, content.len, &h, f)) == 0)
		head_free(&h);
	if (rc == 0 && id->kind >= OBJECT_WAL && id->kind <= OBJECT_PARTIAL)
		rc = check_wal(id, object_reader_opener(r), f);
	object_reader_free(r);
	return rc;
}

static void
report(const struct item *t, const char *how, size_t at)
{
	accepted++;
	printf("accepted: %s, %s %zu\n", t->path, how, at);
}

/* A host without private key must not take it for the same content, either:
 * by the header and the trailer, which is all it reads. */
static void
compare(const struct item *t, const unsigned char *p, size_t len,
    const char *how, size_t at)
{
	struct fault f = FAULT_INIT;
	bool same = false;

	if (len < OBJECT_TRAILER)
		return;
	if (object_compare(&t->id, keys, &t->digest, p, len,
		p + len - OBJECT_TRAILER, len, &same, &f) == 0 &&
	    same)
		report(t, how, at);
}

/* ---- damage ---- */

/* The chunk that holds byte "at": its number, offset and size. False for the
 * header, the end chunk and the trailer. */
static bool
find_chunk(const struct item *t, size_t at, uint32_t *index, size_t *offset,
    size_t *size)
{
	struct bytes b;
	uint32_t n;

	*offset = t->header;
	for (*index = 0; *offset <= at; (*index)++) {
		b = (struct bytes){t->bytes + *offset, t->len - *offset};
		if (bytes_u32(&b, &n) != 0 || (n & 0x80000000U) != 0)
			return false;
		*size = 4 + (size_t)n;
		if (at < *offset + *size)
			return true;
		*offset += *size;
	}
	return false;
}

static bool
chosen(const struct item *t, size_t at)
{
	uint32_t index;
	size_t offset;
	size_t size;

	if (all || t->len <= SMALL || at < t->header + EDGE ||
	    at >= t->len - EDGE)
		return true;
	if (find_chunk(t, at, &index, &offset, &size) &&
	    (at < offset + 32 || at >= offset + size - 32))
		return true;
	return next_random() % STRIDE == 0;
}

static void
flip_all(struct item *t)
{
	struct object_opener *o;
	struct fault f = FAULT_INIT;
	size_t offset;
	size_t size;
	size_t got;
	size_t at;
	uint32_t index;

	if (object_open_header(&o, &t->id, keys, t->bytes, t->len, &f) != 0)
		die(t->path, &f);
	for (at = 0; at < t->len; at++) {
		unsigned char bit = (unsigned char)(1U << next_random() % 8);
		bool in_chunk;

		if (!chosen(t, at))
			continue;
		in_chunk = find_chunk(t, at, &index, &offset, &size);
		t->bytes[at] ^= bit;
		flips++;
		/* By range, as a restore reads packs. */
		if (in_chunk &&
		    object_open_chunk(o, index, t->bytes + offset, size,
			content.data, content.cap, &got, &f) == 0)
			report(t, "a flipped bit of the chunk at", at);
		if ((!in_chunk || all ||
			at % (t->len <= SMALL ? 8 : 64) == 0) &&
		    open_whole(&t->id, t->bytes, t->len, t->len, &f) == 0)
			report(t, "a flipped bit at", at);
		if (at < t->header || at >= t->len - OBJECT_TRAILER)
			compare(t, t->bytes, t->len, "compared, a flip at", at);
		t->bytes[at] ^= bit;
	}
	object_opener_free(o);
}

static void
cut_all(struct item *t)
{
	size_t step = 1 + t->len / 256;
	struct fault f = FAULT_INIT;
	unsigned char *longer = malloc(t->len + 40);
	size_t len;

	if (longer == NULL)
		exit(2);
	for (len = 0; len < t->len; len += all && t->len <= SMALL ? 1 : step) {
		cuts++;
		if (open_whole(&t->id, t->bytes, len, 1 + len / 3, &f) == 0)
			report(t, "cut at", len);
		compare(t, t->bytes, len, "compared, cut at", len);
	}
	for (len = t->len > 64 ? t->len - 64 : 0; len < t->len; len++) {
		cuts++;
		if (open_whole(&t->id, t->bytes, len, t->len, &f) == 0)
			report(t, "cut at", len);
		compare(t, t->bytes, len, "compared, cut at", len);
	}
	/* Longer: by a byte, by its own trailer once more. */
	memcpy(longer, t->bytes, t->len);
	memcpy(longer + t->len, t->bytes + t->len - 40, 40);
	for (len = t->len + 1; len <= t->len + 40; len += 39) {
		cuts++;
		if (open_whole(&t->id, longer, len, t->len, &f) == 0)
			report(t, "lengthened to", len);
		compare(t, longer, len, "compared, lengthened to", len);
	}
	free(longer);
}

/* Each other object in its place, and its own chunks in each other's. */
static void
swap_all(struct item *t)
{
	struct fault f = FAULT_INIT;
	struct object_opener *o;
	size_t offset = t->header;
	size_t size;
	size_t got;
	size_t k;
	uint32_t index;

	for (k = 0; k < n_items; k++) {
		if (&items[k] == t)
			continue;
		swaps++;
		if (open_whole(&t->id, items[k].bytes, items[k].len,
			items[k].len, &f) == 0)
			report(t, "held for it: object", k);
	}
	if (object_open_header(&o, &t->id, keys, t->bytes, t->len, &f) != 0)
		die(t->path, &f);
	while (find_chunk(t, offset, &index, &offset, &size)) {
		uint32_t other;

		for (other = 0; other < 8; other++) {
			if (other == index)
				continue;
			swaps++;
			if (object_open_chunk(o, other, t->bytes + offset, size,
				content.data, content.cap, &got, &f) == 0)
				report(t, "a chunk as number", other);
		}
		offset += size;
	}
	object_opener_free(o);
}

int
main(int argc, char **argv)
{
	struct fault f = FAULT_INIT;
	const char *file;
	char *root;
	uint64_t seed;
	size_t k;
	int c;

	while ((c = getopt(argc, argv, "as:")) != -1) {
		if (c == 'a')
			all = true;
		else if (c != 's' || text_u64(optarg, &seed) != 0)
			return 2;
		else
			random_state = (uint32_t)seed | 1;
	}
	if (argc - optind != 3)
		return 2;
	file = argv[optind];
	cluster = argv[optind + 2];
	root = fdio_join(argv[optind + 1], cluster);
	if (root == NULL || keyring_load(&keys, &file, 1, &f) != 0)
		die(file, &f);
	root_len = strlen(root) + 1;
	if (nftw(root, take_file, 32, FTW_PHYS) != 0 || n_items == 0)
		die(root, &f);
	if (buf_reserve(&content, OBJECT_CHUNK_MAX, &f) != 0)
		die("memory", &f);
	for (k = 0; k < n_items; k++) {
		struct item *t = &items[k];

		if (open_whole(&t->id, t->bytes, t->len, 1000, &f) != 0)
			die(t->path, &f);
		object_digest(&t->digest, content.data, content.len);
	}
	for (k = 0; k < n_items; k++) {
		flip_all(&items[k]);
		cut_all(&items[k]);
		swap_all(&items[k]);
	}
	printf("%zu objects, %" PRIu64 " flips, %" PRIu64 " cuts, %" PRIu64
	       " swaps: %" PRIu64 " accepted\n",
	    n_items, flips, cuts, swaps, accepted);
	return accepted != 0;
}
