#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive_place.h"
#include "cli.h"
#include "crypto.h"
#include "json.h"
#include "log.h"
#include "ship.h"
#include "text.h"

/*
 * basebackup-ship: a base backup, from the data directory itself or over the
 * replication protocol. In order:
 *
 *	1. the server is the one of the settings, and the repository takes
 *	   and gives objects under our keys;
 *	2. WAL written now arrives in the repository;
 *	3. all files go into packs, the packs into the repository;
 *	4. every segment from the backup's start to its stop is there;
 *	5. the head is put: from now on there is a backup.
 *
 * What fails before 5 leaves no backup.
 */

#define WAL_TIMEOUT_MS (5 * 60 * 1000)

struct wishes {
	const char *type;
	const char *class;
	const char *label;
	const char *source;
	const char *jobs;
	const char *rate;
	const char *repo;
	const char *wal_timeout;
	bool no_progress;
	bool json;
};

/* CLI_GO or a status of wrong usage. */
static int
read_numbers(struct ship *s, const struct wishes *w, const struct cli *cli)
{
	struct fault f = FAULT_INIT;

	s->wal_timeout_ms = WAL_TIMEOUT_MS;
	if (cli_value_jobs(w->jobs, &s->jobs, &f) != 0)
		return cli_usage(cli, "%s", f.text);
	if (w->rate != NULL &&
	    (text_size(w->rate, &s->rate) != 0 || s->rate < 1024))
		return cli_usage(cli,
		    "--rate %s: bytes per second are wanted, as in 50MB, at "
		    "least 1kB",
		    w->rate);
	if (w->wal_timeout != NULL &&
	    (text_duration(w->wal_timeout, &s->wal_timeout_ms) != 0 ||
		s->wal_timeout_ms <= 0))
		return cli_usage(cli,
		    "--wal-timeout %s: a duration is wanted, as in 5min",
		    w->wal_timeout);
	return CLI_GO;
}

static int
read_wishes(struct ship *s, const struct wishes *w, const struct cli *cli)
{
	static const char *const classes[] = {
	    "daily", "weekly", "monthly", "yearly", "archive"};
	bool known = w->class == NULL;

	if (w->type != NULL && strcmp(w->type, "full") != 0)
		return cli_usage(
		    cli, "--type %s: only full backups are made", w->type);
	if (w->source == NULL)
		s->source = SOURCE_ANY;
	else if (strcmp(w->source, "stream") == 0)
		s->source = SOURCE_STREAM;
	else if (strcmp(w->source, "files") == 0)
		s->source = SOURCE_FILES;
	else
		return cli_usage(
		    cli, "--source %s: files or stream is wanted", w->source);
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
		known = known || strcmp(w->class, classes[i]) == 0;
	if (!known)
		return cli_usage(cli,
		    "--class %s: daily, weekly, monthly, yearly or archive is "
		    "wanted",
		    w->class);
	if (w->label != NULL && strlen(w->label) >= sizeof s->head.label)
		return cli_usage(cli, "--label: longer than %zu bytes",
		    sizeof s->head.label - 1);
	for (const char *p = w->label; p != NULL && *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == '\\')
			return cli_usage(cli,
			    "--label: control characters and backslashes "
			    "cannot stand in a backup's label");
	}
	snprintf(s->head.type, sizeof s->head.type, "full");
	snprintf(s->head.retention_class, sizeof s->head.retention_class, "%s",
	    w->class != NULL ? w->class : "");
	snprintf(s->head.label, sizeof s->head.label, "%s",
	    w->label != NULL ? w->label : "");
	snprintf(
	    s->head.version, sizeof s->head.version, "%s", PITRKIT_VERSION);
	s->progress = !w->no_progress && isatty(STDERR_FILENO);
	s->fast_checkpoint = true;
	return read_numbers(s, w, cli);
}

/* ---- the steps ---- */

/* Settings that name another cluster's data directory would otherwise be found
 * out by a restore. A directory that is not here or not ours to read is fine:
 * backups are taken from other hosts too. */
static int
check_directory(const struct ship *s, struct fault *f)
{
	struct control c;
	struct fault ignored = FAULT_INIT;

	if (s->conf->pgdata == NULL ||
	    repo_control(s->conf->pgdata, &c, &ignored) != 0)
		return 0;
	if (c.system_id == s->server.system_id)
		return 0;
	return fault_set(f, FAULT_FOREIGN,
	    "conninfo leads to the cluster with system id %llu, but pgdata %s "
	    "is of %llu: one of the two settings is wrong",
	    (unsigned long long)s->server.system_id, s->conf->pgdata,
	    (unsigned long long)c.system_id);
}

