#ifndef CONF_WORLD_H
#define CONF_WORLD_H

/* Settings as text, and what becomes of them. */

#include "unit.h"

#include <stdio.h>

#include "conf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PIN "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define OK "[cluster a]\nrepo = r\nkey_file = /k\n[repo r]\n"
#define OKS3 OK "url = s3://bucket\n"

static struct fault f;

static inline struct conf *
good(const char *text)
{
	struct conf *c = NULL;
	int r = conf_parse(&c, "FILE", text, strlen(text), &f);

	if (r != 0)
		print_error("%s\n", f.text);
	assert_int_equal(r, 0);
	return c;
}

static inline const struct conf_cluster *
only(const struct conf *c)
{
	const struct conf_cluster *k = NULL;

	assert_int_equal(conf_cluster(c, NULL, &k, &f), 0);
	return k;
}

#endif
