/* retention-hold: keeps backups and moments from being pruned. See
 * retention-hold(1). */

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "catalog.h"
#include "cli.h"
#include "crypto.h"
#include "gather.h"
#include "hold.h"
#include "list.h"
#include "log.h"

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

/* ---- the store's own ---- */

static int
sync_one(struct session *s, size_t i, const char *id, struct fault *f)
{
	struct gather *g;
	struct store *store;
	uint64_t on, off;
	int rc = repo_store(s->repo, i, &store, f);

	if (rc != 0 || !store_has_lock(store))
		return rc;
	g = malloc(sizeof *g);
	if (g == NULL)
		return fault_nomem(f);
	rc = gather_read(g, s->repo, i, clock_now_us(), NULL, f);
	if (rc == 0)
		rc = gather_legal_sync(g, &on, &off, f);
	gather_free(g);
	free(g);
	if (rc == 0)
		log_line(1,
		    "repository %s: %llu objects put under a legal hold of the "
		    "store, %llu let go",
		    store_name(store), (unsigned long long)on,
		    (unsigned long long)off);
	else
		fault_prefix(f,
		    "hold %s is on record, but not on all objects in "
		    "repository %s; retention-prune will complete it",
		    id, store_name(store));
	return rc;
}

/* Where the store knows legal holds, they are made what ours are. */
static int
sync_stores(struct session *s, const char *id, struct fault *f)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < repo_count(s->repo); i++)
		rc = sync_one(s, i, id, f);
	return rc;
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

static struct audit_event
place_event(const struct hold *h, char from[CLOCK_TEXT_SIZE],
    char to[CLOCK_TEXT_SIZE], char until[CLOCK_TEXT_SIZE],
    struct audit_pair pairs[5])
{
	struct audit_event e = AUDIT_EVENT("hold-add");

	list_time(h->from_us, "", from);
	list_time(h->to_us, "", to);
	list_time(h->until_us, "", until);
	pairs[0] = (struct audit_pair){"holder", h->holder};
	pairs[1] = (struct audit_pair){"backup", h->backup};
	pairs[2] = (struct audit_pair){"from", from};
	pairs[3] = (struct audit_pair){"to", to};
	pairs[4] = (struct audit_pair){"until", until};
	e.object = h->id;
	e.reason = h->reason;
	e.details = pairs;
	e.n_details = 5;
	return e;
}

/* The hold is in force and says itself who placed it: a record that cannot be
 * stored is warned of. */
static void
record_add(struct session *s, size_t i, const struct hold *h)
{
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
	char until[CLOCK_TEXT_SIZE];
	struct audit_pair pairs[5];
	struct audit_event e = place_event(h, from, to, until, pairs);
	struct deadline d = deadline_in_ms(AUDIT_PATIENCE_MS);
	struct fault f = FAULT_INIT;
	struct audit *a = NULL;
	int rc = audit_open(&a, s->repo, i, "retention-hold", &f);

	if (rc == 0)
		rc = audit_note(a, &e, 0, NULL, &d, &f);
	if (rc != 0)
		log_line(0, "WARNING: the hold is placed, but %s", f.text);
	else if (audit_remark(a)[0] != '\0')
		log_line(0, "%s", audit_remark(a));
	audit_free(a);
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
		else
			record_add(s, i, &h);
	}
	if (rc != 0)
		return rc;
	printf("%s\n", h.id);
	return sync_stores(s, h.id, f);
}

/* ---- release ---- */

/* ABSENT when repository i has no such hold: then there is no record. */
static int
is_placed(struct session *s, size_t i, const char *id, const struct deadline *d,
    struct fault *f)
{
	char key[LAYOUT_KEY];
	struct store *store;
	int rc;

	if ((rc = repo_store(s->repo, i, &store, f)) != 0 ||
	    (rc = layout_hold(repo_cluster(s->repo), repo_system_id(s->repo),
		 id, "placed", key, f)) != 0)
		return rc;
	return store_stat(store, key, NULL, d, f);
}

/* What is released may be deleted: not before it is on record that it was to
 * be. */
static int
release_in(struct session *s, size_t i, const struct hold *h, struct fault *f)
{
	struct audit_event e = AUDIT_EVENT("hold-release");
	struct deadline d = request_deadline(s), patience;
	struct fault other = FAULT_INIT;
	struct audit *a = NULL;
	int rc = is_placed(s, i, h->id, &d, f);

	e.object = h->id;
	e.reason = h->released_for;
	if (rc == 0)
		rc = audit_open(&a, s->repo, i, "retention-hold", f);
	if (rc == 0)
		rc = audit_begin(a, &e, &d, f);
	if (rc != 0) {
		audit_free(a);
		return rc;
	}
	if (audit_remark(a)[0] != '\0')
		log_line(0, "%s", audit_remark(a));
	rc = hold_release(s->repo, i, h, &d, f);
	patience = deadline_in_ms(AUDIT_PATIENCE_MS);
	if (audit_end(a, &e, rc != 0 ? cli_exit_status(f->code) : 0,
		rc != 0 ? f : NULL, &patience, &other) != 0)
		log_line(0, "WARNING: %s", other.text);
	audit_free(a);
	return rc;
}

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
		rc = release_in(s, i, &h, f);
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
	return sync_stores(s, id, f);
}

/* ---- list ---- */

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
	else
		list_text(&l, s->o->all, now_us);
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
