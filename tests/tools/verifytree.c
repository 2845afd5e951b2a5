/*
 * verifytree DIR: is the data directory what its backup_manifest says? A
 * pg_verifybackup for every version of the server, for the tests: sizes,
 * CRC-32C, the manifest's own SHA-256, files too many and too few. pg_wal,
 * postgresql.auto.conf, the signal files and the manifest itself do not count.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "fdio.h"
#include "json.h"
#include "text.h"
#include "wal.h"

static size_t root_len;
static size_t found;
static size_t expected;
static int bad;

static void
complain(const char *what, const char *path)
{
	printf("%s: %s\n", path, what);
	bad = 1;
}

static int
ignored(const char *path)
{
	return strncmp(path, "pg_wal/", 7) == 0 ||
	       strcmp(path, "postgresql.auto.conf") == 0 ||
	       strcmp(path, "recovery.signal") == 0 ||
	       strcmp(path, "standby.signal") == 0 ||
	       strcmp(path, "backup_manifest") == 0;
}

static int
count(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_F && !ignored(path + root_len))
		found++;
	return 0;
}

static void
check_manifest(const unsigned char *text, size_t len, const char *want)
{
	struct fault f = FAULT_INIT;
	unsigned char sum[CRYPTO_SHA256];
	char hex[2 * CRYPTO_SHA256 + 1];
	size_t end = len;

	/* All but the last line. */
	if (end > 0 && text[end - 1] == '\n')
		end--;
	while (end > 0 && text[end - 1] != '\n')
		end--;
	if (crypto_sha256(text, end, sum, &f) != 0)
		complain(f.text, "backup_manifest");
	text_hex(sum, sizeof sum, hex);
	if (strcmp(hex, want) != 0)
		complain("its own checksum is wrong", "backup_manifest");
}

static void
check_file(const char *root, const struct json *file)
{
	struct fault f = FAULT_INIT;
	const char *path;
	const char *want;
	const char *algorithm;
	unsigned char *data;
	unsigned char crc[4];
	uint64_t size;
	size_t len;
	uint32_t v;
	char hex[9];
	char *full;

	if (json_get_str(file, "Path", &path, &f) != 0 ||
	    json_get_u64(file, "Size", &size, &f) != 0 ||
	    json_get_str(file, "Checksum-Algorithm", &algorithm, &f) != 0 ||
	    json_get_str(file, "Checksum", &want, &f) != 0) {
		complain(f.text, "backup_manifest");
		return;
	}
	/* A restore writes it anew; pg_verifybackup passes it over, too. */
	if (ignored(path))
		return;
	expected++;
	full = fdio_join(root, path);
	if (full == NULL ||
	    fdio_slurp(full, (size_t)2 << 30, &data, &len, &f) != 0) {
		complain(f.text, path);
		free(full);
		return;
	}
	v = wal_crc32c(0, data, len);
	memcpy(crc, &v, sizeof crc);
	text_hex(crc, sizeof crc, hex);
	if (len != size)
		complain("has another size", path);
	else if (strcmp(algorithm, "CRC32C") != 0)
		complain("has an unknown checksum", path);
	else if (strcmp(hex, want) != 0)
		complain("has another checksum", path);
	free(data);
	free(full);
}

int
main(int argc, char **argv)
{
	struct fault f = FAULT_INIT;
	unsigned char *text;
	struct json *root;
	struct json *files;
	struct json *file;
	const char *sum;
	char *path;
	size_t len;
	size_t n;
	size_t i;

	if (argc != 2)
		return 2;
	path = fdio_join(argv[1], "backup_manifest");
	if (path == NULL ||
	    fdio_slurp(path, (size_t)1 << 30, &text, &len, &f) != 0 ||
	    json_parse(&root, "backup_manifest", text, len, &f) != 0 ||
	    json_get_str(root, "Manifest-Checksum", &sum, &f) != 0 ||
	    json_get_array(root, "Files", &files, &n, &f) != 0) {
		fprintf(stderr, "%s\n", f.text);
		return 1;
	}
	check_manifest(text, len, sum);
	for (i = 0; i < n; i++) {
		if (json_at(files, i, &file, &f) != 0)
			complain(f.text, "backup_manifest");
		else
			check_file(argv[1], file);
	}
	root_len = strlen(argv[1]) + 1;
	/* Follows the links of tablespaces. */
	if (nftw(argv[1], count, 32, 0) != 0 || found != expected)
		complain("holds files that the manifest does not know, or not "
			 "all",
		    argv[1]);
	printf("%zu files\n", n);
	json_free(root);
	free(text);
	free(path);
	return bad;
}
