#include <string.h>

#include "buf.h"
#include "text.h"
#include "wal_record.h"

#define AT_INFO 2 /* in a page's header */
#define AT_TIMELINE 4
#define AT_ADDRESS 8
#define AT_REMAINING 16
#define PAGE_CONTINUES 0x0001  /* XLP_FIRST_IS_CONTRECORD */
#define PAGE_OVERWRITES 0x0008 /* XLP_FIRST_IS_OVERWRITE_CONTRECORD */

#define AT_PREVIOUS 8 /* in a record's header */
#define AT_RECORD_INFO 16
#define AT_MANAGER 17
#define AT_CRC 20
#define RM_XLOG 0
#define RM_XACT 1
#define XLOG_SWITCH 0x40

struct walk {
	const unsigned char *segment;
	size_t len;
	size_t page;
	uint64_t base; /* LSN of the first byte */
	uint16_t magic;
	uint32_t timeline; /* of the last page that was as it should be */
	uint32_t named;
	int version;
	uint64_t previous; /* LSN of the record before; 0: not known */
	size_t suspect;    /* pages from here on prove damage: see BROKEN */
	struct wal_summary *s;
	const struct wal_watch *watch;
	size_t told; /* to the watch */
};

enum step {
	GO_ON,
	ENDS,    /* the segment is full */
	RESTART, /* this page holds something else instead: *at says where */
	BROKEN,  /* no record at *at; suspect set */
};

static size_t
align8(size_t n)
{
	return ((n + 7) & ~(size_t)7);
}

static size_t
page_header(size_t page)
{
	return (page == 0 ? WAL_LONG_HEADER : WAL_PAGE_HEADER);
}

/* The page at this offset carries WAL of this segment. */
static bool
page_ours(const struct walk *w, size_t page)
{
	const unsigned char *p = w->segment + page;
	uint32_t timeline = bytes_get_u32(p + AT_TIMELINE);

	return (bytes_get_u16(p) == w->magic &&
		bytes_get_u64(p + AT_ADDRESS) == w->base + page &&
		timeline >= w->timeline && timeline <= w->named);
}

static enum step
broken(struct walk *w, size_t suspect)
{
	w->suspect = suspect;
	return (BROKEN);
}

/* Enter a page on which a record goes on with left bytes (0: a new record
 * begins behind the page's header). */
static enum step
enter_page(struct walk *w, size_t page, size_t left)
{
	const unsigned char *p = w->segment + page;
	unsigned info;

	if (page == w->len)
		return (ENDS);
	if (!page_ours(w, page))
		return (broken(w, page));
	info = bytes_get_u16(p + AT_INFO);
	/*
	 * After a crash in the middle of a record that cannot be completed,
	 * PostgreSQL goes on at the page where its rest is missing.
	 */
	if (left > 0 && (info & PAGE_OVERWRITES))
		return (RESTART);
	if ((left > 0) != ((info & PAGE_CONTINUES) != 0) ||
	    (left > 0 && bytes_get_u32(p + AT_REMAINING) != left))
		return (broken(w, page));
	w->timeline = bytes_get_u32(p + AT_TIMELINE);
	return (GO_ON);
}

/* Check all pages on which a record goes on; *at: the first of them, then the
 * record's end. */
static enum step
cross_pages(struct walk *w, size_t *at, size_t left)
{
	for (;;) {
		size_t room = w->page - page_header(*at);
		enum step step = enter_page(w, *at, left);

		if (step != GO_ON)
			return (step);
		if (left <= room) {
			*at += page_header(*at) + left;
			return (GO_ON);
		}
		left -= room;
		*at += w->page;
	}
}

/* The record before must be the one walked last: else these are bytes of an
 * older record in a recycled file, which may have a right CRC. */
static bool
follows(const struct walk *w, uint64_t lsn, const unsigned char *header)
{
	uint64_t previous = bytes_get_u64(header + AT_PREVIOUS);

	return (w->previous == 0 ? previous < lsn : previous == w->previous);
}

static bool
interesting(const unsigned char *header)
{
	return (header[AT_MANAGER] == RM_XLOG || header[AT_MANAGER] == RM_XACT);
}

/* A record begins there. */
static void
note_begun(struct walk *w, const unsigned char *header, size_t start)
{
	struct wal_joint *j = &w->s->joint;

	j->last = w->base + start;
	if (j->first == 0) {
		j->first = j->last;
		j->first_prev = bytes_get_u64(header + AT_PREVIOUS);
		j->head = true;
	}
}

