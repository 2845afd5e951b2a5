#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "object.h"
#include "page.h"
#include "pgread.h"
#include "wal.h"

#define PAGE 8192U
#define CHUNK ((uint64_t)OBJECT_CHUNK)
#define START UINT64_C(0x500000)

static char path[64];
static FILE *spool;
static struct pgmanifest *list;
static struct pgread *reader;

/* What the server does while the reader waits before it reads again. */
static void (*meanwhile)(void);
static unsigned pauses;

void __wrap_clock_sleep_ms(int64_t ms);
void
__wrap_clock_sleep_ms(int64_t ms)
{
	assert_true(ms > 0 && ms <= 64);
	pauses++;
	if (meanwhile != NULL)
		meanwhile();
}

static int
setup(void **state)
{
	struct pgread_params p = {
	    .checksums = true,
	    .page_size = PAGE,
	    .relation_blocks = 131072,
	    .start_lsn = START,
	};
	struct fault f = FAULT_INIT;
	int fd;

	(void)state;
	snprintf(path, sizeof path, "/var/tmp/test_pgread.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)close(fd);
	spool = tmpfile();
	assert_non_null(spool);
	assert_int_equal(
	    pgmanifest_new(&list, fileno(spool), "m", 15, 1, &f), 0);
	p.manifest = list;
	assert_int_equal(pgread_new(&reader, &p, &f), 0);
	meanwhile = NULL;
	pauses = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pgread_free(reader);
	pgmanifest_free(list);
	(void)fclose(spool);
	return unlink(path);
}

static void
make_page(unsigned char *page, uint32_t block, uint64_t lsn)
{
	for (uint32_t i = 0; i < PAGE; i++)
		page[i] = (unsigned char)(i * 7 + block * 13);
	bytes_set_u32(page, (uint32_t)(lsn >> 32));
	bytes_set_u32(page + 4, (uint32_t)lsn);
	bytes_set_u16(page + 14, 100);
	bytes_set_u16(page + 8, page_checksum(page, PAGE, block));
}

static void
write_page(uint64_t at, const unsigned char *page, size_t n)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, page, n, (off_t)at), n);
	(void)close(fd);
}

/* n pages, of segment 1 of a relation, their LSN before the start. */
static void
make_file(uint32_t n)
{
	unsigned char page[PAGE];

	for (uint32_t i = 0; i < n; i++) {
		make_page(page, 131072 + i, START - 1);
		write_page((uint64_t)i * PAGE, page, PAGE);
	}
}

static void
damage(uint64_t at)
{
	write_page(at, (const unsigned char *)"damage", 6);
}

static struct pgread_file *
open_it(uint64_t *size)
{
	struct pgtree_file t = {.path = "base/5/1.1",
	    .fd = open(path, O_RDONLY),
	    .relation = true,
	    .segment = 1};
	struct pgread_file *file;
	struct stat st;
	struct fault f = FAULT_INIT;

	assert_true(t.fd >= 0);
	assert_int_equal(fstat(t.fd, &st), 0);
	t.size = *size = (uint64_t)st.st_size;
	assert_int_equal(pgread_open(reader, &t, &file, &f), 0);
	return file;
}

static unsigned char content[4 * OBJECT_CHUNK];

/* The last piece first. */
static void
read_it(struct pgread_file *file, uint64_t size)
{
	uint64_t n = (size + CHUNK - 1) / CHUNK;
	struct fault f = FAULT_INIT;

	for (uint64_t i = n; i-- > 0;) {
		uint64_t at = i * CHUNK;
		const struct manifest_piece p = {
		    .path = "base/5/1.1",
		    .file_size = size,
		    .file_offset = at,
		    .length = (uint32_t)(size - at < CHUNK ? size - at : CHUNK),
		};

		assert_int_equal(
		    pgread_piece(reader, file, &p, content + at, &f), 0);
	}
}

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
a_damaged_page_is_told(void **state)
{
	struct fault f = FAULT_INIT;
	uint64_t size;
	struct pgread_file *file;

	(void)state;
	make_file(300);
	damage(7 * PAGE + 5000);
	file = open_it(&size);
	read_it(file, size);
	assert_true(pauses >= 3);
	assert_int_equal(pgread_verdict(reader, &f), FAULT_CORRUPT);
	assert_string_equal(f.text,
	    "checksum verification failed in file base/5/1.1, block 131079");
}

