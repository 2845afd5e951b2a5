/* Whose key and whose name open a sealed object, and whose do not. */
#include <sys/stat.h>

#include "object_world.h"

static void
it_opens_under_its_own_name_only(void **state)
{
	struct object_id other[5];
	struct buf b = seal(&wal, owner, "x", 1);
	bool same;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		other[i] = wal;
	other[0].name = "000000010000000000000002";
	other[1].cluster = "mail";
	other[2].system_id++;
	other[3].kind = OBJECT_PARTIAL;
	/* The border between the parts is part of it. */
	other[4].cluster = "mai";
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(
		    open_it(&other[i], owner, &b, "", 0), FAULT_CORRUPT);
		assert_non_null(strstr(f.text, "another name"));
		assert_int_equal(compare(&other[i], owner, &b, "x", 1, &same),
		    FAULT_CORRUPT);
	}
	/* Nor when its binding is put right by somebody without the key. */
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(
		    object_core_binding(&other[i], b.data + AT_BINDING, &f), 0);
		b.data[AT_KIND] = (unsigned char)other[i].kind;
		assert_int_equal(
		    open_it(&other[i], owner, &b, "", 0), FAULT_CORRUPT);
		assert_int_equal(compare(&other[i], owner, &b, "x", 1, &same),
		    FAULT_CORRUPT);
	}
	buf_free(&b);
}

static void
there_is_no_way_back_to_plaintext(void **state)
{
	struct buf b = seal(&wal, NULL, "x", 1), c = seal(&wal, owner, "x", 1);
	bool same;

	(void)state;
	assert_int_equal(open_it(&wal, owner, &b, "", 0), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, "encryption off; refused"));
	assert_int_equal(
	    compare(&wal, owner, &b, "x", 1, &same), FAULT_CORRUPT);
	assert_int_equal(open_it(&wal, NULL, &c, "", 0), FAULT_KEY);
	assert_int_equal(compare(&wal, NULL, &c, "x", 1, &same), FAULT_KEY);
	/* A clear stanza in a sealed header, and a sealed one in a clear. */
	c.data[OBJECT_CORE_FIXED] = STANZA_CLEAR;
	assert_int_equal(open_it(&wal, owner, &c, "", 0), FAULT_CORRUPT);
	assert_int_equal(open_it(&wal, NULL, &c, "", 0), FAULT_CORRUPT);
	b.data[OBJECT_CORE_FIXED] = STANZA_X25519;
	assert_int_equal(open_it(&wal, NULL, &b, "", 0), FAULT_KEY);
	buf_free(&b);
	buf_free(&c);
}

static void
who_has_only_the_recipient_part_seals_and_recognises(void **state)
{
	struct buf b = seal(&wal, recipient, "content", 7);
	char id[17];
	bool same = false;

	(void)state;
	assert_int_equal(open_it(&wal, owner, &b, "content", 7), 0);
	assert_int_equal(open_it(&wal, recipient, &b, "", 0), FAULT_KEY);
	text_hex(keyring_at(owner, 0)->id, 8, id);
	assert_non_null(strstr(f.text, id));
	assert_non_null(strstr(f.text, wal.name));
	assert_int_equal(compare(&wal, recipient, &b, "content", 7, &same), 0);
	assert_true(same);
	assert_int_equal(compare(&wal, recipient, &b, "contenT", 7, &same), 0);
	assert_false(same);
	assert_int_equal(compare(&wal, recipient, &b, "conten", 6, &same), 0);
	assert_false(same);
	buf_free(&b);
}

static void
a_strangers_key_opens_and_recognises_nothing(void **state)
{
	struct buf b = seal(&wal, owner, "content", 7);
	bool same = true;

	(void)state;
	assert_int_equal(open_it(&wal, stranger, &b, "", 0), FAULT_KEY);
	assert_int_equal(
	    compare(&wal, stranger, &b, "content", 7, &same), FAULT_KEY);
	buf_free(&b);
}

