/*
 * For the tests: seals and opens single objects.
 *
 *	object key                    a new key file on standard output
 *	object recipient -k FILE...   the recipient part of the keys
 *	object seal OPTIONS           content on stdin, object on stdout
 *	object open OPTIONS           the reverse; the meta as hex on stderr
 *
 * OPTIONS: -k KEYFILE (none: encryption off) -C CLUSTER -s SYSTEM-ID -t KIND
 * -n NAME -m META-HEX -z (no compression) -b CHUNK -f (no fingerprint)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "object.h"
#include "text.h"

#define FILES 16

struct options {
	const char *files[FILES];
	size_t file_count;
	struct object_params params;
	unsigned char meta[OBJECT_META_MAX];
	size_t chunk;
	bool fingerprint;
};

static struct fault f;

static void
check(int rc)
{
	if (rc == 0)
		return;
	fprintf(stderr, "object: %s\n", f.text);
	exit(rc);
}

_Noreturn static void
usage(void)
{
	fprintf(stderr, "usage: object key|recipient|seal|open ...\n");
	exit(100);
}

static int
to_stdout(void *ctx, const unsigned char *p, size_t n, struct fault *e)
{
	(void)ctx;
	if (fwrite(p, 1, n, stdout) != n)
		return fault_set(e, FAULT_SYSTEM, "standard output");
	return 0;
}

static struct buf
slurp(void)
{
	struct buf b = BUF_INIT((size_t)1 << 30);
	size_t n;

	do {
		check(buf_reserve(&b, 1 << 16, &f));
		n = fread(b.data + b.len, 1, 1 << 16, stdin);
		b.len += n;
	} while (n > 0);
	return b;
}

static void
parse(struct options *o, int argc, char **argv)
{
	uint64_t n;
	int c;

	while ((c = getopt(argc, argv, "k:C:s:t:n:m:zb:f")) != -1) {
		n = 0;
		if (strchr("stb", c) != NULL && text_u64(optarg, &n) != 0)
			usage();
		switch (c) {
		case 'k':
			if (o->file_count == FILES)
				usage();
			o->files[o->file_count++] = optarg;
			break;
		case 'C':
			o->params.id.cluster = optarg;
			break;
		case 's':
			o->params.id.system_id = n;
			break;
		case 't':
			o->params.id.kind = (enum object_kind)n;
			break;
		case 'n':
			o->params.id.name = optarg;
			break;
		case 'm':
			o->params.meta_len = strlen(optarg) / 2;
			if (o->params.meta_len > sizeof(o->meta) ||
			    text_unhex(optarg, o->meta, o->params.meta_len))
				usage();
			break;
		case 'z':
			o->params.codec = CODEC_NONE;
			break;
		case 'b':
			o->chunk = n;
			break;
		case 'f':
			o->fingerprint = false;
			break;
		default:
			usage();
		}
	}
	if (optind != argc || o->chunk == 0)
		usage();
	o->params.meta = o->meta;
}

static void
seal(const struct options *o, const struct buf *content)
{
	struct object_params p = o->params;
	struct object_sealer *s;
	struct object_digest d;

	object_digest(&d, content->data, content->len);
	p.digest = o->fingerprint ? &d : NULL;
	check(object_seal_begin(&s, &p, to_stdout, NULL, &f));
	for (size_t at = 0, n; at < content->len; at += n) {
		n = content->len - at < o->chunk ? content->len - at : o->chunk;
		check(object_seal_chunk(s, content->data + at, n, NULL, &f));
	}
	check(object_seal_end(s, NULL, &f));
	object_seal_free(s);
}

static void
open_it(const struct options *o, const struct buf *object)
{
	char hex[2 * OBJECT_META_MAX + 1];
	const unsigned char *meta;
	struct object_reader *r;
	size_t n;

	check(object_reader_new(
	    &r, &o->params.id, o->params.keys, to_stdout, NULL, &f));
	check(object_reader_feed(r, object->data, object->len, &f));
	check(object_reader_end(r, &f));
	meta = object_meta(object_reader_opener(r), &n);
	text_hex(meta, n, hex);
	fprintf(stderr, "%s\n", hex);
	object_reader_free(r);
}

int
main(int argc, char **argv)
{
	struct options o = {.params = {{"main", 1, OBJECT_WAL, "name"}, NULL,
				CODEC_ZSTD, 1, NULL, 0, NULL},
	    .chunk = OBJECT_CHUNK,
	    .fingerprint = true};
	const char *verb = argc > 1 ? argv[1] : "";
	struct keyring *keys = NULL;
	struct buf in = BUF_INIT(0);
	char *text;
	size_t len;

	if (argc < 2)
		usage();
	parse(&o, argc - 1, argv + 1);
	if (o.file_count > 0)
		check(keyring_load(&keys, o.files, o.file_count, &f));
	o.params.keys = keys;
	if (strcmp(verb, "key") == 0 || strcmp(verb, "recipient") == 0) {
		if (*verb == 'k')
			check(
			    keyring_generate(clock_now_us(), &text, &len, &f));
		else if (keys == NULL)
			usage();
		else
			check(keyring_recipient_text(keys, &text, &len, &f));
		check(to_stdout(NULL, (unsigned char *)text, len, &f));
		free(text);
	} else {
		in = slurp();
		if (strcmp(verb, "seal") == 0)
			seal(&o, &in);
		else if (strcmp(verb, "open") == 0)
			open_it(&o, &in);
		else
			usage();
		buf_free(&in);
	}
	keyring_free(keys);
	return fflush(stdout) == 0 ? 0 : 1;
}
