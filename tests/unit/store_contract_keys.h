#ifndef STORE_CONTRACT_KEYS_H
#define STORE_CONTRACT_KEYS_H

/* Of store_contract.h: keys are checked, listed and deleted. */

#include "store_contract_world.h"

static inline void
contract_refused(struct store *s, const char *key)
{
	struct fault f = FAULT_INIT;
	struct buf b = BUF_INIT(100);
	struct store_upload *u = NULL;

	assert_fault(store_put(s, key, "x", 1, NULL, &f), FAULT_CONFIG, f);
	assert_fault(store_get(s, key, 0, 1, buf_sink, &b, NULL, NULL, &f),
	    FAULT_CONFIG, f);
	assert_fault(store_stat(s, key, NULL, NULL, &f), FAULT_CONFIG, f);
	assert_fault(store_upload_begin(&u, s, key, NULL, &f), FAULT_CONFIG, f);
	assert_null(u);
	assert_fault(
	    store_delete(s, &key, 1, NULL, NULL, NULL, &f), FAULT_CONFIG, f);
}

static inline void
contract_keys_are_checked(void **state)
{
	static const char *const bad[] = {"", "/", "/a", "a/", "a//b", ".",
	    "..", "a/..", "a/../b", "./a", ".tmp-1", "a/.b/c", "a b", "a\nb",
	    "a\\b", "a:b", "\xc3\xa4", "a%2e", "a~", "a*"};
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	char key[STORE_KEY_MAX + 2];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		contract_refused(s, bad[i]);
	/* The longest key, and one byte more. */
	memset(key, 'k', sizeof(key));
	for (size_t i = 200; i < STORE_KEY_MAX; i += 200)
		key[i] = '/';
	key[STORE_KEY_MAX + 1] = '\0';
	contract_refused(s, key);
	key[STORE_KEY_MAX] = '\0';
	contract_put(s, key, "long");
	contract_expect(s, key, "long", 4);
	/* The longest part. */
	memset(key, 'k', 256);
	key[256] = '\0';
	contract_refused(s, key);
	key[255] = '\0';
	contract_put(s, key, "wide");
	contract_expect(s, key, "wide", 4);
	/* The deepest. */
	for (size_t i = 0; i < STORE_KEY_PARTS; i++)
		memcpy(key + 2 * i, "d/", 2);
	strcpy(key + 2 * STORE_KEY_PARTS, "d");
	contract_refused(s, key);
	key[2 * STORE_KEY_PARTS - 1] = '\0';
	contract_put(s, key, "deep");
	contract_expect(s, key, "deep", 4);
	assert_fault(
	    store_list(s, "a", false, NULL, contract_listed, NULL, NULL, &f),
	    FAULT_CONFIG, f);
	assert_fault(
	    store_list(s, "../", false, NULL, contract_listed, NULL, NULL, &f),
	    FAULT_CONFIG, f);
	contract_list(s, "d/", true, NULL, "d/d/|");
}

/* In byte order: '+' '-' '.' '/' digits letters. */
static const char *const contract_sorted[] = {"A", "a+b", "a-b", "a.b", "a.c/x",
    "a/b", "a/c+/e", "a/c/d", "a/c/d.x/1", "a/c/e", "a/c0", "a0", "ab",
    "b/00000001/000000010000000000000001", "b/00000002.history", "z"};
#define CONTRACT_SORTED (sizeof(contract_sorted) / sizeof(*contract_sorted))

static inline void
contract_lists_in_byte_order(void **state)
{
	static const char *const after[] = {NULL, "", "A", "a", "a-", "a.c",
	    "a.c/", "a.c/x", "a/", "a/b", "a/b0", "a/c", "a/c/", "a/c/d",
	    "a/c/d.x/0", "a/c/d.x/1", "a/c/zz", "a/c/d~", "b/00000001/",
	    "b/00000001/000000010000000000000001", "b/1", "z", "zz", "~"};
	static const char *const prefixes[] = {
	    "", "a/", "a/c/", "b/", "b/00000001/", "a.c/", "q/", "a/q/r/"};
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	struct contract_listing l = {"", 0, 3};

	/* Not put in order. */
	for (size_t i = 0; i < CONTRACT_SORTED; i++)
		contract_put(s, contract_sorted[i * 7 % CONTRACT_SORTED], "x");
	for (size_t p = 0; p < sizeof(prefixes) / sizeof(*prefixes); p++) {
		for (size_t a = 0; a < sizeof(after) / sizeof(*after); a++) {
			char want[4096] = "";

			for (size_t i = 0; i < CONTRACT_SORTED; i++) {
				const char *k = contract_sorted[i];

				if (!text_prefix(k, prefixes[p]) ||
				    (after[a] && strcmp(k, after[a]) <= 0))
					continue;
				strcat(strcat(want, k), "|");
			}
			contract_list(s, prefixes[p], false, after[a], want);
		}
	}
	assert_fault(
	    store_list(s, "", false, "a", contract_listed, &l, NULL, &f),
	    FAULT_FOREIGN, f);
	assert_string_equal(l.text, "a+b|a-b|a.b|");
}

static inline void
contract_lists_one_level(void **state)
{
	struct store *s = contract_of(state)->s;

	for (size_t i = 0; i < CONTRACT_SORTED; i++)
		contract_put(s, contract_sorted[i], "x");
	contract_list(s, "", true, NULL, "A|a+b|a-b|a.b|a.c/|a/|a0|ab|b/|z|");
	contract_list(s, "", true, "a.b", "a.c/|a/|a0|ab|b/|z|");
	contract_list(s, "", true, "a/", "a0|ab|b/|z|");
	contract_list(s, "", true, "a/c", "a0|ab|b/|z|");
	contract_list(s, "a/", true, NULL, "a/b|a/c+/|a/c/|a/c0|");
	contract_list(s, "a/", true, "a/c+/", "a/c/|a/c0|");
	contract_list(s, "b/", true, NULL, "b/00000001/|b/00000002.history|");
	contract_list(s, "nothing/", true, NULL, "");
}

static inline void
contract_deletes_tell_each_key(void **state)
{
	static const char *const keys[] = {
	    "a/b/1", "a/b/2", "a/b/none", "q/none", "a/c/1", "top"};
	struct store *s = contract_of(state)->s;
	struct fault f = FAULT_INIT;
	struct contract_deleted d = {{0}, 0};

	contract_put(s, "a/b/1", "1");
	contract_put(s, "a/b/2", "2");
	contract_put(s, "a/c/1", "3");
	contract_put(s, "a/keep", "4");
	contract_put(s, "top", "5");
	assert_ok(
	    store_delete(s, keys, 6, contract_note_deleted, &d, NULL, &f), f);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(d.told[i], 1);
		contract_absent(s, keys[i]);
	}
	assert_int_equal(d.bad, 0);
	contract_list(s, "", false, NULL, "a/keep|");
	contract_list(s, "a/", true, NULL, "a/keep|");
	contract_put(s, "a/b/1", "again");
	contract_expect(s, "a/b/1", "again", 5);
	assert_ok(
	    store_delete(s, NULL, 0, contract_note_deleted, &d, NULL, &f), f);
}

#endif
