#include "pathset.h"

#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "manifest.h"

#define SALT 16

struct pathset {
	unsigned char salt[SALT];
	uint64_t *slot; /* 0: free */
	uint64_t slots;
	uint64_t room;
};

int
pathset_new(struct pathset **out, uint64_t n, struct fault *f)
{
	struct pathset *s;
	int rc;

	if (n > PATHSET_MAX)
		return fault_set(f, FAULT_CONFIG,
		    "the backup has %llu files, more than the %u of which it "
		    "can be told what else is there",
		    (unsigned long long)n, PATHSET_MAX);
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return fault_nomem(f);
	s->room = n;
	s->slots = n + n / 3 + 16;
	s->slot = calloc(s->slots, sizeof *s->slot);
	rc = s->slot == NULL ? fault_nomem(f) : crypto_random(s->salt, SALT, f);
	if (rc != 0) {
		pathset_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

void
pathset_free(struct pathset *s)
{
	if (s == NULL)
		return;
	free(s->slot);
	free(s);
}

/* Where path is, or would be, and what stands there for it. */
static uint64_t *
find(const struct pathset *s, const char *path, uint64_t *value)
{
	unsigned char text[SALT + MANIFEST_PATH];
	unsigned char hash[16];
	size_t n = strnlen(path, MANIFEST_PATH);
	uint64_t at;

	memcpy(text, s->salt, SALT);
	memcpy(text + SALT, path, n);
	crypto_xxh(text, SALT + n, hash);
	memcpy(value, hash, sizeof *value);
	memcpy(&at, hash + sizeof *value, sizeof at);
	if (*value == 0)
		*value = 1;
	for (at %= s->slots; s->slot[at] != 0 && s->slot[at] != *value;)
		at = at + 1 == s->slots ? 0 : at + 1;
	return &s->slot[at];
}

int
pathset_add(struct pathset *s, const char *path, struct fault *f)
{
	uint64_t value;
	uint64_t *slot = find(s, path, &value);

	if (*slot != 0)
		return 0;
	if (s->room == 0)
		return fault_set(f, FAULT_CORRUPT,
		    "%s: more paths than were announced", path);
	s->room--;
	*slot = value;
	return 0;
}

bool
pathset_has(const struct pathset *s, const char *path)
{
	uint64_t value;

	return *find(s, path, &value) != 0;
}