/* Bytes of a record from there to the segment's end. */
static size_t
room_from(const struct walk *w, size_t at)
{
	size_t rest = (w->len - at) / w->page;

	if (at % w->page == 0)
		return ((rest * (w->page - WAL_PAGE_HEADER)) -
			(page_header(at) - WAL_PAGE_HEADER));
	return (w->page - at % w->page + rest * (w->page - WAL_PAGE_HEADER));
}

/* A record that goes on in the next segment: what is left of it, and what that
 * is to have as its CRC. */
static enum step
runs_out(struct walk *w, size_t start, size_t total)
{
	struct wal_joint *j = &w->s->joint;
	size_t here = room_from(w, start);
	struct wal_record r = {w->segment, w->page, start, here};
	unsigned char header[WAL_RECORD_HEADER];
	uint32_t crc;

	j->left = (uint32_t)(total - here);
	if (wal_record_take(&r, header, sizeof(header)) != 0) {
		j->last = w->base + start;
		return (ENDS);
	}
	if (!follows(w, w->base + start, header))
		return (broken(w, w->len));
	note_begun(w, header, start);
	crc = wal_crc32c_shift(
	    wal_record_crc(&r, 0), total - here + (uint64_t)AT_CRC);
	j->owed = crc ^ wal_crc32c(0, header, AT_CRC) ^
		  bytes_get_u32(header + AT_CRC);
	j->owes = true;
	return (ENDS);
}

/* A record that is whole and right: take it in. */
static enum step
accept(struct walk *w, const unsigned char *header, size_t start, size_t end)
{
	uint64_t lsn = w->base + start;

	note_begun(w, header, start);
	w->s->joint.whole = lsn;
	w->previous = lsn;
	w->s->end_lsn = w->base + align8(end);
	if (!interesting(header))
		return (GO_ON);
	if (header[AT_MANAGER] == RM_XLOG &&
	    (header[AT_RECORD_INFO] & 0xF0) == XLOG_SWITCH) {
		w->s->switched = true;
		return (ENDS);
	}
	wal_record_note(&(struct wal_record){w->segment, w->page, start,
			    bytes_get_u32(header)},
	    lsn, w->version, w->s);
	if (w->watch != NULL && w->watch->sought != NULL &&
	    w->watch->sought->stop == w->s->end_lsn)
		w->watch->sought->found |= wal_record_ends_backup(
		    &(struct wal_record){
			w->segment, w->page, start, bytes_get_u32(header)},
		    w->version, w->watch->sought->start);
	return (GO_ON);
}

/* A record that goes on over page headers. */
static enum step
long_record(struct walk *w, size_t *at, size_t total)
{
	unsigned char header[WAL_RECORD_HEADER];
	struct wal_record r = {w->segment, w->page, *at, total};
	size_t start = *at, in_page = w->page - start % w->page;
	enum step step;
	uint32_t crc;

	/* A header that is whole on its page is judged before its length is
	 * trusted. */
	if (in_page >= WAL_RECORD_HEADER &&
	    !follows(w, w->base + start, w->segment + start))
		return (broken(w, start + in_page));
	*at = start + in_page;
	step = cross_pages(w, at, total - in_page);
	if (step == ENDS)
		return (runs_out(w, start, total));
	if (step != GO_ON)
		return (step);
	(void)wal_record_take(&r, header, sizeof(header));
	crc = wal_record_crc(&r, 0);
	if (!follows(w, w->base + start, header) ||
	    wal_crc32c(crc, header, AT_CRC) != bytes_get_u32(header + AT_CRC)) {
		size_t behind = (*at + w->page - 1) / w->page * w->page;

		*at = start;
		return (broken(w, behind));
	}
	step = accept(w, header, start, *at);
	*at = align8(*at);
	return (step);
}

/* One record, *at being where it begins and then where the next one does. */
static enum step
record(struct walk *w, size_t *at)
{
	const unsigned char *p = w->segment + *at;
	size_t total = bytes_get_u32(p), start = *at;
	size_t in_page = w->page - start % w->page;
	uint32_t crc;

