#ifndef AUDIT_TEXT_H
#define AUDIT_TEXT_H

#include <stddef.h>

/* text into out: UTF-8 (RFC 3629) without control characters, '?' for what is
 * none, cut between characters where it is longer than cap - 1 bytes. Whatever
 * the text, a record can be made of it. */
void audit_text(char *out, size_t cap, const char *text);

#endif
