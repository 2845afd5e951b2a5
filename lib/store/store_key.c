#include <string.h>

#include "store_ops.h"

static bool
byte_ok(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' ||
	       c == '+';
}

bool
store_key_part_ok(const char *part, size_t len)
{
	if (len == 0 || len > 255 || part[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!byte_ok(part[i]))
			return false;
	}
	return true;
}

static bool
key_ok(const char *key, size_t len)
{
	size_t parts = 0;

	if (len == 0 || len > STORE_KEY_MAX)
		return false;
	for (size_t at = 0; at <= len; parts++) {
		const char *slash = memchr(key + at, '/', len - at);
		size_t end = slash ? (size_t)(slash - key) : len;

		if (!store_key_part_ok(key + at, end - at))
			return false;
		at = end + 1;
	}
	return parts <= STORE_KEY_PARTS;
}

int
store_key_check(const char *key, struct fault *f)
{
	if (key_ok(key, strlen(key)))
		return 0;
	return fault_set(
	    f, FAULT_CONFIG, "'%.300s' is not a name for an object", key);
}

int
store_key_check_prefix(const char *prefix, struct fault *f)
{
	size_t len = strlen(prefix);

	if (len == 0 || (prefix[len - 1] == '/' && key_ok(prefix, len - 1)))
		return 0;
	return fault_set(
	    f, FAULT_CONFIG, "'%.300s' is not a name for a folder", prefix);
}
