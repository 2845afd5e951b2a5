#include "tally.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bytes.h"
#include "object.h"

#define TAG "fetched1"
#define TAG_LEN 8
#define SUM_LEN 8
#define BODY (TALLY_SIZE - SUM_LEN)
#define ID_LEN 48
#define NAME_LEN 48
#define HAS_BEGUN 1
#define HAS_TOLD 2
#define HAS_ENDED 4
/* 2200: as the records' own times. */
#define TIME_MAX INT64_C(7258118400000000)

/* ---- counting ---- */

void
tally_begin(struct tally *t, const char *home, int64_t now_us, uint32_t random)
{
	struct stat st;

	memset(t, 0, sizeof *t);
	layout_new_hold(now_us, random, t->operation);
	memcpy(t->recovery, t->operation, sizeof t->recovery);
	t->since_us = t->last_us = now_us;
	snprintf(t->home, sizeof t->home, "%s", home);
	if (stat(home, &st) == 0) {
		t->device = st.st_dev;
		t->inode = st.st_ino;
	}
}

void
tally_add(struct tally *t, const char *segment, uint64_t bytes, int64_t now_us)
{
	if (t->segments == 0) {
		snprintf(t->first, sizeof t->first, "%s", segment);
		t->since_us = now_us;
	}
	snprintf(t->last, sizeof t->last, "%s", segment);
	t->segments++;
	t->bytes += bytes;
	t->last_us = now_us;
}

void
tally_join(struct tally *t, const struct tally *more)
{
	if (more->segments == 0)
		return;
	if (t->segments == 0) {
		memcpy(t->first, more->first, sizeof t->first);
		t->since_us = more->since_us;
	}
	memcpy(t->last, more->last, sizeof t->last);
	t->segments += more->segments;
	t->bytes += more->bytes;
	t->last_us = more->last_us;
}

void
tally_summed(struct tally *t, int64_t now_us, uint32_t random)
{
	layout_new_hold(now_us, random, t->operation);
	t->begun = false;
	t->since_us = t->summed_us = now_us;
	t->segments = t->bytes = 0;
	t->first[0] = t->last[0] = '\0';
}

/* A clock that was set back makes it due, and by that right again. */
static bool
day_has_passed(int64_t from_us, int64_t now_us)
{
	return now_us < from_us || now_us - from_us >= TALLY_DAY_US;
}

bool
tally_is_due(const struct tally *t, int64_t now_us)
{
	return t->segments > 0 && day_has_passed(t->since_us, now_us);
}

bool
tally_is_due_at_end(const struct tally *t, int64_t now_us)
{
	return t->segments > 0 &&
	       (t->summed_us == 0 || day_has_passed(t->summed_us, now_us));
}

bool
tally_is_over(const struct tally *t, int64_t now_us)
{
	return t->ended || day_has_passed(t->last_us, now_us);
}

/* ---- bytes ---- */

static void
sum(const unsigned char *body, unsigned char out[SUM_LEN])
{
	struct object_digest d;

	object_digest(&d, body, BODY);
	memcpy(out, d.xxh, SUM_LEN);
}

void
tally_encode(const struct tally *t, unsigned char out[TALLY_SIZE])
{
	const int64_t times[] = {t->since_us, t->last_us, t->summed_us};
	const uint64_t counts[] = {t->segments, t->bytes, t->device, t->inode};
	unsigned char *p = out;

	memset(out, 0, TALLY_SIZE);
	memcpy(p, TAG, TAG_LEN);
	p += TAG_LEN;
	bytes_set_u64(p, (t->begun ? HAS_BEGUN : 0U) |
			     (t->told ? HAS_TOLD : 0U) |
			     (t->ended ? HAS_ENDED : 0U));
	p += 8;
	for (size_t i = 0; i < 3; i++, p += 8)
		bytes_set_u64(p, (uint64_t)times[i]);
	for (size_t i = 0; i < 4; i++, p += 8)
		bytes_set_u64(p, counts[i]);
	snprintf((char *)p, ID_LEN, "%s", t->operation);
	snprintf((char *)p + ID_LEN, ID_LEN, "%s", t->recovery);
	p += 2 * (size_t)ID_LEN;
	snprintf((char *)p, NAME_LEN, "%s", t->first);
	snprintf((char *)p + NAME_LEN, NAME_LEN, "%s", t->last);
	p += 2 * (size_t)NAME_LEN;
	memcpy(p, t->home, TALLY_HOME);
	p[TALLY_HOME - 1] = '\0';
	sum(out, out + BODY);
}

