#include <string.h>

#include "json.h"
#include "text.h"

int
json_bad(const char *name, struct fault *f)
{
	return fault_set(
	    f, FAULT_CORRUPT, "member \"%s\" has an impossible value", name);
}

int
json_get_text(const struct json *j, const char *name, char *out, size_t cap,
    struct fault *f)
{
	const char *s;
	size_t n;
	int rc = json_get_str(j, name, &s, f);

	if (rc != 0)
		return rc;
	n = strlen(s);
	if (n >= cap)
		return json_bad(name, f);
	memcpy(out, s, n + 1);
	return 0;
}

int
json_get_choice(const struct json *j, const char *name,
    const char *const *words, size_t *which, struct fault *f)
{
	const char *s;
	int rc = json_get_str(j, name, &s, f);

	if (rc != 0)
		return rc;
	for (size_t i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], s) == 0) {
			*which = i;
			return 0;
		}
	return json_bad(name, f);
}

int
json_get_hex(const struct json *j, const char *name, unsigned char *out,
    size_t n, struct fault *f)
{
	const char *s;
	int rc = json_get_str(j, name, &s, f);

	if (rc != 0)
		return rc;
	if (strlen(s) != 2 * n || text_unhex(s, out, n) != 0)
		return json_bad(name, f);
	return 0;
}

int
json_get_range(const struct json *j, const char *name, int64_t min, int64_t max,
    int64_t *out, struct fault *f)
{
	int64_t v;
	int rc = json_get_i64(j, name, &v, f);

	if (rc != 0)
		return rc;
	if (v < min || v > max)
		return json_bad(name, f);
	*out = v;
	return 0;
}

int
json_get_u32(const struct json *j, const char *name, uint32_t min,
    uint32_t *out, struct fault *f)
{
	uint64_t v;
	int rc = json_get_u64(j, name, &v, f);

	if (rc != 0)
		return rc;
	if (v < min || v > UINT32_MAX)
		return json_bad(name, f);
	*out = (uint32_t)v;
	return 0;
}

int
json_get_format(const struct json *j, int64_t known, struct fault *f)
{
	int64_t v;
	int rc = json_get_i64(j, "format", &v, f);

	if (rc != 0 || v == known)
		return rc;
	return fault_set(f, FAULT_CORRUPT,
	    "format %lld is not known to this version of pitrkit",
	    (long long)v);
}