/* The public key is no secret; the authentication secret is. */
static void
the_public_key_alone_forges_nothing(void **state)
{
	static const unsigned char guess[32] = {1};
	const struct keyring_key *o = keyring_at(owner, 0);
	struct keyring *forger = NULL;
	char id[17], pub[45], sec[45], text[512];
	struct buf b, good = seal(&wal, owner, "content", 7);
	bool same;

	(void)state;
	text_hex(o->id, 8, id);
	text_base64(o->public_key, 32, pub);
	text_base64(guess, 32, sec);
	snprintf(text, sizeof(text),
	    "pitrkit-recipient-1\nid = %s\npublic = %s\nsecret = %s\n", id, pub,
	    sec);
	assert_int_equal(
	    keyring_parse(&forger, "forger", text, strlen(text), &f), 0);
	b = seal(&wal, forger, "forged", 6);
	assert_int_equal(open_it(&wal, owner, &b, "", 0), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, "this key's secret"));
	assert_int_equal(
	    compare(&wal, owner, &b, "forged", 6, &same), FAULT_CORRUPT);
	/* Nor can he confirm a content that he guesses. */
	assert_int_equal(
	    compare(&wal, forger, &good, "content", 7, &same), FAULT_CORRUPT);
	buf_free(&b);
	buf_free(&good);
	keyring_free(forger);
}

static void
after_a_rotation_old_and_new_objects_open(void **state)
{
	struct buf older = seal(&wal, owner, "old", 3);
	struct buf newer = seal(&wal, rotated, "new", 3);
	bool same = false;

	(void)state;
	assert_int_equal(open_it(&wal, rotated, &older, "old", 3), 0);
	assert_int_equal(open_it(&wal, rotated, &newer, "new", 3), 0);
	assert_int_equal(open_it(&wal, stranger, &newer, "new", 3), 0);
	/* The old key is no recipient any more. */
	assert_int_equal(open_it(&wal, owner, &newer, "", 0), FAULT_KEY);
	assert_int_equal(compare(&wal, rotated, &older, "old", 3, &same), 0);
	assert_true(same);
	buf_free(&older);
	buf_free(&newer);
}

/* Several recipients, of whom each opens; also one who does not know the
 * secret that made the trailer. */
static void
each_of_several_recipients_opens(void **state)
{
	struct keyring *many = NULL, *each[4];
	char *text[4], path[4][32], dir[] = "/tmp/object.XXXXXX";
	const char *paths[4];
	struct buf b;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < 4; i++) {
		FILE *o;

		each[i] = generate(&text[i]);
		snprintf(path[i], sizeof(path[i]), "%s/%zu", dir, i);
		o = fopen(path[i], "w");
		assert_non_null(o);
		assert_true(fputs(text[i], o) >= 0);
		assert_int_equal(fchmod(fileno(o), 0600), 0);
		assert_int_equal(fclose(o), 0);
		paths[i] = path[i];
	}
	assert_int_equal(keyring_load(&many, paths, 4, &f), 0);
	b = seal(&wal, many, "content", 7);
	assert_int_equal(bytes_get_u16(b.data + AT_STANZAS), 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(open_it(&wal, each[i], &b, "content", 7), 0);
	assert_int_equal(open_it(&wal, owner, &b, "", 0), FAULT_KEY);
	assert_non_null(strstr(f.text, "one of"));
	/* Without the trailer's key its length still has to fit. */
	b.data[b.len - OBJECT_TRAILER] ^= 1;
	assert_int_equal(open_it(&wal, each[3], &b, "", 0), FAULT_CORRUPT);
	buf_free(&b);
	for (size_t i = 0; i < 4; i++) {
		keyring_free(each[i]);
		free(text[i]);
		remove(path[i]);
	}
	remove(dir);
	keyring_free(many);
}

/* What zstd has compressed stays in its memory: a key does not go there. */
static void
a_key_is_never_compressed(void **state)
{
	struct object_id id = {"main", 1, OBJECT_KEY, "key/0011223344556677"};
	struct buf b = seal(&id, owner, "private", 7);

	(void)state;
	assert_int_equal(b.data[AT_CODEC], CODEC_NONE);
	assert_int_equal(open_it(&id, owner, &b, "private", 7), 0);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_opens_under_its_own_name_only),
	    cmocka_unit_test(there_is_no_way_back_to_plaintext),
	    cmocka_unit_test(
		who_has_only_the_recipient_part_seals_and_recognises),
	    cmocka_unit_test(a_strangers_key_opens_and_recognises_nothing),
	    cmocka_unit_test(the_public_key_alone_forges_nothing),
	    cmocka_unit_test(after_a_rotation_old_and_new_objects_open),
	    cmocka_unit_test(each_of_several_recipients_opens),
	    cmocka_unit_test(a_key_is_never_compressed),
	};

	return cmocka_run_group_tests_name(
	    "object_keys", tests, setup, teardown);
}
