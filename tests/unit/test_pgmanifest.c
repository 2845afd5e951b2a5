#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "crypto.h"
#include "json.h"
#include "pgmanifest.h"

#define TIME 1700000000999999 /* 2023-11-14 22:13:20, and a bit */

static char text[32 << 20];
static size_t length;

static int
setup(void **state)
{
	static FILE *file;

	file = tmpfile();
	assert_non_null(file);
	*state = file;
	return 0;
}

static int
teardown(void **state)
{
	(void)fclose(*state);
	return 0;
}

static struct pgmanifest *
begin(void **state, uint32_t major)
{
	struct pgmanifest *m;
	struct fault f = FAULT_INIT;

	assert_int_equal(pgmanifest_new(&m, fileno(*state), "manifest", major,
			     UINT64_C(7710924177803238887), &f),
	    0);
	return m;
}

/* Ends it, reads it, and looks at the sum in its last line. */
static void
end(void **state, struct pgmanifest *m)
{
	unsigned char sum[CRYPTO_SHA256];
	char line[128], hex[65];
	struct fault f = FAULT_INIT;
	uint64_t size;
	size_t last;

	assert_int_equal(pgmanifest_end(m, 3, UINT64_C(0x105000028),
			     UINT64_C(0x105000100), &size, &f),
	    0);
	pgmanifest_free(m);
	length = (size_t)pread(fileno(*state), text, sizeof text - 1, 0);
	assert_int_equal(length, size);
	text[length] = '\0';
	assert_int_equal(text[length - 1], '\n');
	for (last = length - 1; text[last - 1] != '\n'; last--)
		;
	assert_int_equal(crypto_sha256(text, last, sum, &f), 0);
	text_hex(sum, sizeof sum, hex);
	snprintf(line, sizeof line, "\"Manifest-Checksum\": \"%s\"}\n", hex);
	assert_string_equal(text + last, line);
	text[last] = '\0';
}

static void
it_is_what_a_server_writes(void **state)
{
	struct pgmanifest *m = begin(state, 16);
	struct fault f = FAULT_INIT;

	assert_int_equal(
	    pgmanifest_file(m, "base/5/1", 8192, TIME, 0x12AB34CD, &f), 0);
	assert_int_equal(pgmanifest_file(m, "PG_VERSION", 0, 0, 0, &f), 0);
	end(state, m);
	assert_string_equal(text,
	    "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n"
	    "\"Files\": [\n"
	    "{ \"Path\": \"base/5/1\", \"Size\": 8192, \"Last-Modified\": "
	    "\"2023-11-14 22:13:20 GMT\", \"Checksum-Algorithm\": \"CRC32C\", "
	    "\"Checksum\": \"cd34ab12\" },\n"
	    "{ \"Path\": \"PG_VERSION\", \"Size\": 0, \"Last-Modified\": "
	    "\"1970-01-01 00:00:00 GMT\", \"Checksum-Algorithm\": \"CRC32C\", "
	    "\"Checksum\": \"00000000\" }\n"
	    "],\n"
	    "\"WAL-Ranges\": [\n"
	    "{ \"Timeline\": 3, \"Start-LSN\": \"1/5000028\", \"End-LSN\": "
	    "\"1/5000100\" }\n"
	    "],\n");
}

static void
from_17_on_it_has_the_system_id(void **state)
{
	static const char head[] =
	    "{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n"
	    "\"System-Identifier\": 7710924177803238887,\n"
	    "\"Files\": [\n";
	struct pgmanifest *m = begin(state, 17);

	end(state, m);
	assert_memory_equal(text, head, sizeof head - 1);
}

static void
names_that_are_no_utf8_are_hex(void **state)
{
	static const struct {
		const char *path;
		const char *want;
	} rows[] = {
	    {"a\"b\\c", "\"Path\": \"a\\\"b\\\\c\","},
	    {"a\tb\001", "\"Path\": \"a\\u0009b\\u0001\","},
	    {"gr\303\274n", "\"Path\": \"gr\303\274n\","},
	    {"\360\237\220\230", "\"Path\": \"\360\237\220\230\","},
	    {"gr\374n", "\"Encoded-Path\": \"6772fc6e\","},
	    {"\300\257", "\"Encoded-Path\": \"c0af\","},
	    {"\355\240\200", "\"Encoded-Path\": \"eda080\","},
	    {"\364\220\200\200", "\"Encoded-Path\": \"f4908080\","},
	    {"\303", "\"Encoded-Path\": \"c3\","},
	};
	struct pgmanifest *m = begin(state, 15);
	struct fault f = FAULT_INIT;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(
		    pgmanifest_file(m, rows[i].path, 1, 0, 0, &f), 0);
	end(state, m);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_non_null(strstr(text, rows[i].want));
}

static void
many_files_are_all_in_it(void **state)
{
	struct pgmanifest *m = begin(state, 18);
	struct fault f = FAULT_INIT;
	struct json *root, *files;
	char path[40];
	size_t n;

	for (uint32_t i = 0; i < 50000; i++) {
		snprintf(path, sizeof path, "base/5/%u", i);
		assert_int_equal(pgmanifest_file(m, path, i, TIME, i, &f), 0);
	}
	end(state, m);
	text[strlen(text) - 2] = '}'; /* for the line that was cut off */
	assert_int_equal(
	    json_parse(&root, "manifest", text, strlen(text), &f), 0);
	assert_int_equal(json_get_array(root, "Files", &files, &n, &f), 0);
	assert_int_equal(n, 50000);
	json_free(root);
}

#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(it_is_what_a_server_writes),
	    T(from_17_on_it_has_the_system_id),
	    T(names_that_are_no_utf8_are_hex),
	    T(many_files_are_all_in_it),
	};

	return cmocka_run_group_tests_name("pgmanifest", tests, NULL, NULL);
}
