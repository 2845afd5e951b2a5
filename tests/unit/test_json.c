/* Strict documents: what is not exactly as asked for is CORRUPT. */
#include "unit.h"

#include <stdbool.h>

#include "clock.h"
#include "json.h"

static struct fault f;

static struct json *
parse(const char *s)
{
	struct json *j = NULL;

	assert_int_equal(json_parse(&j, "doc", s, strlen(s), &f), 0);
	return j;
}

static void
what_is_not_one_document_is_refused(void **state)
{
	static const char *const bad[] = {"", "{", "{}x", "{} {}", "1", "\"a\"",
	    "{\"a\":1,\"a\":2}", "{'a':1}", "{\"a\":1,}", "[1,2", "{\"a\":01}",
	    "{\"a\":99999999999999999999}", "{\"a\":\"\\u0000\"}",
	    "{\"a\":\"\xff\"}", "{\"a\":nan}", "\xef\xbb\xbf{}"};
	struct json *j = NULL;
	char deep[10001];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    json_parse(&j, "doc", bad[i], strlen(bad[i]), &f),
		    FAULT_CORRUPT);
	memset(deep, '[', 10000);
	assert_int_equal(json_parse(&j, "doc", deep, 10000, &f), FAULT_CORRUPT);
	assert_int_equal(json_parse(&j, "doc", "{}\0", 3, &f), FAULT_CORRUPT);
	assert_memory_equal(f.text, "doc: ", 5);
	assert_int_equal(json_parse(&j, "doc", deep, (size_t)JSON_MAX + 1, &f),
	    FAULT_CORRUPT);
	assert_null(j);
	json_free(NULL);
}

static void
a_refusal_does_not_show_the_document(void **state)
{
	const char *s = "{\"token\": \"hunter2\" \"x\"}";
	struct json *j = NULL;

	(void)state;
	assert_int_equal(
	    json_parse(&j, "doc", s, strlen(s), &f), FAULT_CORRUPT);
	assert_null(strstr(f.text, "hunter2"));
}

static void
members_have_their_type_or_are_named(void **state)
{
	struct json *j = parse("{\"s\":\"x\",\"i\":-5,\"r\":1.0,\"b\":true,"
			       "\"n\":null,\"a\":[{},1],\"o\":{\"k\":2}}");
	struct json *sub = NULL;
	const char *s = NULL;
	int64_t i = 7;
	uint64_t u = 7;
	bool b = false;
	size_t n = 7;

	(void)state;
	assert_int_equal(json_get_str(j, "s", &s, &f), 0);
	assert_string_equal(s, "x");
	assert_int_equal(json_get_i64(j, "i", &i, &f), 0);
	assert_int_equal(i, -5);
	assert_int_equal(json_get_bool(j, "b", &b, &f), 0);
	assert_true(b);
	assert_int_equal(json_get_str(j, "i", &s, &f), FAULT_CORRUPT);
	assert_string_equal(f.text, "\"i\" is not a string");
	assert_int_equal(json_get_str(j, "zz", &s, &f), FAULT_CORRUPT);
	assert_string_equal(f.text, "there is no \"zz\"");
	assert_int_equal(json_get_i64(j, "r", &i, &f), FAULT_CORRUPT);
	assert_int_equal(json_get_i64(j, "s", &i, &f), FAULT_CORRUPT);
	assert_int_equal(json_get_u64(j, "i", &u, &f), FAULT_CORRUPT);
	assert_int_equal(json_get_u64(j, "zz", &u, &f), FAULT_CORRUPT);
	assert_int_equal(json_get_bool(j, "i", &b, &f), FAULT_CORRUPT);
	assert_int_equal(json_get_bool(j, "zz", &b, &f), FAULT_CORRUPT);
	assert_int_equal(json_get_object(j, "a", &sub, &f), FAULT_CORRUPT);
	assert_int_equal(json_get_array(j, "o", &sub, &n, &f), FAULT_CORRUPT);
	assert_null(sub);
	assert_int_equal(u, 7);
	assert_true(json_has(j, "i"));
	assert_false(json_has(j, "n"));
	assert_false(json_has(j, "zz"));
	assert_int_equal(json_get_array(j, "a", &sub, &n, &f), 0);
	assert_int_equal(n, 2);
	assert_int_equal(json_get_i64(sub, "k", &i, &f), FAULT_CORRUPT);
	assert_int_equal(json_at(sub, 1, &sub, &f), FAULT_CORRUPT);
	assert_int_equal(json_at(sub, 2, &sub, &f), FAULT_CORRUPT);
	assert_int_equal(json_get_object(j, "o", &sub, &f), 0);
	assert_int_equal(json_get_u64(sub, "k", &u, &f), 0);
	assert_int_equal(u, 2);
	json_free(j);
}

