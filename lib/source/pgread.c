#include "pgread.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fdio.h"
#include "page.h"
#include "pgread_cache.h"
#include "wal.h"

/* How often a page is read again; the pauses add up to 1 + 2 + 4 + … ms. */
#define TRIES 7
#define DAMAGED_TEXT 400

struct pgread_file {
	struct pgread_file *next, **prev;
	int fd;
	uint64_t size;
	int64_t mtime_us;
	uint32_t first_block; /* of the relation, in this file */
	bool pages;
	uint64_t left; /* bytes not read yet */
	uint32_t crc;  /* of those that were, each in its place */
	/* Of a file in one piece: looked up when it was opened, and then
	 * fetched, so that many small files are under way at once. */
	struct pgread_cache cache;
};

struct pgread {
	struct pgread_params p;
	pthread_mutex_t lock; /* over all that follows, and left and crc */
	struct pgread_file *files;
	uint64_t damaged; /* pages */
	char first[DAMAGED_TEXT];
	uint64_t newest; /* LSN of a page whose checksum is wrong */
	char newest_path[MANIFEST_PATH];
	uint32_t newest_block;
};

int
pgread_new(struct pgread **out, const struct pgread_params *p, struct fault *f)
{
	struct pgread *r = calloc(1, sizeof *r);

	if (r == NULL)
		return fault_nomem(f);
	r->p = *p;
	pthread_mutex_init(&r->lock, NULL);
	*out = r;
	return 0;
}

static void
release(struct pgread_file *file)
{
	(void)close(file->fd);
	free(file);
}

void
pgread_free(struct pgread *r)
{
	if (r == NULL)
		return;
	for (struct pgread_file *next; r->files != NULL; r->files = next) {
		next = r->files->next;
		release(r->files);
	}
	pthread_mutex_destroy(&r->lock);
	free(r);
}

int
pgread_open(struct pgread *r, const struct pgtree_file *t,
    struct pgread_file **out, struct fault *f)
{
	struct pgread_file *file = calloc(1, sizeof *file);

	if (file == NULL) {
		(void)close(t->fd);
		return fault_nomem(f);
	}
	file->fd = t->fd;
	file->size = t->size;
	file->left = t->size;
	file->mtime_us = t->mtime_us;
	file->pages = t->relation && r->p.checksums;
	file->first_block = t->segment * r->p.relation_blocks;
	/* Read ahead by the kernel would fill the cache with what looks to the
	 * next piece as if it had been there. */
	(void)posix_fadvise(file->fd, 0, 0, POSIX_FADV_RANDOM);
	if (file->size <= OBJECT_CHUNK) {
		pgread_cache_look(
		    &file->cache, file->fd, 0, (uint32_t)file->size);
		pgread_cache_fetch(&file->cache);
	}
	pthread_mutex_lock(&r->lock);
	file->next = r->files;
	file->prev = &r->files;
	if (file->next != NULL)
		file->next->prev = &file->next;
	r->files = file;
	pthread_mutex_unlock(&r->lock);
	*out = file;
	return 0;
}

/* n bytes from offset, zeros where the file has become shorter. */
static int
read_at(const struct pgread_file *file, const char *path, unsigned char *out,
    size_t n, uint64_t offset, struct fault *f)
{
	size_t got;
	int rc = fdio_pread(file->fd, path, out, n, offset, &got, f);

	if (rc == 0 && got < n)
		memset(out + got, 0, n - got);
	return rc;
}

static void
note_newer(struct pgread *r, const char *path, uint32_t block, uint64_t lsn)
{
	pthread_mutex_lock(&r->lock);
	if (lsn > r->newest) {
		r->newest = lsn;
		r->newest_block = block;
		snprintf(r->newest_path, sizeof r->newest_path, "%s", path);
	}
	pthread_mutex_unlock(&r->lock);
}

