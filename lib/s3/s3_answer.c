#include "s3_answer.h"

#include <string.h>

#include "clock.h"
#include "text.h"

struct rule {
	const char *code;
	enum fault_code fault;
	enum s3_next next;
	const char *hint; /* NULL: the store's own message */
};

static const struct rule rules[] = {
    /* proofs */
    {"NoSuchKey", FAULT_ABSENT, S3_NEXT_GIVE_UP, "no such object"},
    {"PreconditionFailed", FAULT_EXISTS, S3_NEXT_GIVE_UP, "the name is taken"},
    {"InvalidRange", FAULT_CORRUPT, S3_NEXT_GIVE_UP,
	"the object is shorter than it has to be"},
    /* may pass */
    {"SlowDown", FAULT_AGAIN, S3_NEXT_RETRY, "the store is busy"},
    {"InternalError", FAULT_AGAIN, S3_NEXT_RETRY, NULL},
    {"ServiceUnavailable", FAULT_AGAIN, S3_NEXT_RETRY, NULL},
    {"RequestTimeout", FAULT_AGAIN, S3_NEXT_RETRY, NULL},
    {"RequestLimitExceeded", FAULT_AGAIN, S3_NEXT_RETRY, NULL},
    {"Throttling", FAULT_AGAIN, S3_NEXT_RETRY, NULL},
    {"ThrottlingException", FAULT_AGAIN, S3_NEXT_RETRY, NULL},
    {"OperationAborted", FAULT_AGAIN, S3_NEXT_RETRY, NULL},
    {"ConditionalRequestConflict", FAULT_AGAIN, S3_NEXT_RETRY,
	"somebody else is writing this object"},
    {"IncompleteBody", FAULT_AGAIN, S3_NEXT_RETRY, "cut on the way"},
    {"BadDigest", FAULT_AGAIN, S3_NEXT_RETRY, "damaged on the way"},
    {"XAmzContentSHA256Mismatch", FAULT_AGAIN, S3_NEXT_RETRY,
	"damaged on the way"},
    {"NoSuchUpload", FAULT_AGAIN, S3_NEXT_GIVE_UP,
	"the multipart upload is gone"},
    {"RequestTimeTooSkewed", FAULT_DENIED, S3_NEXT_CLOCK,
	"this host's clock is wrong"},
    /* settings */
    {"NoSuchBucket", FAULT_CONFIG, S3_NEXT_GIVE_UP,
	"there is no such bucket: check url and endpoint"},
    {"InvalidBucketName", FAULT_CONFIG, S3_NEXT_GIVE_UP, "check url"},
    {"NotImplemented", FAULT_CONFIG, S3_NEXT_GIVE_UP,
	"the store cannot do this"},
    {"InvalidStorageClass", FAULT_CONFIG, S3_NEXT_GIVE_UP,
	"check storage_class"},
    {"EntityTooLarge", FAULT_CONFIG, S3_NEXT_GIVE_UP, NULL},
    {"KeyTooLongError", FAULT_CONFIG, S3_NEXT_GIVE_UP, NULL},
    /* refusals */
    {"SignatureDoesNotMatch", FAULT_DENIED, S3_NEXT_GIVE_UP,
	"check secret_access_key"},
    {"InvalidAccessKeyId", FAULT_DENIED, S3_NEXT_GIVE_UP,
	"check access_key_id"},
    {"ExpiredToken", FAULT_DENIED, S3_NEXT_GIVE_UP,
	"the session token has expired"},
    {"InvalidToken", FAULT_DENIED, S3_NEXT_GIVE_UP, "check session_token"},
    {"InvalidObjectState", FAULT_FROZEN, S3_NEXT_GIVE_UP,
	"the object is in an archive storage class: thaw it first, with all "
	"packs of the backup (RestoreObject), then try again"},
    {"QuotaExceeded", FAULT_DENIED, S3_NEXT_GIVE_UP,
	"the store's quota is used up"},
    {"AccountProblem", FAULT_DENIED, S3_NEXT_GIVE_UP, NULL},
};

static void
copy(char *out, size_t size, const char *s)
{
	size_t n = s == NULL ? 0 : strnlen(s, size - 1);

	if (n > 0)
		memcpy(out, s, n);
	out[n] = '\0';
}

/* A store that took long sends blanks first, to keep the connection. */
static void
skip_blanks(const unsigned char **p, size_t *n)
{
	while (*n > 0 && strchr(" \t\r\n", **p) != NULL && **p != '\0')
		++*p, --*n;
}

