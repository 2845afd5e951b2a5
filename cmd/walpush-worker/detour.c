#include "detour.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ahead.h"
#include "archive_place.h"
#include "fdio.h"
#include "log.h"
#include "text.h"

/* While other files wait in pg_wal, so many of the spill go before each: room
 * in pg_wal is worth more than order when it is short. */
#define DETOUR_FILES 4
#define DETOUR_FILES_SHORT 1
#define DETOUR_IDS 64

static const char *
detour_dir(const struct repo *r)
{
	return repo_conf(r)->spill_dir;
}

bool
detour_wanted(struct spill *s)
{
	struct fault ignored = FAULT_INIT;
	bool pending;

	return s != NULL &&
	       (spill_pending(s, &pending, NULL, &ignored) != 0 || pending ||
		   (spill_away(s) && spill_below(s, "pg_wal")));
}

int64_t
detour_time(const struct spill *s, const char *wal, int64_t ms)
{
	return s != NULL && spill_below(s, wal) ? ms / 2 : ms;
}

bool
detour_suits(const struct spill *s, const char *wal, int rc)
{
	return s != NULL && spill_suits((enum fault_code)rc) &&
	       spill_below(s, wal);
}

/* ---- out of the spill ---- */

/* name: the file that was just put there; "" for none. */
static void
detour_tell_left(
    struct repo *r, struct spill *s, const char *name, const char *why)
{
	struct fault ignored = FAULT_INIT;
	struct spill_count n = {0, 0, CLOCK_NONE};
	char size[16], since[CLOCK_TEXT_SIZE] = "now";

	if ((spill_count(s, &n, NULL, &ignored) != 0 || n.files == 0) &&
	    name[0] == '\0')
		return;
	text_human_size(n.bytes, size);
	if (n.oldest_us != CLOCK_NONE)
		clock_format_iso(n.oldest_us, since);
	log_line(0,
	    "%s%s%s: on this host only (%s%" PRIu64 " files, %s, the oldest"
	    " since %s), not yet in a repository: %s",
	    name, name[0] != '\0' ? ": put into " : "", detour_dir(r),
	    n.files == SPILL_COUNT ? "more than " : "", n.files, size, since,
	    why);
}

static void
detour_tell_drained(struct repo *r, struct spill *s,
    const struct spill_drained *out, int rc, const struct fault *f)
{
	if (out->warning[0] != '\0')
		log_line(
		    0, "%s: drained, but: %s", detour_dir(r), out->warning);
	if (out->files > 0)
		log_line(1, "%s: %" PRIu64 " files went to the repositories",
		    detour_dir(r), out->files);
	if (out->stuck > 0)
		log_line(0,
		    "%s: %" PRIu64 " files stay there, on this host only: %s",
		    detour_dir(r), out->stuck, out->first.text);
	if (rc != 0)
		detour_tell_left(r, s, "", f->text);
}

static int
detour_drain(struct repo *r, struct spill *s, const struct spill_limits *l,
    struct spill_drained *out, struct fault *f)
{
	struct buf note = BUF_INIT(4096);
	int rc;

	memset(out, 0, sizeof(*out));
	if ((rc = archive_place_note(r, &note, f)) == 0)
		rc = spill_drain(s, r, (const char *)note.data, l, out, f);
	buf_free(&note);
	return rc;
}

/* First come, first served: for half of the time, or a few files when others
 * wait behind this one. */
static int
detour_first(struct repo *r, struct spill *s, const char *path, bool below,
    const struct deadline *d, bool *busy, struct fault *f)
{
	int64_t half = deadline_left_ms(d) / 2;
	struct deadline until = deadline_in_ms(half);
	struct spill_limits l = {.d = &until, .each_ms = half};
	struct spill_drained out;
	bool pending = false;
	int rc = spill_pending(s, &pending, d, f);

	if (rc != 0)
		log_line(0, "%s", f->text);
	if (rc != 0 || !pending)
		return 0;
	if (ahead_wanted(path))
		l.files = below ? DETOUR_FILES_SHORT : DETOUR_FILES;
	rc = detour_drain(r, s, &l, &out, f);
	detour_tell_drained(r, s, &out, rc, f);
	*busy = out.busy;
	return rc;
}

