#include <string.h>

#include "clock.h"
#include "keyring_core.h"
#include "secret.h"
#include "text.h"

#define LINE_MAX_BYTES 256 /* of a line that is no comment */

enum field {
	FIELD_ID = 1,
	FIELD_PRIVATE = 2,
	FIELD_PUBLIC = 4,
	FIELD_SECRET = 8,
	FIELD_CREATED = 16,
};

/* The block that is being read. */
struct block {
	struct keyring_key key;
	unsigned have; /* FIELD_* */
	bool open;     /* its first line has come */
	bool first;    /* of its file */
	size_t line;   /* of its first line */
};

static int
wrong(struct fault *f, const char *what, size_t line, const char *why)
{
	return fault_set(f, FAULT_CONFIG, "%s:%zu: %s", what, line, why);
}

/* Everything of a block is there: look whether it fits, add it to the ring. */
static int
finish(struct keyring *k, const char *what, struct block *b, struct fault *f)
{
	static const unsigned char zero[CRYPTO_KEY];
	const unsigned need =
	    FIELD_ID | FIELD_SECRET |
	    (b->key.has_private ? FIELD_PRIVATE : FIELD_PUBLIC);
	unsigned char id[KEYRING_ID];
	int rc = 0;

	if (!b->open)
		return 0;
	if ((b->have & need) != need)
		return wrong(f, what, b->line,
		    b->key.has_private
			? "the key needs an id, a private and a secret line"
			: "the recipient needs an id, a public and a secret "
			  "line");
	if (secret_equal(b->key.secret, zero, sizeof(zero)))
		return wrong(f, what, b->line, "the secret is all zeros");
	memcpy(id, b->key.id, sizeof(id));
	if (b->key.has_private)
		rc = crypto_x25519_public(
		    b->key.private_key, b->key.public_key, f);
	if (rc == 0)
		rc = keyring_identify(&b->key, f);
	if (rc == 0 && memcmp(id, b->key.id, sizeof(id)) != 0)
		return wrong(f, what, b->line,
		    "the id does not belong to this key; the file is damaged");
	b->key.recipient = b->first;
	if (rc == 0) {
		rc = keyring_add(k, &b->key, f);
		if (rc == FAULT_CONFIG)
			(void)fault_prefix(f, "%s:%zu", what, b->line);
	}
	return rc;
}

static void
begin(struct block *b, bool private, size_t line)
{
	const bool first = !b->open;

	secret_wipe(b, sizeof(*b));
	b->open = true;
	b->first = first;
	b->line = line;
	b->key.has_private = private;
}

/* 32 bytes in Base64. */
static int
key_bytes(const char *value, unsigned char out[CRYPTO_KEY])
{
	size_t n = 0;

	if (strlen(value) != 44 ||
	    text_unbase64(value, out, CRYPTO_KEY, &n) != 0 || n != CRYPTO_KEY)
		return -1;
	return 0;
}

static int
created(const char *value)
{
	struct fault ignored = FAULT_INIT;
	int64_t us;

	return clock_parse(value, &us, NULL, &ignored) == 0 ? 0 : -1;
}

/* One "name = value" line. */
static int
assign(struct block *b, const char *what, size_t line, const char *name,
    const char *value, struct fault *f)
{
	unsigned field = 0;
	int bad = 0;

	if (strcmp(name, "id") == 0) {
		field = FIELD_ID;
		bad = text_unhex(value, b->key.id, KEYRING_ID);
	} else if (strcmp(name, "secret") == 0) {
		field = FIELD_SECRET;
		bad = key_bytes(value, b->key.secret);
	} else if (b->key.has_private && strcmp(name, "private") == 0) {
		field = FIELD_PRIVATE;
		bad = key_bytes(value, b->key.private_key);
	} else if (!b->key.has_private && strcmp(name, "public") == 0) {
		field = FIELD_PUBLIC;
		bad = key_bytes(value, b->key.public_key);
	} else if (b->key.has_private && strcmp(name, "created") == 0) {
		field = FIELD_CREATED;
		bad = created(value);
	} else {
		return wrong(f, what, line, "unknown line");
	}
	/* Never the value itself in a message. */
	if ((b->have & field) != 0)
		return wrong(f, what, line, "comes twice in its block");
	if (bad != 0)
		return wrong(f, what, line, "the value is malformed");
	b->have |= field;
	return 0;
}