bool
s3_answer_is_page(const struct http_response *rs)
{
	const unsigned char *p = rs->body;
	size_t n = rs->body_len;

	skip_blanks(&p, &n);
	return n > 0 && *p == '<';
}

void
s3_answer_read(struct s3_answer *a, const struct http_response *rs)
{
	const unsigned char *p = rs->body;
	size_t n = rs->body_len;
	struct fault f = FAULT_INIT;
	const struct xml_node *top;
	struct xml *x;
	int rc;

	memset(a, 0, sizeof *a);
	a->status = rs->status;
	copy(a->region, sizeof a->region, rs->bucket_region);
	copy(a->request_id, sizeof a->request_id, rs->request_id);
	skip_blanks(&p, &n);
	if (n == 0 || *p != '<')
		return;
	rc = xml_parse(&x, p, n, &f);
	if (rc == FAULT_SYSTEM) /* nothing about the answer: say that instead */
		copy(a->message, sizeof a->message, f.text);
	if (rc != 0)
		return;
	top = xml_top(x);
	if (strcmp(xml_root(x), "Error") == 0) {
		copy(a->code, sizeof a->code, xml_text(top, "Code"));
		if (a->code[0] == '\0')
			copy(a->code, sizeof a->code, "Error");
		copy(a->message, sizeof a->message, xml_text(top, "Message"));
		if (a->region[0] == '\0')
			copy(a->region, sizeof a->region,
			    xml_text(top, "Region"));
		if (a->request_id[0] == '\0')
			copy(a->request_id, sizeof a->request_id,
			    xml_text(top, "RequestId"));
	}
	xml_free(x);
}

bool
s3_answer_says(const struct http_response *rs, const char *code)
{
	struct s3_answer a;

	s3_answer_read(&a, rs);
	return strcmp(a.code, code) == 0;
}

static const struct rule *
rule_of(const char *code)
{
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (strcmp(rules[i].code, code) == 0)
			return &rules[i];
	return NULL;
}

/* "repository R: PUT bucket/key: 503 SlowDown (request 1234): HINT" */
static int
say(const struct s3_answer *a, const struct s3_subject *s, enum fault_code code,
    const char *hint, struct fault *f)
{
	bool id = a->request_id[0] != '\0';

	if (hint == NULL)
		hint = a->message;
	return fault_set(f, code,
	    "repository %s: %s %s%s%.300s: %d%s%s%s%s%s%s%s", s->repo,
	    s->method, s->bucket, s->key != NULL ? "/" : "",
	    s->key != NULL ? s->key : "", a->status,
	    a->code[0] != '\0' ? " " : "", a->code, id ? " (request " : "",
	    a->request_id, id ? ")" : "", hint[0] != '\0' ? ": " : "", hint);
}

static int
say_region(
    const struct s3_answer *a, const struct s3_subject *s, struct fault *f)
{
	char hint[160] = "the bucket lives elsewhere: check region and "
			 "endpoint";

	if (a->region[0] == '\0' && a->message[0] != '\0')
		return say(a, s, FAULT_CONFIG, NULL, f);
	if (a->region[0] != '\0') {
		strcpy(hint, "set region = ");
		strcat(hint, a->region);
		strcat(hint, " and the endpoint of that region");
	}
	return say(a, s, FAULT_CONFIG, hint, f);
}

static int
say_denied(
    const struct s3_answer *a, const struct s3_subject *s, struct fault *f)
{
	char hint[160] = "the key may not do this";

	if (s->permission != NULL && strlen(s->permission) < 100) {
		strcpy(hint, "the key needs ");
		strcat(hint, s->permission);
	}
	return say(a, s, FAULT_DENIED, hint, f);
}

static int
judge_code(const struct s3_answer *a, const struct s3_subject *s,
    const struct rule *r, enum s3_next *next, struct fault *f)
{
	/* An upload's, a listing's or a bucket's call does not ask for a key:
	 * there the word proves nothing about one. */
	if (r->fault == FAULT_ABSENT &&
	    (a->status != 404 || s->key == NULL ||
		(strcmp(s->method, "GET") != 0 &&
		    strcmp(s->method, "HEAD") != 0)))
		return say(a, s, FAULT_AGAIN, "unexpected answer", f);
	if (r->fault == FAULT_EXISTS && !s->conditional)
		return say(a, s, FAULT_CORRUPT,
		    "the object was replaced while it was read", f);
	*next = r->next;
	return say(a, s, r->fault, r->hint, f);
}

