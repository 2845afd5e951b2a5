#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bytes.h"
#include "control.h"
#include "wal.h"

/* The places are checked against real servers in tests/e2e. */
static void
make(unsigned char p[CONTROL_SIZE], uint32_t version, size_t crc)
{
	memset(p, 0, CONTROL_SIZE);
	bytes_set_u64(p, 7123456789012345678U);
	bytes_set_u32(p + 8, version);
	bytes_set_u32(p + 12, 202209061);
	bytes_set_u32(p + 16, 6);
	bytes_set_u64(p + 32, 0x116000060);
	bytes_set_u64(p + 40, 0x116000028);
	bytes_set_u32(p + 48, 4);
	bytes_set_u32(p + 216, 8192);
	bytes_set_u32(p + 228, 64 << 20);
	bytes_set_u32(p + 252, 1);
	bytes_set_u32(p + crc, wal_crc32c(0, p, crc));
}

static void
every_version_is_read(void **state)
{
	const struct {
		uint32_t version;
		size_t crc;
	} row[] = {{1300, 288}, {1700, 288}, {1800, 292}};
	unsigned char p[CONTROL_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct fault f = FAULT_INIT;
		struct control c;

		make(p, row[i].version, row[i].crc);
		assert_int_equal(control_parse(p, sizeof(p), &c, &f), 0);
		assert_int_equal(c.system_id, 7123456789012345678U);
		assert_int_equal(c.control_version, row[i].version);
		assert_int_equal(c.catalog_version, 202209061);
		assert_int_equal(c.state, 6);
		assert_int_equal(c.checkpoint, 0x116000060);
		assert_int_equal(c.redo, 0x116000028);
		assert_int_equal(c.timeline, 4);
		assert_int_equal(c.block_size, 8192);
		assert_int_equal(c.segment_size, 64 << 20);
		assert_int_equal(c.checksums, 1);
	}
}

static void
damage_is_corrupt_and_another_version_foreign(void **state)
{
	struct fault f = FAULT_INIT;
	unsigned char p[CONTROL_SIZE];
	struct control c;

	(void)state;
	for (size_t at = 16; at < 292; at++) {
		make(p, 1300, 288);
		p[at] ^= 4;
		assert_int_equal(
		    control_parse(p, sizeof(p), &c, &f), FAULT_CORRUPT);
	}
	make(p, 1300, 288);
	assert_int_equal(control_parse(p, 295, &c, &f), FAULT_CORRUPT);
	assert_int_equal(control_parse(p, 0, &c, &f), FAULT_CORRUPT);
	make(p, 1201, 288);
	assert_int_equal(control_parse(p, sizeof(p), &c, &f), FAULT_FOREIGN);
}

/* PostgreSQL 19 made the checkpoint in it longer. */
static void
a_new_version_tells_its_system_id(void **state)
{
	static const size_t at[] = {256, 300, 304, 312, 508};
	unsigned char p[CONTROL_SIZE];
	uint64_t id;

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		struct fault f = FAULT_INIT;

		make(p, 1905, at[i]);
		id = 0;
		assert_int_equal(control_system_id(p, sizeof(p), &id, &f), 0);
		assert_int_equal(id, 7123456789012345678U);
		for (size_t bad = 0; bad < at[i]; bad++) {
			if (bad >= 8 && bad < 12)
				continue;
			p[bad] ^= 4;
			assert_int_equal(
			    control_system_id(p, sizeof(p), &id, &f),
			    FAULT_CORRUPT);
			p[bad] ^= 4;
		}
	}
	make(p, 1300, 288);
	assert_int_equal(
	    control_system_id(p, sizeof(p), &id, &(struct fault)FAULT_INIT), 0);
	make(p, 1201, 288);
	assert_int_equal(
	    control_system_id(p, sizeof(p), &id, &(struct fault)FAULT_INIT),
	    FAULT_FOREIGN);
	make(p, 1905, 300);
	assert_int_equal(
	    control_system_id(p, 515, &id, &(struct fault)FAULT_INIT),
	    FAULT_FOREIGN);
}

static void
impossible_values_are_corrupt(void **state)
{
	struct fault f = FAULT_INIT;
	unsigned char p[CONTROL_SIZE];
	struct control c;

	(void)state;
	make(p, 1300, 288);
	bytes_set_u32(p + 228, 12345);
	bytes_set_u32(p + 288, wal_crc32c(0, p, 288));
	assert_int_equal(control_parse(p, sizeof(p), &c, &f), FAULT_CORRUPT);
	make(p, 1300, 288);
	bytes_set_u32(p + 48, 0);
	bytes_set_u32(p + 288, wal_crc32c(0, p, 288));
	assert_int_equal(control_parse(p, sizeof(p), &c, &f), FAULT_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_version_is_read),
	    cmocka_unit_test(damage_is_corrupt_and_another_version_foreign),
	    cmocka_unit_test(a_new_version_tells_its_system_id),
	    cmocka_unit_test(impossible_values_are_corrupt),
	};

	return (cmocka_run_group_tests_name("control", tests, NULL, NULL));
}
