#include "json_core.h"
#include "text.h"

/* The member, which must have that type; NULL and a fault otherwise. */
static json_t *
get(const struct json *j, const char *name, json_type type, const char *words,
    struct fault *f)
{
	json_t *m = json_object_get(json_core_in(j), name);

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
	json_t *m = json_object_get(json_core_in(j), name);

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
	json_t *m = json_object_get(json_core_in(j), name);

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
	*out = json_core_out(m);
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
	*out = json_core_out(m);
	return 0;
}
