/*
 * repo-verify: list, read, judge, record. See repo-verify(1).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "cli.h"
#include "crypto.h"
#include "log.h"
#include "text.h"
#include "verify.h"

struct options {
	const char *sample;
	const char *seed;
	const char *jobs;
	struct cli_list backups;
	const char *repo;
	const char *system_id;
	bool wal;
	bool since_last;
	bool no_record;
	bool json;
	bool no_progress;
	struct cli_list accept;
	const char *reason;
	const char *approved_by;
};

struct session {
	const struct options *o;
	struct cli cli;
	struct conf *conf;
	const struct conf_cluster *cluster;
	struct verify_run run;
	struct json *json;
	struct json *results;
	bool hurt;
};

/* ---- one repository ---- */

static int
open_repository(struct session *s, struct verify *v, size_t i, struct fault *f)
{
	struct deadline d = deadline_in_ms(s->cluster->store_deadline_ms);
	const char *name = s->cluster->repos[i]->name;
	uint32_t random;
	int rc;

	if ((rc = conf_only_repos(s->cluster, &name, 1, &v->only, f)) != 0 ||
	    (rc = repo_choose_open(
		 &v->repo, &v->only, 0, s->o->system_id, f)) != 0 ||
	    (rc = repo_needs_key(v->repo,
		 "verifying reads everything, which takes the key itself",
		 f)) != 0 ||
	    (rc = repo_store(v->repo, 0, &v->store, f)) != 0 ||
	    (rc = crypto_random(&random, sizeof random, f)) != 0)
		return rc;
	v->begun_us = clock_now_us();
	v->begun_ms = clock_monotonic_ms();
	/* Ids rise within a second, too: the last report is the greatest. */
	layout_new_hold(v->begun_us,
	    (uint32_t)(v->begun_us % 1000000) << 12 | (random & 0xfff), v->id);
	/* A wrong key would make a finding of every object. */
	rc = archive_mark_check(v->repo, 0, &d, f);
	v->seen = rc == 0;
	if (rc == FAULT_ABSENT || rc == FAULT_CORRUPT) {
		fault_clear(f);
		rc = 0;
	}
	return rc;
}

static int
examine(struct verify *v, struct fault *f)
{
	int rc;

	if ((rc = last_recall(v, f)) != 0 || (rc = look_run(v, f)) != 0 ||
	    (rc = progress_start(&v->bar, "verifying", 0, v->run->bar, f)) != 0)
		return rc;
	rc = read_wal(v, f);
	if (rc == 0)
		rc = read_backups(v, f);
	progress_end(v->bar);
	v->bar = NULL;
	if (rc == 0)
		rc = judge_run(v, f);
	return rc == 0 && v->run->record ? days_run(v, f) : rc;
}

static int
tell(struct session *s, const struct verify *v, struct fault *f)
{
	struct json *j;
	int rc;

	result_say(v);
	if (!s->o->json) {
		found_print(v);
		return 0;
	}
	rc = json_append_object(s->results, &j, f);
	return rc != 0 ? rc : result_put(v, j, f);
}

/* Before it could go no further. */
static void
tell_failed(struct session *s, size_t i, const struct verify *v,
    const struct fault *why)
{
	struct fault ignored = FAULT_INIT;
	struct json *j;

	if (!s->o->json)
		found_print(v);
	else if (json_append_object(s->results, &j, &ignored) == 0)
		(void)result_put_failed(
		    v, s->cluster->repos[i]->name, why, j, &ignored);
}

/* Where nothing of this cluster was seen nothing is written: it may be a wrong
 * place, or one that is not mounted. */
static int
note(struct verify *v, int rc, struct fault *f)
{
	struct fault ignored = FAULT_INIT;

	if (rc == 0)
		return trail_note(v, NULL, f);
	if (v->seen && rc != FAULT_CONFIG)
		(void)trail_note(v, f, &ignored);
	return rc;
}

