#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"

/*
 * Small strict documents over jansson: duplicate keys, trailing bytes, wrong
 * types and missing members are CORRUPT. json_parse names the document, the
 * others the member: who reads on puts the document's name in front. 64-bit
 * unsigned values travel as decimal strings where they may pass 2^63. Strings
 * are UTF-8 without NUL; one that is not is CORRUPT.
 */

struct json; /* an object or array; owned by the root it was taken from */

/* At most JSON_MAX bytes. */
#define JSON_MAX (64U << 20)
int json_parse(struct json **root, const char *what, const void *data,
    size_t len, struct fault *f);
int json_new(struct json **root, struct fault *f); /* an empty object */
void json_free(struct json *root);
/* Compact, sorted keys, newline at the end; the caller frees *text. */
int json_dump(
    const struct json *root, char **text, size_t *len, struct fault *f);
/* The same, indented, for people. */
int json_dump_pretty(
    const struct json *root, char **text, size_t *len, struct fault *f);

/* Reading. Strings belong to the document. */
int json_get_str(
    const struct json *j, const char *name, const char **out, struct fault *f);
int json_get_i64(
    const struct json *j, const char *name, int64_t *out, struct fault *f);
int json_get_u64(
    const struct json *j, const char *name, uint64_t *out, struct fault *f);
int json_get_bool(
    const struct json *j, const char *name, bool *out, struct fault *f);
int json_get_array(const struct json *j, const char *name, struct json **out,
    size_t *count, struct fault *f);
int json_get_object(
    const struct json *j, const char *name, struct json **out, struct fault *f);
/* Element i of an array, which must be an object. */
int json_at(
    const struct json *array, size_t i, struct json **out, struct fault *f);
bool json_has(const struct json *j, const char *name); /* and is not null */
/* The same, a string. */
int json_at_str(
    const struct json *array, size_t i, const char **out, struct fault *f);

/* The same with bounds on the value; CORRUPT, "member NAME has an impossible
 * value", outside of them. An optional member is looked for with json_has.
 * text: copied to out, shorter than cap bytes.
 * choice: one of words, which end with NULL; *which is its place.
 * hex: exactly n bytes. u32: min to UINT32_MAX. range: min to max.
 * format: the member "format", which must be known. */
int json_get_text(const struct json *j, const char *name, char *out, size_t cap,
    struct fault *f);
int json_get_choice(const struct json *j, const char *name,
    const char *const *words, size_t *which, struct fault *f);
int json_get_hex(const struct json *j, const char *name, unsigned char *out,
    size_t n, struct fault *f);
int json_get_u32(const struct json *j, const char *name, uint32_t min,
    uint32_t *out, struct fault *f);
int json_get_range(const struct json *j, const char *name, int64_t min,
    int64_t max, int64_t *out, struct fault *f);
int json_get_format(const struct json *j, int64_t known, struct fault *f);
/* That fault, for bounds that only the caller knows. */
int json_bad(const char *name, struct fault *f);

/* Writing. json_put_u64 writes a decimal string above 2^63-1. */
int json_put_str(
    struct json *j, const char *name, const char *value, struct fault *f);
int json_put_hex(struct json *j, const char *name, const unsigned char *value,
    size_t n, struct fault *f);
int json_put_i64(
    struct json *j, const char *name, int64_t value, struct fault *f);
int json_put_u64(
    struct json *j, const char *name, uint64_t value, struct fault *f);
int json_put_bool(
    struct json *j, const char *name, bool value, struct fault *f);
int json_put_null(struct json *j, const char *name, struct fault *f);
/* A moment as clock_format_iso has it; CLOCK_NONE is null. */
int json_put_time(
    struct json *j, const char *name, int64_t us, struct fault *f);
/* A new empty array member, and a new empty object at its end. */
int json_put_array(
    struct json *j, const char *name, struct json **out, struct fault *f);
int json_append_object(struct json *array, struct json **out, struct fault *f);
int json_append_str(struct json *array, const char *value, struct fault *f);
int json_put_object(
    struct json *j, const char *name, struct json **out, struct fault *f);

#endif
