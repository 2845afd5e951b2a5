#ifndef TILES_H
#define TILES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Do the pieces of a manifest cover each file from its beginning to its end,
 * once? They come in any order, and there may be as many as memory cannot
 * hold. Pure.
 *
 * Each piece adds H(file, its end) - H(file, its beginning) to a sum, and a
 * piece at offset 0 takes away H(file, size) - H(file, 0) once. Pieces have a
 * length, so what adds up to nothing is, for each file, a chain from 0 to its
 * size (or several whole ones): a hole, an overlap or a piece too many leaves
 * something, but by a chance of 2^-128. H is XXH3-128 over seed, path, the
 * file's size and place.
 */

#define TILES_SEED 16

struct tiles {
	unsigned char seed[TILES_SEED];
	uint64_t sum[2];
};

void tiles_begin(struct tiles *t, const unsigned char seed[TILES_SEED]);
void tiles_add(struct tiles *t, const char *path, uint64_t file_size,
    uint64_t offset, uint64_t length);
bool tiles_whole(const struct tiles *t);

#endif
