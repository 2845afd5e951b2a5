#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "text.h"
#include "verify.h"

/* Everything that is listed, in bounded memory: 16 bytes for a pack, 100 for 64
 * segments. */

#define POLL_MS 500
#define ASK_MAX 64 /* segments that are asked for once more */

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
add_pack(struct verify *v, const char *digits, uint64_t size, struct fault *f)
{
	void *p = v->packs;
	uint32_t number;
	int rc;

	/* As layout_pack writes it, or it is none. */
	if (strlen(digits) < 8 || text_u32(digits, &number) != 0)
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
	char line[LAYOUT_KEY + 64];
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
	len = snprintf(line, sizeof line, "%s %" PRIu64 " %" PRId64 "\n",
	    e->key, e->size, e->modified_us);
	if (len < 0 || (size_t)len >= sizeof line)
		return fault_set(f, FAULT_CORRUPT, "%s: too long", e->key);
	rc = crypto_hash_update(v->hash, line, (size_t)len, f);
	if (rc == 0 && pack != NULL)
		rc = add_pack(v, pack + 6, e->size, f);
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
	    strncmp(slash, "/pack/", 6) != 0 ||
	    text_u32(slash + 6, &number) != 0)
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

int
look_wal_key(const struct verify *v, const char *name, char key[LAYOUT_KEY],
    struct fault *f)
{
	struct walname n;
	int rc = walname_parse(name, &n, f);

	return rc != 0 ? rc
		       : layout_wal(repo_cluster(v->repo),
			     repo_system_id(v->repo), name, &n, key, f);
}

/* ---- what is missing ---- */

/* A hold that was placed after WAL was let go does not bring it back. */
static void
fit_holds(struct verify *v)
{
	struct gather *g = &v->gather;
	size_t n = 0;

	for (size_t i = 0; i < g->n_held; i++) {
		struct retain_hold h = g->held[i];
		int64_t placed = INT64_MAX, floor;

		for (size_t k = 0; k < g->holds.n; k++)
			if (strcmp(g->holds.h[k].id, h.id) == 0)
				placed = g->holds.h[k].placed_us;
		floor = prunes_floor(v, placed);
		if (h.backup == NULL && floor != CLOCK_NONE &&
		    h.from_us < floor)
			h.from_us = floor;
		if (h.backup == NULL && h.to_us != CLOCK_NONE &&
		    h.to_us < h.from_us) {
			free((void *)(uintptr_t)h.bounds);
			continue;
		}
		g->held[n++] = h;
	}
	g->in.n_holds = g->n_held = n;
}

static int
find_missing(struct verify *v, struct fault *f)
{
	struct retain_policy policy = gather_policy(&v->only);
	int64_t floor;
	int rc = trail_check(v, f);

	if (rc != 0)
		return rc;
	fit_holds(v);
	floor = prunes_floor(v, INT64_MAX);
	/* The window was wider than settings or clock have it now. */
	if (floor != CLOCK_NONE && v->gather.in.now_us - floor < policy.wal_us)
		policy.wal_us = v->gather.in.now_us - floor;
	rc = chain_missing(&v->gather.in, &policy, &v->missing, f);
	if (rc != FAULT_CONFIG)
		return rc;
	rc = found_add(v, false, repo_cluster(v->repo), f->text, f,
	    "what retention would keep is not known: all WAL counts");
	v->thinning_unknown = true;
	return rc != 0 ? rc
		       : chain_missing(&v->gather.in, NULL, &v->missing, f);
}

/* ---- on their way ---- */

/* Segments are stored side by side: one may be there before the one in front of
 * it is. How long ago the WAL behind came says whether to wait. */
static int64_t
due_us(const struct verify *v, const struct chain_hole *h)
{
	int64_t newest = INT64_MIN;

	for (size_t i = 0; i < v->gather.n_wal; i++) {
		const struct retain_wal *w = &v->gather.wal[i];

		if (w->last > h->last && w->last_us != INT64_MAX &&
		    w->last_us > newest)
			newest = w->last_us;
	}
	return newest == INT64_MIN ? newest
				   : newest + v->only.push_deadline_ms * 1000;
}

static int
is_there(struct verify *v, uint32_t timeline, uint64_t segno, bool *there,
    struct fault *f)
{
	struct deadline d = deadline_in_ms(v->only.store_deadline_ms);
	char name[WALNAME_SIZE], key[LAYOUT_KEY];
	struct store_info info;
	int rc;

	walname_format(timeline, segno, v->gather.in.segment_size, name);
	if ((rc = look_wal_key(v, name, key, f)) != 0)
		return rc;
	rc = store_stat(v->store, key, &info, &d, f);
	*there = rc == 0;
	if (rc == FAULT_ABSENT) {
		fault_clear(f);
		rc = 0;
	}
	return rc;
}

/* Until it has come or is overdue. */
static int
wait_for(struct verify *v, struct chain_hole *h, bool *came, struct fault *f)
{
	int64_t due = due_us(v, h);
	int rc = 0;

	*came = false;
	while (rc == 0 && h->last - h->first < ASK_MAX) {
		bool there = true;

		while (rc == 0 && there && h->first <= h->last) {
			rc = is_there(v, h->timeline, h->first, &there, f);
			if (rc == 0 && there)
				h->first++;
		}
		*came = rc == 0 && h->first > h->last;
		if (*came || clock_now_us() >= due)
			break;
		clock_sleep_ms(POLL_MS);
	}
	return rc;
}

/* It is WAL like any other now. */
static int
insert(struct verify *v, const struct chain_hole *h, struct fault *f)
{
	struct gather *g = &v->gather;
	void *grown = reallocarray(g->wal, g->n_wal + 1, sizeof *g->wal);
	size_t i = g->n_wal;

	if (grown == NULL)
		return fault_nomem(f);
	g->wal = grown;
	g->cap_wal = g->n_wal + 1;
	while (i > 0 && (g->wal[i - 1].timeline > h->timeline ||
			    (g->wal[i - 1].timeline == h->timeline &&
				g->wal[i - 1].first > h->first))) {
		g->wal[i] = g->wal[i - 1];
		i--;
	}
	g->wal[i] =
	    (struct retain_wal){h->timeline, h->first, h->last, clock_now_us()};
	g->in.wal = g->wal;
	g->in.n_wal = ++g->n_wal;
	return 0;
}

static int
wait_for_all(struct verify *v, struct fault *f)
{
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->missing.n; i++) {
		struct chain_hole h = v->missing.h[i];
		bool came;

		rc = wait_for(v, &h, &came, f);
		if (rc == 0 && came)
			rc = insert(v, &v->missing.h[i], f);
		else if (rc == 0)
			v->missing.h[n++] = h;
	}
	if (rc == 0)
		v->missing.n = n;
	return rc;
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
			    "not finished",
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
		    "%s holds nothing of cluster %s, system id %" PRIu64,
		    store_url(v->store), repo_cluster(v->repo),
		    repo_system_id(v->repo));
	rc = find_missing(v, f);
	return rc != 0 ? rc : wait_for_all(v, f);
}
