/* The settings file: what is not understood is never passed over. */
#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PIN "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define OK "[cluster a]\nrepo = r\nkey_file = /k\n[repo r]\n"
#define OKS3 OK "url = s3://bucket\n"

static struct fault f;

static struct conf *
good(const char *text)
{
	struct conf *c = NULL;
	int r = conf_parse(&c, "FILE", text, strlen(text), &f);

	if (r != 0)
		print_error("%s\n", f.text);
	assert_int_equal(r, 0);
	return c;
}

static const struct conf_cluster *
only(const struct conf *c)
{
	const struct conf_cluster *k = NULL;

	assert_int_equal(conf_cluster(c, NULL, &k, &f), 0);
	return k;
}

/* Every setting there is. */
#define ALL                                                                    \
	"\xef\xbb\xbf# one\r\n; two\n\n"                                       \
	"[ cluster  main ] ; the main one\n"                                   \
	"  pgdata = /var/lib/pg\t; indented\n"                                 \
	"conninfo = host=/run user=p options=a#b;c ; inline\n"                 \
	"repo=local\nrepo=off-site_2\npush_quorum = 2\n"                       \
	"key_file = /etc/k1\nkey_file = /etc/k2\nencryption = on\n"            \
	"compression = zstd:19\npush_deadline = 500ms\n"                       \
	"fetch_deadline = 2min\nstore_deadline = 1h\n"                         \
	"spool_dir = /spool\nrto = 2h\nretain_full = 2w\n"                     \
	"spill_dir = /spill\nspill_below = 7%\n"                               \
	"retain_weekly = 0\nretain_minimum = 3\n"                              \
	"[repo local]\nurl = file:///var/lib/pitrkit/\n"                       \
	"[repo off-site_2]\nurl = s3://buck.et/a/b/\n"                         \
	"endpoint = https://[::1]:9000/\nregion = eu-west-1\n"                 \
	"addressing = host\ninsecure = no\ntls = 1.2\n"                        \
	"ca_file = /ca.pem\npin = " PIN "\npin = " PIN "\n"                    \
	"access_key_id = AK\nsecret_access_key_file = /s\n"                    \
	"session_token_command = echo \"x\" # no comment\n"                    \
	"storage_class = STANDARD_IA\nstorage_class_base = COLD\n"             \
	"storage_class_archive = GLACIER\n"                                    \
	"object_lock = compliance"

static void
settings_of_a_cluster_arrive(void **state)
{
	struct conf *c = good(ALL);
	const struct conf_cluster *k = only(c);

	(void)state;
	assert_string_equal(k->name, "main");
	assert_int_equal(k->line, 4);
	assert_string_equal(k->pgdata, "/var/lib/pg");
	assert_string_equal(k->conninfo, "host=/run user=p options=a#b;c");
	assert_int_equal(k->n_repos, 2);
	assert_int_equal(k->push_quorum, 2);
	assert_int_equal(k->n_key_files, 2);
	assert_string_equal(k->key_files[1], "/etc/k2");
	assert_true(k->encryption);
	assert_int_equal(k->codec, 1);
	assert_int_equal(k->level, 19);
	assert_int_equal(k->push_deadline_ms, 500);
	assert_int_equal(k->fetch_deadline_ms, 120000);
	assert_int_equal(k->store_deadline_ms, 3600000);
	assert_string_equal(k->spool_dir, "/spool");
	assert_string_equal(k->spill_dir, "/spill");
	assert_int_equal(k->spill_below, 7);
	assert_true(k->spill_percent);
	assert_int_equal(k->rto_ms, 7200000);
	assert_int_equal(k->retain_full_ms, 14 * 86400000LL);
	assert_int_equal(k->retain_weekly, 0);
	assert_int_equal(k->retain_minimum, 3);
	assert_string_equal(conf_path(c), "FILE");
	conf_free(c);
	conf_free(NULL);
}

static void
settings_of_repositories_arrive(void **state)
{
	struct conf *c = good(ALL);
	const struct conf_cluster *k = only(c);
	const struct conf_repo *r = k->repos[0];

	(void)state;
	assert_int_equal(r->kind, CONF_STORE_FILE);
	assert_string_equal(r->path, "/var/lib/pitrkit");
	r = k->repos[1];
	assert_string_equal(r->name, "off-site_2");
	assert_int_equal(r->kind, CONF_STORE_S3);
	assert_string_equal(r->bucket, "buck.et");
	assert_string_equal(r->prefix, "a/b");
	assert_string_equal(r->endpoint, "https://[::1]:9000");
	assert_string_equal(r->region, "eu-west-1");
	assert_true(r->host_style);
	assert_false(r->insecure);
	assert_true(r->tls12);
	assert_string_equal(r->ca_file, "/ca.pem");
	assert_int_equal(r->n_pins, 2);
	assert_string_equal(r->access_key_id, "AK");
	assert_string_equal(r->secret_access_key.file, "/s");
	assert_string_equal(
	    r->session_token.command, "echo \"x\" # no comment");
	assert_string_equal(r->storage_class, "STANDARD_IA");
	assert_string_equal(r->storage_class_base, "COLD");
	assert_string_equal(r->storage_class_archive, "GLACIER");
	assert_int_equal(r->object_lock, CONF_LOCK_COMPLIANCE);
	conf_free(c);
}

