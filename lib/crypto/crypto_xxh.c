#include <stdlib.h>
#include <string.h>

#include <xxhash.h>
/* The widest registers that this processor has: the library itself is built for
 * the oldest one of its kind. */
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif

#include "crypto.h"

struct crypto_xxh {
	XXH3_state_t *state;
};

static void
canonical(XXH128_hash_t hash, unsigned char out[16])
{
	XXH128_canonical_t c;

	XXH128_canonicalFromHash(&c, hash);
	memcpy(out, c.digest, 16);
}

void
crypto_xxh(const void *p, size_t n, unsigned char out[16])
{
	canonical(XXH3_128bits(p, n), out);
}

int
crypto_xxh_new(struct crypto_xxh **out, struct fault *f)
{
	struct crypto_xxh *x = malloc(sizeof(*x));

	if (x == NULL)
		return fault_nomem(f);
	x->state = XXH3_createState();
	if (x->state == NULL) {
		free(x);
		return fault_nomem(f);
	}
	(void)XXH3_128bits_reset(x->state);
	*out = x;
	return 0;
}

/* The library's own functions fail on NULL pointers only. */
void
crypto_xxh_update(struct crypto_xxh *x, const void *p, size_t n)
{
	if (n != 0)
		(void)XXH3_128bits_update(x->state, p, n);
}

void
crypto_xxh_final(const struct crypto_xxh *x, unsigned char out[16])
{
	canonical(XXH3_128bits_digest(x->state), out);
}

void
crypto_xxh_free(struct crypto_xxh *x)
{
	if (x == NULL)
		return;
	(void)XXH3_freeState(x->state);
	free(x);
}
