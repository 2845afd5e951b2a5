/* The settings file: what is not understood is never passed over. */
#include "conf_world.h"

/* A text, the line that the message has to name, and a word of it. */
struct mistake {
	const char *text;
	const char *where;
	const char *word;
};

static void
are_told(const struct mistake *m, size_t n)
{
	struct conf *c = NULL;

	for (size_t i = 0; i < n; i++) {
		int r =
		    conf_parse(&c, "FILE", m[i].text, strlen(m[i].text), &f);

		if (r != FAULT_CONFIG ||
		    strncmp(f.text, m[i].where, strlen(m[i].where)) != 0 ||
		    strstr(f.text, m[i].word) == NULL)
			fail_msg("%s\ngave: %d %s", m[i].text, r, f.text);
		assert_null(c);
	}
}

static void
lines_that_are_no_settings_are_told(void **state)
{
	static const struct mistake bad[] = {
	    {"[foo]\n", "FILE:1:", "unknown section"},
	    {"[cluster]\n", "FILE:1:", "name"},
	    {"[cluster a b]\n", "FILE:1:", "name"},
	    {"[cluster a/b]\n", "FILE:1:", "name"},
	    {"[cluster a\n", "FILE:1:", "\"]\""},
	    {"[cluster a] b = c\n", "FILE:1:", "behind"},
	    {"[cluster a]#x\n", "FILE:1:", "behind"},
	    {"rto = 1s\n[cluster a]\n", "FILE:1:", "before"},
	    {"[cluster a]\n[cluster a]\n", "FILE:2:", "second time"},
	    {"[repo a]\nurl=file:///x\n[repo a]\n", "FILE:3:", "second time"},
	    {"[cluster a]\nrto = 1s\nrto = 2s\n", "FILE:3:", "second time"},
	    {"[cluster a]\nkey_files = /x\n", "FILE:2:", "key_files"},
	    {"[cluster a]\nretain_hourly = 14d\n", "FILE:2:", "retain_hourly"},
	    {"[cluster a]\nurl = file:///x\n", "FILE:2:", "url"},
	    {"[cluster a]\nrpo\n", "FILE:2:", "NAME = VALUE"},
	    {"[cluster a]\nrto =\n", "FILE:2:", "no value"},
	    {"[cluster a]\nrto = ; x\n", "FILE:2:", "no value"},
	    {"[cluster a]\npgdata = /a\n /b\n", "FILE:3:", "NAME = VALUE"},
	    {"[cluster a]\npgdata = /a\x01\n", "FILE:2:", "control"},
	};

	(void)state;
	are_told(bad, COUNT(bad));
}

