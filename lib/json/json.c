#include "json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* A struct json is a json_t: the cast keeps jansson out of the header. */
static json_t *
in(const struct json *j)
{
	return (json_t *)(void *)(uintptr_t)j;
}

static struct json *
out_of(json_t *j)
{
	return (struct json *)(void *)j;
}

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
	*root = out_of(j);
	return 0;
}

int
json_new(struct json **root, struct fault *f)
{
	json_t *j = json_object();

	if (j == NULL)
		return fault_nomem(f);
	*root = out_of(j);
	return 0;
}

void
json_free(struct json *root)
{
	json_decref(in(root));
}

static int
dump(const struct json *root, size_t flags, char **text, size_t *len,
    struct fault *f)
{
	size_t n, m;
	char *p;

	flags |= JSON_SORT_KEYS;
	n = json_dumpb(in(root), NULL, 0, flags);
	if (n == 0)
		return fault_nomem(f);
	p = malloc(n + 2);
	if (p == NULL)
		return fault_nomem(f);
	m = json_dumpb(in(root), p, n, flags);
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

/* The member, which must have that type; NULL and a fault otherwise. */
static json_t *
get(const struct json *j, const char *name, json_type type, const char *words,
    struct fault *f)
{
	json_t *m = json_object_get(in(j), name);

	if (m == NULL)
		fault_set(f, FAULT_CORRUPT, "there is no \"%s\"", name);
	else if (json_typeof(m) != type) {
		fault_set(f, FAULT_CORRUPT, "\"%s\" is not %s", name, words);
		m = NULL;
	}
	return m;
}

int
json_get_str(
    const struct json *j, const char *name, const char **out, struct fault *f)
{
	json_t *m = get(j, name, JSON_STRING, "a string", f);

	if (m == NULL)
		return (int)f->code;
	*out = json_string_value(m);
	return 0;
}

int
json_get_i64(
    const struct json *j, const char *name, int64_t *out, struct fault *f)
{
	json_t *m = get(j, name, JSON_INTEGER, "an integer", f);

	if (m == NULL)
		return (int)f->code;
	*out = (int64_t)json_integer_value(m);
	return 0;
}

int
json_get_u64(
    const struct json *j, const char *name, uint64_t *out, struct fault *f)
{
	json_t *m = json_object_get(in(j), name);

	if (json_is_string(m) && text_u64(json_string_value(m), out) == 0)
		return 0;
	if (json_is_integer(m) && json_integer_value(m) >= 0) {
		*out = (uint64_t)json_integer_value(m);
		return 0;
	}
	return fault_set(f, FAULT_CORRUPT,
	    m == NULL ? "there is no \"%s\""
		      : "\"%s\" is not an unsigned number",
	    name);
}

int
json_get_bool(
    const struct json *j, const char *name, bool *out, struct fault *f)
{
	json_t *m = json_object_get(in(j), name);

	if (!json_is_boolean(m))
		return fault_set(f, FAULT_CORRUPT,
		    m == NULL ? "there is no \"%s\""
			      : "\"%s\" is not true or false",
		    name);
	*out = json_is_true(m);
	return 0;
}

int
json_get_array(const struct json *j, const char *name, struct json **out,
    size_t *count, struct fault *f)
{
	json_t *m = get(j, name, JSON_ARRAY, "an array", f);

	if (m == NULL)
		return (int)f->code;
	*out = out_of(m);
	*count = json_array_size(m);
	return 0;
}

int
json_get_object(
    const struct json *j, const char *name, struct json **out, struct fault *f)
{
	json_t *m = get(j, name, JSON_OBJECT, "an object", f);

	if (m == NULL)
		return (int)f->code;
	*out = out_of(m);
	return 0;
}

int
json_at(const struct json *array, size_t i, struct json **out, struct fault *f)
{
	json_t *m = json_array_get(in(array), i);

	if (!json_is_object(m))
		return fault_set(f, FAULT_CORRUPT,
		    m == NULL ? "there is no element %zu"
			      : "element %zu is not an object",
		    i);
	*out = out_of(m);
	return 0;
}

int
json_at_str(
    const struct json *array, size_t i, const char **out, struct fault *f)
{
	json_t *m = json_array_get(in(array), i);

	if (!json_is_string(m))
		return fault_set(f, FAULT_CORRUPT,
		    m == NULL ? "there is no element %zu"
			      : "element %zu is not a string",
		    i);
	*out = json_string_value(m);
	return 0;
}

bool
json_has(const struct json *j, const char *name)
{
	json_t *m = json_object_get(in(j), name);

	return m != NULL && !json_is_null(m);
}

/* Takes m over, NULL too. An object that cannot take it has no memory left. */
static int
put(struct json *j, const char *name, json_t *m, struct fault *f)
{
	if (m == NULL || json_object_set_new(in(j), name, m) != 0)
		return fault_nomem(f);
	return 0;
}

/* NULL and a fault when it cannot be. jansson answers NULL to bad text and to
 * want of memory alike. */
static json_t *
string(const char *value, struct fault *f)
{
	json_t *m = json_string(value), *empty;

	if (m != NULL)
		return m;
	empty = json_string_nocheck("");
	if (empty == NULL)
		fault_nomem(f);
	else
		fault_set(
		    f, FAULT_CORRUPT, "\"%.80s\" is not UTF-8 text", value);
	json_decref(empty);
	return NULL;
}

int
json_put_str(
    struct json *j, const char *name, const char *value, struct fault *f)
{
	json_t *m = string(value, f);

	if (m == NULL)
		return fault_prefix(f, "%s", name);
	return put(j, name, m, f);
}

int
json_put_i64(struct json *j, const char *name, int64_t value, struct fault *f)
{
	return put(j, name, json_integer(value), f);
}

int
json_put_u64(struct json *j, const char *name, uint64_t value, struct fault *f)
{
	char digits[24];

	if (value <= INT64_MAX)
		return put(j, name, json_integer((json_int_t)value), f);
	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	return json_put_str(j, name, digits, f);
}

int
json_put_bool(struct json *j, const char *name, bool value, struct fault *f)
{
	return put(j, name, json_boolean(value), f);
}

int
json_put_null(struct json *j, const char *name, struct fault *f)
{
	return put(j, name, json_null(), f);
}

int
json_put_array(
    struct json *j, const char *name, struct json **out, struct fault *f)
{
	json_t *m = json_array();
	int r = put(j, name, m, f);

	if (r == 0)
		*out = out_of(m);
	return r;
}

int
json_put_object(
    struct json *j, const char *name, struct json **out, struct fault *f)
{
	json_t *m = json_object();
	int r = put(j, name, m, f);

	if (r == 0)
		*out = out_of(m);
	return r;
}

int
json_append_object(struct json *array, struct json **out, struct fault *f)
{
	json_t *m = json_object();

	if (m == NULL || json_array_append_new(in(array), m) != 0)
		return fault_nomem(f);
	*out = out_of(m);
	return 0;
}

int
json_append_str(struct json *array, const char *value, struct fault *f)
{
	json_t *m = string(value, f);

	if (m == NULL)
		return (int)f->code;
	if (json_array_append_new(in(array), m) != 0)
		return fault_nomem(f);
	return 0;
}
