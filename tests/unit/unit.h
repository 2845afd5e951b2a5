#ifndef UNIT_H
#define UNIT_H

/* What cmocka wants to see before its own header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"

/* Bytes of a hex literal; returns how many. */
static inline size_t
unit_hex(const char *hex, unsigned char *out)
{
	const size_t n = strlen(hex) / 2;

	assert_int_equal(text_unhex(hex, out, n), 0);
	return n;
}

#define assert_hex(bytes, hex)                                                 \
	do {                                                                   \
		unsigned char want_[512];                                      \
		const size_t n_ = unit_hex((hex), want_);                      \
		assert_memory_equal((bytes), want_, n_);                       \
	} while (0)

#endif
