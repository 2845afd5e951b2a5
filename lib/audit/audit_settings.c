#include "audit_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit_text.h"
#include "crypto.h"
#include "text.h"

#define SUM_LEN 8
#define SUM_TEXT (2 * SUM_LEN + 1) /* "#" and digits */
#define FULL 4096                  /* of a value that is looked at */

/* ---- listing ---- */

/* Of two texts that are both too long, and begin alike, it must show that they
 * differ: of values, and of names, which begin with that of a repository.
 * Nothing of a secret is in here. */
static int
shorten(const char *text, char *out, size_t cap, struct fault *f)
{
	unsigned char sum[CRYPTO_SHA256];
	char full[FULL];
	int rc;

	audit_text(full, sizeof full, text);
	if (strlen(full) < cap && strlen(text) < FULL) {
		memcpy(out, full, strlen(full) + 1);
		return 0;
	}
	if ((rc = crypto_sha256(text, strlen(text), sum, f)) != 0)
		return rc;
	audit_text(out, cap - SUM_TEXT, full);
	strcat(out, "#");
	text_hex(sum, SUM_LEN, out + strlen(out));
	return 0;
}

static int
add(void *ctx, const char *name, const char *value, struct fault *f)
{
	char word[AUDIT_WORD], text[AUDIT_VALUE];
	int rc = shorten(name, word, sizeof word, f);

	if (rc == 0)
		rc = shorten(value, text, sizeof text, f);
	return rc != 0 ? rc : buf_printf(ctx, f, "%s\t%s\n", word, text);
}

/* The ids of all of them: a key that was added or taken away shows. */
static int
add_keys(struct buf *out, const struct keyring *k, struct fault *f)
{
	struct buf ids = BUF_INIT(FULL);
	char id[2 * KEYRING_ID + 1];
	int rc = 0;

	for (size_t i = 0; rc == 0 && k != NULL && i < keyring_count(k); i++) {
		text_hex(keyring_at(k, i)->id, KEYRING_ID, id);
		rc = buf_printf(&ids, f, "%s%s", i > 0 ? " " : "", id);
	}
	if (rc == 0 && (rc = buf_terminate(&ids, f)) == 0 && k != NULL)
		rc = add(out, "keys", (const char *)ids.data, f);
	buf_free(&ids);
	return rc;
}

int
audit_settings_list(const struct repo *r, char **out, struct fault *f)
{
	struct buf b = BUF_INIT(AUDIT_SETTINGS_MAX);
	int rc = conf_stated(repo_conf(r), add, &b, f);

	if (rc == 0)
		rc = add_keys(&b, repo_keys(r), f);
	if (rc == 0)
		rc = buf_terminate(&b, f);
	if (rc == 0 && (*out = strdup((const char *)b.data)) == NULL)
		rc = fault_nomem(f);
	buf_free(&b);
	return rc;
}

int
audit_settings_digest(
    const char *list, unsigned char out[AUDIT_HASH], struct fault *f)
{
	return crypto_sha256(list, strlen(list), out, f);
}

/* ---- comparing ---- */

struct line {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

/* The next line from *at on; false: there is none. */
static bool
next(const char **at, struct line *out)
{
	const char *end, *tab;

	while ((end = strchr(*at, '\n')) != NULL) {
		const char *start = *at;

		*at = end + 1;
		tab = memchr(start, '\t', (size_t)(end - start));
		if (tab == NULL || tab == start)
			continue;
		*out = (struct line){start, (size_t)(tab - start), tab + 1,
		    (size_t)(end - tab - 1)};
		return true;
	}
	return false;
}

static bool
find(const char *list, const struct line *of, struct line *out)
{
	while (next(&list, out))
		if (out->name_len == of->name_len &&
		    memcmp(out->name, of->name, of->name_len) == 0)
			return true;
	return false;
}

static void
take(char *out, size_t cap, const char *text, size_t len)
{
	char whole[AUDIT_VALUE];

	if (len >= sizeof whole)
		len = sizeof whole - 1;
	memcpy(whole, text, len);
	whole[len] = '\0';
	audit_text(out, cap, whole);
}

static void
change(struct audit_record *r, const struct line *name, const struct line *from,
    const struct line *to)
{
	struct audit_change *c;

	if (r->n_changes == AUDIT_CHANGES) {
		r->more_changes++;
		return;
	}
	c = &r->changes[r->n_changes++];
	memset(c, 0, sizeof *c);
	take(c->name, sizeof c->name, name->name, name->name_len);
	if (from != NULL)
		take(c->from, sizeof c->from, from->value, from->value_len);
	if (to != NULL)
		take(c->to, sizeof c->to, to->value, to->value_len);
}

void
audit_settings_compare(
    const char *before, const char *now, struct audit_record *r)
{
	struct line a, b;
	const char *at;

	r->n_changes = 0;
	r->more_changes = 0;
	if (before == NULL || now == NULL)
		return;
	for (at = now; next(&at, &b);)
		if (!find(before, &b, &a))
			change(r, &b, NULL, &b);
		else if (a.value_len != b.value_len ||
			 memcmp(a.value, b.value, a.value_len) != 0)
			change(r, &b, &a, &b);
	for (at = before; next(&at, &a);)
		if (!find(now, &a, &b))
			change(r, &a, &a, NULL);
}