static void
several_are_counted(void **state)
{
	struct fault f = FAULT_INIT;
	uint64_t size;
	struct pgread_file *file;

	(void)state;
	make_file(300);
	damage(7 * PAGE + 5000);
	damage(8 * PAGE + 5000);
	damage(200 * PAGE + 5000);
	file = open_it(&size);
	read_it(file, size);
	assert_int_equal(pgread_verdict(reader, &f), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, "and for 2 more pages"));
}

/* Half of a page came from before a write of the server, half from after. */
static void
write_whole(void)
{
	unsigned char page[PAGE];

	make_page(page, 131075, START - 2);
	write_page(3 * PAGE, page, PAGE);
}

static void
a_page_that_was_being_written_is_read_again(void **state)
{
	struct fault f = FAULT_INIT;
	uint64_t size;
	struct pgread_file *file;

	(void)state;
	make_file(10);
	damage(3 * PAGE + 4096);
	meanwhile = write_whole;
	file = open_it(&size);
	read_it(file, size);
	assert_int_equal(pauses, 1);
	assert_int_equal(pgread_verdict(reader, &f), 0);
	/* what is stored is the whole one */
	assert_int_equal(
	    page_check(content + 3 * PAGE, PAGE, 131075), PAGE_GOOD);
}

static void
a_torn_page_that_replay_writes_anew_is_none(void **state)
{
	unsigned char page[PAGE];
	struct fault f = FAULT_INIT;
	uint64_t size;
	struct pgread_file *file;

	(void)state;
	make_file(10);
	make_page(page, 131075, START + 1000);
	write_page(3 * PAGE, page, PAGE / 2);
	damage(3 * PAGE + 6000);
	file = open_it(&size);
	read_it(file, size);
	assert_int_equal(pgread_verdict(reader, &f), 0);
	assert_int_equal(pgread_verdict_stop(reader, START + 1000, &f), 0);
	assert_int_equal(
	    pgread_verdict_stop(reader, START + 999, &f), FAULT_CORRUPT);
	assert_non_null(strstr(f.text, "base/5/1.1, block 131075"));
}

static void
nothing_but_relations_with_checksums_is_looked_at(void **state)
{
	struct pgtree_file t = {.path = "base/5/x", .size = 2 * PAGE};
	const struct manifest_piece p = {
	    .path = "base/5/x", .file_size = 2 * PAGE, .length = 2 * PAGE};
	struct pgread_file *file;
	struct fault f = FAULT_INIT;

	(void)state;
	make_file(2);
	damage(100);
	t.fd = open(path, O_RDONLY);
	assert_int_equal(pgread_open(reader, &t, &file, &f), 0);
	assert_int_equal(pgread_piece(reader, file, &p, content, &f), 0);
	assert_int_equal(pgread_verdict(reader, &f), 0);
	assert_int_equal(pauses, 0);
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

/* A page at the end, of which the server has written the first half. */
static void
a_page_that_is_being_added_is_none_yet(void **state)
{
	struct fault f = FAULT_INIT;
	unsigned char page[PAGE];
	uint64_t size;
	struct pgread_file *file;

	(void)state;
	make_file(3);
	make_page(page, 131075, START - 1);
	write_page(3 * PAGE, page, PAGE / 2);
	file = open_it(&size);
	read_it(file, size);
	assert_int_equal(pgread_verdict(reader, &f), 0);
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

#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(pieces_in_any_order_give_the_sum_of_the_file),
	    T(a_damaged_page_is_told),
	    T(several_are_counted),
	    T(a_page_that_was_being_written_is_read_again),
	    T(a_torn_page_that_replay_writes_anew_is_none),
	    T(nothing_but_relations_with_checksums_is_looked_at),
	    T(what_a_file_lost_is_zeros_and_what_it_gained_is_not_read),
	    T(a_page_that_is_being_added_is_none_yet),
	    T(the_cache_is_left_as_it_was),
	};

	return cmocka_run_group_tests_name("pgread", tests, NULL, NULL);
}