static int
judge_status(const struct s3_answer *a, const struct s3_subject *s,
    enum s3_next *next, struct fault *f)
{
	switch (a->status) {
	case 301:
	case 302:
	case 308:
		return say_region(a, s, f);
	case 401:
	case 403:
		return say_denied(a, s, f);
	case 404:
		return say(a, s, FAULT_AGAIN,
		    a->message[0] != '\0'
			? a->message
			: "no S3 error code in the answer: is the endpoint an "
			  "S3 store?",
		    f);
	case 412:
		return judge_code(a, s, rule_of("PreconditionFailed"), next, f);
	case 416:
		return judge_code(a, s, rule_of("InvalidRange"), next, f);
	case 501:
	case 505:
		return say(a, s, FAULT_CONFIG, "the store cannot do this", f);
	case 307:
		*next = S3_NEXT_RETRY;
		return say(a, s, FAULT_AGAIN,
		    "redirected, which is not followed: check endpoint", f);
	case 408:
	case 409:
	case 425:
	case 429:
		*next = S3_NEXT_RETRY;
		return say(a, s, FAULT_AGAIN, NULL, f);
	default:
		/* 5xx; and a 200 that carries an error */
		if (a->status >= 500 || a->status < 300)
			*next = S3_NEXT_RETRY;
		return say(a, s, FAULT_AGAIN, NULL, f);
	}
}

int
s3_answer_judge(const struct s3_answer *a, const struct s3_subject *s,
    enum s3_next *next, struct fault *f)
{
	const struct rule *r = rule_of(a->code);

	*next = S3_NEXT_GIVE_UP;
	if (a->status >= 200 && a->status < 300 && a->code[0] == '\0')
		return 0;
	if (r != NULL)
		return judge_code(a, s, r, next, f);
	if (strcmp(a->code, "PermanentRedirect") == 0 ||
	    strcmp(a->code, "AuthorizationHeaderMalformed") == 0 ||
	    strcmp(a->code, "IllegalLocationConstraintException") == 0)
		return say_region(a, s, f);
	return judge_status(a, s, next, f);
}

int
s3_answer_document(const struct http_response *rs, const char *root,
    struct xml **out, struct fault *f)
{
	const unsigned char *p = rs->body;
	size_t n = rs->body_len;
	struct xml *x = NULL;
	int rc;

	skip_blanks(&p, &n);
	if (n == 0)
		return fault_set(
		    f, FAULT_CORRUPT, "empty answer, not a %s", root);
	rc = xml_parse(&x, p, n, f);
	if (rc != 0)
		return rc;
	if (strcmp(xml_root(x), root) != 0) {
		rc = fault_set(f, FAULT_CORRUPT, "answer is a %.64s, not a %s",
		    xml_root(x), root);
		xml_free(x);
		return rc;
	}
	*out = x;
	return 0;
}

/* The number at the start of s; *s is moved behind it. */
static int
number(const char **s, uint64_t *out)
{
	char digits[21];
	size_t n = strspn(*s, "0123456789");

	if (n == 0 || n >= sizeof digits)
		return -1;
	memcpy(digits, *s, n);
	digits[n] = '\0';
	*s += n;
	return text_u64(digits, out);
}

int
s3_answer_range(const char *s, struct s3_range *r)
{
	struct s3_range x;

	if (!text_prefix(s, "bytes "))
		return -1;
	s += 6;
	if (number(&s, &x.first) != 0 || *s++ != '-' ||
	    number(&s, &x.last) != 0 || *s++ != '/' ||
	    number(&s, &x.total) != 0 || *s != '\0')
		return -1;
	if (x.first > x.last || x.last >= x.total)
		return -1;
	*r = x;
	return 0;
}

int64_t
s3_answer_retry_after_ms(const char *s, int64_t now_us)
{
	uint32_t seconds;
	int64_t at;

	if (text_u32(s, &seconds) == 0)
		return (int64_t)seconds * 1000;
	if (clock_parse_http(s, &at) != 0)
		return -1;
	return at > now_us ? (at - now_us) / 1000 : 0;
}

int
s3_answer_deletion(const struct s3_subject *s, const char *code,
    const char *message, struct fault *f)
{
	const struct rule *r = rule_of(code == NULL ? "" : code);
	struct s3_answer a;

	memset(&a, 0, sizeof a);
	a.status = 200;
	copy(a.code, sizeof a.code, code);
	copy(a.message, sizeof a.message, message);
	if (strcmp(a.code, "AccessDenied") == 0)
		return say(&a, s, FAULT_DENIED,
		    "the object is locked, or the key needs s3:DeleteObject",
		    f);
	return say(&a, s, r == NULL ? FAULT_AGAIN : r->fault,
	    r == NULL ? NULL : r->hint, f);
}
