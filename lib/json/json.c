#include <stdlib.h>
#include <string.h>

#include "json_core.h"

/* The text of the error is jansson's and may hold bytes of the document: it
 * is not passed on, as some documents hold secrets. */
int
json_parse(struct json **root, const char *what, const void *data, size_t len,
    struct fault *f)
{
	json_error_t e;
	json_t *j;

	if (len > JSON_MAX)
		return fault_set(f, FAULT_CORRUPT, "%s: longer than %u bytes",
		    what, JSON_MAX);
	j = json_loadb(data, len, JSON_REJECT_DUPLICATES, &e);
	if (j == NULL) {
		if (json_error_code(&e) == json_error_out_of_memory)
			return fault_nomem(f);
		return fault_set(f, FAULT_CORRUPT,
		    "%s: not a JSON document (line %d, column %d)", what,
		    e.line, e.column);
	}
	*root = json_core_out(j);
	return 0;
}

int
json_new(struct json **root, struct fault *f)
{
	json_t *j = json_object();

	if (j == NULL)
		return fault_nomem(f);
	*root = json_core_out(j);
	return 0;
}

void
json_free(struct json *root)
{
	json_decref(json_core_in(root));
}

static int
dump(const struct json *root, size_t flags, char **text, size_t *len,
    struct fault *f)
{
	size_t n, m;
	char *p;

	flags |= JSON_SORT_KEYS;
	n = json_dumpb(json_core_in(root), NULL, 0, flags);
	if (n == 0)
		return fault_nomem(f);
	p = malloc(n + 2);
	if (p == NULL)
		return fault_nomem(f);
	m = json_dumpb(json_core_in(root), p, n, flags);
	if (m != n) {
		free(p);
		return fault_nomem(f);
	}
	memcpy(p + n, "\n", 2);
	*text = p;
	*len = n + 1;
	return 0;
}

int
json_dump(const struct json *root, char **text, size_t *len, struct fault *f)
{
	return dump(root, JSON_COMPACT, text, len, f);
}

int
json_dump_pretty(
    const struct json *root, char **text, size_t *len, struct fault *f)
{
	return dump(root, JSON_INDENT(2), text, len, f);
}

bool
json_has(const struct json *j, const char *name)
{
	json_t *m = json_object_get(json_core_in(j), name);

	return m != NULL && !json_is_null(m);
}

/* The element, which must have that type; NULL and a fault otherwise. */
static json_t *
at(const struct json *array, size_t i, json_type type, const char *words,
    struct fault *f)
{
	json_t *m = json_array_get(json_core_in(array), i);

	if (m != NULL && json_typeof(m) == type)
		return m;
	if (m == NULL)
		fault_set(f, FAULT_CORRUPT, "there is no element %zu", i);
	else
		fault_set(f, FAULT_CORRUPT, "element %zu is not %s", i, words);
	return NULL;
}

int
json_at(const struct json *array, size_t i, struct json **out, struct fault *f)
{
	json_t *m = at(array, i, JSON_OBJECT, "an object", f);

	if (m == NULL)
		return (int)f->code;
	*out = json_core_out(m);
	return 0;
}

int
json_at_str(
    const struct json *array, size_t i, const char **out, struct fault *f)
{
	json_t *m = at(array, i, JSON_STRING, "a string", f);

	if (m == NULL)
		return (int)f->code;
	*out = json_string_value(m);
	return 0;
}

int
json_append_object(struct json *array, struct json **out, struct fault *f)
{
	json_t *m = json_object();

	if (m == NULL || json_array_append_new(json_core_in(array), m) != 0)
		return fault_nomem(f);
	*out = json_core_out(m);
	return 0;
}

int
json_append_str(struct json *array, const char *value, struct fault *f)
{
	json_t *m = json_core_string(value, f);

	if (m == NULL)
		return (int)f->code;
	if (json_array_append_new(json_core_in(array), m) != 0)
		return fault_nomem(f);
	return 0;
}