static void
defaults_are_those_of_the_manual(void **state)
{
	struct conf *c = good(OKS3);
	const struct conf_cluster *k = only(c);
	const struct conf_repo *r = k->repos[0];

	(void)state;
	assert_int_equal(k->retain_full_ms, 30 * 86400000LL);
	assert_int_equal(k->retain_wal_ms, 14 * 86400000LL);
	assert_int_equal(k->retain_archive_ms, 2557 * 86400000LL);
	assert_int_equal(k->retain_daily, 30);
	assert_int_equal(k->retain_weekly, 12);
	assert_int_equal(k->retain_monthly, 12);
	assert_int_equal(k->retain_yearly, 7);
	assert_int_equal(k->retain_minimum, 2);
	assert_null(k->pgdata);
	assert_string_equal(k->conninfo, "");
	assert_int_equal(k->push_quorum, 1);
	assert_true(k->encryption);
	assert_int_equal(k->codec, 1);
	assert_int_equal(k->level, 1);
	assert_int_equal(k->push_deadline_ms, 60000);
	assert_int_equal(k->fetch_deadline_ms, 300000);
	assert_int_equal(k->store_deadline_ms, 900000);
	assert_string_equal(k->spool_dir, "/var/spool/pitrkit");
	assert_null(k->spill_dir);
	assert_int_equal(k->spill_below, 20);
	assert_true(k->spill_percent);
	assert_int_equal(k->rto_ms, 14400000);
	assert_string_equal(r->prefix, "");
	assert_string_equal(r->region, "us-east-1");
	assert_string_equal(r->endpoint, "https://s3.us-east-1.amazonaws.com");
	assert_true(r->host_style);
	assert_false(r->tls12);
	assert_null(r->storage_class);
	assert_null(r->storage_class_base);
	assert_null(r->storage_class_archive);
	assert_null(r->storage_class_weekly);
	assert_null(r->storage_class_monthly);
	assert_null(r->storage_class_yearly);
	assert_int_equal(r->storage_class_after_ms, 0);
	assert_int_equal(r->object_lock, CONF_LOCK_OFF);
	conf_free(c);
	c = good(OKS3 "storage_class_weekly = IA\nstorage_class_monthly = C\n"
		      "storage_class_yearly = GLACIER\n"
		      "storage_class_after = 60d\nobject_lock = off\n");
	r = only(c)->repos[0];
	assert_string_equal(r->storage_class_weekly, "IA");
	assert_string_equal(r->storage_class_monthly, "C");
	assert_string_equal(r->storage_class_yearly, "GLACIER");
	assert_int_equal(r->storage_class_after_ms, 60 * 86400000LL);
	conf_free(c);
	/* Path where an endpoint is named, or a dot spoils the certificate. */
	c = good(OKS3 "endpoint = http://h:1\ninsecure = yes\n");
	assert_false(only(c)->repos[0]->host_style);
	conf_free(c);
	c = good(OK "url = s3://buck.et\nregion = cn-north-1\n");
	assert_false(only(c)->repos[0]->host_style);
	assert_string_equal(only(c)->repos[0]->endpoint,
	    "https://s3.cn-north-1.amazonaws.com.cn");
	conf_free(c);
	c = good("[cluster a]\nrepo=r\nencryption=off\ncompression=none\n"
		 "[repo r]\nurl=file:///x\n");
	assert_false(only(c)->encryption);
	assert_int_equal(only(c)->codec, 0);
	conf_free(c);
}

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

static void
a_cluster_is_chosen_by_name(void **state)
{
	const struct conf_cluster *k = NULL;
	struct conf *c = good(OK "url = file:///x\n[cluster b]\nrepo = r\n"
				 "key_file = /k\n");

	(void)state;
	assert_int_equal(conf_cluster(c, NULL, &k, &f), FAULT_CONFIG);
	assert_non_null(strstr(f.text, "-C"));
	assert_int_equal(conf_cluster(c, "c", &k, &f), FAULT_CONFIG);
	assert_null(k);
	assert_int_equal(conf_cluster(c, "b", &k, &f), 0);
	assert_string_equal(k->name, "b");
	conf_free(c);
	c = good("");
	assert_int_equal(conf_cluster(c, NULL, &k, &f), FAULT_CONFIG);
	conf_free(c);
}

static char *
environment(const char *name)
{
	static char id[] = "ENVID", key[] = "ENVKEY", token[] = "ENVTOKEN";

	if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0)
		return id;
	if (strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0)
		return key;
	return strcmp(name, "AWS_SESSION_TOKEN") == 0 ? token : NULL;
}

