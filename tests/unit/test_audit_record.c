/* One record: any text goes in, nothing but a record comes out; and its line
 * for syslog, which never waits. */
#include "unit.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "audit_record.h"
#include "audit_text.h"
#include "audit_syslog.h"

static void
any_text_becomes_one_line_of_utf8(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} rows[] = {
	    {"", ""},
	    {"plain", "plain"},
	    {"z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x90\x98",
		"z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x90\x98"},
	    {"a\nb\tc\x7f", "a?b?c?"},
	    {"\xc2\x85\xc2\xa0", "?\xc2\xa0"},
	    {"latin\xfc", "latin?"},
	    {"\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe0\x80\x80",
		"????????????"},
	    {"cut\xe2\x82", "cut??"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		audit_text(out, sizeof out, rows[i].in);
		assert_string_equal(out, rows[i].out);
	}
	/* Cut where a character ends. */
	audit_text(out, 5, "abc\xc3\xbc");
	assert_string_equal(out, "abc");
	audit_text(out, 6, "abc\xc3\xbc");
	assert_string_equal(out, "abc\xc3\xbc");
}

#define HASH "1111111111111111111111111111111111111111111111111111111111111111"

static const char good[] =
    "{\"format\":1,\"writer\":\"db-1a2b3c4d\",\"sequence\":2,"
    "\"previous\":\"" HASH "\",\"began\":\"\",\"at_us\":7,\"at\":\"\","
    "\"host\":\"h\",\"user\":\"u\",\"program\":\"p\",\"version\":\"v\","
    "\"pid\":3,\"operation\":\"20261122T093000Z-5e6f7a8b\","
    "\"action\":\"backup\",\"phase\":\"ended\",\"object\":\"o\","
    "\"objects\":null,\"bytes\":5,\"stored\":\"18446744073709551614\","
    "\"checksum\":\"\",\"reason\":\"r\",\"approved_by\":\"a\","
    "\"details\":[{\"name\":\"n\",\"value\":\"\"}],\"duration_ms\":null,"
    "\"status\":0,\"message\":\"\",\"later\":[1]}";

static void
read_good(struct audit_record *r)
{
	struct fault f = FAULT_INIT;

	assert_int_equal(audit_record_decode(good, strlen(good), r, &f), 0);
}

/* What is written of it is read as the same. */
static void
comes_back(const struct audit_record *r)
{
	static struct audit_record again;
	struct buf text = BUF_INIT(AUDIT_RECORD_MAX);
	struct fault f = FAULT_INIT;

	assert_int_equal(audit_record_encode(r, &text, &f), 0);
	assert_int_equal(
	    audit_record_decode(text.data, text.len, &again, &f), 0);
	assert_memory_equal(r, &again, sizeof *r);
	buf_free(&text);
}

static void
a_record_is_read_and_written_to_the_letter(void **state)
{
	static struct audit_record r;

	(void)state;
	read_good(&r);
	assert_string_equal(r.writer, "db-1a2b3c4d");
	assert_int_equal(r.sequence, 2);
	assert_int_equal(r.previous[31], 0x11);
	assert_true(r.objects == AUDIT_UNKNOWN);
	assert_true(r.stored == UINT64_MAX - 1);
	assert_int_equal(r.bytes, 5);
	assert_int_equal(r.duration_ms, -1);
	assert_int_equal(r.status, 0);
	assert_int_equal(r.phase, AUDIT_ENDED);
	assert_string_equal(r.details[0].name, "n");
	comes_back(&r);
}

/* Replace one part of the good one; each such record must be refused. */
static void
what_is_not_a_record_is_refused(void **state)
{
	static const char *const rows[][2] = {
	    {"\"format\":1", "\"format\":2"},
	    {"\"format\":1", "\"format\":\"1\""},
	    {"\"format\":1,", ""},
	    {"db-1a2b3c4d", "db-1a2b3c4"},
	    {"db-1a2b3c4d", "../1a2b-1a2b3c4d"},
	    {"\"sequence\":2", "\"sequence\":0"},
	    {"\"sequence\":2", "\"sequence\":1"},
	    {"\"sequence\":2", "\"sequence\":1000000000000"},
	    {"\"previous\":\"11", "\"previous\":\""},
	    {"\"previous\":\"11", "\"previous\":\"zz"},
	    {"\"began\":\"\"", "\"began\":\"x\""},
	    {"\"at_us\":7", "\"at_us\":-1"},
	    {"\"at_us\":7", "\"at_us\":7258118400000001"},
	    {"\"host\":\"h\"", "\"host\":7"},
	    {"\"user\":\"u\"", "\"user\":\"u\\n\""},
	    {"\"user\":\"u\"", "\"user\":\"\\u0085\""},
	    {"\"program\":\"p\"", "\"program\":\"\""},
	    {"\"pid\":3", "\"pid\":4294967296"},
	    {"5e6f7a8b\"", "5e6f7a8b0\""},
	    {"\"action\":\"backup\"", "\"action\":\"\""},
	    {"\"phase\":\"ended\"", "\"phase\":\"begun\""},
	    {"\"phase\":\"ended\"", "\"phase\":\"over\""},
	    {"\"objects\":null", "\"objects\":-1"},
	    {"18446744073709551614", "18446744073709551615"},
	    {"\"name\":\"n\"", "\"name\":\"\""},
	    {"[{\"name\":\"n\",\"value\":\"\"}]", "{}"},
	    {"[{\"name\":\"n\",\"value\":\"\"}]", "[1]"},
	    {"\"duration_ms\":null", "\"duration_ms\":-1"},
	    {"\"status\":0", "\"status\":null"},
	    {"\"status\":0", "\"status\":256"},
	    {"\"message\":\"\",", ""},
	    {"\"message\":\"\"", "\"message\":\"\",\"message\":\"\""},
	};
	static struct audit_record r;
	char text[2 * sizeof good];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *at = strstr(good, rows[i][0]);
		struct fault f = FAULT_INIT;

		assert_non_null(at);
		snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good,
		    rows[i][1], at + strlen(rows[i][0]));
		if (audit_record_decode(text, strlen(text), &r, &f) !=
		    FAULT_CORRUPT)
			fail_msg("taken: %s", text);
	}
}