static int
verify(struct session *s, size_t i, struct fault *f)
{
	struct verify v;
	int rc;

	state_begin(&v, &s->run);
	rc = open_repository(s, &v, i, f);
	if (rc == 0)
		rc = examine(&v, f);
	/* This host has run out of something, which says nothing of the
	 * repository: neither is it a finding, nor does it look like one. */
	if (rc == FAULT_SYSTEM) {
		fault_prefix(f, "could not be verified");
		rc = fault_recode(f, FAULT_AGAIN);
	}
	if (rc == 0) {
		s->hurt = s->hurt || v.hurt;
		rc = tell(s, &v, f);
	} else {
		tell_failed(s, i, &v, f);
	}
	if (rc == 0 && s->run.record)
		rc = result_record(&v, f);
	if (s->run.record)
		rc = note(&v, rc, f);
	state_clear(&v);
	evidence_free(&v.last);
	repo_free(v.repo);
	return rc;
}

/* ---- all ---- */

static int
parse_jobs(struct session *s, struct fault *f)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (s->o->jobs != NULL)
		return cli_value_jobs(s->o->jobs, &s->run.jobs, f);
	s->run.jobs = processors < 2              ? 2
		      : processors > CLI_JOBS_MAX ? CLI_JOBS_MAX
						  : (unsigned)processors;
	return 0;
}

static int
parse_sample(struct session *s, struct fault *f)
{
	struct lottery *l = &s->run.lottery;
	uint32_t random = 0;
	int rc = 0;

	l->share = LOTTERY_ALL;
	if (s->o->sample == NULL)
		return 0;
	rc = lottery_percent(s->o->sample, &l->share, f);
	if (rc == 0 && s->o->seed == NULL) {
		rc = crypto_random(&random, sizeof random, f);
		l->seed = random; /* short enough to be typed */
	} else if (rc == 0 && text_u64(s->o->seed, &l->seed) != 0)
		rc = fault_set(
		    f, FAULT_CONFIG, "--seed '%s': give a number", s->o->seed);
	if (rc == 0 && !s->o->json)
		printf(
		    "sample: %s %%, seed %" PRIu64 "\n", s->o->sample, l->seed);
	return rc;
}

static int
prepare(struct session *s, struct fault *f)
{
	const struct options *o = s->o;
	int rc;

	s->run.backups = o->backups.v;
	s->run.n_backups = o->backups.n;
	s->run.wal = o->wal;
	s->run.since_last = o->since_last;
	s->run.record = !o->no_record;
	s->run.accept = o->accept.v;
	s->run.n_accept = o->accept.n;
	s->run.reason = o->reason;
	s->run.approved_by = o->approved_by;
	s->run.bar = !o->no_progress && !o->json;
	if ((rc = parse_jobs(s, f)) != 0 || (rc = parse_sample(s, f)) != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < o->backups.n; i++)
		rc = layout_check_id(o->backups.v[i], f);
	if (rc == 0)
		rc = cli_config(&s->cli, &s->conf, &s->cluster, f);
	if (rc == 0 && o->accept.n > 0 && o->repo == NULL &&
	    s->cluster->n_repos > 1)
		rc = fault_set(f, FAULT_CONFIG,
		    "--accept-trail is about one repository: give --repo");
	s->run.cluster = s->cluster;
	s->run.one_repo = o->repo != NULL;
	if (rc == 0)
		s->run.name_repo = o->repo == NULL && s->cluster->n_repos > 1;
	if (rc == 0 && o->json)
		rc = json_new(&s->json, f);
	if (rc == 0 && o->json)
		rc = json_put_array(s->json, "repositories", &s->results, f);
	return rc;
}

