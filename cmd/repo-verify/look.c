#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "verify.h"

/* Everything that is listed, in bounded memory: 16 bytes for a pack, 100 for 64
 * segments. */

/* ---- what the listing shows ---- */

static int
room(void **p, size_t n, size_t *cap, size_t size, struct fault *f)
{
	size_t more = *cap == 0 ? 64 : 2 * *cap;
	void *grown;

	if (n < *cap)
		return 0;
	grown = reallocarray(*p, more, size);
	if (grown == NULL)
		return fault_nomem(f);
	*p = grown;
	*cap = more;
	return 0;
}

static int
end_folder(struct verify *v, struct fault *f)
{
	int rc = 0;

	if (v->hash != NULL)
		rc = crypto_hash_final(
		    v->hash, v->folders[v->n_folders - 1].sum, f);
	crypto_hash_free(v->hash);
	v->hash = NULL;
	return rc;
}

static int
add_pack(struct verify *v, const char *what, uint64_t size, struct fault *f)
{
	void *p = v->packs;
	uint32_t number;
	int rc;

	if (!layout_is_pack(what, &number))
		return 0;
	rc = room(&p, v->n_packs, &v->cap_packs, sizeof *v->packs, f);
	v->packs = p;
	if (rc != 0)
		return rc;
	v->packs[v->n_packs++] = (struct verify_pack){number, false, size};
	v->folders[v->n_folders - 1].n_packs++;
	return 0;
}

static int
see_base(struct verify *v, const struct store_entry *e, struct fault *f)
{
	const char *pack = strstr(e->key, "/pack/");
	char rest[64];
	void *p = v->folders;
	int len, rc = 0;

	/* gather has just counted it. */
	if (v->n_folders < v->gather.n_folders) {
		if ((rc = end_folder(v, f)) != 0 ||
		    (rc = room(&p, v->n_folders, &v->cap_folders,
			 sizeof *v->folders, f)) != 0)
			return rc;
		v->folders = p;
		v->folders[v->n_folders++] =
		    (struct verify_folder){.first_pack = v->n_packs};
		if ((rc = crypto_hash_new(&v->hash, f)) != 0)
			return rc;
	}
	/* A key of any length: anybody may have put it there. */
	len = snprintf(rest, sizeof rest, " %" PRIu64 " %" PRId64 "\n", e->size,
	    e->modified_us);
	rc = crypto_hash_update(v->hash, e->key, strlen(e->key), f);
	if (rc == 0)
		rc = crypto_hash_update(v->hash, rest, (size_t)len, f);
	if (rc == 0 && pack != NULL)
		rc = add_pack(v, pack + 1, e->size, f);
	return rc;
}

static int
see_wal(struct verify *v, const struct store_entry *e, struct walname *n,
    struct fault *f)
{
	const char *name = strrchr(e->key, '/') + 1;
	void *p = v->others;
	int rc;

	if (n->kind == WALNAME_HISTORY)
		return 0;
	rc = blocks_add(&v->blocks, n, name, e->size, e->modified_us, f);
	if (rc == 0)
		rc = days_see(v, n, e->size, e->modified_us, f);
	if (rc != 0 || n->kind == WALNAME_SEGMENT)
		return rc;
	rc = room(&p, v->n_others, &v->cap_others, sizeof *v->others, f);
	v->others = p;
	if (rc == 0)
		memcpy(v->others[v->n_others++].name, name, strlen(name) + 1);
	return rc;
}

static int
see(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct verify *v = ctx;
	struct walname n;

	if (gather_wal_name(&v->gather, e->key, &n))
		return see_wal(v, e, &n, f);
	return see_base(v, e, f);
}

/* ".../base/ID/WHAT" -> ID */
static bool
backup_of(const char *key, char id[LAYOUT_ID])
{
	const char *p = strstr(key, "/base/");
	size_t n;

	if (p == NULL)
		return false;
	p += 6;
	n = strcspn(p, "/");
	if (n >= LAYOUT_ID)
		return false;
	memcpy(id, p, n);
	id[n] = '\0';
	return true;
}

