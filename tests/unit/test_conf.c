/* The settings file: what stands in it arrives. */
#include "conf_world.h"

#include <sys/stat.h>
#include <unistd.h>

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
	c = good("[cluster a]\nrepo=r\nencryption=off\ncompression=none\n"
		 "[repo r]\nurl=file:///x\n");
	assert_false(only(c)->encryption);
	assert_int_equal(only(c)->codec, 0);
	conf_free(c);
}

/* Path where an endpoint is named, or a dot spoils the certificate. */
static void
addressing_follows_endpoint_and_bucket(void **state)
{
	struct conf *c;

	(void)state;
	c = good(OKS3 "endpoint = http://h:1\ninsecure = yes\n");
	assert_false(only(c)->repos[0]->host_style);
	conf_free(c);
	c = good(OK "url = s3://buck.et\nregion = cn-north-1\n");
	assert_false(only(c)->repos[0]->host_style);
	assert_string_equal(only(c)->repos[0]->endpoint,
	    "https://s3.cn-north-1.amazonaws.com.cn");
	conf_free(c);
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
	    cmocka_unit_test(addressing_follows_endpoint_and_bucket),
	    cmocka_unit_test(a_cluster_is_chosen_by_name),
	    cmocka_unit_test(credentials_come_as_a_set),
	    cmocka_unit_test(a_secret_in_an_open_file_is_refused),
	    cmocka_unit_test(secrets_are_read_when_they_are_needed),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