/* One that cannot be read does not keep the others from being verified. */
static int
run_all(struct session *s, struct fault *f)
{
	const struct conf_cluster *c = s->cluster;
	struct fault one = FAULT_INIT;
	bool found = false;
	int worst = 0;

	for (size_t i = 0; i < c->n_repos; i++) {
		if (s->o->repo != NULL &&
		    strcmp(c->repos[i]->name, s->o->repo) != 0)
			continue;
		found = true;
		fault_clear(&one);
		if (verify(s, i, &one) == 0)
			continue;
		if (c->n_repos > 1)
			fault_prefix(&one, "%s", c->repos[i]->name);
		if (worst != 0)
			(void)cli_fail(f);
		*f = one;
		worst = (int)one.code;
	}
	if (!found)
		return fault_set(f, FAULT_CONFIG,
		    "--repo %s: cluster %s has no such repository", s->o->repo,
		    c->name);
	return worst;
}

static int
run(struct session *s, struct fault *f)
{
	struct fault other = FAULT_INIT;
	int rc = prepare(s, f);

	if (rc != 0)
		return rc;
	rc = run_all(s, f);
	if (s->json != NULL && cli_json_print(s->json, false, &other) != 0 &&
	    rc == 0) {
		*f = other;
		rc = (int)other.code;
	}
	return rc;
}

static int
check_usage(const struct session *s)
{
	const struct options *o = s->o;

	if (o->seed != NULL && o->sample == NULL)
		return cli_usage(&s->cli, "--seed goes with --sample");
	if (o->wal && o->backups.n > 0)
		return cli_usage(&s->cli, "--wal and --backup exclude each "
					  "other");
	if (o->accept.n > 0 && (o->reason == NULL || o->no_record))
		return cli_usage(&s->cli, "--accept-trail is recorded with its "
					  "reason: give --reason");
	if (o->accept.n == 0 && (o->reason != NULL || o->approved_by != NULL))
		return cli_usage(&s->cli,
		    "--reason and --approved-by go with --accept-trail");
	return CLI_GO;
}

int
main(int argc, char **argv)
{
	struct options o = {0};
	const struct cli_option options[] = {
	    CLI_OPTION_VALUE("sample", "PERCENT",
		"read that part of extents and segments, at random", &o.sample),
	    CLI_OPTION_VALUE(
		"seed", "NUMBER", "the sample that this number draws", &o.seed),
	    CLI_OPTION_FLAG("since-last",
		"read what no verification has read before", &o.since_last),
	    CLI_OPTION_FLAG("wal", "WAL only", &o.wal),
	    CLI_OPTION_LIST("backup", "ID",
		"this backup and its WAL only; may be repeated", &o.backups),
	    CLI_OPTION_VALUE("repo", "NAME",
		"repository; otherwise all of the cluster", &o.repo),
	    CLI_OPTION_SYSTEM_ID(&o.system_id),
	    CLI_OPTION_VALUE(
		"jobs", "N", "objects read side by side, 1 to 64", &o.jobs),
	    CLI_OPTION_LIST("accept-trail", "WHERE",
		"what is wrong there is known; may be repeated", &o.accept),
	    CLI_OPTION_VALUE("reason", "TEXT",
		"why; recorded with what is accepted", &o.reason),
	    CLI_OPTION_VALUE("approved-by", "WHO",
		"who approved; recorded with what is accepted", &o.approved_by),
	    CLI_OPTION_FLAG("no-record", "write no report and no audit record",
		&o.no_record),
	    CLI_OPTION_NO_PROGRESS(&o.no_progress),
	    CLI_OPTION_FLAG("json", "the result as JSON", &o.json),
	};
	const struct cli_program program = {
	    .name = "repo-verify",
	    .summary = "prove backups and WAL by their content",
	    .options = options,
	    .n_options = sizeof options / sizeof options[0],
	};
	struct fault f = FAULT_INIT;
	struct session s = {.o = &o};
	int status = cli_start(&s.cli, &program, argc, argv);

	if (status == CLI_GO)
		status = check_usage(&s);
	if (status != CLI_GO)
		return status;
	status = cli_end(run(&s, &f), &f);
	json_free(s.json);
	conf_free(s.conf);
	/* What was found comes before what could not be read or recorded. */
	return s.hurt ? 1 : status;
}