/* ---- into it ---- */

static int
detour_aside(struct repo *r, struct spill *s, const char *path,
    const struct deadline *d, const struct fault *why, struct fault *f)
{
	struct fault own = FAULT_INIT;
	struct archive_result res;
	int rc = spill_push(s, path, d, &res, &own);

	if (rc == 0) {
		detour_tell_left(r, s, push_name(path), why->text);
		return 0;
	}
	/* The file's own faults are told as ever. */
	if (!spill_suits((enum fault_code)rc) && rc != FAULT_CONFIG) {
		*f = own;
		return rc;
	}
	log_line(0, "spill_dir does not take it: %s", own.text);
	*f = *why;
	return (int)f->code;
}

static int
detour_send(struct repo *r, struct spill *s, const char *path, bool below,
    const struct deadline *d, struct archive_result *res, bool *aside,
    struct fault *f)
{
	struct archive_push *p = NULL;
	struct deadline until = *d;
	struct fault why;
	int rc = push_begin(&p, r, path, f);

	if (rc != 0)
		return rc;
	if (below)
		until = deadline_in_ms(deadline_left_ms(d) / 2);
	rc = push_send(r, p, &until, res, f);
	if (rc == 0)
		spill_set_away(s, false);
	if (rc == 0 || !spill_suits((enum fault_code)rc))
		return rc;
	spill_set_away(s, true);
	if (!below)
		return rc;
	why = *f;
	rc = detour_aside(r, s, path, d, &why, f);
	*aside = rc == 0;
	return rc;
}

/* Trouble with the spill shows before it is needed. */
static void
detour_prepare(struct spill *s, const char *wal, const struct deadline *d)
{
	struct fault f = FAULT_INIT;

	if (spill_prepare(s, wal, d, &f) != 0)
		log_line(0, "spill_dir could take nothing: %s", f.text);
}

int
detour_push(struct repo *r, struct spill *s, const char *path,
    const struct deadline *d, struct archive_result *res, bool *aside,
    struct fault *f)
{
	char *wal = fdio_folder(path); /* pg_wal */
	bool below, drained = false, busy = false;
	struct fault why = FAULT_INIT;
	int rc = 0;

	memset(res, 0, sizeof(*res));
	*aside = false;
	if (wal == NULL)
		return fault_nomem(f);
	below = spill_below(s, wal);
	if (below && spill_away(s))
		fault_set(&why, FAULT_AGAIN,
		    "no repository was to be had within the last minute");
	else if (detour_first(r, s, path, below, d, &busy, &why) != 0 &&
		 spill_suits(why.code))
		spill_set_away(s, true);
	else
		drained = true;
	if (below && !drained) {
		rc = detour_aside(r, s, path, d, &why, f);
		*aside = rc == 0;
	}
	/* What the spill does not take may find a repository. */
	if (!*aside && (rc == 0 || spill_suits((enum fault_code)rc)))
		rc =
		    detour_send(r, s, path, below && drained, d, res, aside, f);
	if (rc == 0 && !*aside)
		detour_prepare(s, wal, d);
	res->busy = res->busy || busy;
	free(wal);
	return rc;
}

/* ---- all of it ---- */

static int
detour_end(struct repo *r, struct spill *s, const struct spill_drained *out,
    struct fault *f)
{
	struct spill_count n;
	int rc = spill_count(s, &n, NULL, f);

