#ifndef KEYRING_CORE_H
#define KEYRING_CORE_H

#include "keyring.h"

/* For this module only: how who reads key files hands keys to the ring. */

/* Without a key. */
int keyring_new(struct keyring **out, struct fault *f);
/* Copies key, whose derived secrets are filled in here. CONFIG when its id is
 * there already. */
int keyring_add(struct keyring *k, struct keyring_key *key, struct fault *f);

#endif