static int
open_repo(struct ship *s, const char *name, struct fault *f)
{
	struct deadline d = deadline_in_ms(s->conf->store_deadline_ms);
	const struct keyring *keys;
	int rc;

	if ((rc = repo_open(&s->repo, s->conf, s->server.system_id, f)) != 0)
		return rc;
	repo_set_class(s->repo, s->head.retention_class);
	if ((rc = conf_find_repo(s->conf, name, &s->repo_index, f)) != 0 ||
	    (rc = archive_place_check_noted(s->repo, s->repo_index, &d, f)) !=
		0 ||
	    (rc = archive_mark_make(s->repo, s->repo_index, &d, f)) != 0)
		return rc;
	keys = repo_keys(s->repo);
	if (keys != NULL && !keyring_can_open(keys))
		return 0;
	rc = archive_mark_check(s->repo, s->repo_index, &d, f);
	if (rc == FAULT_ABSENT)
		return fault_recode(f, FAULT_AGAIN);
	if (rc == FAULT_KEY || rc == FAULT_CORRUPT)
		return fault_prefix(f,
		    "the archive in repository %s was made with other settings "
		    "of key_file or encryption",
		    s->conf->repos[s->repo_index]->name);
	return rc;
}

static int
begin(struct ship *s, const char *repo, struct fault *f)
{
	struct head *h = &s->head;
	uint32_t random;
	int rc;

	if ((rc = pgconn_open(&s->pg, s->conf->conninfo, true, f)) != 0 ||
	    (rc = server_look(s, f)) != 0 ||
	    (rc = check_directory(s, f)) != 0 ||
	    (rc = source_choose(s, f)) != 0 ||
	    (rc = open_repo(s, repo, f)) != 0)
		return rc;
	trail_open(s);
	if ((rc = prove_archiving(s, f)) != 0 ||
	    (rc = server_clock(s, &h->start_us, f)) != 0 ||
	    (rc = crypto_random(&random, sizeof random, f)) != 0)
		return rc;
	layout_new_id(h->start_us, h->type, random, h->id);
	if (gethostname(h->host, sizeof h->host - 1) != 0)
		h->host[0] = '\0';
	trail_begin(s);
	return 0;
}

static int
put_head(struct ship *s, struct fault *f)
{
	struct deadline d = deadline_in_ms(s->conf->store_deadline_ms);
	struct buf text = BUF_INIT(HEAD_MAX);
	char key[LAYOUT_KEY], name[LAYOUT_KEY], hex[2 * CRYPTO_SHA256 + 1];
	unsigned char sum[CRYPTO_SHA256];
	int rc;

	s->head.done_us = clock_now_us();
	if ((rc = head_encode(&s->head, &text, f)) == 0 &&
	    (rc = crypto_sha256(text.data, text.len, sum, f)) == 0 &&
	    (rc = layout_base(repo_cluster(s->repo), repo_system_id(s->repo),
		 s->head.id, "head", key, f)) == 0 &&
	    (rc = layout_base_name(s->head.id, "head", name, f)) == 0)
		rc = repo_put_object(s->repo, s->repo_index, key, OBJECT_HEAD,
		    name, text.data, text.len, &d, f);
	buf_free(&text);
	if (rc == 0) {
		text_hex(sum, sizeof sum, hex);
		snprintf(s->checksum, sizeof s->checksum, "sha256:%s", hex);
	}
	return rc;
}

static int
run(struct ship *s, const char *repo, struct fault *f)
{
	int64_t t0 = clock_monotonic_ms(), t1, t2;
	char bytes[16], stored[16], time[24];
	int rc;

	if ((rc = begin(s, repo, f)) != 0)
		return rc;
	t1 = clock_monotonic_ms();
	text_human_duration(t1 - t0, time);
	log_line(1, "%s: server, repository and archiving checked in %s",
	    s->head.id, time);
	if ((rc = copy_run(s, f)) != 0)
		return rc;
	t2 = clock_monotonic_ms();
	text_human_size(s->head.totals.bytes, bytes);
	text_human_size(s->head.totals.stored, stored);
	text_human_duration(t2 - t1, time);
	log_line(1, "%llu files, %s, stored as %s in %s",
	    (unsigned long long)s->head.totals.files, bytes, stored, time);
	if ((rc = prove_wal(s, f)) != 0 || (rc = prove_lock(s, f)) != 0 ||
	    (rc = put_head(s, f)) != 0)
		return rc;
	text_human_duration(clock_monotonic_ms() - t2, time);
	log_line(1, "WAL proved and backup closed in %s", time);
	return 0;
}

