#include "audit_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit_settings.h"
#include "crypto.h"
#include "fdio.h"
#include "json.h"
#include "lock.h"
#include "text.h"

#define STATE_FORMAT 1
#define STATE_MAX (1U << 19)
#define WAIT_MS 10000
#define LOOK_MS 20

/* All that tells one place from another, and the user: what root left could
 * not be read by postgres. */
int
audit_state_path(struct repo *r, size_t i, char **path, struct fault *f)
{
	const struct conf_repo *c = repo_conf(r)->repos[i];
	unsigned char sum[CRYPTO_SHA256];
	struct buf place = BUF_INIT(1U << 16);
	char hex[17];
	int rc;

	rc = c->kind == CONF_STORE_FILE
		 ? buf_printf(&place, f, "file://%s\n", c->path)
		 : buf_printf(&place, f, "%s s3://%s/%s\n", c->endpoint,
		       c->bucket, c->prefix);
	if (rc == 0)
		rc = buf_printf(&place, f, "%s/%llu", repo_cluster(r),
		    (unsigned long long)repo_system_id(r));
	if (rc == 0)
		rc = crypto_sha256(place.data, place.len, sum, f);
	buf_free(&place);
	if (rc != 0)
		return rc;
	text_hex(sum, 8, hex);
	if (asprintf(path, "%s/audit-%s-%lu", repo_conf(r)->spool_dir, hex,
		(unsigned long)geteuid()) < 0)
		return fault_nomem(f);
	return 0;
}

int
audit_state_lock(
    const char *path, int *fd, const struct deadline *d, struct fault *f)
{
	struct deadline wait = deadline_step(d, WAIT_MS);
	char *name, *slash;
	int rc;

	if (asprintf(&name, "%s.lock", path) < 0)
		return fault_nomem(f);
	slash = strrchr(name, '/');
	*slash = '\0';
	/* Were it root's, PostgreSQL's user could not work in it. */
	if (geteuid() != 0)
		(void)mkdir(name, 0700);
	*slash = '/';
	while ((rc = lock_take(name, fd, f)) == FAULT_EXISTS &&
	       !deadline_passed(&wait))
		clock_sleep_ms(LOOK_MS);
	free(name);
	return rc;
}

/* ---- the file ---- */

static int
bad(struct fault *f, const char *path)
{
	return fault_set(f, FAULT_CORRUPT, "%s is damaged", path);
}

static int
take_pending(const struct json *j, struct audit_state *s, struct fault *f)
{
	const char *text;
	int rc = json_get_str(j, "pending", &text, f);

	if (rc != 0 || text[0] == '\0')
		return rc;
	s->pending = malloc(AUDIT_STATE_PENDING);
	if (s->pending == NULL)
		return fault_nomem(f);
	return text_unbase64(
		   text, s->pending, AUDIT_STATE_PENDING, &s->pending_len) == 0
		   ? 0
		   : json_bad("pending", f);
}

/* Of before there is none. */
static int
take_settings(
    const struct json *j, const char *name, char **out, struct fault *f)
{
	const char *text;
	int rc;

	if (!json_has(j, name))
		return 0;
	rc = json_get_str(j, name, &text, f);
	if (rc == 0 && strlen(text) > AUDIT_SETTINGS_MAX)
		return json_bad(name, f);
	if (rc == 0 && (*out = strdup(text)) == NULL)
		return fault_nomem(f);
	return rc;
}

static int
take(const struct json *j, struct audit_state *s, struct fault *f)
{
	int rc;

	if ((rc = json_get_format(j, STATE_FORMAT, f)) != 0 ||
	    (rc = json_get_text(j, "writer", s->writer, sizeof s->writer, f)) !=
		0 ||
	    (rc = json_get_u64(j, "sequence", &s->sequence, f)) != 0 ||
	    (rc = json_get_hex(j, "hash", s->hash, AUDIT_HASH, f)) != 0 ||
	    (rc = layout_check_writer(s->writer, f)) != 0)
		return rc;
	if (s->sequence >= LAYOUT_SEQUENCE_MAX)
		return json_bad("sequence", f);
	if ((rc = take_settings(j, "settings", &s->settings, f)) != 0 ||
	    (rc = take_settings(
		 j, "pending_settings", &s->pending_settings, f)) != 0)
		return rc;
	return take_pending(j, s, f);
}

/* Is it this host's writer? A spool_dir that was copied with a machine would
 * make two hosts write one chain. */
static bool
is_ours(const char *writer, const char *host)
{
	char own[LAYOUT_WRITER];

	layout_new_writer(host, 0, own);
	return strlen(writer) == strlen(own) &&
	       strncmp(writer, own, strlen(own) - 8) == 0;
}

int
audit_state_load(const char *path, const char *host, struct audit_state *out,
    struct fault *f)
{
	struct audit_state s = {.writer = ""};
	unsigned char *text = NULL;
	struct json *j = NULL;
	struct stat st;
	size_t len;
	int rc;

	if (lstat(path, &st) != 0)
		return fault_set(f, FAULT_ABSENT, "%s does not exist", path);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return fault_set(f, FAULT_CORRUPT, "%s is not ours", path);
	if ((rc = fdio_slurp(path, STATE_MAX, &text, &len, f)) != 0)
		return rc;
	if (json_parse(&j, path, text, len, f) != 0 || take(j, &s, f) != 0)
		rc = bad(f, path);
	else if (!is_ours(s.writer, host))
		rc = fault_set(f, FAULT_FOREIGN,
		    "%s is of writer %s, another host's", path, s.writer);
	if (rc == 0)
		*out = s;
	else
		audit_state_free(&s);
	json_free(j);
	free(text);
	return rc;
}

static int
put_settings(
    struct json *j, const char *name, const char *text, struct fault *f)
{
	return text == NULL ? 0 : json_put_str(j, name, text, f);
}

static int
compose(const struct audit_state *s, char **text, size_t *len, struct fault *f)
{
	char *base64 = malloc(4 * ((s->pending_len + 2) / 3) + 1);
	struct json *j = NULL;
	int rc;

	if (base64 == NULL)
		return fault_nomem(f);
	base64[0] = '\0';
	if (s->pending != NULL)
		text_base64(s->pending, s->pending_len, base64);
	if ((rc = json_new(&j, f)) == 0 &&
	    (rc = json_put_i64(j, "format", STATE_FORMAT, f)) == 0 &&
	    (rc = json_put_str(j, "writer", s->writer, f)) == 0 &&
	    (rc = json_put_u64(j, "sequence", s->sequence, f)) == 0 &&
	    (rc = json_put_hex(j, "hash", s->hash, AUDIT_HASH, f)) == 0 &&
	    (rc = json_put_str(j, "pending", base64, f)) == 0 &&
	    (rc = put_settings(j, "settings", s->settings, f)) == 0 &&
	    (rc = put_settings(
		 j, "pending_settings", s->pending_settings, f)) == 0)
		rc = json_dump(j, text, len, f);
	json_free(j);
	free(base64);
	return rc;
}

int
audit_state_save(const char *path, const struct audit_state *s, struct fault *f)
{
	char *text = NULL;
	size_t len;
	int rc = compose(s, &text, &len, f);

	if (rc == 0)
		rc = fdio_atomic_put(path, 0600, text, len, 1, f);
	free(text);
	return rc;
}

void
audit_state_done(struct audit_state *s)
{
	free(s->pending);
	s->pending = NULL;
	s->pending_len = 0;
	free(s->pending_settings);
	s->pending_settings = NULL;
}

void
audit_state_free(struct audit_state *s)
{
	audit_state_done(s);
	free(s->settings);
	s->settings = NULL;
}