static void
mistakes_about_a_cluster_are_told(void **state)
{
	static const struct mistake bad[] = {
	    {"[cluster a]\nretain_wal = 14\n", "FILE:2:", "retain_wal"},
	    {"[cluster a]\nretain_daily = 30d\n", "FILE:2:", "retain_daily"},
	    {"[cluster a]\nretain_yearly = 36526\n", "FILE:2:", "to 36525"},
	    {"[cluster a]\nretain_minimum = 0\n", "FILE:2:", "retain_minimum"},
	    {"[cluster a]\nrto = 5\n", "FILE:2:", "rto"},
	    {"[cluster a]\nrto = 0s\n", "FILE:2:", "rto"},
	    {"[cluster a]\nrto = 40000d\n", "FILE:2:", "rto"},
	    {"[cluster a]\npgdata = data\n", "FILE:2:", "absolute"},
	    {"[cluster a]\ncompression = zstd:20\n", "FILE:2:", "19"},
	    {"[cluster a]\ncompression = zstd:\n", "FILE:2:", "zstd"},
	    {"[cluster a]\ncompression = zstd1\n", "FILE:2:", "zstd"},
	    {"[cluster a]\ncompression = lz4\n", "FILE:2:", "zstd"},
	    {"[cluster a]\nencryption = maybe\n", "FILE:2:", "on or off"},
	    {"[cluster a]\npush_quorum = 0\n", "FILE:2:", "push_quorum"},
	    {"[cluster a]\nrepo = r\nrepo = r\n", "FILE:3:", "twice"},
	    {"[cluster a]\nkey_file = /k\n", "FILE:1:", "no repo"},
	    {"[cluster a]\nrepo = r\n", "FILE:2:", "[repo r]"},
	    {"[cluster a]\nrepo = r\n[repo r]\nurl = file:///x\n",
		"FILE:1:", "repo-key generate"},
	    {"[cluster a]\nrepo = r\nkey_file = /k\nencryption = off\n"
	     "[repo r]\nurl = file:///x\n",
		"FILE:4:", "encryption"},
	    {"[cluster a]\nrepo = r\nkey_file = /k\npush_quorum = 2\n"
	     "[repo r]\nurl = file:///x\n",
		"FILE:4:", "push_quorum"},
	    {"[cluster a]\nrepo = r\nrepo = s\nkey_file = /k\n"
	     "[repo r]\nurl = file:///x\n[repo s]\nurl = file:///x/\n",
		"FILE:3:", "same place"},
	    {"[cluster a]\nrepo = r\nrepo = s\nkey_file = /k\n"
	     "[repo r]\nurl = s3://bucket/p\nendpoint = https://h\n"
	     "[repo s]\nurl = s3://bucket/p/\nendpoint = https://H:443/\n",
		"FILE:3:", "same place"},
	    {"[cluster a]\nrepo = r\nrepo = s\nkey_file = /k\n"
	     "[repo r]\nurl = s3://bucket\ninsecure = yes\n"
	     "endpoint = http://h:80\n"
	     "[repo s]\nurl = s3://bucket\ninsecure = yes\n"
	     "endpoint = http://h\n",
		"FILE:3:", "same place"},
	    {"[cluster a]\npgdata = /a/data/\nrepo = r\nkey_file = /k\n"
	     "[repo r]\nurl = file:///a/data\n",
		"FILE:3:", "lies in pgdata"},
	    {"[cluster a]\nrepo = q\nrepo = r\nkey_file = /k\n"
	     "pgdata = /a/data\n[repo q]\nurl = file:///a/database\n"
	     "[repo r]\nurl = file:///a/data/b\n",
		"FILE:3:", "lies in pgdata"},
	    {"[cluster a]\nspill_below = 0%\n", "FILE:2:", "1% to 100%"},
	    {"[cluster a]\nspill_below = 101%\n", "FILE:2:", "1% to 100%"},
	    {"[cluster a]\nspill_below = 1000%\n", "FILE:2:", "1% to 100%"},
	    {"[cluster a]\nspill_below = %\n", "FILE:2:", "1% to 100%"},
	    {"[cluster a]\nspill_below = 5%%\n", "FILE:2:", "1% to 100%"},
	    {"[cluster a]\nspill_below = 0\n", "FILE:2:", "10GB"},
	    {"[cluster a]\nspill_dir = x\n", "FILE:2:", "absolute"},
	    {"[cluster a]\nrepo = r\nkey_file = /k\nspill_below = 1GB\n"
	     "[repo r]\nurl = file:///x\n",
		"FILE:4:", "without spill_dir"},
	    {"[cluster a]\nrepo = r\nkey_file = /k\nspill_dir = /x\n"
	     "[repo r]\nurl = file:///x\n",
		"FILE:4:", "place of repo r"},
	};

	(void)state;
	are_told(bad, COUNT(bad));
}

