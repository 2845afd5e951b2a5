#ifndef PAGE_H
#define PAGE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Pages of relations: what a reader of a data directory needs to know whether
 * one is whole. Pure. Sources: storage/bufpage.h, storage/checksum_impl.h.
 */

#define PAGE_MAX 32768U

enum page_state {
	PAGE_GOOD,  /* its checksum is right */
	PAGE_EMPTY, /* all zeros: added, and not used yet */
	PAGE_BAD,   /* neither */
};

/* size: a power of two, 512 at least and PAGE_MAX at most. block: the page's
 * number in its relation, counted through all segments. */
enum page_state page_check(const void *page, size_t size, uint32_t block);
/* The LSN that the page says it was changed at last. */
uint64_t page_lsn(const void *page);
/* What should stand in the page as its checksum. */
uint16_t page_checksum(const void *page, size_t size, uint32_t block);

#endif