/* text: one line with its blanks at both ends gone, a NUL after it. */
static int
take_line(struct keyring *k, struct block *b, const char *what, size_t line,
    char *text, struct fault *f)
{
	const bool private = strcmp(text, "pitrkit-key-1") == 0;
	char *value, *end;
	int rc;

	if (private || strcmp(text, "pitrkit-recipient-1") == 0) {
		rc = finish(k, what, b, f);
		if (rc == 0)
			begin(b, private, line);
		return rc;
	}
	if (!b->open)
		return wrong(f, what, line,
		    "this is no pitrkit key file: it does not begin with "
		    "pitrkit-key-1 or pitrkit-recipient-1");
	value = strchr(text, '=');
	if (value == NULL)
		return wrong(f, what, line, "unknown line");
	for (end = value; end > text && (end[-1] == ' ' || end[-1] == '\t');)
		end--;
	*end = '\0';
	for (value++; *value == ' ' || *value == '\t';)
		value++;
	return assign(b, what, line, text, value, f);
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* All blocks of one file. what: name for faults, of which each names a line. */
static int
add_text(struct keyring *k, const char *what, const char *text, size_t len,
    struct fault *f)
{
	struct block b;
	char copy[LINE_MAX_BYTES + 1];
	size_t line = 0;
	int rc = 0;

	memset(&b, 0, sizeof(b));
	while (len > 0 && rc == 0) {
		const char *nl = memchr(text, '\n', len);
		const char *p = text;
		size_t n = nl == NULL ? len : (size_t)(nl - text);

		len -= nl == NULL ? n : n + 1;
		text += nl == NULL ? n : n + 1;
		line++;
		for (; n > 0 && blank(*p); n--)
			p++;
		while (n > 0 && blank(p[n - 1]))
			n--;
		if (n == 0 || *p == '#')
			continue;
		if (n > LINE_MAX_BYTES || memchr(p, '\0', n) != NULL) {
			rc = wrong(f, what, line, "this is no line of text");
			break;
		}
		memcpy(copy, p, n);
		copy[n] = '\0';
		rc = take_line(k, &b, what, line, copy, f);
	}
	if (rc == 0 && !b.open)
		rc = fault_set(f, FAULT_CONFIG,
		    "%s: holds no key; repo-key generate makes one", what);
	if (rc == 0)
		rc = finish(k, what, &b, f);
	secret_wipe(&b, sizeof(b));
	secret_wipe(copy, sizeof(copy));
	return rc;
}

int
keyring_parse(struct keyring **out, const char *what, const char *text,
    size_t len, struct fault *f)
{
	struct keyring *k = NULL;
	int rc = keyring_new(&k, f);

	if (rc != 0)
		return rc;
	rc = add_text(k, what, text, len, f);
	if (rc != 0) {
		keyring_free(k);
		return rc;
	}
	*out = k;
	return 0;
}

int
keyring_load(
    struct keyring **out, const char *const *paths, size_t n, struct fault *f)
{
	struct keyring *k = NULL;
	int rc;

	if (n == 0)
		return fault_set(f, FAULT_CONFIG, "no key file is given");
	rc = keyring_new(&k, f);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct secret text = SECRET_INIT;

		rc = secret_load(&text, paths[i], f);
		if (rc == FAULT_ABSENT || rc == FAULT_DENIED)
			rc = fault_recode(f, FAULT_KEY);
		if (rc == 0)
			rc = add_text(
			    k, paths[i], (const char *)text.data, text.len, f);
		secret_free(&text);
	}
	if (rc != 0) {
		keyring_free(k);
		return rc;
	}
	*out = k;
	return 0;
}
