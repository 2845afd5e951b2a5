/* retention-hold: keeps backups and moments from being pruned. See
 * retention-hold(1). */

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog.h"
#include "cli.h"
#include "crypto.h"
#include "hold.h"
#include "json.h"

struct options {
	const char *holder;
	const char *reason;
	const char *backup;
	const char *from;
	const char *to;
	const char *until;
	const char *repo;
	const char *system_id;
	bool all;
	bool json;
};

struct session {
	const struct options *o;
	struct cli cli;
	struct conf *conf;
	const struct conf_cluster *cluster;
	struct repo *repo;
};

static struct deadline
request_deadline(const struct session *s)
{
	return deadline_in_ms(s->cluster->store_deadline_ms);
}

static int
take_text(
    const char *option, const char *text, char out[HOLD_TEXT], struct fault *f)
{
	if (text == NULL || text[0] == '\0')
		return fault_set(f, FAULT_CONFIG, "give --%s TEXT", option);
	if (strlen(text) >= HOLD_TEXT)
		return fault_set(f, FAULT_CONFIG,
		    "--%s is longer than %d bytes", option, HOLD_TEXT - 1);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static void
who(char out[HOLD_TEXT])
{
	const struct passwd *pw = getpwuid(geteuid());
	char host[256] = "";

	if (gethostname(host, sizeof host - 1) != 0)
		host[0] = '\0';
	if (pw != NULL)
		snprintf(out, HOLD_TEXT, "%.200s@%s", pw->pw_name, host);
	else
		snprintf(
		    out, HOLD_TEXT, "%lu@%s", (unsigned long)geteuid(), host);
}

/* ---- add ---- */

static int
check_range(const struct hold *h, struct fault *f)
{
	if (h->backup[0] != '\0' && h->from_us == CLOCK_NONE &&
	    h->to_us == CLOCK_NONE)
		return 0;
	if (h->backup[0] != '\0' || h->from_us == CLOCK_NONE)
		return fault_set(f, FAULT_CONFIG,
		    "give --backup ID, or --from TIME with or without --to "
		    "TIME");
	if (h->to_us != CLOCK_NONE && h->to_us < h->from_us)
		return fault_set(f, FAULT_CONFIG, "--to lies before --from");
	return 0;
}

static int
make_hold(const struct options *o, struct hold *h, struct fault *f)
{
	uint32_t random;
	int rc;

	h->placed_us = clock_now_us();
	if ((rc = take_text("holder", o->holder, h->holder, f)) != 0 ||
	    (rc = take_text("reason", o->reason, h->reason, f)) != 0 ||
	    (rc = cli_value_time("from", o->from, &h->from_us, f)) != 0 ||
	    (rc = cli_value_time("to", o->to, &h->to_us, f)) != 0 ||
	    (rc = cli_value_time("until", o->until, &h->until_us, f)) != 0)
		return rc;
	if (o->backup != NULL) {
		if ((rc = layout_check_id(o->backup, f)) != 0)
			return rc;
		memcpy(h->backup, o->backup, strlen(o->backup) + 1);
	}
	if ((rc = check_range(h, f)) != 0)
		return rc;
	if (h->until_us != CLOCK_NONE && h->until_us <= h->placed_us)
		return fault_set(f, FAULT_CONFIG, "--until lies in the past");
	if ((rc = crypto_random(&random, sizeof random, f)) != 0)
		return rc;
	layout_new_hold(h->placed_us, random, h->id);
	who(h->by);
	return 0;
}

/* In one repository at least. */
static int
check_backup(struct session *s, const char *id, struct fault *f)
{
	struct deadline d = request_deadline(s);
	struct head head;
	int rc = FAULT_ABSENT;

	for (size_t i = 0; rc == FAULT_ABSENT && i < repo_count(s->repo); i++)
		rc = catalog_head(s->repo, i, id, &head, &d, f);
	if (rc == FAULT_ABSENT)
		return fault_set(f, FAULT_CONFIG,
		    "--backup %s: there is no such backup, or it was not "
		    "finished",
		    id);
	if (rc == 0)
		head_free(&head);
	return rc;
}

static int
add(struct session *s, struct fault *f)
{
	struct hold h = {.id = ""};
	int rc = make_hold(s->o, &h, f);

	if (rc == 0 && h.backup[0] != '\0')
		rc = check_backup(s, h.backup, f);
	for (size_t i = 0; rc == 0 && i < repo_count(s->repo); i++) {
		struct deadline d = request_deadline(s);

		rc = hold_place(s->repo, i, &h, &d, f);
		if (rc != 0)
			fault_prefix(f, "hold %s is not in repository %s%s",
			    h.id, s->cluster->repos[i]->name,
			    i > 0 ? ", only in those before it" : "");
	}
	if (rc == 0)
		printf("%s\n", h.id);
	return rc;
}

/* ---- release ---- */

static int
release(struct session *s, const char *id, struct fault *f)
{
	struct hold h = {.released = true};
	size_t found = 0;
	int rc;

	if ((rc = layout_check_hold(id, f)) != 0 ||
	    (rc = take_text("reason", s->o->reason, h.released_for, f)) != 0)
		return rc;
	memcpy(h.id, id, strlen(id) + 1);
	h.released_us = clock_now_us();
	who(h.released_by);
	for (size_t i = 0; i < repo_count(s->repo); i++) {
		struct deadline d = request_deadline(s);

		rc = hold_release(s->repo, i, &h, &d, f);
		if (rc == FAULT_ABSENT)
			continue;
		/* The first try may have got so far. */
		if (rc != 0 && rc != FAULT_EXISTS)
			return fault_prefix(f,
			    "hold %s is not released in repository %s", id,
			    s->cluster->repos[i]->name);
		found++;
	}
	if (found == 0)
		return fault_set(
		    f, FAULT_CONFIG, "%s: there is no such hold", id);
	return 0;
}

/* ---- list ---- */

static void
time_or(int64_t us, const char *none, char out[CLOCK_TEXT_SIZE])
{
	if (us == CLOCK_NONE)
		snprintf(out, CLOCK_TEXT_SIZE, "%s", none);
	else
		clock_format_iso(us, out);
}

static const char *
state_of(const struct hold *h, int64_t now_us)
{
	return h->released              ? "released"
	       : hold_active(h, now_us) ? "active"
					: "over";
}

static void
print_one(const struct hold *h, int64_t now_us)
{
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
	char until[CLOCK_TEXT_SIZE];

	time_or(h->from_us, "", from);
	time_or(h->to_us, "open", to);
	time_or(h->until_us, "released", until);
	printf("%s  %s\n", h->id, state_of(h, now_us));
	if (h->backup[0] != '\0')
		printf("  backup    %s\n", h->backup);
	else
		printf("  moments   %s to %s\n", from, to);
	printf("  holder    %s\n  reason    %s\n  placed by %s\n", h->holder,
	    h->reason, h->by);
	printf("  until     %s\n", until);
	if (h->released)
		printf(
		    "  released  by %s: %s\n", h->released_by, h->released_for);
}

static int
json_time(struct json *j, const char *name, int64_t us, struct fault *f)
{
	char text[CLOCK_TEXT_SIZE];

	if (us == CLOCK_NONE)
		return json_put_null(j, name, f);
	clock_format_iso(us, text);
	return json_put_str(j, name, text, f);
}

static int
json_one(
    struct json *list, const struct hold *h, int64_t now_us, struct fault *f)
{
	struct json *j;
	int rc;

	if ((rc = json_append_object(list, &j, f)) != 0 ||
	    (rc = json_put_str(j, "id", h->id, f)) != 0 ||
	    (rc = json_put_str(j, "state", state_of(h, now_us), f)) != 0 ||
	    (rc = json_put_str(j, "holder", h->holder, f)) != 0 ||
	    (rc = json_put_str(j, "reason", h->reason, f)) != 0 ||
	    (rc = json_put_str(j, "placed_by", h->by, f)) != 0 ||
	    (rc = json_time(j, "placed", h->placed_us, f)) != 0 ||
	    (rc = json_time(j, "until", h->until_us, f)) != 0)
		return rc;
	if (h->backup[0] != '\0')
		rc = json_put_str(j, "backup", h->backup, f);
	else if ((rc = json_time(j, "from", h->from_us, f)) == 0)
		rc = json_time(j, "to", h->to_us, f);
	if (rc != 0 || !h->released)
		return rc;
	if ((rc = json_time(j, "released", h->released_us, f)) != 0 ||
	    (rc = json_put_str(j, "released_by", h->released_by, f)) != 0)
		return rc;
	return json_put_str(j, "released_for", h->released_for, f);
}

static int
list_json(const struct hold_list *l, bool all, int64_t now_us, struct fault *f)
{
	struct json *j, *holds;
	char *text = NULL;
	size_t len;
	int rc;

	if ((rc = json_new(&j, f)) != 0)
		return rc;
	rc = json_put_array(j, "holds", &holds, f);
	for (size_t i = 0; rc == 0 && i < l->n; i++)
		if (all || hold_active(&l->h[i], now_us))
			rc = json_one(holds, &l->h[i], now_us, f);
	if (rc == 0 && (rc = json_dump_pretty(j, &text, &len, f)) == 0)
		(void)fputs(text, stdout);
	free(text);
	json_free(j);
	return rc;
}

static int
list(struct session *s, struct fault *f)
{
	struct deadline d = deadline_never();
	struct hold_list l = {NULL, 0};
	int64_t now_us = clock_now_us();
	size_t index;
	int rc;

	if ((rc = conf_find_repo(s->cluster, s->o->repo, &index, f)) != 0 ||
	    (rc = hold_read(s->repo, index, &l, &d, f)) != 0)
		return rc;
	if (s->o->json)
		rc = list_json(&l, s->o->all, now_us, f);
	for (size_t i = 0; !s->o->json && i < l.n; i++)
		if (s->o->all || hold_active(&l.h[i], now_us))
			print_one(&l.h[i], now_us);
	hold_free(&l);
	return rc;
}

static int
open_repository(struct session *s, struct fault *f)
{
	struct deadline d;
	uint64_t id;
	int rc = cli_config(&s->cli, &s->conf, &s->cluster, f);

	if (rc != 0)
		return rc;
	d = request_deadline(s);
	rc = repo_choose_system_id(s->cluster, 0, s->o->system_id, &id, &d, f);
	return rc != 0 ? rc : repo_open(&s->repo, s->cluster, id, f);
}

static int
run(struct session *s, struct fault *f)
{
	const char *verb = s->cli.args[0];
	int rc = open_repository(s, f);

	if (rc == 0 && strcmp(verb, "add") == 0)
		rc = add(s, f);
	else if (rc == 0 && strcmp(verb, "release") == 0)
		rc = release(s, s->cli.args[1], f);
	else if (rc == 0)
		rc = list(s, f);
	return rc != 0 ? rc : cli_flush_stdout(f);
}

int
main(int argc, char **argv)
{
	struct options o = {0};
	const struct cli_option options[] = {
	    {.name = "holder",
		.arg = "WHO",
		.help = "add: for whom it is held",
		.value = &o.holder},
	    {.name = "reason",
		.arg = "TEXT",
		.help = "add, release: why",
		.value = &o.reason},
	    {.name = "backup",
		.arg = "ID",
		.help = "add: the backup to hold",
		.value = &o.backup},
	    {.name = "from",
		.arg = "TIME",
		.help = "add: hold each moment from here",
		.value = &o.from},
	    {.name = "to",
		.arg = "TIME",
		.help = "add: to here; otherwise from there on",
		.value = &o.to},
	    {.name = "until",
		.arg = "TIME",
		.help = "add: the hold ends by itself then",
		.value = &o.until},
	    {.name = "repo",
		.arg = "NAME",
		.help = "list: the repository; otherwise the first",
		.value = &o.repo},
	    {.name = "system-id",
		.arg = "NUMBER",
		.help = "the cluster's system identifier",
		.value = &o.system_id},
	    {.name = "all",
		.help = "list: released ones and those that are over, too",
		.flag = &o.all},
	    {.name = "json",
		.help = "list: as a JSON document",
		.flag = &o.json},
	};
	const struct cli_program program = {
	    .name = "retention-hold",
	    .operands = "add|release ID|list",
	    .summary = "keep backups and moments from being pruned",
	    .options = options,
	    .n_options = sizeof options / sizeof options[0],
	    .min_args = 1,
	    .max_args = 2,
	};
	struct fault f = FAULT_INIT;
	struct session s = {.o = &o};
	int status = cli_start(&s.cli, &program, argc, argv), rc;
	const char *verb;

	if (status != CLI_GO)
		return status;
	verb = s.cli.args[0];
	if (strcmp(verb, "add") != 0 && strcmp(verb, "release") != 0 &&
	    strcmp(verb, "list") != 0)
		return cli_usage(&s.cli, "\"%s\": add, release or list", verb);
	if ((strcmp(verb, "release") == 0) != (s.cli.n_args == 2))
		return cli_usage(&s.cli,
		    s.cli.n_args == 2 ? "%s takes no operand"
				      : "%s takes the id of a hold",
		    verb);
	rc = run(&s, &f);
	repo_free(s.repo);
	conf_free(s.conf);
	return rc == 0 ? 0 : cli_fail(&f);
}
