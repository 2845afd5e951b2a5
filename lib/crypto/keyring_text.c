#include <string.h>

#include "buf.h"
#include "clock.h"
#include "keyring_core.h"
#include "secret.h"
#include "text.h"

#define TEXT_MAX (KEYRING_MAX * 256)

/* One block; created may be NULL. */
static int
put_block(struct buf *b, const struct keyring_key *key, bool private,
    const char *created, struct fault *f)
{
	char id[2 * KEYRING_ID + 1], main_part[45], secret[45];
	int rc;

	text_hex(key->id, KEYRING_ID, id);
	text_base64(private ? key->private_key : key->public_key, CRYPTO_KEY,
	    main_part);
	text_base64(key->secret, CRYPTO_KEY, secret);
	rc = buf_printf(b, f, "pitrkit-%s-1\nid = %s\n%s = %s\nsecret = %s\n",
	    private ? "key" : "recipient", id, private ? "private" : "public",
	    main_part, secret);
	if (rc == 0 && created != NULL)
		rc = buf_printf(b, f, "created = %s\n", created);
	secret_wipe(main_part, sizeof(main_part));
	secret_wipe(secret, sizeof(secret));
	return rc;
}

/* The text becomes the caller's, a NUL after it. */
static int
give(struct buf *b, int rc, char **text, size_t *len, struct fault *f)
{
	if (rc == 0)
		rc = buf_terminate(b, f);
	if (rc != 0) {
		buf_wipe(b);
		return rc;
	}
	*text = (char *)b->data;
	*len = b->len;
	return 0;
}

int
keyring_generate(int64_t now_us, char **text, size_t *len, struct fault *f)
{
	struct buf b = BUF_INIT(TEXT_MAX);
	struct keyring_key key;
	char created[CLOCK_TEXT_SIZE];
	int rc;

	memset(&key, 0, sizeof(key));
	clock_format_iso(now_us, created);
	memcpy(created + 19, "Z", 2); /* to the second */
	/* Whole reservation at once: a buffer that moved would leave a copy
	 * of the key behind. */
	rc = buf_reserve(&b, 1024, f);
	if (rc == 0)
		rc = crypto_x25519_generate(key.private_key, key.public_key, f);
	if (rc == 0)
		rc = crypto_random(key.secret, sizeof(key.secret), f);
	if (rc == 0)
		rc = keyring_identify(&key, f);
	if (rc == 0)
		rc = buf_put_str(&b,
		    "# A pitrkit key. Without it nothing that was sealed to "
		    "it can be restored:\n# keep a copy away from this host.\n",
		    f);
	if (rc == 0)
		rc = put_block(&b, &key, true, created, f);
	secret_wipe(&key, sizeof(key));
	return give(&b, rc, text, len, f);
}

int
keyring_recipient_text(
    const struct keyring *k, char **text, size_t *len, struct fault *f)
{
	const size_t n = keyring_count(k);
	struct buf b = BUF_INIT(TEXT_MAX);
	int rc = buf_reserve(&b, 128 + n * 192, f);

	if (rc == 0)
		rc = buf_put_str(&b,
		    "# The recipient part of a pitrkit key: seals, and opens "
		    "nothing.\n",
		    f);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = put_block(&b, keyring_at(k, i), false, NULL, f);
	return give(&b, rc, text, len, f);
}
