#include <stdio.h>
#include <stdlib.h>

#include "holding.h"
#include "json.h"

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

	words_time(h->from_us, "", from);
	words_time(h->to_us, "open", to);
	words_time(h->until_us, "released", until);
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
	    (rc = json_put_time(j, "placed", h->placed_us, f)) != 0 ||
	    (rc = json_put_time(j, "until", h->until_us, f)) != 0)
		return rc;
	if (h->backup[0] != '\0')
		rc = json_put_str(j, "backup", h->backup, f);
	else if ((rc = json_put_time(j, "from", h->from_us, f)) == 0)
		rc = json_put_time(j, "to", h->to_us, f);
	if (rc != 0 || !h->released)
		return rc;
	if ((rc = json_put_time(j, "released", h->released_us, f)) != 0 ||
	    (rc = json_put_str(j, "released_by", h->released_by, f)) != 0)
		return rc;
	return json_put_str(j, "released_for", h->released_for, f);
}

static void
print_text(const struct hold_list *l, bool all, int64_t now_us)
{
	for (size_t i = 0; i < l->n; i++)
		if (all || hold_active(&l->h[i], now_us))
			print_one(&l->h[i], now_us);
}

static int
print_json(const struct hold_list *l, bool all, int64_t now_us, struct fault *f)
{
	struct json *j, *holds;
	int rc;

	if ((rc = json_new(&j, f)) != 0)
		return rc;
	rc = json_put_array(j, "holds", &holds, f);
	for (size_t i = 0; rc == 0 && i < l->n; i++)
		if (all || hold_active(&l->h[i], now_us))
			rc = json_one(holds, &l->h[i], now_us, f);
	if (rc == 0)
		rc = cli_json_print(j, true, f);
	json_free(j);
	return rc;
}

int
list_run(struct holding *s, struct fault *f)
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
		rc = print_json(&l, s->o->all, now_us, f);
	else
		print_text(&l, s->o->all, now_us);
	hold_free(&l);
	return rc;
}
