#ifndef KEYRING_H
#define KEYRING_H

#include <stdbool.h>
#include <stddef.h>

#include "crypto.h"

/*
 * Keys of a cluster: an X25519 pair with a symmetric authentication secret,
 * or only their recipient part (public key and secret: enough to seal and to
 * recognise, not to open).
 *
 * A key file is text, one or more blocks; the first key of the first file is
 * the one whose secret makes fingerprints. Every file's first key is a
 * recipient of all new objects; further blocks open older objects only.
 *
 *	pitrkit-key-1			pitrkit-recipient-1
 *	id = HEX16			id = HEX16
 *	private = BASE64		public = BASE64
 *	secret = BASE64			secret = BASE64
 *	created = 2026-11-22T07:53:01Z
 *
 * id = first 8 bytes of SHA-256("pitrkit-key-id-1" || public key). Blank lines
 * and lines that begin with '#' are passed over; created may be left out; any
 * other line, and an id that comes twice, is refused. Loading is CONFIG when a
 * file is malformed or readable by others, KEY when it does not exist or may
 * not be read.
 */

#define KEYRING_ID 8
#define KEYRING_RECIPIENTS 16 /* of one object, and so key files, at most */
#define KEYRING_MAX 256       /* keys in a ring */

struct keyring;

int keyring_load(
    struct keyring **out, const char *const *paths, size_t n, struct fault *f);
/* The same from memory (what: name for faults); for tests and repo-key. */
int keyring_parse(struct keyring **out, const char *what, const char *text,
    size_t len, struct fault *f);
void keyring_free(struct keyring *k);

/* Is there any private key? */
bool keyring_can_open(const struct keyring *k);

/* One key. Everything belongs to the keyring. The three derived secrets are
 * HKDF-SHA256 (extract with salt "pitrkit-1", expand with info "psk",
 * "fingerprint", "trailer") of the authentication secret. */
struct keyring_key {
	unsigned char id[KEYRING_ID];
	unsigned char public_key[CRYPTO_KEY];
	unsigned char private_key[CRYPTO_KEY]; /* zeros unless has_private */
	unsigned char secret[CRYPTO_KEY];
	unsigned char psk[CRYPTO_KEY];
	unsigned char fingerprint_key[CRYPTO_KEY];
	unsigned char trailer_key[CRYPTO_KEY];
	bool has_private;
	bool recipient; /* new objects are sealed to it */
};
/* Fills the three derived ones from key->secret. (32 zero bytes are refused in
 * a file: they stand in for the secret where encryption is off.) */
int keyring_derive(struct keyring_key *key, struct fault *f);
/* key->id from key->public_key. */
int keyring_identify(struct keyring_key *key, struct fault *f);
size_t keyring_count(const struct keyring *k); /* at least 1 */
const struct keyring_key *keyring_at(const struct keyring *k, size_t i);
/* NULL when there is none with that id. */
const struct keyring_key *keyring_find(
    const struct keyring *k, const unsigned char id[KEYRING_ID]);

/* A new key as the text of a key file; the caller wipes and frees *text. */
int keyring_generate(int64_t now_us, char **text, size_t *len, struct fault *f);
/* The recipient parts of all keys of k, as the text of a key file. */
int keyring_recipient_text(
    const struct keyring *k, char **text, size_t *len, struct fault *f);

#endif
