#ifndef KEYRING_CORE_H
#define KEYRING_CORE_H

#include "keyring.h"

/* For this module only: how the parser hands keys to the ring. */

/* Copies key, whose derived secrets are filled in here. CONFIG when its id is
 * there already. */
int keyring_add(struct keyring *k, struct keyring_key *key, struct fault *f);
/* All blocks of one file. what: name for faults, of which each names a line. */
int keyring_add_text(struct keyring *k, const char *what, const char *text,
    size_t len, struct fault *f);

#endif
