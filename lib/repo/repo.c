#include "repo.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "layout.h"
#include "text.h"

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

/* out: a struct control, or only the id. */
static int
repo_read_control(const char *dir, unsigned char data[CONTROL_SIZE],
    struct control *out, uint64_t *system_id, struct fault *f)
{
	char *path = fdio_join(dir, "global/pg_control");
	int rc;

	if (path == NULL)
		return fault_nomem(f);
	/* The server writes all of the file in one write(2), so a torn read is
	 * over within microseconds; a disk that is slow to answer gets ten
	 * chances. */
	for (int try = 0;; try++) {
		size_t got = 0;
		int fd;

		rc = fdio_open_read(path, &fd, f);
		if (rc != 0)
			break;
		rc = fdio_read(fd, path, data, CONTROL_SIZE, &got, f);
		close(fd);
		if (rc != 0)
			break;
		memset(data + got, 0, CONTROL_SIZE - got);
		rc = out != NULL ? control_parse(data, got, out, f)
				 : control_system_id(data, got, system_id, f);
		if (rc != 0)
			fault_prefix(f, "%s", path);
		if (rc != FAULT_CORRUPT || try == 9)
			break;
		clock_sleep_ms(10);
	}
	free(path);
	return rc;
}

int
repo_control(const char *dir, struct control *out, struct fault *f)
{
	unsigned char data[CONTROL_SIZE];

	return repo_read_control(dir, data, out, NULL, f);
}

int
repo_control_read(const char *dir, unsigned char data[CONTROL_SIZE],
    struct control *out, struct fault *f)
{
	return repo_read_control(dir, data, out, NULL, f);
}

static int
repo_read_id(const char *dir, uint64_t *out, struct fault *f)
{
	unsigned char data[CONTROL_SIZE];

	return repo_read_control(dir, data, NULL, out, f);
}

int
repo_own_system_id(
    const char *pgdata, bool agree, uint64_t *out, struct fault *f)
{
	uint64_t here, there;
	int rc = repo_read_id(".", &here, f);

	if (rc != 0 && rc != FAULT_ABSENT)
		return rc;
	if (rc == FAULT_ABSENT) {
		if (pgdata == NULL)
			return fault_set(f, FAULT_CONFIG,
			    "the working directory is no data directory"
			    " (global/pg_control), and the settings name no"
			    " pgdata");
		rc = repo_read_id(pgdata, &there, f);
		if (rc == FAULT_ABSENT)
			return fault_recode(f, FAULT_CONFIG);
		if (rc == 0)
			*out = there;
		return rc;
	}
	if (agree && pgdata != NULL) {
		rc = repo_read_id(pgdata, &there, f);
		if (rc != 0 && rc != FAULT_ABSENT)
			return rc;
		if (rc == 0 && there != here)
			return fault_set(f, FAULT_FOREIGN,
			    "the working directory is of system id %" PRIu64
			    ", but pgdata = %s of %" PRIu64
			    ": not this section's cluster",
			    here, pgdata, there);
	}
	*out = here;
	return 0;
}

struct repo_ids {
	size_t prefix_len;
	uint64_t *out;
	size_t cap;
	size_t n;
};

/* Folders that are no number are not ours, and of no harm. */
static int
repo_take_id(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct repo_ids *ids = ctx;
	char digits[24];
	uint64_t id;
	size_t len = strlen(e->key);

	(void)f;
	if (!e->is_folder || len <= ids->prefix_len + 1)
		return 0;
	len -= ids->prefix_len + 1; /* the '/' at the end */
	if (len >= sizeof(digits))
		return 0;
	memcpy(digits, e->key + ids->prefix_len, len);
	digits[len] = '\0';
	if (digits[0] == '0' || text_u64(digits, &id) != 0)
		return 0;
	if (ids->n < ids->cap)
		ids->out[ids->n] = id;
	ids->n++;
	return 0;
}

int
repo_system_ids(struct store *s, const char *cluster, uint64_t *out, size_t cap,
    size_t *n, const struct deadline *d, struct fault *f)
{
	struct repo_ids ids = {.out = out, .cap = cap};
	struct buf prefix = BUF_INIT(LAYOUT_KEY);
	int rc;

	if ((rc = buf_printf(&prefix, f, "%s/", cluster)) == 0 &&
	    (rc = buf_terminate(&prefix, f)) == 0) {
		ids.prefix_len = prefix.len;
		rc = store_list(s, (const char *)prefix.data, true, NULL,
		    repo_take_id, &ids, d, f);
	}
	buf_free(&prefix);
	if (rc == 0)
		*n = ids.n;
	return rc;
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
