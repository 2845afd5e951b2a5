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
