#ifndef PGREAD_WORLD_H
#define PGREAD_WORLD_H

/* A segment of a relation, page by page, and what reads it. */

#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
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

static inline int
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

static inline int
teardown(void **state)
{
	(void)state;
	pgread_free(reader);
	pgmanifest_free(list);
	(void)fclose(spool);
	return unlink(path);
}

static inline void
make_page(unsigned char *page, uint32_t block, uint64_t lsn)
{
	for (uint32_t i = 0; i < PAGE; i++)
		page[i] = (unsigned char)(i * 7 + block * 13);
	bytes_set_u32(page, (uint32_t)(lsn >> 32));
	bytes_set_u32(page + 4, (uint32_t)lsn);
	bytes_set_u16(page + 14, 100);
	bytes_set_u16(page + 8, page_checksum(page, PAGE, block));
}

static inline void
write_page(uint64_t at, const unsigned char *page, size_t n)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, page, n, (off_t)at), n);
	(void)close(fd);
}

/* n pages, of segment 1 of a relation, their LSN before the start. */
static inline void
make_file(uint32_t n)
{
	unsigned char page[PAGE];

	for (uint32_t i = 0; i < n; i++) {
		make_page(page, 131072 + i, START - 1);
		write_page((uint64_t)i * PAGE, page, PAGE);
	}
}

static inline void
damage(uint64_t at)
{
	write_page(at, (const unsigned char *)"damage", 6);
}

static inline struct pgread_file *
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
static inline void
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

#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)

#endif
