#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "head.h"

static struct head_tablespace spaces[] = {
    {16384, (char *)"/srv/fast disk", 8192}, {16385, (char *)"/srv/b", 0}};

static struct head
sample(void)
{
	return (struct head){
	    .id = "20261122T020000Z-full-1a2b3c4d",
	    .type = "full",
	    .retention_class = "weekly",
	    .label = "before the \"upgrade\", Zürich",
	    .version = "0.1.0",
	    .host = "db1",
	    .pg_version = 150010,
	    .system_id = UINT64_C(0xfedcba9876543210), /* above 2^63 */
	    .segment_size = 16 << 20,
	    .checksums = true,
	    .from_standby = true,
	    .source = "stream",
	    .timeline = 3,
	    .start_lsn = 0x1600000028,
	    .stop_lsn = 0x1600000138,
	    .stop_timeline = 3,
	    .start_us = 1795312800000001,
	    .stop_us = 1795312860000002,
	    .done_us = 1795312861000003,
	    .tablespaces = spaces,
	    .n_tablespaces = 2,
	    .totals = {1, 2, 3, 4, 5, 6, 7, 8},
	    .manifest_size = 12345,
	};
}

static char *
encode(const struct head *h)
{
	struct buf b = BUF_INIT(HEAD_MAX);
	struct fault f = FAULT_INIT;

	assert_int_equal(head_encode(h, &b, &f), 0);
	assert_int_equal(buf_terminate(&b, &f), 0);
	return (char *)b.data;
}

static void
what_is_encoded_is_decoded(void **state)
{
	struct head a = sample(), b;
	char *text = encode(&a), *again;
	struct fault f = FAULT_INIT;

	(void)state;
	assert_int_equal(head_decode(text, strlen(text), &b, &f), 0);
	assert_string_equal(b.id, a.id);
	assert_string_equal(b.retention_class, "weekly");
	assert_string_equal(b.label, a.label);
	assert_true(b.system_id == a.system_id);
	assert_true(b.start_lsn == a.start_lsn && b.stop_lsn == a.stop_lsn);
	assert_true(b.start_us == a.start_us && b.stop_us == a.stop_us);
	assert_true(b.checksums && b.from_standby);
	assert_int_equal(b.n_tablespaces, 2);
	assert_string_equal(b.tablespaces[0].path, "/srv/fast disk");
	assert_int_equal(b.tablespaces[1].oid, 16385);
	assert_memory_equal(&b.totals, &a.totals, sizeof a.totals);
	again = encode(&b);
	assert_string_equal(text, again);
	head_free(&b);
	free(text);
	free(again);
}

static void
members_of_newer_versions_are_passed_over(void **state)
{
	struct head a = sample(), b;
	char *text = encode(&a);
	char *longer = malloc(strlen(text) + 100);
	struct fault f = FAULT_INIT;

	(void)state;
	assert_non_null(longer);
	strcpy(longer, "{\"a_new_thing\":{\"x\":[1]},");
	strcat(longer, text + 1);
	assert_int_equal(head_decode(longer, strlen(longer), &b, &f), 0);
	head_free(&b);
	free(longer);
	free(text);
}

/* Each case puts another value in place of a good one. */
static void
impossible_values_are_corrupt(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
	    {"\"type\":\"full\"", "\"type\":\"half\""},
	    {"\"class\":\"weekly\"", "\"class\":\"hourly\""},
	    {"\"source\":\"stream\"", "\"source\":\"\""},
	    {"\"format\":1", "\"format\":2"},
	    {"\"id\":\"2026", "\"id\":\"../26"},
	    {"\"timeline\":3", "\"timeline\":0"},
	    {"\"timeline\":3", "\"timeline\":4294967296"},
	    {"\"stop_timeline\":3", "\"stop_timeline\":4"},
	    {"\"segment_size\":16777216", "\"segment_size\":16777215"},
	    {"\"start_lsn\":\"16/28\"", "\"start_lsn\":\"16\""},
	    {"\"start_lsn\":\"16/28\"", "\"start_lsn\":\"16/13F\""},
	    {"\"oid\":16385", "\"oid\":16384"},
	    {"\"path\":\"/srv/b\"", "\"path\":\"srv/b\""},
	    {"\"stop_us\":1795312860000002", "\"stop_us\":-1"},
	    {"\"stop_us\":1795312860000002", "\"stop_us\":\"x\""},
	    {"\"checksums\":true", "\"checksums\":1"},
	    {"\"files\":1", "\"files\":-1"},
	    {"\"files\":1,", ""},
	};
	struct head a = sample(), b;
	char *text = encode(&a);
	struct fault f = FAULT_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *at = strstr(text, cases[i].from);
		char *changed = calloc(1, strlen(text) + 100);

		if (at == NULL)
			fail_msg("%s not in %s", cases[i].from, text);
		assert_non_null(changed);
		memcpy(changed, text, (size_t)(at - text));
		strcat(changed, cases[i].to);
		strcat(changed, at + strlen(cases[i].from));
		if (head_decode(changed, strlen(changed), &b, &f) !=
		    FAULT_CORRUPT)
			fail_msg("%s was taken", cases[i].to);
		free(changed);
	}
	free(text);
}

static void
a_head_that_was_cut_is_corrupt(void **state)
{
	struct head a = sample(), b;
	char *text = encode(&a);
	struct fault f = FAULT_INIT;

	(void)state;
	/* the last byte is a newline */
	for (size_t n = 0; n + 1 < strlen(text); n++)
		assert_int_equal(head_decode(text, n, &b, &f), FAULT_CORRUPT);
	free(text);
}

/* The incident: a host whose clock stood at 1970 wrote a head that no reader
 * takes, and with it no backup of the cluster could be chosen any more. */
static void
a_head_that_could_not_be_read_is_not_written(void **state)
{
	struct head changed[4];
	struct buf b = BUF_INIT(HEAD_MAX);

	(void)state;
	for (size_t i = 0; i < 4; i++)
		changed[i] = sample();
	changed[0].done_us = 3600000000;
	changed[1].start_us = 0;
	changed[2].stop_timeline = 4;
	changed[3].stop_lsn = changed[3].start_lsn;
	for (size_t i = 0; i < 4; i++) {
		struct fault f = FAULT_INIT;

		assert_int_equal(
		    head_encode(&changed[i], &b, &f), FAULT_SYSTEM);
		assert_int_equal(b.len, 0);
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_encoded_is_decoded),
	    cmocka_unit_test(members_of_newer_versions_are_passed_over),
	    cmocka_unit_test(impossible_values_are_corrupt),
	    cmocka_unit_test(a_head_that_was_cut_is_corrupt),
	    cmocka_unit_test(a_head_that_could_not_be_read_is_not_written),
	};

	return cmocka_run_group_tests_name("head", tests, NULL, NULL);
}
