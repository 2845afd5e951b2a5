#ifndef MANIFEST_FORMAT_H
#define MANIFEST_FORMAT_H

/* What the manifest's writer and reader share of pitrkit-format(5). */

#define MANIFEST_RECORD_HEAD 5 /* u8 type, u32 length */
#define MANIFEST_MODE 07777U
/* The least a file, an extent, a piece takes in a record. */
#define MANIFEST_FILE_MIN 23 /* u32 u64 u64 u16, NUL */
#define MANIFEST_EXTENT_SIZE 24
#define MANIFEST_PIECE_SIZE (20 + MANIFEST_XXH)

#endif
