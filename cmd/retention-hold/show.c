#include <stdio.h>

#include "json.h"
#include "listing.h"

/* As long as one repository has it without its release it is in force there. */
static bool
is_released(const struct listed *l)
{
	return l->in == l->released;
}

static const char *
state_of(const struct listed *l, int64_t now_us)
{
	if (is_released(l))
		return "released";
	return l->h.until_us == CLOCK_NONE || l->h.until_us > now_us ? "active"
								     : "over";
}

static bool
is_shown(const struct listing *l, size_t i)
{
	return l->all || state_of(&l->v[i], l->now_us)[0] == 'a';
}

/* The repositories that are in the set. */
static void
print_names(const struct listing *l, const char *what, uint64_t set)
{
	const char *between = "";

	if (set == 0)
		return;
	printf("  %s in ", what);
	for (size_t i = 0; i < l->cluster->n_repos; i++) {
		if ((set >> i & 1) == 0)
			continue;
		printf("%s%s", between, l->cluster->repos[i]->name);
		between = ", ";
	}
	printf("\n");
}

static void
print_one(const struct listing *l, const struct listed *x)
{
	const struct hold *h = &x->h;
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
	char until[CLOCK_TEXT_SIZE];

	words_time(h->from_us, "", from);
	words_time(h->to_us, "open", to);
	words_time(h->until_us, "released", until);
	printf("%s  %s\n", h->id, state_of(x, l->now_us));
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
	if (is_released(x))
		return;
	print_names(l, "missing  ", l->read & ~x->in);
	if (h->released)
		print_names(l, "release missing", x->in & ~x->released);
}

void
show_text(const struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (is_shown(l, i))
			print_one(l, &l->v[i]);
}

static int
put_names(const struct listing *l, struct json *j, const char *name,
    uint64_t set, struct fault *f)
{
	struct json *names;
	int rc = json_put_array(j, name, &names, f);

	for (size_t i = 0; rc == 0 && i < l->cluster->n_repos; i++)
		if ((set >> i & 1) != 0)
			rc = json_append_str(
			    names, l->cluster->repos[i]->name, f);
	return rc;
}

static int
put_one(struct json *list, const struct listing *l, const struct listed *x,
    struct fault *f)
{
	const struct hold *h = &x->h;
	struct json *j;
	int rc;

	if ((rc = json_append_object(list, &j, f)) != 0 ||
	    (rc = json_put_str(j, "id", h->id, f)) != 0 ||
	    (rc = json_put_str(j, "state", state_of(x, l->now_us), f)) != 0 ||
	    (rc = json_put_str(j, "holder", h->holder, f)) != 0 ||
	    (rc = json_put_str(j, "reason", h->reason, f)) != 0 ||
	    (rc = json_put_str(j, "placed_by", h->by, f)) != 0 ||
	    (rc = json_put_time(j, "placed", h->placed_us, f)) != 0 ||
	    (rc = json_put_time(j, "until", h->until_us, f)) != 0 ||
	    (rc = put_names(l, j, "in", x->in, f)) != 0 ||
	    (rc = put_names(l, j, "missing_in", l->read & ~x->in, f)) != 0)
		return rc;
	if (h->backup[0] != '\0')
		rc = json_put_str(j, "backup", h->backup, f);
	else if ((rc = json_put_time(j, "from", h->from_us, f)) == 0)
		rc = json_put_time(j, "to", h->to_us, f);
	if (rc != 0 || !h->released)
		return rc;
	if ((rc = json_put_time(j, "released", h->released_us, f)) != 0 ||
	    (rc = json_put_str(j, "released_by", h->released_by, f)) != 0 ||
	    (rc = json_put_str(j, "released_for", h->released_for, f)) != 0)
		return rc;
	return put_names(l, j, "release_missing_in", x->in & ~x->released, f);
}

int
show_json(const struct listing *l, struct fault *f)
{
	struct json *j, *holds;
	int rc;

	if ((rc = json_new(&j, f)) != 0)
		return rc;
	rc = json_put_array(j, "holds", &holds, f);
	for (size_t i = 0; rc == 0 && i < l->n; i++)
		if (is_shown(l, i))
			rc = put_one(holds, l, &l->v[i], f);
	if (rc == 0)
		rc = put_names(l, j, "unread", l->asked & ~l->read, f);
	if (rc == 0)
		rc = cli_json_print(j, true, f);
	json_free(j);
	return rc;
}
