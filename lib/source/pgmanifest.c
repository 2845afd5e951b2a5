#include "pgmanifest.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "buf.h"
#include "crypto.h"
#include "fdio.h"
#include "manifest.h"
#include "text.h"

#define PART (256U << 10)
#define ENTRY_MAX (6 * MANIFEST_PATH + 512)

struct pgmanifest {
	pthread_mutex_t lock;
	int fd;
	const char *name;
	struct crypto_hash *hash; /* of all but the last line */
	struct buf text;          /* not written yet */
	uint64_t size;
	bool any; /* file */
};

static int
flush(struct pgmanifest *m, bool hashed, struct fault *f)
{
	int rc = 0;

	if (hashed)
		rc = crypto_hash_update(m->hash, m->text.data, m->text.len, f);
	if (rc == 0)
		rc = fdio_write(m->fd, m->name, m->text.data, m->text.len, f);
	m->size += m->text.len;
	buf_clear(&m->text);
	return rc;
}

int
pgmanifest_new(struct pgmanifest **out, int fd, const char *name,
    uint32_t major, uint64_t system_id, struct fault *f)
{
	struct pgmanifest *m = calloc(1, sizeof *m);
	bool second = major >= 17;
	int rc;

	if (m == NULL)
		return fault_nomem(f);
	pthread_mutex_init(&m->lock, NULL);
	m->fd = fd;
	m->name = name;
	buf_init(&m->text, PART + ENTRY_MAX);
	rc = buf_printf(&m->text, f,
	    "{ \"PostgreSQL-Backup-Manifest-Version\": %d,\n", second ? 2 : 1);
	if (rc == 0 && second)
		rc = buf_printf(&m->text, f,
		    "\"System-Identifier\": %" PRIu64 ",\n", system_id);
	if (rc == 0)
		rc = buf_put_str(&m->text, "\"Files\": [", f);
	if (rc == 0)
		rc = crypto_hash_new(&m->hash, f);
	if (rc != 0) {
		pgmanifest_free(m);
		return rc;
	}
	*out = m;
	return 0;
}

void
pgmanifest_free(struct pgmanifest *m)
{
	if (m == NULL)
		return;
	crypto_hash_free(m->hash);
	buf_free(&m->text);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

/* Well-formed UTF-8 (RFC 3629)? */
static bool
is_utf8(const unsigned char *p)
{
	while (*p != '\0') {
		unsigned char c = *p++;
		unsigned char low = 0x80, high = 0xBF;
		int more = c < 0x80 ? 0 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;

		if ((c >= 0x80 && c < 0xC2) || c > 0xF4)
			return false;
		if (c == 0xE0)
			low = 0xA0;
		else if (c == 0xED)
			high = 0x9F;
		else if (c == 0xF0)
			low = 0x90;
		else if (c == 0xF4)
			high = 0x8F;
		for (; more > 0; more--, p++) {
			if (*p < low || *p > high)
				return false;
			low = 0x80;
			high = 0xBF;
		}
	}
	return true;
}

static int
put_path(struct buf *b, const char *path, struct fault *f)
{
	const unsigned char *p = (const unsigned char *)path;
	int rc;

	if (!is_utf8(p)) {
		rc = buf_put_str(b, "\"Encoded-Path\": \"", f);
		for (; rc == 0 && *p != '\0'; p++)
			rc = buf_printf(b, f, "%02x", *p);
		return rc == 0 ? buf_put_u8(b, '"', f) : rc;
	}
	rc = buf_put_str(b, "\"Path\": \"", f);
	for (; rc == 0 && *p != '\0'; p++) {
		if (*p < ' ')
			rc = buf_printf(b, f, "\\u%04x", *p);
		else if (*p == '"' || *p == '\\')
			rc = buf_printf(b, f, "\\%c", *p);
		else
			rc = buf_put_u8(b, *p, f);
	}
	return rc == 0 ? buf_put_u8(b, '"', f) : rc;
}

static int
put_file(struct pgmanifest *m, const char *path, uint64_t size,
    int64_t mtime_us, uint32_t crc, struct fault *f)
{
	time_t seconds = (time_t)(mtime_us / 1000000);
	unsigned char bytes[4];
	char time[32], sum[9];
	struct tm tm;
	int rc;

	bytes_set_u32(bytes, crc);
	text_hex(bytes, sizeof bytes, sum);
	if (gmtime_r(&seconds, &tm) == NULL ||
	    strftime(time, sizeof time, "%Y-%m-%d %H:%M:%S GMT", &tm) == 0)
		return fault_set(
		    f, FAULT_SYSTEM, "%s: its time cannot be written", path);
	if ((rc = buf_put_str(&m->text, m->any ? ",\n{ " : "\n{ ", f)) != 0 ||
	    (rc = put_path(&m->text, path, f)) != 0 ||
	    (rc = buf_printf(&m->text, f,
		 ", \"Size\": %" PRIu64 ", \"Last-Modified\": \"%s\", "
		 "\"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"%s\" }",
		 size, time, sum)) != 0)
		return rc;
	m->any = true;
	return m->text.len >= PART ? flush(m, true, f) : 0;
}

int
pgmanifest_file(struct pgmanifest *m, const char *path, uint64_t size,
    int64_t mtime_us, uint32_t crc, struct fault *f)
{
	int rc;

	pthread_mutex_lock(&m->lock);
	rc = put_file(m, path, size, mtime_us, crc, f);
	pthread_mutex_unlock(&m->lock);
	return rc;
}

int
pgmanifest_end(struct pgmanifest *m, uint32_t timeline, uint64_t start_lsn,
    uint64_t stop_lsn, uint64_t *size, struct fault *f)
{
	unsigned char sum[CRYPTO_SHA256];
	char start[20], stop[20], hex[2 * CRYPTO_SHA256 + 1];
	int rc;

	text_format_lsn(start_lsn, start);
	text_format_lsn(stop_lsn, stop);
	if ((rc = buf_printf(&m->text, f,
		 "\n],\n\"WAL-Ranges\": [\n{ \"Timeline\": %u, \"Start-LSN\": "
		 "\"%s\", \"End-LSN\": \"%s\" }\n],\n",
		 timeline, start, stop)) != 0 ||
	    (rc = flush(m, true, f)) != 0 ||
	    (rc = crypto_hash_final(m->hash, sum, f)) != 0)
		return rc;
	text_hex(sum, sizeof sum, hex);
	if ((rc = buf_printf(
		 &m->text, f, "\"Manifest-Checksum\": \"%s\"}\n", hex)) != 0 ||
	    (rc = flush(m, false, f)) != 0)
		return rc;
	*size = m->size;
	return 0;
}
