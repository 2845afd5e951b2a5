#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "json_core.h"
#include "text.h"

/* Takes m over, NULL too. An object that cannot take it has no memory left. */
static int
put(struct json *j, const char *name, json_t *m, struct fault *f)
{
	if (m == NULL || json_object_set_new(json_core_in(j), name, m) != 0)
		return fault_nomem(f);
	return 0;
}

/* jansson answers NULL to bad text and to
 * want of memory alike. */
json_t *
json_core_string(const char *value, struct fault *f)
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
	json_t *m = json_core_string(value, f);

	if (m == NULL)
		return fault_prefix(f, "%s", name);
	return put(j, name, m, f);
}

int
json_put_hex(struct json *j, const char *name, const unsigned char *value,
    size_t n, struct fault *f)
{
	char *hex = malloc(2 * n + 1);
	int rc;

	if (hex == NULL)
		return fault_nomem(f);
	text_hex(value, n, hex);
	rc = json_put_str(j, name, hex, f);
	free(hex);
	return rc;
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
json_put_time(struct json *j, const char *name, int64_t us, struct fault *f)
{
	char text[CLOCK_TEXT_SIZE];

	if (us == CLOCK_NONE)
		return json_put_null(j, name, f);
	clock_format_iso(us, text);
	return json_put_str(j, name, text, f);
}

/* A member that is filled later. */
static int
put_empty(struct json *j, const char *name, json_t *m, struct json **out,
    struct fault *f)
{
	int rc = put(j, name, m, f);

	if (rc == 0)
		*out = json_core_out(m);
	return rc;
}

int
json_put_array(
    struct json *j, const char *name, struct json **out, struct fault *f)
{
	return put_empty(j, name, json_array(), out, f);
}

int
json_put_object(
    struct json *j, const char *name, struct json **out, struct fault *f)
{
	return put_empty(j, name, json_object(), out, f);
}
