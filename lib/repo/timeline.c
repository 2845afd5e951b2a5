#include "timeline.h"

#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "layout.h"
#include "text.h"
#include "walname.h"

/* The timelines that have a folder in the archive, in rising order. */
struct folders {
	uint32_t *timeline;
	size_t n;
	size_t cap;
};

static int
take_folder(void *ctx, const struct store_entry *e, struct fault *f)
{
	struct folders *t = ctx;
	size_t len = strlen(e->key);
	char digits[9];
	uint64_t v;

	/* "…/wal/TIMELINE/" */
	if (!e->is_folder || len < 10 || e->key[len - 10] != '/')
		return 0;
	memcpy(digits, e->key + len - 9, 8);
	digits[8] = '\0';
	if (text_hex_u64(digits, 8, &v) != 0 || v == 0)
		return 0;
	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? 16 : 2 * t->cap;
		uint32_t *p = reallocarray(t->timeline, cap, sizeof *p);

		if (p == NULL)
			return fault_nomem(f);
		t->timeline = p;
		t->cap = cap;
	}
	t->timeline[t->n++] = (uint32_t)v;
	return 0;
}

/* The history of one timeline; timeline 1 has none and needs none. */
static int
read_history(struct repo *r, uint32_t timeline, struct history *out,
    const struct deadline *d, struct fault *f)
{
	struct buf text = BUF_INIT(HISTORY_FILE_MAX);
	char name[WALNAME_SIZE];
	int rc;

	if (timeline == 1)
		return history_parse(out, timeline, NULL, 0, f);
	walname_format_history(timeline, name);
	rc = archive_read(r, name, &text, d, f);
	if (rc == 0)
		rc = history_parse(
		    out, timeline, (const char *)text.data, text.len, f);
	if (rc != 0 && f->code != FAULT_ABSENT)
		fault_prefix(f, "%s", name);
	buf_free(&text);
	return rc;
}

/* Is the segment in which the timeline begins there? */
static int
has_first_segment(struct repo *r, size_t i, const struct history *h,
    uint32_t segment_size, const struct deadline *d, struct fault *f)
{
	const struct history_entry *e = &h->entry[h->n - 1];
	char name[WALNAME_SIZE];
	uint64_t stored;

	walname_format(e->timeline, walname_segno_of(e->begin, segment_size),
	    segment_size, name);
	return archive_look(r, i, name, NULL, &stored, d, f);
}

static bool
reachable(const struct history *h, const struct head *below)
{
	return below == NULL ||
	       history_reaches(h, below->timeline, below->stop_lsn);
}

/* The newest timeline that qualifies, tried from the highest downwards. */
static int
newest(struct repo *r, size_t i, const struct head *below, uint32_t floor,
    uint32_t segment_size, const struct folders *t, struct history *out,
    const struct deadline *d, struct fault *f)
{
	size_t k;
	int rc;

	for (k = t->n; k > 0 && t->timeline[k - 1] > floor; k--) {
		rc = read_history(r, t->timeline[k - 1], out, d, f);
		if (rc == FAULT_ABSENT)
			continue;
		if (rc != 0)
			return rc;
		if (reachable(out, below)) {
			rc = has_first_segment(r, i, out, segment_size, d, f);
			if (rc != FAULT_ABSENT) {
				if (rc != 0)
					history_free(out);
				return rc;
			}
		}
		history_free(out);
	}
	return read_history(r, floor, out, d, f);
}

int
timeline_resolve(struct repo *r, size_t i, uint32_t timeline,
    const struct head *below, uint32_t floor, uint32_t segment_size,
    struct history *out, const struct deadline *d, struct fault *f)
{
	struct folders t = {NULL, 0, 0};
	char prefix[LAYOUT_KEY];
	struct store *s;
	int rc;

	if (timeline != 0) {
		rc = read_history(r, timeline, out, d, f);
		if (rc == 0 && !reachable(out, below)) {
			history_free(out);
			return fault_set(f, FAULT_CONFIG,
			    "timeline %u does not descend from backup %s "
			    "(timeline %u): choose an older backup or another "
			    "timeline",
			    timeline, below->id, below->timeline);
		}
		return rc;
	}
	rc = repo_store(r, i, &s, f);
	if (rc == 0)
		rc = layout_wal_prefix(
		    repo_cluster(r), repo_system_id(r), prefix, f);
	if (rc == 0)
		rc = store_list(s, prefix, true, NULL, take_folder, &t, d, f);
	if (rc == 0)
		rc = newest(r, i, below, floor, segment_size, &t, out, d, f);
	free(t.timeline);
	return rc;
}