static char *
half_an_environment(const char *name)
{
	return strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0 ? NULL
							  : environment(name);
}

static void
credentials_come_as_a_set(void **state)
{
	struct conf *c = good(OKS3 "[repo s]\nurl = s3://other\n"
				   "access_key_id = FILEID\n"
				   "secret_access_key_file = /s\n"
				   "[cluster b]\nrepo = s\nkey_file = /k\n");
	const struct conf_cluster *k;

	(void)state;
	assert_int_equal(conf_apply_env(c, half_an_environment, &f), 0);
	assert_int_equal(conf_cluster(c, "a", &k, &f), 0);
	assert_null(k->repos[0]->access_key_id);
	assert_int_equal(conf_apply_env(c, environment, &f), 0);
	assert_string_equal(k->repos[0]->access_key_id, "ENVID");
	assert_string_equal(k->repos[0]->secret_access_key.value, "ENVKEY");
	assert_string_equal(k->repos[0]->session_token.value, "ENVTOKEN");
	assert_int_equal(conf_cluster(c, "b", &k, &f), 0);
	assert_string_equal(k->repos[0]->access_key_id, "FILEID");
	assert_null(k->repos[0]->session_token.value);
	conf_free(c);
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	FILE *p = fopen(path, "w");

	assert_non_null(p);
	fputs(text, p);
	assert_int_equal(fclose(p), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void
a_secret_in_an_open_file_is_refused(void **state)
{
	const char *secret =
	    OKS3 "access_key_id = a\nsecret_access_key = hunter2\n";
	char path[] = "/tmp/pitrkit-conf.XXXXXX";
	struct conf *c = NULL;
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	write_file(path, secret, 0640);
	assert_int_equal(conf_load(&c, path, &f), FAULT_CONFIG);
	assert_non_null(strstr(f.text, "chmod 600"));
	assert_non_null(strstr(f.text, ":7: "));
	assert_null(strstr(f.text, "hunter2"));
	assert_null(c);
	write_file(path, secret, 0600);
	assert_int_equal(conf_load(&c, path, &f), 0);
	assert_string_equal(conf_path(c), path);
	conf_free(c);
	write_file(path, OKS3, 0644);
	assert_int_equal(conf_load(&c, path, &f), 0);
	conf_free(c);
	unlink(path);
	assert_int_equal(conf_load(&c, path, &f), FAULT_CONFIG);
	assert_int_equal(conf_load(&c, "/tmp", &f), FAULT_CONFIG);
}

static void
secrets_are_read_when_they_are_needed(void **state)
{
	char path[] = "/tmp/pitrkit-conf.XXXXXX";
	struct conf_secret in = {NULL, NULL, NULL};
	struct secret s = SECRET_INIT;
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	assert_int_equal(conf_secret_read(&in, "token", &s, &f), 0);
	assert_int_equal(s.len, 0);
	secret_free(&s);
	in.value = "v";
	assert_int_equal(conf_secret_read(&in, "token", &s, &f), 0);
	assert_string_equal((char *)s.data, "v");
	secret_free(&s);
	in.value = NULL;
	in.command = "echo c";
	assert_int_equal(conf_secret_read(&in, "token", &s, &f), 0);
	assert_string_equal((char *)s.data, "c");
	secret_free(&s);
	in.command = "echo hunter2; exit 1";
	assert_int_equal(conf_secret_read(&in, "token", &s, &f), FAULT_AGAIN);
	assert_memory_equal(f.text, "token: ", 7);
	assert_null(strstr(f.text, "hunter2"));
	in.command = NULL;
	in.file = path;
	write_file(path, "f\n", 0600);
	assert_int_equal(conf_secret_read(&in, "token", &s, &f), 0);
	assert_string_equal((char *)s.data, "f");
	secret_free(&s);
	/* Never ABSENT: that would speak of the repository. */
	unlink(path);
	assert_int_equal(conf_secret_read(&in, "token", &s, &f), FAULT_CONFIG);
	assert_null(s.data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(settings_of_a_cluster_arrive),
	    cmocka_unit_test(settings_of_repositories_arrive),
	    cmocka_unit_test(defaults_are_those_of_the_manual),
	    cmocka_unit_test(lines_that_are_no_settings_are_told),
	    cmocka_unit_test(mistakes_about_a_cluster_are_told),
	    cmocka_unit_test(mistakes_about_a_repository_are_told),
	    cmocka_unit_test(a_long_line_is_never_cut),
	    cmocka_unit_test(a_cluster_is_chosen_by_name),
	    cmocka_unit_test(credentials_come_as_a_set),
	    cmocka_unit_test(a_secret_in_an_open_file_is_refused),
	    cmocka_unit_test(secrets_are_read_when_they_are_needed),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
