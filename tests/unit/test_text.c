/* Strict parsers: the whole string or nothing. */
#include "unit.h"

#include <stdbool.h>

#include "text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
decimal_takes_all_of_64_bits_and_no_more(void **state)
{
	static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "0x1",
	    "1a", "18446744073709551616", "99999999999999999999"};
	uint64_t v = 7;
	uint32_t w = 7;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(text_u64(bad[i], &v), -1);
	assert_true(v == 7);
	assert_int_equal(text_u64("18446744073709551615", &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(text_u32("4294967296", &w), -1);
	assert_int_equal(w, 7);
	assert_int_equal(text_u32("4294967295", &w), 0);
	assert_int_equal(w, UINT32_MAX);
}

static void
hex_has_exactly_its_digits(void **state)
{
	unsigned char out[4] = {9, 9, 9, 9};
	char text[9];
	uint64_t v = 7;

	(void)state;
	assert_int_equal(text_hex_u64("0000000A", 8, &v), 0);
	assert_true(v == 10);
	assert_int_equal(text_hex_u64("ffffffffffffffff", 16, &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(text_hex_u64("0000000A", 7, &v), -1);
	assert_int_equal(text_hex_u64("0000000A", 9, &v), -1);
	assert_int_equal(text_hex_u64("0000000G", 8, &v), -1);
	assert_int_equal(text_hex_u64("", 0, &v), -1);
	assert_int_equal(text_unhex("0102030", out, 4), -1);
	assert_int_equal(text_unhex("010203040", out, 4), -1);
	assert_int_equal(text_unhex("0102030x", out, 4), -1);
	assert_int_equal(out[0], 9);
	assert_int_equal(text_unhex("00fFA5e1", out, 4), 0);
	text_hex(out, 4, text);
	assert_string_equal(text, "00ffa5e1");
}

static void
sizes_take_the_units_of_postgresql(void **state)
{
	static const struct {
		const char *s;
		uint64_t v;
	} good[] = {{"0", 0}, {"100", 100}, {"5B", 5}, {"512kB", 524288},
	    {"16MB", 16777216}, {"1GB", 1073741824}, {"2TB", 2199023255552},
	    {"16777215TB", 16777215ULL << 40}};
	static const char *const bad[] = {
	    "", "MB", "1 MB", "1mb", "1PB", "1.5GB", "-1", "16777216TB"};
	uint64_t v = 7;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_int_equal(text_size(good[i].s, &v), 0);
		assert_true(v == good[i].v);
	}
	v = 7;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(text_size(bad[i], &v), -1);
	assert_true(v == 7);
}

static void
durations_need_a_unit(void **state)
{
	static const struct {
		const char *s;
		int64_t v;
	} good[] = {{"500ms", 500}, {"60s", 60000}, {"5min", 300000},
	    {"4h", 14400000}, {"30d", 2592000000}, {"2w", 1209600000}};
	static const char *const bad[] = {"", "5", "5m", "5 s", "-5s", "1.5h",
	    "5S", "99999999999999999d", "9223372036854775808ms"};
	int64_t v = 7;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_int_equal(text_duration(good[i].s, &v), 0);
		assert_true(v == good[i].v);
	}
	v = 7;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(text_duration(bad[i], &v), -1);
	assert_true(v == 7);
}

static void
booleans_are_six_words(void **state)
{
	bool b = false;

	(void)state;
	assert_int_equal(text_bool("on", &b), 0);
	assert_true(b);
	assert_int_equal(text_bool("no", &b), 0);
	assert_false(b);
	assert_int_equal(text_bool("1", &b), -1);
	assert_int_equal(text_bool("Yes", &b), -1);
	assert_int_equal(text_bool("", &b), -1);
	assert_true(text_prefix("file:///x", "file://"));
	assert_false(text_prefix("fil", "file://"));
}

/* The vectors of RFC 4648, section 10. */
static void
base64_is_that_of_rfc_4648(void **state)
{
	static const char *const v[][2] = {{"", ""}, {"f", "Zg=="},
	    {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	unsigned char out[8];
	char text[12];
	size_t i, n;

	(void)state;
	for (i = 0; i < COUNT(v); i++) {
		text_base64(
		    (const unsigned char *)v[i][0], strlen(v[i][0]), text);
		assert_string_equal(text, v[i][1]);
		assert_int_equal(text_unbase64(v[i][1], out, 6, &n), 0);
		assert_int_equal(n, strlen(v[i][0]));
		if (n > 0)
			assert_memory_equal(out, v[i][0], n);
	}
}

static void
base64_has_one_spelling(void **state)
{
	static const char *const bad[] = {"Z", "Zg",
	    "Zg=", "Zg===", "Zh==", "Zm9=", "====", "Zg==Zg==", "Zm 9v",
	    "Zm9v\n", "Zm-_", "=m9v"};
	unsigned char out[8] = {9};
	size_t i, n = 77;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(text_unbase64(bad[i], out, 8, &n), -1);
	/* No room. */
	assert_int_equal(text_unbase64("Zm9vYmFy", out, 5, &n), -1);
	assert_int_equal(out[0], 9);
	assert_int_equal(n, 77);
}

static void
people_read_sizes_and_times(void **state)
{
	char s[16], d[24];

	(void)state;
	text_human_size(0, s);
	assert_string_equal(s, "0 B");
	text_human_size(1023, s);
	assert_string_equal(s, "1023 B");
	text_human_size(1024, s);
	assert_string_equal(s, "1.0 kB");
	text_human_size(1048575, s);
	assert_string_equal(s, "1.0 MB");
	text_human_size(1610612736, s);
	assert_string_equal(s, "1.5 GB");
	text_human_size(312 * 1024, s);
	assert_string_equal(s, "312 kB");
	text_human_size(UINT64_MAX, s);
	assert_string_equal(s, "16384 PB");
	text_human_duration(-1, d);
	assert_string_equal(d, "0.0 s");
	text_human_duration(3499, d);
	assert_string_equal(d, "3.4 s");
	text_human_duration(245000, d);
	assert_string_equal(d, "4 min 05 s");
	text_human_duration(3720000, d);
	assert_string_equal(d, "1 h 02 min");
	text_human_duration(INT64_MAX, d);
	assert_string_equal(d, "106751991167 d 07 h");
}

static void
lsn_is_postgresqls(void **state)
{
	static const char *const bad[] = {"", "/", "16/", "/16", "16", "16/0/",
	    "16/B374D848 ", "123456789/0", "0/123456789", "0x1/0", "-1/0"};
	uint64_t v = 7;
	char s[20];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(text_lsn(bad[i], &v), -1);
	assert_true(v == 7);
	assert_int_equal(text_lsn("16/B374D848", &v), 0);
	assert_true(v == 0x16B374D848ULL);
	text_format_lsn(v, s);
	assert_string_equal(s, "16/B374D848");
	assert_int_equal(text_lsn("ffffffff/FFFFFFFF", &v), 0);
	text_format_lsn(v, s);
	assert_string_equal(s, "FFFFFFFF/FFFFFFFF");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decimal_takes_all_of_64_bits_and_no_more),
	    cmocka_unit_test(hex_has_exactly_its_digits),
	    cmocka_unit_test(sizes_take_the_units_of_postgresql),
	    cmocka_unit_test(durations_need_a_unit),
	    cmocka_unit_test(booleans_are_six_words),
	    cmocka_unit_test(base64_is_that_of_rfc_4648),
	    cmocka_unit_test(base64_has_one_spelling),
	    cmocka_unit_test(people_read_sizes_and_times),
	    cmocka_unit_test(lsn_is_postgresqls),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