_Static_assert(TAG_LEN + 8 * 8 + 2 * (ID_LEN + NAME_LEN) + TALLY_HOME <= BODY,
    "a slot has room");

/* A text that ends within its field, and a name that is a segment's. */
static int
take_text(struct bytes *b, size_t field, char *out, size_t cap)
{
	char text[TALLY_HOME];

	if (field > sizeof text || bytes_copy(b, text, field) != 0 ||
	    memchr(text, '\0', field) == NULL || strlen(text) >= cap)
		return -1;
	memset(out, 0, cap);
	memcpy(out, text, strlen(text));
	return 0;
}

static int
take_segment(struct bytes *b, char out[WALNAME_SIZE], bool any)
{
	struct fault ignored = FAULT_INIT;
	struct walname n;

	if (take_text(b, NAME_LEN, out, WALNAME_SIZE) != 0 ||
	    any != (out[0] != '\0'))
		return -1;
	if (!any)
		return 0;
	return walname_parse(out, &n, &ignored) == 0 &&
		       n.kind == WALNAME_SEGMENT
		   ? 0
		   : -1;
}

static int
take_id(struct bytes *b, char out[LAYOUT_ID])
{
	struct fault ignored = FAULT_INIT;

	return take_text(b, ID_LEN, out, LAYOUT_ID) == 0 &&
		       layout_check_hold(out, &ignored) == 0
		   ? 0
		   : -1;
}

static int
take(struct bytes *b, struct tally *t)
{
	int64_t *const times[] = {&t->since_us, &t->last_us, &t->summed_us};
	uint64_t *const counts[] = {
	    &t->segments, &t->bytes, &t->device, &t->inode};
	uint64_t flags, n;

	if (bytes_skip(b, TAG_LEN) != 0 || bytes_u64(b, &flags) != 0 ||
	    flags > (HAS_BEGUN | HAS_TOLD | HAS_ENDED))
		return -1;
	t->begun = (flags & HAS_BEGUN) != 0;
	t->told = (flags & HAS_TOLD) != 0;
	t->ended = (flags & HAS_ENDED) != 0;
	for (size_t i = 0; i < 3; i++) {
		if (bytes_u64(b, &n) != 0 || n > (uint64_t)TIME_MAX)
			return -1;
		*times[i] = (int64_t)n;
	}
	for (size_t i = 0; i < 4; i++)
		if (bytes_u64(b, counts[i]) != 0)
			return -1;
	/* What is counted on must stay a number. */
	if (t->segments > UINT32_MAX || t->bytes > UINT64_MAX / 2)
		return -1;
	return take_id(b, t->operation) == 0 && take_id(b, t->recovery) == 0 &&
		       take_segment(b, t->first, t->segments > 0) == 0 &&
		       take_segment(b, t->last, t->segments > 0) == 0 &&
		       take_text(b, TALLY_HOME, t->home, TALLY_HOME) == 0
		   ? 0
		   : -1;
}

int
tally_decode(const void *data, size_t len, struct tally *out)
{
	const unsigned char *p = data;
	struct bytes b = {.p = p, .left = len};
	unsigned char is[SUM_LEN];
	struct tally t;

	if (len != TALLY_SIZE || memcmp(p, TAG, TAG_LEN) != 0)
		return -1;
	sum(p, is);
	memset(&t, 0, sizeof t);
	if (memcmp(is, p + BODY, SUM_LEN) != 0 || take(&b, &t) != 0)
		return -1;
	*out = t;
	return 0;
}
