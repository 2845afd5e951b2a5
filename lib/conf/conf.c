#include "conf_core.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a command that prints a secret may take. */
#define COMMAND_MS 30000

int
conf_fault(
    const struct conf *c, int line, struct fault *f, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (line == 0)
		return fault_set(f, FAULT_CONFIG, "%s: %s", c->path, text);
	return fault_set(f, FAULT_CONFIG, "%s:%d: %s", c->path, line, text);
}

int
conf_keep(
    struct conf *c, const char *s, size_t n, const char **out, struct fault *f)
{
	struct conf_string *k;

	if (n > CONF_FILE)
		return fault_set(f, FAULT_CONFIG, "a setting is too long");
	k = malloc(sizeof(*k) + n + 1);
	if (k == NULL)
		return fault_nomem(f);
	memcpy(k->text, s, n);
	k->text[n] = '\0';
	k->len = n;
	k->next = c->strings;
	c->strings = k;
	*out = k->text;
	return 0;
}

/* Nothing is taken from the environment for a repository that has a part of
 * its credentials in the file: two halves would not fit together. */
int
conf_apply_env(struct conf *c, char *(*look)(const char *name), struct fault *f)
{
	const char *id = look("AWS_ACCESS_KEY_ID");
	const char *key = look("AWS_SECRET_ACCESS_KEY");
	const char *token = look("AWS_SESSION_TOKEN");
	struct conf_repo *r;
	int e = 0;
	size_t i;

	if (id == NULL || *id == '\0' || key == NULL || *key == '\0')
		return 0;
	for (i = 0; e == 0 && i < c->n_repos; i++) {
		r = &c->repos[i].r;
		if (r->kind != CONF_STORE_S3 || r->access_key_id != NULL)
			continue;
		e = conf_keep(c, id, strlen(id), &r->access_key_id, f);
		if (e == 0)
			e = conf_keep(c, key, strlen(key),
			    &r->secret_access_key.value, f);
		if (e == 0 && token != NULL && *token != '\0')
			e = conf_keep(c, token, strlen(token),
			    &r->session_token.value, f);
	}
	return e;
}

void
conf_free(struct conf *c)
{
	struct conf_string *k;

	if (c == NULL)
		return;
	while ((k = c->strings) != NULL) {
		c->strings = k->next;
		secret_wipe(k->text, k->len);
		free(k);
	}
	free(c->path);
	free(c);
}

const char *
conf_path(const struct conf *c)
{
	return c->path;
}

int
conf_cluster(const struct conf *c, const char *name,
    const struct conf_cluster **out, struct fault *f)
{
	size_t i;

	if (name == NULL) {
		if (c->n_clusters == 1) {
			*out = &c->clusters[0].c;
			return 0;
		}
		return conf_fault(c, 0, f,
		    c->n_clusters == 0
			? "has no [cluster NAME] section"
			: "has several clusters; choose one with -C NAME");
	}
	for (i = 0; i < c->n_clusters; i++)
		if (strcmp(c->clusters[i].c.name, name) == 0) {
			*out = &c->clusters[i].c;
			return 0;
		}
	return conf_fault(c, 0, f, "has no section [cluster %.80s]", name);
}

/* ABSENT from here would say that something is not in the repository. */
int
conf_secret_read(const struct conf_secret *s, const char *what,
    struct secret *out, struct fault *f)
{
	struct deadline d;
	int r;

	if (s->file != NULL)
		r = secret_load_line(out, s->file, f);
	else if (s->command != NULL) {
		d = deadline_in_ms(COMMAND_MS);
		r = secret_run_line(out, s->command, &d, f);
	} else if (s->value != NULL)
		r = secret_copy(out, s->value, strlen(s->value), f);
	else
		r = secret_copy(out, "", 0, f);
	if (r == FAULT_ABSENT || r == FAULT_DENIED)
		fault_recode(f, FAULT_CONFIG);
	return r == 0 ? 0 : fault_prefix(f, "%s", what);
}

int
conf_find_repo(
    const struct conf_cluster *c, const char *name, size_t *i, struct fault *f)
{
	if (name == NULL) {
		*i = 0;
		return 0;
	}
	for (size_t k = 0; k < c->n_repos; k++) {
		if (strcmp(c->repos[k]->name, name) == 0) {
			*i = k;
			return 0;
		}
	}
	return fault_set(f, FAULT_CONFIG,
	    "--repo '%s': cluster %s has no such repository; its first is %s",
	    name, c->name, c->repos[0]->name);
}

int
conf_only_repos(const struct conf_cluster *c, const char *const *names,
    size_t n, struct conf_cluster *out, struct fault *f)
{
	struct conf_cluster only = *c;
	size_t i;

	for (size_t k = 0; k < n; k++) {
		int r = conf_find_repo(c, names[k], &i, f);

		if (r != 0)
			return r;
		for (size_t j = 0; j < k; j++)
			if (only.repos[j] == c->repos[i])
				return fault_set(f, FAULT_CONFIG,
				    "--repo '%s' is given twice", names[k]);
		only.repos[k] = c->repos[i];
	}
	only.n_repos = n;
	only.whole = c->whole != NULL ? c->whole : c;
	only.push_quorum = 1;
	*out = only;
	return 0;
}