/* ---- the result ---- */

static int
report_json(const struct ship *s, struct fault *f)
{
	const struct head *h = &s->head;
	struct json *j;
	char start[20], stop[20];
	int rc;

	text_format_lsn(h->start_lsn, start);
	text_format_lsn(h->stop_lsn, stop);
	if ((rc = json_new(&j, f)) != 0)
		return rc;
	(void)((rc = json_put_str(j, "id", h->id, f)) ||
	       (rc = json_put_str(j, "type", h->type, f)) ||
	       (rc = json_put_str(j, "class", h->retention_class, f)) ||
	       (rc = json_put_str(j, "label", h->label, f)) ||
	       (rc = json_put_str(
		    j, "repo", s->conf->repos[s->repo_index]->name, f)) ||
	       (rc = json_put_str(j, "source", h->source, f)) ||
	       (rc = json_put_bool(j, "from_standby", h->from_standby, f)) ||
	       (rc = json_put_bool(j, "checksums", h->checksums, f)) ||
	       (rc = json_put_i64(j, "timeline", h->timeline, f)) ||
	       (rc = json_put_str(j, "start_lsn", start, f)) ||
	       (rc = json_put_str(j, "stop_lsn", stop, f)) ||
	       (rc = json_put_i64(j, "start_us", h->start_us, f)) ||
	       (rc = json_put_i64(j, "stop_us", h->stop_us, f)) ||
	       (rc = json_put_i64(j, "done_us", h->done_us, f)) ||
	       (rc = json_put_u64(j, "files", h->totals.files, f)) ||
	       (rc = json_put_u64(j, "bytes", h->totals.bytes, f)) ||
	       (rc = json_put_u64(j, "packs", h->totals.packs, f)) ||
	       (rc = json_put_u64(j, "stored", h->totals.stored, f)) ||
	       (rc = json_put_u64(j, "manifest_size", h->manifest_size, f)) ||
	       (rc = cli_json_print(j, false, f)));
	json_free(j);
	return rc;
}

static int
report(const struct ship *s, bool json, struct fault *f)
{
	int rc = 0;

	if (json)
		rc = report_json(s, f);
	else
		printf("%s\n", s->head.id);
	return rc != 0 ? rc : cli_flush_stdout(f);
}

int
main(int argc, char **argv)
{
	struct wishes w = {0};
	const struct cli_option options[] = {
	    CLI_OPTION_VALUE("type", "full", "the kind of backup", &w.type),
	    CLI_OPTION_VALUE("class", "CLASS",
		"daily, weekly, monthly, yearly or archive", &w.class),
	    CLI_OPTION_VALUE("label", "TEXT",
		"a remark that is kept with the backup", &w.label),
	    CLI_OPTION_VALUE("source", "SOURCE",
		"files or stream; otherwise files where it can be", &w.source),
	    CLI_OPTION_VALUE("repo", "NAME",
		"repository; otherwise the first of the cluster", &w.repo),
	    CLI_OPTION_VALUE(
		"jobs", "N", "uploads side by side, 1 to 64", &w.jobs),
	    CLI_OPTION_VALUE("rate", "BYTES/s",
		"read at most so much per second, as in 50MB", &w.rate),
	    CLI_OPTION_VALUE("wal-timeout", "TIME",
		"wait so long for each WAL segment; otherwise 5min",
		&w.wal_timeout),
	    CLI_OPTION_NO_PROGRESS(&w.no_progress),
	    CLI_OPTION_FLAG("json", "the result as JSON", &w.json),
	};
	const struct cli_program program = {
	    .name = "basebackup-ship",
	    .summary = "take a base backup of a running PostgreSQL",
	    .options = options,
	    .n_options = sizeof options / sizeof options[0],
	};
	struct cli cli;
	struct conf *conf = NULL;
	struct ship s = {0};
	struct fault f = FAULT_INIT;
	int status = cli_start(&cli, &program, argc, argv), rc;

	if (status != CLI_GO || (status = read_wishes(&s, &w, &cli)) != CLI_GO)
		return status;
	if ((rc = cli_config(&cli, &conf, &s.conf, &f)) == 0 &&
	    (rc = run(&s, w.repo, &f)) == 0)
		rc = report(&s, w.json, &f);
	status = rc != 0 ? cli_fail(&f) : 0;
	trail_end(&s, rc, &f);
	operation_free(&s.operation);
	head_free(&s.head);
	pgconn_free(s.pg);
	repo_free(s.repo);
	conf_free(conf);
	return status;
}
