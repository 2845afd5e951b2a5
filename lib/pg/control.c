
#include "buf.h"
#include "control.h"
#include "wal.h"

/*
 * Offsets into ControlFileData on a 64-bit little-endian machine. What we read
 * lies at the same place in every version known; what moves is the CRC, which
 * stands at the end.
 */
#define AT_SYSTEM_ID 0
#define AT_CONTROL_VERSION 8
#define AT_CATALOG_VERSION 12
#define AT_STATE 16
#define AT_CHECKPOINT 32
#define AT_REDO 40
#define AT_TIMELINE 48
#define AT_BLOCK_SIZE 216
#define AT_RELATION_BLOCKS 220
#define AT_SEGMENT_SIZE 228
#define AT_CHECKSUMS 252
#define CONTROL_MIN 296
#define CONTROL_FIRST 1300

/* Newer versions put more in front of it, or it elsewhere. */
#define CRC_FROM 256
#define CRC_TO 512

static size_t
crc_offset(uint32_t version)
{
	switch (version) {
	case 1300: /* 13 to 16 */
	case 1700:
		return (288);
	case 1800: /* default_char_signedness came in */
		return (292);
	default:
		return (0);
	}
}

static bool
crc_right(const unsigned char *p, size_t at)
{
	return (wal_crc32c(0, p, at) == bytes_get_u32(p + at));
}

int
control_system_id(const void *data, size_t len, uint64_t *out, struct fault *f)
{
	const unsigned char *p = data;
	struct control c;
	uint32_t version;

	if (control_parse(data, len, &c, f) == 0) {
		*out = c.system_id;
		return (0);
	}
	if (f->code != FAULT_FOREIGN || len < CRC_TO + 4)
		return ((int)f->code);
	version = bytes_get_u32(p + AT_CONTROL_VERSION);
	if (version < CONTROL_FIRST)
		return ((int)f->code);
	for (size_t at = CRC_FROM; at <= CRC_TO; at += 4) {
		if (!crc_right(p, at))
			continue;
		*out = bytes_get_u64(p + AT_SYSTEM_ID);
		fault_clear(f);
		return (0);
	}
	return (fault_set(f, FAULT_CORRUPT,
	    "pg_control: version %u, which is not known, without a checksum "
	    "that is right",
	    version));
}

int
control_parse(
    const void *data, size_t len, struct control *out, struct fault *f)
{
	const unsigned char *p = data;
	struct control c;
	size_t end;

	if (len < CONTROL_MIN)
		return (fault_set(f, FAULT_CORRUPT,
		    "pg_control: %zu bytes are too few", len));
	c.control_version = bytes_get_u32(p + AT_CONTROL_VERSION);
	end = crc_offset(c.control_version);
	if (end == 0)
		return (fault_set(f, FAULT_FOREIGN,
		    "pg_control: version %u is not known (PostgreSQL 13 to 18 "
		    "are)",
		    c.control_version));
	if (!crc_right(p, end))
		return (fault_set(
		    f, FAULT_CORRUPT, "pg_control: its checksum is wrong"));
	c.system_id = bytes_get_u64(p + AT_SYSTEM_ID);
	c.catalog_version = bytes_get_u32(p + AT_CATALOG_VERSION);
	c.state = bytes_get_u32(p + AT_STATE);
	c.checkpoint = bytes_get_u64(p + AT_CHECKPOINT);
	c.redo = bytes_get_u64(p + AT_REDO);
	c.timeline = bytes_get_u32(p + AT_TIMELINE);
	c.block_size = bytes_get_u32(p + AT_BLOCK_SIZE);
	c.relation_blocks = bytes_get_u32(p + AT_RELATION_BLOCKS);
	c.segment_size = bytes_get_u32(p + AT_SEGMENT_SIZE);
	c.checksums = bytes_get_u32(p + AT_CHECKSUMS);
	if (!walname_segment_size_ok(c.segment_size) || c.timeline == 0)
		return (fault_set(f, FAULT_CORRUPT,
		    "pg_control: segment size %u on timeline %u makes no sense",
		    c.segment_size, c.timeline));
	*out = c;
	return (0);
}