static int
unreadable(void *ctx, const char *what, const struct fault *why)
{
	struct verify *v = ctx;
	struct fault f = FAULT_INIT;
	size_t len = strlen(what);
	char id[LAYOUT_ID];

	if (backup_of(what, id))
		return found_add(v, true, what, why->text, &f,
		    "backup %s cannot be restored", id);
	if (len > 16 && strcmp(what + len - 8, ".history") == 0)
		return found_add(v, true, what, why->text, &f,
		    "timeline %lu cannot be followed",
		    strtoul(what + len - 16, NULL, 16));
	if (strstr(what, "/hold/") != NULL)
		return found_add(v, true, what, why->text, &f,
		    "what is under hold is not known, and nothing will be "
		    "pruned");
	return 0; /* a segment: it will be read */
}

bool
look_listed(void *ctx, const char *name, uint64_t *size)
{
	struct verify *v = ctx;
	const struct gather_folder *d;
	const char *slash = strchr(name, '/');
	const struct verify_folder *x;
	char id[LAYOUT_ID] = "";
	uint32_t number;
	size_t low, high;

	if (slash == NULL || (size_t)(slash - name) >= sizeof id ||
	    !layout_is_pack(slash + 1, &number))
		return false;
	memcpy(id, name, (size_t)(slash - name));
	d = gather_find(&v->gather, id);
	if (d == NULL)
		return false;
	x = &v->folders[d - v->gather.folders];
	low = x->first_pack;
	high = low + x->n_packs;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (v->packs[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == x->first_pack + x->n_packs || v->packs[low].number != number)
		return false;
	v->packs[low].used = true;
	*size = v->packs[low].size;
	return true;
}

/* Listed by name; up to 99999999 that is by number as well. */
static int
by_number(const void *a, const void *b)
{
	const struct verify_pack *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

bool
look_has(const struct verify *v, uint32_t timeline, uint64_t segno)
{
	for (size_t i = 0; i < v->gather.n_wal; i++) {
		const struct retain_wal *w = &v->gather.wal[i];

		if (w->timeline == timeline && w->first <= segno &&
		    w->last >= segno)
			return true;
	}
	return false;
}

/* ---- all ---- */

static int
want_backups(struct verify *v, struct fault *f)
{
	const struct verify_run *o = v->run;
	const struct gather *g = &v->gather;

	v->backups = calloc(g->n_heads + 1, sizeof *v->backups);
	if (v->backups == NULL)
		return fault_nomem(f);
	for (size_t i = 0; i < g->n_heads; i++) {
		v->backups[i].wanted = o->n_backups == 0 && !o->wal;
		v->backups[i].usable = !g->backups[i].needs_lost;
	}
	for (size_t k = 0; k < o->n_backups; k++) {
		size_t i = gather_backup(g, o->backups[k]);
		const struct gather_folder *d = gather_find(g, o->backups[k]);

		/* One whose head cannot be read was found already. */
		if (i == g->n_heads && (d == NULL || !d->has_head))
			return fault_set(f, FAULT_CONFIG,
			    "--backup %s: there is no such backup, or it was "
			    "not finished; retention-prune --dry-run shows "
			    "those that are there",
			    o->backups[k]);
		if (i < g->n_heads)
			v->backups[i].wanted = true;
	}
	return 0;
}

int
look_run(struct verify *v, struct fault *f)
{
	int rc;

	v->eye = (struct gather_eye){v, see, unreadable, true};
	blocks_begin(&v->blocks, v->last.wal, v->last.n_wal);
	days_begin(v);
	if ((rc = gather_read(
		 &v->gather, v->repo, 0, v->begun_us, &v->eye, f)) != 0 ||
	    (rc = blocks_end(&v->blocks, f)) != 0 ||
	    (rc = end_folder(v, f)) != 0 || (rc = want_backups(v, f)) != 0)
		return rc;
	for (size_t i = 0; i < v->n_folders; i++)
		if (v->folders[i].n_packs > 1)
			qsort(v->packs + v->folders[i].first_pack,
			    v->folders[i].n_packs, sizeof *v->packs, by_number);
	if (v->gather.n_wal == 0 && v->gather.n_folders == 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s holds nothing of cluster %s, system id %" PRIu64
		    ": wrong url or cluster name, or nothing was archived yet",
		    store_url(v->store), repo_cluster(v->repo),
		    repo_system_id(v->repo));
	return missing_find(v, f);
}
