#ifndef JSON_CORE_H
#define JSON_CORE_H

#include <jansson.h>

#include "json.h"

/* Inside lib/json: a struct json is a json_t, which the cast keeps out of
 * json.h. */

static inline json_t *
json_core_in(const struct json *j)
{
	return (json_t *)(void *)(uintptr_t)j;
}

static inline struct json *
json_core_out(json_t *j)
{
	return (struct json *)(void *)j;
}

/* json_put.c: NULL and a fault when it cannot be. */
json_t *json_core_string(const char *value, struct fault *f);

#endif
