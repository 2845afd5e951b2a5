#ifndef CODEC_H
#define CODEC_H

#include <stddef.h>

#include "fault.h"

/*
 * One block to one zstd frame and back (RFC 8878). A context may be used for
 * many blocks, by one thread at a time.
 */

enum codec_kind {
	CODEC_NONE = 0,
	CODEC_ZSTD = 1,
};

struct codec_encoder;
struct codec_decoder;

/* level: as zstd has them; ignored for CODEC_NONE. */
int codec_encoder_new(struct codec_encoder **out, enum codec_kind kind,
    int level, struct fault *f);
void codec_encoder_free(struct codec_encoder *e);
/* The most bytes that encoding n bytes can take. */
size_t codec_bound(enum codec_kind kind, size_t n);
/* dst has room for codec_bound(n). */
int codec_encode(struct codec_encoder *e, const unsigned char *src, size_t n,
    unsigned char *dst, size_t cap, size_t *len, struct fault *f);

int codec_decoder_new(
    struct codec_decoder **out, enum codec_kind kind, struct fault *f);
void codec_decoder_free(struct codec_decoder *d);
/* CORRUPT when src is not one whole frame, or holds more than cap bytes. */
int codec_decode(struct codec_decoder *d, const unsigned char *src, size_t n,
    unsigned char *dst, size_t cap, size_t *len, struct fault *f);

#endif
