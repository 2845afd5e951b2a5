/* Files of a data directory as a backup reads them. */
#include "pgread_world.h"

#include <sys/mman.h>

static bool
manifest_has(const char *want)
{
	static char text[4096];
	struct fault f = FAULT_INIT;
	uint64_t size;
	ssize_t n;

	assert_int_equal(pgmanifest_end(list, 1, 1, 2, &size, &f), 0);
	n = pread(fileno(spool), text, sizeof text - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	return strstr(text, want) != NULL;
}

static void
pieces_in_any_order_give_the_sum_of_the_file(void **state)
{
	struct fault f = FAULT_INIT;
	unsigned char crc[4];
	char want[40], hex[9];
	uint64_t size;
	struct pgread_file *file;

	(void)state;
	make_file(300);
	file = open_it(&size);
	read_it(file, size);
	assert_int_equal(pauses, 0);
	assert_int_equal(pgread_verdict(reader, &f), 0);
	assert_int_equal(pgread_verdict_stop(reader, 0, &f), 0);
	bytes_set_u32(crc, wal_crc32c(0, content, size));
	text_hex(crc, sizeof crc, hex);
	snprintf(want, sizeof want, "\"Checksum\": \"%s\" }", hex);
	assert_true(manifest_has(want));
	assert_true(manifest_has("\"Size\": 2457600,"));
}

static void
what_a_file_lost_is_zeros_and_what_it_gained_is_not_read(void **state)
{
	struct fault f = FAULT_INIT;
	uint64_t size;
	struct pgread_file *file;

	(void)state;
	make_file(300);
	file = open_it(&size);
	assert_int_equal(truncate(path, 2 * PAGE), 0);
	memset(content, 1, sizeof content);
	read_it(file, size);
	assert_int_equal(pgread_verdict(reader, &f), 0);
	assert_int_equal(page_check(content + PAGE, PAGE, 131073), PAGE_GOOD);
	for (uint64_t i = 2 * PAGE; i < size; i++)
		assert_int_equal(content[i], 0);
	assert_int_equal(content[size], 1);

	file = open_it(&size);
	make_file(20);
	memset(content, 1, sizeof content);
	read_it(file, size);
	assert_int_equal(content[size], 1);
}

/* So many pages of the file are in the kernel's cache. */
static size_t
cached(void)
{
	unsigned char there[8192];
	size_t count = 0, n;
	struct stat st;
	int fd = open(path, O_RDONLY);
	void *map;

	assert_int_equal(fstat(fd, &st), 0);
	n = ((size_t)st.st_size + 4095) / 4096;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(map != MAP_FAILED);
	assert_int_equal(mincore(map, (size_t)st.st_size, there), 0);
	for (size_t i = 0; i < n; i++)
		count += there[i] & 1;
	(void)munmap(map, (size_t)st.st_size);
	(void)close(fd);
	return count;
}

static void
the_cache_is_left_as_it_was(void **state)
{
	struct pgread_file *file;
	char byte;
	uint64_t size;
	size_t before;
	int fd;

	(void)state;
	make_file(384);
	fd = open(path, O_RDONLY);
	assert_int_equal(fsync(fd), 0);
	before = cached();
	file = open_it(&size);
	read_it(file, size);
	assert_int_equal(cached(), before); /* all of it stays */

	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	if (cached() == before) {
		(void)close(fd);
		print_message(
		    "# /var/tmp lives in memory: nothing leaves it\n");
		skip();
	}
	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM), 0);
	assert_int_equal(pread(fd, &byte, 1, 5 * 4096), 1);
	assert_int_equal(pread(fd, &byte, 1, 600 * 4096), 1);
	before = cached();
	assert_true(before >= 2 && before < 700);
	file = open_it(&size);
	read_it(file, size);
	assert_int_equal(cached(), before);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(pieces_in_any_order_give_the_sum_of_the_file),
	    T(what_a_file_lost_is_zeros_and_what_it_gained_is_not_read),
	    T(the_cache_is_left_as_it_was),
	};

	return cmocka_run_group_tests_name("pgread", tests, NULL, NULL);
}
