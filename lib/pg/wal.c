#include <inttypes.h>

#include "buf.h"
#include "text.h"
#include "wal.h"

#define LONG_HEADER 40
#define PAGE_MIN 1024 /* --with-wal-blocksize takes 1 to 64 kB */
#define PAGE_MAX 65536

int
wal_header(
    const void *segment, size_t len, struct wal_header *out, struct fault *f)
{
	const unsigned char *p = segment;
	struct wal_header h;

	if (len < LONG_HEADER)
		return (fault_set(f, FAULT_CORRUPT,
		    "%zu bytes are too few for a WAL segment", len));
	h.magic = bytes_get_u16(p);
	h.timeline = bytes_get_u32(p + 4);
	h.address = bytes_get_u64(p + 8);
	h.system_id = bytes_get_u64(p + 24);
	h.segment_size = bytes_get_u32(p + 32);
	h.page_size = bytes_get_u32(p + 36);
	/*
	 * Every magic since PostgreSQL 9.3 is 0xD0xx or 0xD1xx; one that is
	 * not known to wal_version() belongs to a newer release.
	 */
	if ((h.magic & 0xF000) != 0xD000)
		return (fault_set(f, FAULT_CORRUPT,
		    "no WAL page header at its beginning (magic %04X)",
		    h.magic));
	if (h.timeline == 0 || !walname_segment_size_ok(h.segment_size) ||
	    h.page_size < PAGE_MIN || h.page_size > PAGE_MAX ||
	    (h.page_size & (h.page_size - 1)) != 0 ||
	    h.address % h.segment_size != 0)
		return (fault_set(f, FAULT_CORRUPT,
		    "its first WAL page header makes no sense: timeline %u, "
		    "address %" PRIX64 ", segment size %u, page size %u",
		    h.timeline, h.address, h.segment_size, h.page_size));
	*out = h;
	return (0);
}

int
wal_version(uint16_t magic)
{
	switch (magic) {
	case 0xD106:
		return (13);
	case 0xD10D:
		return (14);
	case 0xD110:
		return (15);
	case 0xD113:
		return (16);
	case 0xD116:
		return (17);
	case 0xD118:
		return (18);
	case 0xD121:
		return (19);
	default:
		return (0);
	}
}

int
wal_check_name(const struct wal_header *h, const struct walname *n,
    uint64_t file_size, struct fault *f)
{
	char found[20], named[20];
	uint64_t segno;

	if (h->segment_size != file_size)
		return (fault_set(f, FAULT_FOREIGN,
		    "the file has %" PRIu64 " bytes but its header says that "
		    "segments have %u",
		    file_size, h->segment_size));
	if (n->kind != WALNAME_SEGMENT && n->kind != WALNAME_PARTIAL)
		return (fault_set(f, FAULT_FOREIGN,
		    "holds WAL but is not named as a WAL segment"));
	if (walname_segno(n, h->segment_size, &segno, f) != 0)
		return ((int)f->code);
	if (h->address != walname_lsn(segno, h->segment_size)) {
		text_format_lsn(h->address, found);
		text_format_lsn(walname_lsn(segno, h->segment_size), named);
		return (fault_set(f, FAULT_FOREIGN,
		    "holds WAL from %s on, by its name it should be from %s",
		    found, named));
	}
	/*
	 * A promotion copies the old timeline's last segment, up to the switch
	 * point, into the new timeline's first: its pages keep the old
	 * timeline, whichever that was (15: 000000020000000000000013 began
	 * with 175 pages of timeline 1, the rest being of timeline 2). The
	 * other way round never happens. The same holds for every segment
	 * size, and a .partial keeps address and timeline of its full name.
	 */
	if (h->timeline > n->timeline)
		return (fault_set(f, FAULT_FOREIGN,
		    "holds WAL of timeline %u, by its name it should be of "
		    "timeline %u",
		    h->timeline, n->timeline));
	return (0);
}
