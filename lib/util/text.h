#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Strict text <-> value. Parsers take the whole string or refuse: no leading
 * blanks, no signs, no trailing bytes, no overflow. They return 0 or -1 and
 * set *out only on success.
 */

int text_u64(const char *s, uint64_t *out); /* decimal */
int text_u32(const char *s, uint32_t *out);
int text_hex_u64(const char *s, size_t digits, uint64_t *out);
/* hex of either case, exactly n bytes from 2n digits */
int text_unhex(const char *s, unsigned char *out, size_t n);
void text_hex(const unsigned char *p, size_t n, char *out /* 2n+1 */);
int text_size(const char *s, uint64_t *bytes); /* 16MB, 1GB, 512kB, 100 */
int text_duration(const char *s, int64_t *ms); /* 500ms 60s 5min 4h 30d 2w */
int text_bool(const char *s, bool *out);       /* yes no on off true false */
/* Base64 (RFC 4648, with padding). out has room for cap bytes. */
int text_unbase64(const char *s, unsigned char *out, size_t cap, size_t *n);
void text_base64(
    const unsigned char *p, size_t n, char *out /* 4*((n+2)/3)+1 */);
bool text_prefix(const char *s, const char *prefix);
/* "1.5 GB", "312 kB": for people. out has room for 16 bytes. */
void text_human_size(uint64_t bytes, char out[16]);
/* "1 h 02 min", "3.4 s". */
void text_human_duration(int64_t ms, char out[24]);
/* PostgreSQL's form of an LSN, "16/B374D848". */
int text_lsn(const char *s, uint64_t *out);
void text_format_lsn(uint64_t lsn, char out[20]);

#endif
