#include "repo.h"

#include <stdlib.h>

struct repo {
	const struct conf_cluster *conf;
	uint64_t system_id;
	const struct keyring *keys; /* NULL with encryption off */
	struct keyring *own_keys;   /* NULL in a clone */
	const char *class;
	struct store *stores[CONF_LIST];
	int64_t silent_ms[CONF_LIST];
	bool apart[CONF_LIST];
};

int
repo_open(struct repo **out, const struct conf_cluster *c, uint64_t system_id,
    struct fault *f)
{
	struct repo *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return fault_nomem(f);
	r->conf = c;
	r->class = "";
	r->system_id = system_id;
	if (c->encryption) {
		/* No key file is an error here and never plaintext. */
		int rc =
		    keyring_load(&r->own_keys, c->key_files, c->n_key_files, f);

		if (rc != 0) {
			free(r);
			return rc;
		}
		r->keys = r->own_keys;
	}
	*out = r;
	return 0;
}

int
repo_clone(struct repo **out, const struct repo *r, struct fault *f)
{
	struct repo *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return fault_nomem(f);
	n->conf = r->conf;
	n->system_id = r->system_id;
	n->keys = r->keys;
	n->class = r->class;
	for (size_t i = 0; i < r->conf->n_repos; i++) {
		int rc = 0;

		if (r->stores[i] != NULL)
			rc = store_clone(&n->stores[i], r->stores[i], f);
		if (rc != 0) {
			repo_free(n);
			return rc;
		}
	}
	*out = n;
	return 0;
}

int
repo_clone_for(struct repo **out, const struct repo *r,
    const struct conf_cluster *c, struct fault *f)
{
	struct repo *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return fault_nomem(f);
	n->conf = c;
	n->system_id = r->system_id;
	n->keys = r->keys;
	n->class = "";
	*out = n;
	return 0;
}

void
repo_free(struct repo *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < CONF_LIST; i++)
		store_free(r->stores[i]);
	keyring_free(r->own_keys);
	free(r);
}

const struct conf_cluster *
repo_conf(const struct repo *r)
{
	return r->conf;
}

const char *
repo_cluster(const struct repo *r)
{
	return r->conf->name;
}

uint64_t
repo_system_id(const struct repo *r)
{
	return r->system_id;
}

const struct keyring *
repo_keys(const struct repo *r)
{
	return r->keys;
}

int
repo_needs_key(const struct repo *r, const char *what, struct fault *f)
{
	if (r->keys == NULL || keyring_can_open(r->keys))
		return 0;
	return fault_set(f, FAULT_KEY, "%s is the recipient part of a key: %s",
	    repo_conf(r)->key_files[0], what);
}

size_t
repo_count(const struct repo *r)
{
	return r->conf->n_repos;
}

void
repo_warm(const struct repo *r)
{
	for (size_t i = 0; i < repo_count(r); i++)
		store_warm(r->conf->repos[i]);
}

int
repo_store(struct repo *r, size_t i, struct store **out, struct fault *f)
{
	if (r->stores[i] == NULL) {
		int rc = store_open(&r->stores[i], r->conf->repos[i], f);

		/* A secret's file that is not there is not an object's absence.
		 */
		if (rc == FAULT_ABSENT)
			return fault_recode(f, FAULT_CONFIG);
		if (rc != 0)
			return rc;
	}
	*out = r->stores[i];
	return 0;
}

int64_t
repo_silent_ms(const struct repo *r, size_t i)
{
	return r->silent_ms[i];
}

void
repo_set_silent_ms(struct repo *r, size_t i, int64_t at_ms)
{
	r->silent_ms[i] = at_ms;
}

bool
repo_is_apart(const struct repo *r, size_t i)
{
	return r->apart[i];
}

void
repo_set_apart(struct repo *r, size_t i)
{
	r->apart[i] = true;
}

void
repo_set_class(struct repo *r, const char *class)
{
	r->class = class;
}

const char *
repo_class(const struct repo *r)
{
	return r->class;
}

int
repo_seal_object(const struct repo *r, enum object_kind kind, const char *name,
    const void *content, size_t len, struct buf *out, struct fault *f)
{
	struct object_digest digest;
	struct object_params p = {
	    .id = {r->conf->name, r->system_id, kind, name},
	    .keys = r->keys,
	    .codec = (enum codec_kind)r->conf->codec,
	    .level = r->conf->level,
	    .digest = &digest,
	};

	object_digest(&digest, content, len);
	return object_seal_all(&p, content, len, out, f);
}

int
repo_put_object(struct repo *r, size_t i, const char *key,
    enum object_kind kind, const char *name, const void *content, size_t len,
    const struct deadline *d, struct fault *f)
{
	/* Compressed content never grows by more than a chunk's overhead. */
	struct buf sealed = BUF_INIT(len + (len >> 6) + (1U << 16));
	struct store *s = NULL;
	int rc;

	if ((rc = repo_store_for(r, i, kind, &s, f)) == 0 &&
	    (rc = repo_seal_object(r, kind, name, content, len, &sealed, f)) ==
		0)
		rc = store_put_own(s, key, sealed.data, sealed.len, d, f);
	buf_free(&sealed);
	return rc;
}

int
repo_get_object(struct repo *r, size_t i, const char *key,
    enum object_kind kind, const char *name, struct buf *content,
    const struct deadline *d, struct fault *f)
{
	struct object_id id = {r->conf->name, r->system_id, kind, name};
	struct buf sealed =
	    BUF_INIT(content->limit + (content->limit >> 6) + (1U << 16));
	struct store *s = NULL;
	int rc;

	if ((rc = repo_store(r, i, &s, f)) == 0 &&
	    (rc = store_get(
		 s, key, 0, UINT64_MAX, buf_sink, &sealed, NULL, d, f)) == 0) {
		rc = object_open_all(
		    &id, r->keys, sealed.data, sealed.len, content, f);
		if (rc != 0)
			fault_prefix(f, "%s: %s", store_url(s), key);
	}
	buf_free(&sealed);
	return rc;
}
