#include "relfile.h"

#include <string.h>

#include "text.h"

/* The number that s begins with; what follows it, or NULL. */
static const char *
number(const char *s, uint32_t *out)
{
	char digits[11];
	size_t n = strspn(s, "0123456789");

	if (n == 0 || n >= sizeof digits || s[0] == '0')
		return NULL;
	memcpy(digits, s, n);
	digits[n] = '\0';
	return text_u32(digits, out) == 0 ? s + n : NULL;
}

bool
relfile_oid(const char *name, uint32_t *out)
{
	uint32_t v;
	const char *end = number(name, &v);

	if (end == NULL || *end != '\0')
		return false;
	*out = v;
	return true;
}

static const char *
fork_of(const char *s, enum relfile_fork *out)
{
	static const struct {
		const char *name;
		enum relfile_fork fork;
	} forks[] = {
	    {"_fsm", RELFILE_FSM},
	    {"_vm", RELFILE_VM},
	    {"_init", RELFILE_INIT},
	};

	*out = RELFILE_MAIN;
	for (size_t i = 0; i < sizeof forks / sizeof forks[0]; i++) {
		if (!text_prefix(s, forks[i].name))
			continue;
		*out = forks[i].fork;
		return s + strlen(forks[i].name);
	}
	return s;
}

bool
relfile_parse(const char *name, struct relfile *out)
{
	struct relfile r = {.temporary = name[0] == 't'};
	const char *p = name;

	if (r.temporary) {
		/* the number of the backend, which may be 0 */
		size_t n = strspn(p + 1, "0123456789");

		if (n == 0 || p[1 + n] != '_')
			return false;
		p += 1 + n + 1;
	}
	if ((p = number(p, &r.number)) == NULL)
		return false;
	p = fork_of(p, &r.fork);
	if (*p == '.' && (p = number(p + 1, &r.segment)) == NULL)
		return false;
	if (*p != '\0')
		return false;
	*out = r;
	return true;
}