static void
a_value_out_of_its_bounds_is_refused_and_named(void **state)
{
	static const char *const words[] = {"one", "two", NULL};
	struct json *j = parse("{\"t\":\"four\",\"w\":\"two\",\"h\":\"0aFf\","
			       "\"big\":4294967296,\"max\":4294967295,"
			       "\"zero\":0,\"format\":2}");
	unsigned char hex[2] = {7, 7};
	uint32_t u = 7;
	int64_t i = 7;
	size_t which = 7;
	char text[5] = "x";

	(void)state;
	assert_int_equal(json_get_text(j, "t", text, 4, &f), FAULT_CORRUPT);
	assert_string_equal(f.text, "member \"t\" has an impossible value");
	assert_string_equal(text, "x");
	assert_int_equal(json_get_text(j, "t", text, 5, &f), 0);
	assert_string_equal(text, "four");
	assert_int_equal(
	    json_get_choice(j, "t", words, &which, &f), FAULT_CORRUPT);
	assert_int_equal(which, 7);
	assert_int_equal(json_get_choice(j, "w", words, &which, &f), 0);
	assert_int_equal(which, 1);
	assert_int_equal(json_get_hex(j, "h", hex, 1, &f), FAULT_CORRUPT);
	assert_int_equal(json_get_hex(j, "t", hex, 2, &f), FAULT_CORRUPT);
	assert_int_equal(json_get_hex(j, "h", hex, 2, &f), 0);
	assert_int_equal(hex[0], 0x0a);
	assert_int_equal(hex[1], 0xff);
	assert_int_equal(json_get_u32(j, "big", 0, &u, &f), FAULT_CORRUPT);
	assert_int_equal(json_get_u32(j, "zero", 1, &u, &f), FAULT_CORRUPT);
	assert_int_equal(u, 7);
	assert_int_equal(json_get_u32(j, "max", 1, &u, &f), 0);
	assert_true(u == UINT32_MAX);
	assert_int_equal(
	    json_get_range(j, "zero", 1, 2, &i, &f), FAULT_CORRUPT);
	assert_int_equal(
	    json_get_range(j, "format", -1, 1, &i, &f), FAULT_CORRUPT);
	assert_int_equal(i, 7);
	assert_int_equal(json_get_range(j, "format", 2, 2, &i, &f), 0);
	assert_int_equal(i, 2);
	assert_int_equal(json_get_format(j, 1, &f), FAULT_CORRUPT);
	assert_int_equal(json_get_format(j, 2, &f), 0);
	json_free(j);
}

static void
numbers_keep_all_64_bits(void **state)
{
	static const uint64_t values[] = {
	    0, 1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
	struct json *j;
	uint64_t u;
	int64_t i;
	size_t k, n;
	char *text;

	(void)state;
	for (k = 0; k < 5; k++) {
		assert_int_equal(json_new(&j, &f), 0);
		assert_int_equal(json_put_u64(j, "u", values[k], &f), 0);
		assert_int_equal(json_put_i64(j, "i", INT64_MIN, &f), 0);
		assert_int_equal(json_dump(j, &text, &n, &f), 0);
		json_free(j);
		j = parse(text);
		free(text);
		assert_int_equal(json_get_u64(j, "u", &u, &f), 0);
		assert_true(u == values[k]);
		assert_int_equal(json_get_i64(j, "i", &i, &f), 0);
		assert_true(i == INT64_MIN);
		json_free(j);
	}
	j = parse("{\"a\":\"18446744073709551616\",\"b\":\" 1\",\"c\":\"\"}");
	assert_int_equal(json_get_u64(j, "a", &u, &f), FAULT_CORRUPT);
	assert_int_equal(json_get_u64(j, "b", &u, &f), FAULT_CORRUPT);
	assert_int_equal(json_get_u64(j, "c", &u, &f), FAULT_CORRUPT);
	json_free(j);
}

static void
a_document_is_written_in_one_way(void **state)
{
	struct json *j, *list, *o;
	char *text;
	size_t n;

	(void)state;
	assert_int_equal(json_new(&j, &f), 0);
	assert_int_equal(json_put_str(j, "z", "\"\n\xc3\xa4", &f), 0);
	assert_int_equal(json_put_bool(j, "b", false, &f), 0);
	assert_int_equal(json_put_time(j, "n", CLOCK_NONE, &f), 0);
	assert_int_equal(json_put_time(j, "t", 1000001, &f), 0);
	assert_int_equal(json_put_array(j, "l", &list, &f), 0);
	assert_int_equal(json_append_object(list, &o, &f), 0);
	assert_int_equal(json_put_i64(o, "k", 1, &f), 0);
	assert_int_equal(json_append_str(list, "s", &f), 0);
	assert_int_equal(json_put_object(j, "o", &o, &f), 0);
	assert_int_equal(json_dump(j, &text, &n, &f), 0);
	assert_string_equal(text,
	    "{\"b\":false,\"l\":[{\"k\":1},\"s\"],\"n\":null,\"o\":{},"
	    "\"t\":\"1970-01-01T00:00:01.000Z\",\"z\":\"\\\"\\n\xc3\xa4\"}"
	    "\n");
	assert_int_equal(n, strlen(text));
	free(text);
	assert_int_equal(json_dump_pretty(j, &text, &n, &f), 0);
	assert_non_null(strstr(text, "\n  \"b\": false,\n"));
	assert_int_equal(text[n - 1], '\n');
	free(text);
	json_free(j);
}

static void
text_that_is_not_utf8_is_refused(void **state)
{
	struct json *j, *list;

	(void)state;
	assert_int_equal(json_new(&j, &f), 0);
	assert_int_equal(json_put_str(j, "a", "\xff", &f), FAULT_CORRUPT);
	assert_memory_equal(f.text, "a: ", 3);
	assert_int_equal(json_put_array(j, "l", &list, &f), 0);
	assert_int_equal(json_append_str(list, "\xc3", &f), FAULT_CORRUPT);
	assert_false(json_has(j, "a"));
	json_free(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_not_one_document_is_refused),
	    cmocka_unit_test(a_refusal_does_not_show_the_document),
	    cmocka_unit_test(members_have_their_type_or_are_named),
	    cmocka_unit_test(a_value_out_of_its_bounds_is_refused_and_named),
	    cmocka_unit_test(numbers_keep_all_64_bits),
	    cmocka_unit_test(a_document_is_written_in_one_way),
	    cmocka_unit_test(text_that_is_not_utf8_is_refused),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
