/*
 * Manifests and packs that no writer of ours would make, of things that do not
 * fit each other: they are noticed.
 */

#include "unpacker_world.h"

static void
a_pack_of_another_backup_does_not_pass(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack p;

	(void)state;
	/* Sealed as B's, lying where A's is wanted. */
	make_pack(&p, B "/pack/00000001", A "/pack/00000001", 1, false);
	file_of(&p, "file", 0, 1, 1);
	assert_int_equal(unpack(1, &f), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, A "/pack/00000001"));
}

static void
a_pack_that_is_absent_is_damage(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack p;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 1, false);
	strcpy(p.name, A "/pack/00000002");
	file_of(&p, "file", 0, 1, 1);
	assert_int_equal(unpack(1, &f), FAULT_CORRUPT);
}

static void
a_piece_with_another_fingerprint_is_refused(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack p;

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 2, false);
	p.xxh[1][15] ^= 1;
	file_of(&p, "file", 0, 1, 1);
	assert_int_equal(unpack(1, &f), 0);
	start_again();
	file_of(&p, "file", 0, 2, 1);
	assert_int_equal(unpack(1, &f), FAULT_CORRUPT);
}

/* One lie about an extent or the pack each. */
static void
sizes_that_lie_are_noticed(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack good;
	int k;

	(void)state;
	make_pack(&good, A "/pack/00000001", A "/pack/00000001", 3, true);
	for (k = 0; k < 7; k++) {
		struct pack p = good;
		start_again();
		switch (k) {
		case 0: /* longer than it is */
			p.size++;
			break;
		case 1: /* the next one's bytes */
			p.extent[0].offset = p.extent[1].offset;
			p.extent[0].stored = p.extent[1].stored;
			break;
		case 2: /* the next one's number */
			p.extent[0].index = 1;
			break;
		case 3: /* beyond the end */
			p.extent[0].offset = p.size - 1;
			break;
		case 4: /* cut short */
			p.extent[0].stored -= 16;
			break;
		case 5: /* all of the end, too */
			p.extent[0].stored++;
			break;
		case 6: /* more content than there is */
			p.extent[0].length = MIB + 1;
			break;
		default:
			break;
		}
		file_of(&p, "file", 0, 1, 1);
		assert_int_equal(unpack(1, &f), FAULT_CORRUPT);
	}
}

static void
a_head_of_another_manifest_is_noticed(void **state)
{
	struct fault f = FAULT_INIT;
	struct pack p;
	struct unpacker_params params = {.id = A, .jobs = 1, .root = root};

	(void)state;
	make_pack(&p, A "/pack/00000001", A "/pack/00000001", 1, false);
	file_of(&p, "file", 0, 1, 1);
	assert_int_equal(unpack(1, &f), 0);
	head.totals.bytes++;
	assert_int_equal(
	    unpacker_run(repo, &head, &params, NULL, NULL, NULL, &f),
	    FAULT_CORRUPT);
	head.totals.bytes--;
	head.totals.files++;
	assert_int_equal(
	    unpacker_run(repo, &head, &params, NULL, NULL, NULL, &f),
	    FAULT_CORRUPT);
}

static void
a_manifest_without_end_is_noticed(void **state)
{
	struct object_params seal = {
	    .id = {"main", SYSTEM, OBJECT_MANIFEST, A "/manifest"}};
	struct unpacker_params params = {.id = A, .jobs = 2, .root = root};
	struct buf b = BUF_INIT(1U << 20);
	struct fault f = FAULT_INIT;

	(void)state;
	entry('F', "empty", NULL);
	assert_int_equal(
	    object_seal_all(&seal, records.data, records.len, &b, &f), 0);
	put_object(A "/manifest", &b);
	buf_free(&b);
	assert_int_equal(
	    unpacker_run(repo, &head, &params, NULL, NULL, NULL, &f),
	    FAULT_CORRUPT);
	/* and none at all */
	params.id = B;
	assert_int_equal(
	    unpacker_run(repo, &head, &params, NULL, NULL, NULL, &f),
	    FAULT_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_pack_of_another_backup_does_not_pass),
	    TEST(a_pack_that_is_absent_is_damage),
	    TEST(a_piece_with_another_fingerprint_is_refused),
	    TEST(sizes_that_lie_are_noticed),
	    TEST(a_head_of_another_manifest_is_noticed),
	    TEST(a_manifest_without_end_is_noticed),
	};

	return cmocka_run_group_tests_name("unpacker_lies", tests, NULL, NULL);
}
