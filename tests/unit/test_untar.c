#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "buf.h"
#include "untar.h"

#define BLOCK 512

static unsigned char stream[1 << 16];
static size_t len;
static char seen[1 << 14]; /* events, as text */

static int
on_entry(void *ctx, const struct untar_entry *e, struct fault *f)
{
	size_t n = strlen(seen);

	(void)ctx;
	(void)f;
	snprintf(seen + n, sizeof(seen) - n, "%c[%s]%s%s %o %lld %llu;",
	    e->kind == UNTAR_FILE   ? 'f'
	    : e->kind == UNTAR_LINK ? 'l'
				    : 'd',
	    e->name, e->kind == UNTAR_LINK ? "->" : "", e->link, e->mode,
	    (long long)e->mtime, (unsigned long long)e->size);
	return (0);
}

static int
on_data(void *ctx, const unsigned char *p, size_t n, struct fault *f)
{
	size_t have = strlen(seen);

	(void)ctx;
	(void)f;
	assert_true(n > 0 && n < sizeof(seen) - have);
	memcpy(seen + have, p, n);
	seen[have + n] = '\0';
	return (0);
}

static int
on_end(void *ctx, struct fault *f)
{
	(void)f;
	if (ctx != NULL)
		return (fault_set(f, FAULT_SYSTEM, "disk full"));
	strcat(seen, ".");
	return (0);
}

static const struct untar_events events = {on_entry, on_data, on_end};

/* Feeds the stream in pieces of n bytes and ends it. */
static int
parse_ctx(size_t piece, void *ctx)
{
	struct fault f = FAULT_INIT;
	struct untar *t;
	int rc = 0;

	seen[0] = '\0';
	assert_int_equal(untar_new(&t, &events, ctx, &f), 0);
	for (size_t at = 0; at < len && rc == 0; at += piece)
		rc = untar_feed(
		    t, stream + at, len - at < piece ? len - at : piece, &f);
	if (rc == 0)
		rc = untar_end(t, &f);
	assert_int_equal(rc, f.code);
	untar_free(t);
	return (rc);
}

static int
parse(size_t piece)
{
	return (parse_ctx(piece, NULL));
}

static void
octal(unsigned char *to, size_t digits, size_t v)
{
	while (digits-- > 0) {
		to[digits] = (unsigned char)('0' + (v & 7));
		v >>= 3;
	}
}

static void
fix_sum(unsigned char *h)
{
	size_t sum = 0;

	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += h[i];
	octal(h + 148, 6, sum);
	h[154] = '\0';
}

static unsigned char *
put(char type, const char *name, const char *link, const char *content)
{
	unsigned char *h = stream + len;
	size_t n = strlen(content);

	memset(h, 0, BLOCK);
	memcpy(h, name, strlen(name));
	memcpy(h + 100, "0100600", 7);
	octal(h + 124, 11, n);
	octal(h + 136, 11, 01000);
	h[156] = (unsigned char)type;
	memcpy(h + 157, link, strlen(link));
	memcpy(h + 257, "ustar\00000", 8);
	fix_sum(h);
	len += BLOCK;
	memcpy(stream + len, content, n);
	len += (n + BLOCK - 1) / BLOCK * BLOCK;
	return (h);
}

static void
restart(void)
{
	memset(stream, 0, sizeof(stream));
	len = 0;
}

static void
put_some(void)
{
	char full[BLOCK + 1];

	memset(full, 'x', BLOCK);
	full[BLOCK] = '\0';
	restart();
	put('0', "backup_label", "", "START WAL");
	put('5', "./base/", "", "");
	put('0', "base/1", "", full);
	put('\0', "./base/2", "", "");
	put('2', "pg_tblspc/16400", "/mnt/fast", "");
	put('5', ".", "", "");
}

static void
any_fragmentation_gives_the_same_events(void **state)
{
	static char whole[sizeof(seen)];

	(void)state;
	put_some();
	len += 2 * BLOCK;
	assert_int_equal(parse(len), 0);
	strcpy(whole, seen);
	assert_non_null(strstr(whole, "f[backup_label] 600 512 9;START WAL."));
	assert_non_null(strstr(whole, "d[base] 600"));
	assert_non_null(strstr(whole, "xx.f[base/2] 600 512 0;."));
	assert_non_null(strstr(whole, "l[pg_tblspc/16400]->/mnt/fast"));
	assert_non_null(strstr(whole, "d[] 600"));
	for (size_t piece = 1; piece < 1100; piece++) {
		assert_int_equal(parse(piece), 0);
		assert_string_equal(seen, whole);
	}
}

