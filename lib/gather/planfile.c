#include "planfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto.h"
#include "text.h"

static int
io_fault(const struct planfile *p, const char *what, struct fault *f)
{
	return fault_errno(f, errno, "%s: %s", p->name, what);
}

int
planfile_temporary(struct planfile *p, const char *dir, struct fault *f)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	memset(p, 0, sizeof *p);
	p->name = "the plan's temporary file";
	if (fd < 0)
		fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	p->fp = fd >= 0 ? fdopen(fd, "w+") : NULL;
	if (p->fp != NULL)
		return 0;
	if (fd >= 0)
		close(fd);
	return io_fault(p, "cannot be made", f);
}

int
planfile_open(struct planfile *p, const char *path, struct fault *f)
{
	memset(p, 0, sizeof *p);
	p->name = path;
	p->fp = fopen(path, "re");
	if (p->fp != NULL)
		return 0;
	if (errno == ENOENT)
		return fault_set(f, FAULT_CONFIG,
		    "%s: no such plan; retention-prune --plan makes one", path);
	return io_fault(p, "cannot be read", f);
}

void
planfile_close(struct planfile *p)
{
	if (p->fp != NULL)
		fclose(p->fp);
	free(p->text);
	p->fp = NULL;
	p->text = NULL;
}

/* Each line goes into the sum together with the sum so far. */
static int
add_sum(struct planfile *p, const char *line, size_t len, struct fault *f)
{
	unsigned char all[32 + PLANFILE_LINE];

	if (len > PLANFILE_LINE)
		return fault_set(f, FAULT_CONFIG, "%s: line %lu is too long",
		    p->name, p->at);
	memcpy(all, p->sum, 32);
	memcpy(all + 32, line, len);
	return crypto_sha256(all, 32 + len, p->sum, f);
}

int
planfile_put(struct planfile *p, struct json *j, struct fault *f)
{
	char *text = NULL;
	size_t len;
	int rc = json_dump(j, &text, &len, f);

	json_free(j);
	if (rc == 0)
		rc = add_sum(p, text, len, f);
	if (rc == 0 && fwrite(text, 1, len, p->fp) != len)
		rc = io_fault(p, "cannot be written", f);
	free(text);
	return rc;
}

int
planfile_put_delete(struct planfile *p, const char *key, uint64_t size,
    int64_t modified_us, const char *rule, struct fault *f)
{
	struct json *j;
	int rc = json_new(&j, f);

	if (rc != 0)
		return rc;
	if ((rc = json_put_str(j, "line", "delete", f)) != 0 ||
	    (rc = json_put_str(j, "key", key, f)) != 0 ||
	    (rc = json_put_u64(j, "size", size, f)) != 0 ||
	    (rc = json_put_i64(j, "modified_us", modified_us, f)) != 0 ||
	    (rc = json_put_str(j, "rule", rule, f)) != 0) {
		json_free(j);
		return rc;
	}
	p->deletes++;
	p->bytes += size;
	return planfile_put(p, j, f);
}

int
planfile_put_end(struct planfile *p, struct fault *f)
{
	struct json *j;
	char sum[65];
	int rc = json_new(&j, f);

	if (rc != 0)
		return rc;
	text_hex(p->sum, 32, sum);
	if ((rc = json_put_str(j, "line", "end", f)) != 0 ||
	    (rc = json_put_u64(j, "objects", p->deletes, f)) != 0 ||
	    (rc = json_put_u64(j, "bytes", p->bytes, f)) != 0 ||
	    (rc = json_put_str(j, "sum", sum, f)) != 0) {
		json_free(j);
		return rc;
	}
	rc = planfile_put(p, j, f);
	if (rc == 0 && fflush(p->fp) != 0)
		rc = io_fault(p, "cannot be written", f);
	return rc;
}

int
planfile_rewind(struct planfile *p, struct fault *f)
{
	memset(p->sum, 0, sizeof p->sum);
	p->deletes = p->bytes = p->changes = p->moves = 0;
	p->at = 0;
	if (fseek(p->fp, 0, SEEK_SET) != 0)
		return io_fault(p, "cannot be read again", f);
	return 0;
}

static int
bad(const struct planfile *p, const char *why, struct fault *f)
{
	return fault_set(
	    f, FAULT_CONFIG, "%s: line %lu: %s", p->name, p->at, why);
}

static int
check_end(struct planfile *p, const struct json *j, struct fault *f)
{
	const char *sum;
	uint64_t objects, bytes;
	char own[65];

	text_hex(p->sum, 32, own);
	if (json_get_str(j, "sum", &sum, f) != 0 ||
	    json_get_u64(j, "objects", &objects, f) != 0 ||
	    json_get_u64(j, "bytes", &bytes, f) != 0)
		return bad(p, "the end of the plan is not readable", f);
	if (strcmp(sum, own) != 0 || objects != p->deletes || bytes != p->bytes)
		return bad(p, "the plan was changed after it was made", f);
	if (fgetc(p->fp) != EOF)
		return bad(p, "something follows the end of the plan", f);
	return 0;
}

/* Totals are counted on the way. */
static int
count(struct planfile *p, const struct json *j, struct fault *f)
{
	uint64_t size;

	if (json_get_u64(j, "size", &size, f) != 0 ||
	    size > UINT64_MAX - p->bytes)
		return bad(p, "an object without a size", f);
	p->deletes++;
	p->bytes += size;
	return 0;
}

int
planfile_next(
    struct planfile *p, struct json **j, const char **line, struct fault *f)
{
	ssize_t len;
	int rc;

	p->at++;
	errno = 0;
	len = getline(&p->text, &p->cap, p->fp);
	if (len < 0)
		return errno != 0 ? io_fault(p, "cannot be read", f)
				  : bad(p, "the plan ends too early", f);
	if (len > PLANFILE_LINE ||
	    json_parse(j, "line", p->text, (size_t)len, f) != 0)
		return bad(p, "not a line of a plan", f);
	if (json_get_str(*j, "line", line, f) != 0)
		rc = bad(p, "not a line of a plan", f);
	else if (strcmp(*line, "end") == 0)
		rc = check_end(p, *j, f);
	else if ((rc = add_sum(p, p->text, (size_t)len, f)) == 0 &&
		 strcmp(*line, "delete") == 0)
		rc = count(p, *j, f);
	else if (rc == 0 &&
		 (strcmp(*line, "lock") == 0 || strcmp(*line, "abort") == 0))
		p->changes++;
	else if (rc == 0 && strcmp(*line, "move") == 0)
		p->moves++;
	if (rc != 0 || strcmp(*line, "end") == 0) {
		json_free(*j);
		*j = NULL;
	}
	return rc;
}
