#include "distinct.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "manifest.h"

#define SALT 16
#define SLOTS_FIRST 1024U
#define SLOTS_MOST (1U << 20)
#define FOLDER (UINT64_C(1) << 63)

struct mark {
	uint64_t lot;  /* which part of the paths it belongs to */
	uint64_t rest; /* 0: free; with FOLDER if it is one */
};

enum kind {
	KIND_NONE,
	KIND_FILE,
	KIND_FOLDER
};

struct distinct {
	unsigned char salt[SALT];
	struct mark *slot;
	uint32_t slots; /* a power of two */
	uint32_t used;
	uint64_t others; /* bits that are 0 in the lots that are looked at */
	/* What is in one folder comes together: the last one that was met. */
	char above[MANIFEST_PATH];
	size_t above_len;
};

int
distinct_new(struct distinct **out, struct fault *f)
{
	struct distinct *d = calloc(1, sizeof *d);
	int rc;

	if (d == NULL)
		return fault_nomem(f);
	d->slots = SLOTS_FIRST;
	d->slot = calloc(d->slots, sizeof *d->slot);
	rc = d->slot == NULL ? fault_nomem(f) : crypto_random(d->salt, SALT, f);
	if (rc != 0) {
		distinct_free(d);
		return rc;
	}
	*out = d;
	return 0;
}

void
distinct_free(struct distinct *d)
{
	if (d == NULL)
		return;
	free(d->slot);
	free(d);
}

static struct mark
mark_of(const struct distinct *d, const char *path, size_t n)
{
	unsigned char text[SALT + MANIFEST_PATH], hash[16];
	struct mark m;

	memcpy(text, d->salt, SALT);
	memcpy(text + SALT, path, n);
	crypto_xxh(text, SALT + n, hash);
	memcpy(&m.lot, hash, sizeof m.lot);
	memcpy(&m.rest, hash + sizeof m.lot, sizeof m.rest);
	m.rest &= ~FOLDER;
	if (m.rest == 0)
		m.rest = 1;
	return m;
}

/* Where it is, or would be, as a file or a folder. */
static struct mark *
find(struct mark *slot, uint32_t slots, const struct mark *m)
{
	uint32_t at = (uint32_t)m->rest & (slots - 1);

	while (
	    slot[at].rest != 0 && (((slot[at].rest ^ m->rest) & ~FOLDER) != 0 ||
				      slot[at].lot != m->lot))
		at = (at + 1) & (slots - 1);
	return &slot[at];
}

/* More slots, or half of the paths. */
static int
make_room(struct distinct *d, struct fault *f)
{
	uint32_t slots = d->slots < SLOTS_MOST ? d->slots * 2 : d->slots;
	struct mark *slot = calloc(slots, sizeof *slot);

	if (slot == NULL)
		return fault_nomem(f);
	if (slots == d->slots)
		d->others = d->others << 1 | 1;
	d->used = 0;
	for (uint32_t i = 0; i < d->slots; i++) {
		const struct mark *m = &d->slot[i];

		if (m->rest == 0 || (m->lot & d->others) != 0)
			continue;
		*find(slot, slots, m) = *m;
		d->used++;
	}
	free(d->slot);
	d->slot = slot;
	d->slots = slots;
	return 0;
}

/* *was: as what it came before. */
static int
meet(struct distinct *d, const char *path, size_t n, enum kind kind,
    enum kind *was, struct fault *f)
{
	struct mark m = mark_of(d, path, n);
	struct mark *at;
	int rc;

	*was = KIND_NONE;
	if ((m.lot & d->others) != 0)
		return 0;
	at = find(d->slot, d->slots, &m);
	if (at->rest != 0) {
		*was = (at->rest & FOLDER) != 0 ? KIND_FOLDER : KIND_FILE;
		return 0;
	}
	*at = m;
	if (kind == KIND_FOLDER)
		at->rest |= FOLDER;
	d->used++;
	/* At three quarters. */
	while (d->used >= d->slots - d->slots / 4)
		if ((rc = make_room(d, f)) != 0)
			return rc;
	return 0;
}

/* Bytes of the path of what a path is in; 0: the root. */
static size_t
up(const char *path, size_t n)
{
	while (n > 0 && path[n - 1] != '/')
		n--;
	return n > 0 ? n - 1 : 0;
}

/* What path leads through is folders. Above one that came before, all did. */
static int
meet_above(struct distinct *d, const char *path, size_t n, const char **why,
    struct fault *f)
{
	size_t first = up(path, n);
	enum kind was = KIND_NONE;
	int rc;

	if (first == d->above_len && memcmp(path, d->above, first) == 0)
		return 0;
	for (n = first; n > 0 && was == KIND_NONE; n = up(path, n))
		if ((rc = meet(d, path, n, KIND_FOLDER, &was, f)) != 0)
			return rc;
	if (was == KIND_FILE) {
		*why = "lies below a file";
		return 0;
	}
	memcpy(d->above, path, first);
	d->above_len = first;
	return 0;
}

int
distinct_meet(struct distinct *d, const char *path, bool folder,
    const char **why, struct fault *f)
{
	size_t n = strnlen(path, MANIFEST_PATH);
	enum kind kind = folder ? KIND_FOLDER : KIND_FILE, was;
	int rc = meet(d, path, n, kind, &was, f);

	*why = NULL;
	if (rc != 0)
		return rc;
	if (was == KIND_NONE)
		return meet_above(d, path, n, why, f);
	if (was != kind)
		*why = "is a file and a folder";
	else if (!folder)
		*why = "is listed twice";
	return 0;
}
