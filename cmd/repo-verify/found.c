#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

#define FINDINGS_MAX 10000

static bool
known(const struct verify *v, const char *object, const char *meaning)
{
	for (size_t i = 0; i < v->n_findings; i++)
		if (strcmp(v->findings[i].object, object) == 0 &&
		    strcmp(v->findings[i].meaning, meaning) == 0)
			return true;
	return false;
}

/* Is it of the object, by all of its key, its end, or its id? */
static bool
is_object(const char *words, size_t n, const char *object)
{
	static const char *const kinds[] = {"backup ", "report of "};
	size_t len = strlen(object);
	char text[600];

	if (n >= sizeof text)
		return false;
	memcpy(text, words, n);
	text[n] = '\0';
	if (strstr(text, "://") != NULL)
		return true; /* where the repository is */
	if (n <= len && strcmp(object + len - n, text) == 0 &&
	    (n == len || object[len - n - 1] == '/'))
		return true;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		size_t k = strlen(kinds[i]);

		if (strncmp(text, kinds[i], k) == 0 && n > k &&
		    strstr(object, text + k) != NULL)
			return true;
	}
	return false;
}

/* A fault names what it is about, each layer as it knows it; the finding does
 * once. */
static const char *
without_object(const char *object, const char *problem)
{
	const char *end;

	while ((end = strstr(problem, ": ")) != NULL &&
	       is_object(problem, (size_t)(end - problem), object))
		problem = end + 2;
	return problem;
}

static int
append(struct verify *v, bool hurts, const char *object, const char *problem,
    const char *meaning, struct fault *f)
{
	struct verify_finding *x;
	void *grown;

	v->hurt = v->hurt || hurts;
	if (known(v, object, meaning))
		return 0;
	if (v->n_findings == FINDINGS_MAX) {
		v->more++;
		v->more_hurt = v->more_hurt || hurts;
		return 0;
	}
	grown =
	    reallocarray(v->findings, v->n_findings + 1, sizeof *v->findings);
	if (grown == NULL)
		return fault_nomem(f);
	v->findings = grown;
	x = &v->findings[v->n_findings];
	x->hurts = hurts;
	x->object = strdup(object);
	x->problem = strdup(problem);
	x->meaning = strdup(meaning);
	if (x->object != NULL && x->problem != NULL && x->meaning != NULL) {
		v->n_findings++;
		return 0;
	}
	free(x->object);
	free(x->problem);
	free(x->meaning);
	return fault_nomem(f);
}

int
found_add(struct verify *v, bool hurts, const char *object, const char *problem,
    struct fault *f, const char *meaning, ...)
{
	char text[512];
	va_list ap;
	int rc;

	va_start(ap, meaning);
	vsnprintf(text, sizeof text, meaning, ap);
	va_end(ap);
	problem = without_object(object, problem);
	pthread_mutex_lock(&v->lock);
	rc = append(v, hurts, object, problem, text, f);
	pthread_mutex_unlock(&v->lock);
	return rc;
}

/* What is not listed may tell of it as well, and is not known any more: it
 * goes on hurting. */
void
found_forget(struct verify *v, const char *id)
{
	size_t n = 0;

	v->hurt = v->more_hurt;
	for (size_t i = 0; i < v->n_findings; i++) {
		struct verify_finding *x = &v->findings[i];

		if (strstr(x->meaning, id) != NULL) {
			free(x->object);
			free(x->problem);
			free(x->meaning);
			continue;
		}
		v->hurt = v->hurt || x->hurts;
		v->findings[n++] = *x;
	}
	v->n_findings = n;
}

size_t
found_hurting(const struct verify *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_findings; i++)
		n += v->findings[i].hurts;
	return n;
}

void
found_print(const struct verify *v)
{
	for (size_t i = 0; i < v->n_findings; i++) {
		const struct verify_finding *x = &v->findings[i];

		if (v->run->name_repo)
			printf("%s: ", v->only.repos[0]->name);
		printf("%s%s: %s", x->hurts ? "" : "note: ", x->object,
		    x->problem);
		printf(x->meaning[0] != '\0' ? ": %s\n" : "%s\n", x->meaning);
	}
	if (v->more > 0)
		printf("%" PRIu64 " more findings are not listed\n", v->more);
}

void
found_free(struct verify *v)
{
	for (size_t i = 0; i < v->n_findings; i++) {
		free(v->findings[i].object);
		free(v->findings[i].problem);
		free(v->findings[i].meaning);
	}
	free(v->findings);
	v->findings = NULL;
	v->n_findings = 0;
}

int
found_wal_key(const struct verify *v, const char *name, char key[LAYOUT_KEY],
    struct fault *f)
{
	struct walname n;
	int rc = walname_parse(name, &n, f);

	return rc != 0 ? rc
		       : layout_wal(repo_cluster(v->repo),
			     repo_system_id(v->repo), name, &n, key, f);
}