	if (total < WAL_RECORD_HEADER)
		return (broken(w, start + in_page));
	if (total > in_page)
		return (long_record(w, at, total));
	crc = wal_crc32c(0, p + WAL_RECORD_HEADER, total - WAL_RECORD_HEADER);
	if (!follows(w, w->base + start, p) ||
	    wal_crc32c(crc, p, AT_CRC) != bytes_get_u32(p + AT_CRC))
		return (broken(w, start + in_page));
	*at = align8(start + total);
	return (accept(w, p, start, start + total));
}

/* The first page: pass over what began in the segment before. */
static enum step
begin(struct walk *w, size_t *at)
{
	unsigned info = bytes_get_u16(w->segment + AT_INFO);
	size_t left = bytes_get_u32(w->segment + AT_REMAINING);
	struct wal_joint *j = &w->s->joint;
	size_t here = room_from(w, 0);
	struct wal_record r = {w->segment, w->page, 0, left};
	enum step step;

	*at = WAL_LONG_HEADER;
	j->overwrites = (info & PAGE_OVERWRITES) != 0;
	if (!(info & PAGE_CONTINUES) || j->overwrites)
		return (GO_ON);
	*at = 0;
	if (left == 0)
		return (broken(w, w->page));
	step = cross_pages(w, at, left);
	if (step == GO_ON) {
		*at = align8(*at);
		w->s->end_lsn = w->base + *at;
	} else if (step == ENDS) {
		r.left = here;
		j->left = (uint32_t)(left - here);
	} else if (step == RESTART) {
		j->overwrites = true;
	}
	if (step == GO_ON || step == ENDS) {
		j->head = true;
		j->carried = (uint32_t)left;
		j->carried_crc = wal_record_crc(&r, 0);
	}
	return (step);
}

static void
tell(struct walk *w, size_t at)
{
	if (w->watch == NULL || w->watch->passed == NULL ||
	    at - w->told < WAL_WATCH)
		return;
	w->told = at;
	w->watch->passed(w->watch->ctx, at);
}

/* All records, from one to the next, until they end. */
static enum step
follow(struct walk *w, size_t *at)
{
	enum step step = begin(w, at);

	for (;;) {
		if (step == RESTART) {
			w->timeline =
			    bytes_get_u32(w->segment + *at + AT_TIMELINE);
			*at += page_header(*at);
		} else if (step != GO_ON) {
			return (step);
		} else if (*at % w->page == 0) {
			step = enter_page(w, *at, 0);
			if (step != GO_ON)
				return (step);
			*at += page_header(*at);
		}
		tell(w, *at);
		step = record(w, at);
	}
}

static int
judge(const struct walk *w, size_t at, struct fault *f)
{
	char here[20], there[20];

	for (size_t page = w->suspect; page < w->len; page += w->page) {
		if (!page_ours(w, page))
			continue;
		text_format_lsn(w->base + at, here);
		text_format_lsn(w->base + page, there);
		return (fault_set(f, FAULT_CORRUPT,
		    "damaged at %s: no valid record there, but WAL again at %s",
		    here, there));
	}
	return (0);
}

int
wal_walk(const void *segment, size_t len, const struct walname *n,
    struct wal_summary *out, struct fault *f)
{
	return (wal_walk_watched(segment, len, n, NULL, out, f));
}

int
wal_walk_watched(const void *segment, size_t len, const struct walname *n,
    const struct wal_watch *watch, struct wal_summary *out, struct fault *f)
{
	struct wal_summary s;
	struct wal_header h;
	struct walk w;
	size_t at;

	if (wal_header(segment, len, &h, f) != 0 ||
	    wal_check_name(&h, n, len, f) != 0)
		return ((int)f->code);
	memset(&s, 0, sizeof(s));
	s.end_lsn = h.address;
	s.first_commit_us = CLOCK_NONE;
	s.last_commit_us = CLOCK_NONE;
	w = (struct walk){segment, len, h.page_size, h.address, h.magic,
	    h.timeline, n->timeline, wal_version(h.magic), 0, len, &s, watch,
	    0};
	if (follow(&w, &at) == ENDS)
		s.full = s.joint.tail = true;
	else if (n->kind == WALNAME_SEGMENT && judge(&w, at, f) != 0)
		return ((int)f->code);
	/* Transaction ids went round inside: every one may be in it. */
	if (s.xid_max - s.xid_min > UINT32_MAX / 2) {
		s.xid_min = 3;
		s.xid_max = UINT32_MAX;
	}
	*out = s;
	return (0);
}