static void
mistakes_about_a_repository_are_told(void **state)
{
	static const struct mistake bad[] = {
	    {OK, "FILE:4:", "no url"},
	    {OK "url = /x\n", "FILE:5:", "url"},
	    {OK "url = file://host/x\n", "FILE:5:", "url"},
	    {OK "url = file:///\n", "FILE:5:", "path"},
	    {OK "url = file:///a/../b\n", "FILE:5:", "path"},
	    {OK "url = s3://ab\n", "FILE:5:", "bucket"},
	    {OK "url = s3://bu_ck:et\n", "FILE:5:", "bucket"},
	    {OK "url = s3://bucket/a//b\n", "FILE:5:", "prefix"},
	    {OK "url = s3://bucket/a?b\n", "FILE:5:", "prefix"},
	    {OK "url = file:///x\nregion = y\n", "FILE:6:", "region"},
	    {OK "url = file:///x\ninsecure = no\n", "FILE:6:", "insecure"},
	    {OKS3 "endpoint = h:1\n", "FILE:6:", "endpoint"},
	    {OKS3 "endpoint = https://\n", "FILE:6:", "endpoint"},
	    {OKS3 "endpoint = https://u@h\n", "FILE:6:", "endpoint"},
	    {OKS3 "endpoint = https://h/p\n", "FILE:6:", "endpoint"},
	    {OKS3 "endpoint = http://h\n", "FILE:6:", "insecure"},
	    {OKS3 "endpoint = http://h\ninsecure = yes\npin = " PIN "\n",
		"FILE:8:", "pin"},
	    {OKS3 "pin = sha256//AAAA\n", "FILE:6:", "pin"},
	    {OKS3 "pin = 47DE\n", "FILE:6:", "pin"},
	    {OKS3 "tls = 1.1\n", "FILE:6:", "tls"},
	    {OKS3 "storage_class_weekly = a b\n", "FILE:6:", "storage_class"},
	    {OKS3 "storage_class_after = 0s\n", "FILE:6:", "storage_class"},
	    {OKS3 "object_lock = governance\nstorage_class_yearly = X\n",
		"FILE:7:", "storage_class_yearly has no effect with"},
	    {OKS3 "storage_class_after = 9d\nobject_lock = compliance\n",
		"FILE:6:", "storage_class_after has no effect with"},
	    {OK "url = file:///r\nstorage_class_weekly = X\n",
		"FILE:6:", "means nothing for a repository in a directory"},
	    {OKS3 "addressing = virtual\n", "FILE:6:", "addressing"},
	    {OKS3 "ca_file = /a\nca_path = /b\n", "FILE:7:", "ca_path"},
	    {OKS3 "access_key_id = a\n", "FILE:4:", "together"},
	    {OKS3 "secret_access_key = a\n", "FILE:4:", "together"},
	    {OKS3 "session_token = a\n", "FILE:4:", "session_token"},
	    {OKS3 "access_key_id = a\nsecret_access_key = b\n"
		  "secret_access_key_file = /c\n",
		"FILE:4:", "one of"},
	    {OKS3 "access_key_id = a/b\n", "FILE:6:", "access_key_id"},
	};

	(void)state;
	are_told(bad, COUNT(bad));
}

static void
a_long_line_is_never_cut(void **state)
{
	static char text[10000];
	struct conf *c = NULL;
	size_t n;

	(void)state;
	/* Longer than inih's own limit, and whole. */
	n = (size_t)sprintf(text,
	    "[cluster a]\nconninfo = %03000d\n"
	    "repo = r\nkey_file = /k\n"
	    "[repo r]\nurl = file:///x\n",
	    7);
	assert_int_equal(conf_parse(&c, "FILE", text, n, &f), 0);
	assert_int_equal(strlen(only(c)->conninfo), 3000);
	assert_string_equal(only(c)->conninfo + 2998, "07");
	conf_free(c);
	c = NULL;
	n = (size_t)sprintf(text, "[cluster a]\nconninfo = %05000d\n", 7);
	assert_int_equal(conf_parse(&c, "FILE", text, n, &f), FAULT_CONFIG);
	assert_memory_equal(f.text, "FILE:2: the line is longer", 26);
	/* A name of the full length that inih would cut. */
	n = (size_t)sprintf(text, "[repo %064d]\nurl = file:///x\n", 7);
	assert_int_equal(conf_parse(&c, "FILE", text, n, &f), 0);
	conf_free(c);
	c = NULL;
	n = (size_t)sprintf(text, "[repo %065d]\nurl = file:///x\n", 7);
	assert_int_equal(conf_parse(&c, "FILE", text, n, &f), FAULT_CONFIG);
	/* A NUL does not hide the rest. */
	assert_int_equal(
	    conf_parse(&c, "FILE", "\0[foo]\n", 7, &f), FAULT_CONFIG);
	assert_null(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_that_are_no_settings_are_told),
	    cmocka_unit_test(mistakes_about_a_cluster_are_told),
	    cmocka_unit_test(mistakes_about_a_repository_are_told),
	    cmocka_unit_test(a_long_line_is_never_cut),
	};

	return cmocka_run_group_tests_name("conf_mistakes", tests, NULL, NULL);
}
