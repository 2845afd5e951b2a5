/*
 * For the tests: walks the audit trail of a repository and prints, with tabs
 * between the fields,
 *
 *	record WRITER NUMBER PROGRAM ACTION PHASE STATUS OBJECT MESSAGE
 *	flaw KIND WRITER FIRST LAST TEXT
 *	head WRITER NUMBER HASH
 *
 * --known FILE: heads, as they were printed before, that must still be there;
 * --since: only what came after them is read. --details: a line "detail NAME
 * VALUE" for each of a record's, "sum", "reason", "approved", "operation" and,
 * where they are known, "objects" and "bytes" as well; "changed NAME FROM TO"
 *for each setting. Exit status 9 when there is a flaw.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit.h"
#include "cli.h"
#include "text.h"

#define KNOWN 64

static bool details;
static unsigned flaws;

static int
on_finding(void *ctx, const struct audit_finding *x, struct fault *f)
{
	(void)ctx;
	(void)f;
	printf("flaw\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%s\n",
	    audit_flaw_word(x->flaw), x->writer, x->first, x->last, x->text);
	flaws++;
	return 0;
}

static int
on_head(void *ctx, const struct audit_head *h, struct fault *f)
{
	char hex[2 * AUDIT_HASH + 1];

	(void)ctx;
	(void)f;
	text_hex(h->hash, AUDIT_HASH, hex);
	printf("head\t%s\t%" PRIu64 "\t%s\n", h->writer, h->sequence, hex);
	return 0;
}

static int
on_record(void *ctx, const struct audit_record *r, struct fault *f)
{
	static const char *const phases[] = {"begun", "ended", "done"};

	(void)ctx;
	(void)f;
	printf("record\t%s\t%" PRIu64 "\t%s\t%s\t%s\t%d\t%s\t%s\n", r->writer,
	    r->sequence, r->program, r->action, phases[r->phase], r->status,
	    r->object, r->message);
	if (!details)
		return 0;
	printf("detail\tsum\t%s\ndetail\treason\t%s\ndetail\tapproved\t%s\n",
	    r->checksum, r->reason, r->approved_by);
	printf("detail\toperation\t%s\n", r->operation);
	if (r->objects != AUDIT_UNKNOWN)
		printf("detail\tobjects\t%" PRIu64 "\n", r->objects);
	if (r->bytes != AUDIT_UNKNOWN)
		printf("detail\tbytes\t%" PRIu64 "\n", r->bytes);
	for (size_t i = 0; i < r->n_changes; i++)
		printf("changed\t%s\t%s\t%s\n", r->changes[i].name,
		    r->changes[i].from, r->changes[i].to);
	for (size_t i = 0; i < r->n_details; i++)
		printf("detail\t%s\t%s\n", r->details[i].name,
		    r->details[i].value);
	return 0;
}

static size_t
read_known(const char *path, struct audit_head known[KNOWN])
{
	char line[512], hex[128];
	FILE *fp = fopen(path, "r");
	size_t n = 0;

	if (fp == NULL)
		exit(100);
	while (n < KNOWN && fgets(line, sizeof line, fp) != NULL)
		if (sscanf(line, "head\t%79s\t%" SCNu64 "\t%127s",
			known[n].writer, &known[n].sequence, hex) == 3 &&
		    text_unhex(hex, known[n].hash, AUDIT_HASH) == 0)
			n++;
	(void)fclose(fp);
	return n;
}

int
main(int argc, char **argv)
{
	const char *known = NULL, *name = NULL;
	bool since = false;
	const struct cli_option options[] = {
	    {.name = "known", .arg = "FILE", .help = "heads", .value = &known},
	    {.name = "repo", .arg = "NAME", .help = "which", .value = &name},
	    {.name = "since", .help = "only what is new", .flag = &since},
	    {.name = "details", .help = "more", .flag = &details},
	};
	const struct cli_program program = {
	    .name = "audit",
	    .summary = "walk the audit trail",
	    .options = options,
	    .n_options = sizeof options / sizeof options[0],
	};
	static struct audit_head heads[KNOWN];
	struct audit_check c = {.known = heads,
	    .finding = on_finding,
	    .head = on_head,
	    .record = on_record};
	struct deadline d = deadline_never();
	const struct conf_cluster *cluster;
	struct fault f = FAULT_INIT;
	struct repo *repo = NULL;
	struct conf *conf = NULL;
	struct cli cli;
	uint64_t id;
	size_t i;
	int rc, status = cli_start(&cli, &program, argc, argv);

	if (status != CLI_GO)
		return status;
	if (known != NULL)
		c.n_known = read_known(known, heads);
	c.since_known = since;
	if ((rc = cli_config(&cli, &conf, &cluster, &f)) == 0 &&
	    (rc = repo_choose_system_id(cluster, 0, NULL, &id, &d, &f)) == 0 &&
	    (rc = repo_open(&repo, cluster, id, &f)) == 0 &&
	    (rc = conf_find_repo(cluster, name, &i, &f)) == 0)
		rc = audit_check(repo, i, &c, &d, &f);
	repo_free(repo);
	conf_free(conf);
	if (rc != 0)
		return cli_fail(&f);
	return flaws > 0 ? 9 : 0;
}
