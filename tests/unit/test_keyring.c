/* Key files: what is written is read, what is wrong is refused by its line. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#include "keyring.h"

static struct fault f;

/* RFC 7748, 6.1: Alice's key, and Bob's as a recipient. The ids are computed
 * by hand: SHA-256("pitrkit-key-id-1" || public key). */
#define ALICE                                                                  \
	"pitrkit-key-1\n"                                                      \
	"id = " ALICE_ID "\n"                                                  \
	"private = dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n"             \
	"secret = AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"              \
	"created = 2026-11-22T07:53:01Z\n"
#define BOB                                                                    \
	"pitrkit-recipient-1\n"                                                \
	"id = " BOB_ID "\n"                                                    \
	"public = 3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=\n"              \
	"secret = //79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=\n"
#define ALICE_ID "3cb8d0b8136b3fb5"
#define BOB_ID "b668a3468d784d6c"

static struct keyring *
parse(const char *text)
{
	struct keyring *k = NULL;

	if (keyring_parse(&k, "main.key", text, strlen(text), &f) != 0)
		return NULL;
	return k;
}

static void
refused(const char *text, const char *message)
{
	struct keyring *k = NULL;

	assert_int_equal(keyring_parse(&k, "main.key", text, strlen(text), &f),
	    FAULT_CONFIG);
	assert_null(k);
	if (strstr(f.text, message) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", message, f.text);
}

static void
a_key_and_a_recipient_are_read(void **state)
{
	struct keyring *k =
	    parse("# comment = with an equals sign\n\n" ALICE "\r\n  \t\n" BOB
		  "   # the end, without a newline");
	const struct keyring_key *a, *b;

	(void)state;
	assert_non_null(k);
	assert_int_equal(keyring_count(k), 2);
	assert_true(keyring_can_open(k));
	a = keyring_at(k, 0);
	b = keyring_at(k, 1);
	assert_hex(a->id, ALICE_ID);
	assert_hex(b->id, BOB_ID);
	assert_true(a->has_private && a->recipient);
	assert_true(!b->has_private && !b->recipient);
	assert_hex(a->public_key, "8520f0098930a754748b7ddcb43ef75a"
				  "0dbf3a0d26381af4eba4a98eaa9b4e6a");
	assert_ptr_equal(keyring_find(k, b->id), b);
	assert_null(keyring_find(k, b->public_key));
	keyring_free(k);
	keyring_free(NULL);
}

/* Computed with Python's hmac from the secret 00 01 … 1f. */
static void
derived_secrets_are_as_specified(void **state)
{
	struct keyring *k = parse(ALICE);

	(void)state;
	assert_non_null(k);
	assert_hex(keyring_at(k, 0)->psk, "3dba347317146faf3ed79287eb49d111"
					  "e74df4ede858cbda3f926265e5424897");
	assert_hex(keyring_at(k, 0)->fingerprint_key,
	    "0ba2cf7976bde5d69640e6d045cd4b8e"
	    "c6c5518bffc5b72b374ff2e13aeb4d84");
	assert_hex(keyring_at(k, 0)->trailer_key,
	    "740effd303d6101825e92a073779b939"
	    "11ac58d1f24090c5dfc9ca2fba293495");
	keyring_free(k);
}

static void
what_is_wrong_is_named_by_its_line(void **state)
{
	char text[2048];

	(void)state;
	refused("", "main.key: holds no key; repo-key generate");
	refused("# nothing\n\n", "holds no key");
	refused("id = 0011223344556677\n", "main.key:1: this is no pitrkit");
	refused(ALICE "colour = red\n", "main.key:6: unknown line");
	refused(ALICE "colour\n", "main.key:6: unknown line");
	refused(ALICE "public = 3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=\n",
	    "main.key:6: unknown line");
	refused(BOB "created = 2026-11-22T07:53:01Z\n", "main.key:5: unknown");
	refused(ALICE ALICE, "main.key:6: key " ALICE_ID " comes twice");
	refused(ALICE "pitrkit-key-2\n", "main.key:6: unknown line");
	refused("pitrkit-key-1\nid = 0011\n", "main.key:2: the value is");
	refused("pitrkit-key-1\nsecret = AAECAwQ=\n", "main.key:2: the value");
	refused("pitrkit-key-1\nid = " ALICE_ID "\nid = " ALICE_ID "\n",
	    "main.key:3: comes twice");
	refused("pitrkit-key-1\nid = " ALICE_ID "\n", "main.key:1: the key "
						      "needs");
	refused("pitrkit-recipient-1\nid = " BOB_ID "\n" ALICE,
	    "main.key:1: the recipient needs");
	refused(
	    "pitrkit-key-1\ncreated = yesterday\n", "main.key:2: the value");
	refused("pitrkit-key-1\n"
		"id = 0000000000000000\n"
		"private = dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n"
		"secret = AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
	    "main.key:1: the id does not belong");
	refused("pitrkit-recipient-1\n"
		"id = " BOB_ID "\n"
		"public = 3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=\n"
		"secret = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
	    "all zeros");
	memset(text, 'x', sizeof(text));
	memcpy(text, "pitrkit-key-1\n", 14);
	text[sizeof(text) - 1] = '\0';
	refused(text, "main.key:2: this is no line of text");
	assert_null(strstr(f.text, "xxxx"));
}

static void
a_nul_does_not_hide_the_rest_of_a_line(void **state)
{
	static const char text[] = ALICE "id\0 = 1\n";
	struct keyring *k = NULL;

	(void)state;
	assert_int_equal(
	    keyring_parse(&k, "main.key", text, sizeof(text) - 1, &f),
	    FAULT_CONFIG);
	assert_null(k);
}

/* The key and its own recipient part in one file: which one is meant? */
static void
key_and_recipient_of_the_same_id_are_refused(void **state)
{
	struct keyring *k = parse(ALICE);
	char *text, both[4096];
	size_t len;

	(void)state;
	assert_int_equal(keyring_recipient_text(k, &text, &len, &f), 0);
	snprintf(both, sizeof(both), "%s%s", text, ALICE);
	refused(both, "comes twice");
	snprintf(both, sizeof(both), "%s%s", ALICE, text);
	refused(both, "comes twice");
	free(text);
	keyring_free(k);
}

static void
a_generated_key_is_read_and_its_recipient_part_opens_nothing(void **state)
{
	char *text, *recipient, *again;
	struct keyring *k, *r;
	size_t len, n;

	(void)state;
	assert_int_equal(
	    keyring_generate(INT64_C(1795333981250000), &text, &len, &f), 0);
	assert_int_equal(len, strlen(text));
	assert_non_null(strstr(text, "\ncreated = 2026-11-22T"));
	k = parse(text);
	assert_non_null(k);
	assert_int_equal(keyring_recipient_text(k, &recipient, &n, &f), 0);
	assert_null(strstr(recipient, "private"));
	assert_null(strstr(recipient, "pitrkit-key"));
	r = parse(recipient);
	assert_non_null(r);
	assert_false(keyring_can_open(r));
	assert_true(keyring_at(r, 0)->recipient);
	assert_memory_equal(keyring_at(r, 0)->id, keyring_at(k, 0)->id, 8);
	assert_memory_equal(
	    keyring_at(r, 0)->public_key, keyring_at(k, 0)->public_key, 32);
	assert_memory_equal(
	    keyring_at(r, 0)->trailer_key, keyring_at(k, 0)->trailer_key, 32);
	assert_int_equal(keyring_generate(0, &again, &n, &f), 0);
	assert_string_not_equal(text, again);
	free(text);
	free(again);
	free(recipient);
	keyring_free(k);
	keyring_free(r);
}

static char dir[] = "/tmp/keyring.XXXXXX";

static const char *
put(const char *name, const char *text, mode_t mode)
{
	static char path[8][64];
	static int n;
	char *p = path[n++ % 8];
	int fd;

	snprintf(p, 64, "%s/%s", dir, name);
	fd = open(p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
	return p;
}

static void
the_first_key_of_every_file_is_a_recipient(void **state)
{
	const char *paths[2];
	struct keyring *k = NULL;
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(keyring_generate(0, &text, &len, &f), 0);
	paths[0] = put("a", ALICE BOB, 0600);
	paths[1] = put("b", text, 0400);
	assert_int_equal(keyring_load(&k, paths, 2, &f), 0);
	assert_int_equal(keyring_count(k), 3);
	assert_true(keyring_at(k, 0)->recipient);
	assert_false(keyring_at(k, 1)->recipient);
	assert_true(keyring_at(k, 2)->recipient);
	keyring_free(k);
	free(text);
	k = NULL;
	paths[1] = paths[0];
	assert_int_equal(keyring_load(&k, paths, 2, &f), FAULT_CONFIG);
	assert_non_null(strstr(f.text, "comes twice"));
	assert_int_equal(keyring_load(&k, paths, 0, &f), FAULT_CONFIG);
	assert_null(k);
}

static void
open_to_others_is_config_and_absent_is_key(void **state)
{
	const char *path = put("open", ALICE, 0640);
	struct keyring *k = NULL;

	(void)state;
	assert_int_equal(keyring_load(&k, &path, 1, &f), FAULT_CONFIG);
	assert_non_null(strstr(f.text, path));
	path = "/nowhere/main.key";
	assert_int_equal(keyring_load(&k, &path, 1, &f), FAULT_KEY);
	assert_int_equal(f.code, FAULT_KEY);
	assert_non_null(strstr(f.text, path));
	assert_null(k);
}

static void
too_many_keys_or_files_are_refused(void **state)
{
	const char *paths[KEYRING_RECIPIENTS + 1];
	struct keyring *k = NULL;
	char name[16], *text, *all;
	size_t len, n = 0;

	(void)state;
	all = malloc((KEYRING_MAX + 1) * 512);
	assert_non_null(all);
	for (int i = 0; i <= KEYRING_MAX; i++) {
		assert_int_equal(keyring_generate(0, &text, &len, &f), 0);
		memcpy(all + n, text, len + 1);
		n += len;
		free(text);
		if (i == KEYRING_MAX - 1) {
			k = parse(all);
			assert_non_null(k);
			assert_int_equal(keyring_count(k), KEYRING_MAX);
			keyring_free(k);
		}
	}
	refused(all, "more than 256 keys");
	free(all);
	k = NULL;
	for (int i = 0; i <= KEYRING_RECIPIENTS; i++) {
		assert_int_equal(keyring_generate(0, &text, &len, &f), 0);
		snprintf(name, sizeof(name), "n%d", i);
		paths[i] = strdup(put(name, text, 0600));
		free(text);
	}
	assert_int_equal(keyring_load(&k, paths, KEYRING_RECIPIENTS, &f), 0);
	keyring_free(k);
	k = NULL;
	assert_int_equal(
	    keyring_load(&k, paths, KEYRING_RECIPIENTS + 1, &f), FAULT_CONFIG);
	assert_null(k);
	for (int i = 0; i <= KEYRING_RECIPIENTS; i++) {
		unlink(paths[i]);
		free((char *)(uintptr_t)paths[i]);
	}
}

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = {"a", "b", "open"};
	char path[64];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_key_and_a_recipient_are_read),
	    cmocka_unit_test(derived_secrets_are_as_specified),
	    cmocka_unit_test(what_is_wrong_is_named_by_its_line),
	    cmocka_unit_test(a_nul_does_not_hide_the_rest_of_a_line),
	    cmocka_unit_test(key_and_recipient_of_the_same_id_are_refused),
	    cmocka_unit_test(
		a_generated_key_is_read_and_its_recipient_part_opens_nothing),
	    cmocka_unit_test(the_first_key_of_every_file_is_a_recipient),
	    cmocka_unit_test(open_to_others_is_config_and_absent_is_key),
	    cmocka_unit_test(too_many_keys_or_files_are_refused),
	};

	return cmocka_run_group_tests_name("keyring", tests, setup, teardown);
}