static void
note_damage(struct pgread *r, const char *path, uint32_t block)
{
	pthread_mutex_lock(&r->lock);
	if (r->damaged++ == 0)
		snprintf(
		    r->first, sizeof r->first, "%.300s, block %u", path, block);
	pthread_mutex_unlock(&r->lock);
}

/* A page whose checksum was wrong at first sight. */
static int
look_again(struct pgread *r, const struct pgread_file *file, const char *path,
    unsigned char *page, uint64_t offset, uint32_t block, struct fault *f)
{
	for (int try = 0; page_lsn(page) < r->p.start_lsn; try++) {
		int rc;

		if (try == TRIES) {
			note_damage(r, path, block);
			return 0;
		}
		if (try > 0)
			clock_sleep_ms(INT64_C(1) << (try - 1));
		rc = read_at(file, path, page, r->p.page_size, offset, f);
		if (rc != 0)
			return rc;
		if (page_check(page, r->p.page_size, block) != PAGE_BAD)
			return 0;
	}
	note_newer(r, path, block, page_lsn(page));
	return 0;
}

/* A page that is not whole at the end of the file is being added. */
static int
check_pages(struct pgread *r, const struct pgread_file *file,
    const struct manifest_piece *p, unsigned char *out, struct fault *f)
{
	size_t size = r->p.page_size;
	int rc = 0;

	for (size_t at = 0; rc == 0 && size <= p->length - at; at += size) {
		uint64_t offset = p->file_offset + at;
		uint32_t block = file->first_block + (uint32_t)(offset / size);

		if (page_check(out + at, size, block) == PAGE_BAD)
			rc = look_again(
			    r, file, p->path, out + at, offset, block, f);
	}
	return rc;
}

/* The piece counts; whoever brings the last one closes the file. */
static int
finish(struct pgread *r, struct pgread_file *file,
    const struct manifest_piece *p, uint32_t crc, struct fault *f)
{
	bool last;
	int rc;

	crc = wal_crc32c_shift(crc, file->size - p->file_offset - p->length);
	pthread_mutex_lock(&r->lock);
	file->crc ^= crc;
	file->left -= p->length;
	last = file->left == 0;
	if (last) {
		*file->prev = file->next;
		if (file->next != NULL)
			file->next->prev = file->prev;
	}
	pthread_mutex_unlock(&r->lock);
	if (!last)
		return 0;
	rc = pgmanifest_file(
	    r->p.manifest, p->path, file->size, file->mtime_us, file->crc, f);
	release(file);
	return rc;
}

int
pgread_piece(void *ctx, void *opened, const struct manifest_piece *p,
    unsigned char *out, struct fault *f)
{
	struct pgread *r = ctx;
	struct pgread_file *file = opened;
	struct pgread_cache cache = file->cache;
	int rc;

	if (file->size > OBJECT_CHUNK)
		pgread_cache_look(&cache, file->fd, p->file_offset, p->length);
	rc = read_at(file, p->path, out, p->length, p->file_offset, f);
	if (rc == 0 && file->pages)
		rc = check_pages(r, file, p, out, f);
	pgread_cache_restore(&cache);
	if (rc != 0)
		return rc;
	return finish(r, file, p, wal_crc32c(0, out, p->length), f);
}

int
pgread_verdict(const struct pgread *r, struct fault *f)
{
	if (r->damaged == 0)
		return 0;
	if (r->damaged == 1)
		return fault_set(f, FAULT_CORRUPT,
		    "checksum verification failed in file %s", r->first);
	return fault_set(f, FAULT_CORRUPT,
	    "checksum verification failed in file %s, and for %llu more pages",
	    r->first, (unsigned long long)r->damaged - 1);
}

int
pgread_verdict_stop(const struct pgread *r, uint64_t stop_lsn, struct fault *f)
{
	if (r->newest <= stop_lsn)
		return 0;
	return fault_set(f, FAULT_CORRUPT,
	    "checksum verification failed in file %.300s, block %u, which says "
	    "it is newer than the end of WAL",
	    r->newest_path, r->newest_block);
}