static void
the_zero_blocks_at_the_end_may_be_missing(void **state)
{
	(void)state;
	put_some();
	assert_int_equal(parse(4096), 0);
	len += BLOCK;
	assert_int_equal(parse(4096), 0);
	len += 10 * BLOCK;
	assert_int_equal(parse(4096), 0);
	len = 0;
	assert_int_equal(parse(1), 0);
}

static void
a_stream_that_breaks_off_is_corrupt(void **state)
{
	size_t whole;

	(void)state;
	restart();
	put('0', "a", "", "content");
	whole = len;
	for (len = 1; len < whole; len++)
		assert_int_equal(parse(100), FAULT_CORRUPT);
	len = whole;
	assert_int_equal(parse(100), 0);
}

static void
nothing_may_follow_the_end(void **state)
{
	(void)state;
	put_some();
	len += BLOCK;
	put('0', "late", "", "");
	assert_int_equal(parse(777), FAULT_CORRUPT);
}

static void
any_flipped_bit_in_a_header_is_found(void **state)
{
	(void)state;
	restart();
	put('0', "a", "", "content");
	for (size_t i = 0; i < BLOCK; i++) {
		/* the checksum field ends in a NUL and a blank */
		if (i >= 154 && i < 156)
			continue;
		stream[i] ^= 1;
		if (parse(4096) != FAULT_CORRUPT)
			fail_msg("byte %zu", i);
		stream[i] ^= 1;
	}
	stream[len - 1] = 1; /* padding */
	assert_int_equal(parse(4096), FAULT_CORRUPT);
}

static void
names_that_lead_out_are_refused(void **state)
{
	static const char *const bad[] = {"/etc/passwd", "../x", "a/../b",
	    "a/..", "..", "./..", "a//b", "a/./b", ".//a", "./../a", "a/../",
	    "a//"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		restart();
		put('0', bad[i], "", "");
		if (parse(512) != FAULT_CORRUPT)
			fail_msg("\"%s\" was taken as %s", bad[i], seen);
	}
	restart();
	put('0', "a/..b/c..", "", "");
	assert_int_equal(parse(512), 0);
}

static void
kinds_postgresql_never_writes_are_refused(void **state)
{
	(void)state;
	for (const char *p = "1346LKxgS"; *p != '\0'; p++) {
		restart();
		put(*p, "a", "b", "");
		assert_int_equal(parse(512), FAULT_CORRUPT);
	}
	restart();
	put('2', "a", "", "");
	assert_int_equal(parse(512), FAULT_CORRUPT);
	restart();
	put('5', "a", "", "x");
	assert_int_equal(parse(512), FAULT_CORRUPT);
	restart();
	put('0', "./", "", "");
	assert_int_equal(parse(512), FAULT_CORRUPT);
}

static void
prefixes_and_large_sizes_are_read(void **state)
{
	unsigned char *h;

	(void)state;
	restart();
	h = put('0', "file", "", "");
	memcpy(h + 345, "some/folder", 11);
	memset(h + 124, 0, 12);
	h[124] = 0x80;
	h[130] = 0x20; /* 0x2000000000 bytes */
	fix_sum(h);
	assert_int_equal(parse(512), FAULT_CORRUPT); /* breaks off */
	assert_non_null(
	    strstr(seen, "f[some/folder/file] 600 512 35184372088832;"));
	memset(h + 125, 0xFF, 11);
	fix_sum(h);
	assert_int_equal(parse(512), FAULT_CORRUPT);
	assert_string_equal(seen, "");
	memcpy(h + 124, "00000008000", 11);
	fix_sum(h);
	assert_int_equal(parse(512), FAULT_CORRUPT);
	assert_string_equal(seen, "");
}

static void
a_fault_of_the_taker_is_passed_on(void **state)
{
	int any;

	(void)state;
	put_some();
	assert_int_equal(parse_ctx(100, &any), FAULT_SYSTEM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_fragmentation_gives_the_same_events),
	    cmocka_unit_test(the_zero_blocks_at_the_end_may_be_missing),
	    cmocka_unit_test(a_stream_that_breaks_off_is_corrupt),
	    cmocka_unit_test(nothing_may_follow_the_end),
	    cmocka_unit_test(any_flipped_bit_in_a_header_is_found),
	    cmocka_unit_test(names_that_lead_out_are_refused),
	    cmocka_unit_test(kinds_postgresql_never_writes_are_refused),
	    cmocka_unit_test(prefixes_and_large_sizes_are_read),
	    cmocka_unit_test(a_fault_of_the_taker_is_passed_on),
	};

	return (cmocka_run_group_tests_name("tar", tests, NULL, NULL));
}