static void
the_longest_record_can_be_written_and_read(void **state)
{
	static struct audit_record r;
	static char longest[4096];

	(void)state;
	/* Two bytes each in JSON. */
	memset(longest, '"', sizeof longest - 1);
	read_good(&r);
	r.n_details = AUDIT_DETAILS;
	audit_text(r.host, sizeof r.host, longest);
	audit_text(r.user, sizeof r.user, longest);
	audit_text(r.object, sizeof r.object, longest);
	audit_text(r.checksum, sizeof r.checksum, longest);
	audit_text(r.reason, sizeof r.reason, longest);
	audit_text(r.approved_by, sizeof r.approved_by, longest);
	audit_text(r.message, sizeof r.message, longest);
	for (size_t k = 0; k < AUDIT_DETAILS; k++) {
		audit_text(
		    r.details[k].name, sizeof r.details[k].name, longest);
		audit_text(
		    r.details[k].value, sizeof r.details[k].value, longest);
	}
	comes_back(&r);
}

static void
a_line_for_syslog_names_all_that_matters(void **state)
{
	static struct audit_record r;
	char line[AUDIT_SYSLOG_LINE];

	(void)state;
	read_good(&r);
	audit_syslog_format(&r, "offsite", 1, line);
	assert_string_equal(line,
	    "backup ended operation=\"20261122T093000Z-5e6f7a8b\" user=\"u\" "
	    "repository=\"offsite\" object=\"o\" bytes=\"5\" reason=\"r\" "
	    "approved_by=\"a\" status=\"0\"");
	audit_syslog_format(&r, "offsite", 0, line);
	assert_non_null(strstr(line, "NOT STORED"));
	/* Quotes in a text do not end it. */
	strcpy(r.reason, "x\" status=\"9");
	audit_syslog_format(&r, "offsite", 1, line);
	assert_non_null(strstr(line, "reason=\"x' status='9\""));
}

static int
daemon_socket(int type, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);

	assert_true(fd >= 0);
	strcpy(a.sun_path, path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void
syslog_gets_a_line_and_is_never_waited_for(void **state)
{
	static struct audit_record r;
	char dir[] = "/tmp/test-syslog-XXXXXX", path[64], got[2048];
	ssize_t n;
	int fd;

	(void)state;
	read_good(&r);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/log", dir);
	/* No daemon at all. */
	audit_syslog_send(&r, "nobody", path);
	fd = daemon_socket(SOCK_DGRAM, path);
	audit_syslog_send(&r, "hello", path);
	n = recv(fd, got, sizeof got - 1, MSG_DONTWAIT);
	assert_true(n > 0);
	got[n] = '\0';
	/* authpriv.notice */
	assert_memory_equal(got, "<85>", 4);
	assert_non_null(strstr(got, " p[3]: hello"));
	/* One that reads nothing: more than it can hold. */
	for (int k = 0; k < 5000; k++)
		audit_syslog_send(&r, "too much", path);
	close(fd);
	assert_int_equal(unlink(path), 0);
	fd = daemon_socket(SOCK_STREAM, path);
	assert_int_equal(listen(fd, 1), 0);
	for (int k = 0; k < 50; k++)
		audit_syslog_send(&r, "a stream", path);
	close(fd);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_text_becomes_one_line_of_utf8),
	    cmocka_unit_test(a_record_is_read_and_written_to_the_letter),
	    cmocka_unit_test(what_is_not_a_record_is_refused),
	    cmocka_unit_test(the_longest_record_can_be_written_and_read),
	    cmocka_unit_test(a_line_for_syslog_names_all_that_matters),
	    cmocka_unit_test(syslog_gets_a_line_and_is_never_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