	if (rc != 0 || n.files == 0)
		return rc;
	if (out->stuck > 0) {
		*f = out->first;
		return (int)f->code;
	}
	detour_tell_left(r, s, "",
	    out->elsewhere ? "another call drains it"
			   : "they came meanwhile, or are no WAL");
	return fault_set(f, FAULT_SYSTEM, "%s: is not empty", detour_dir(r));
}

/* Those of the data directory and of what is in the spill: after pg_upgrade the
 * old one is there still, and nobody else will ever look for it. */
static int
detour_ids(const struct conf_cluster *c, uint64_t ids[DETOUR_IDS + 1],
    size_t *n, struct fault *f)
{
	uint64_t found[DETOUR_IDS] = {0}, mine = 0; /* nobody has 0 */
	struct conf_cluster own;
	struct conf_repo place;
	struct control control;
	struct store *store = NULL;
	size_t k = 0;
	int rc;

	*n = 0;
	if (c->pgdata != NULL && repo_control(c->pgdata, &control, f) == 0)
		ids[(*n)++] = mine = control.system_id;
	fault_clear(f);
	spill_conf(c, &place, &own);
	if ((rc = store_open(&store, &place, f)) == 0)
		rc = repo_system_ids(
		    store, c->name, found, DETOUR_IDS, &k, NULL, f);
	store_free(store);
	/* It is not there: whether it should be the note tells. */
	if (rc == FAULT_AGAIN && *n > 0) {
		fault_clear(f);
		rc = 0;
	}
	if (rc == 0 && k > DETOUR_IDS)
		rc = fault_set(f, FAULT_CONFIG,
		    "%s holds %zu clusters called %s: choose one with"
		    " --system-id",
		    c->spill_dir, k, c->name);
	if (rc == 0 && *n == 0 && k == 0)
		rc = fault_set(f, FAULT_CONFIG,
		    "%s holds nothing of cluster %s: is it mounted, and is"
		    " the name right?",
		    c->spill_dir, c->name);
	for (size_t i = 0; rc == 0 && i < k; i++)
		if (found[i] != mine)
			ids[(*n)++] = found[i];
	return rc;
}

/* *busy: r is used still. */
static int
detour_drain_id(const struct conf_cluster *c, uint64_t id, bool *busy)
{
	struct spill_limits l = {.each_ms = c->push_deadline_ms};
	struct spill_drained out = {.busy = false};
	struct fault f = FAULT_INIT;
	struct spill *s = NULL;
	struct repo *r = NULL;
	int rc;

	if ((rc = repo_open(&r, c, id, &f)) == 0 &&
	    (rc = spill_open(&s, r, &f)) == 0) {
		rc = detour_drain(r, s, &l, &out, &f);
		detour_tell_drained(r, s, &out, rc, &f);
		if (rc == 0)
			rc = detour_end(r, s, &out, &f);
		else
			spill_set_away(s, spill_suits((enum fault_code)rc));
		if (rc == 0)
			spill_set_away(s, false);
	}
	*busy = *busy || out.busy;
	if (!out.busy) {
		spill_free(s);
		repo_free(r);
	}
	return rc == 0 ? 0 : cli_fail(&f);
}

int
detour_drain_all(const struct conf_cluster *c, const char *system_id)
{
	uint64_t ids[DETOUR_IDS + 1];
	struct fault f = FAULT_INIT;
	bool busy = false;
	size_t n = 1;
	int rc, status = 0;

	if (c->spill_dir == NULL)
		rc = fault_set(&f, FAULT_CONFIG,
		    "cluster %s has no spill_dir in its settings", c->name);
	else if (system_id != NULL)
		rc = repo_choose_given(system_id, &ids[0], &f);
	else
		rc = detour_ids(c, ids, &n, &f);
	if (rc != 0)
		return cli_fail(&f);
	for (size_t i = 0; i < n; i++) {
		int one = detour_drain_id(c, ids[i], &busy);

		status = status == 0 ? one : status;
	}
	if (busy)
		_exit(status);
	return status;
}
