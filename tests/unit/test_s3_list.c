/* Pages of a listing, without a store. */
#include "unit.h"

#include <stdio.h>

#include "s3_list.h"

static int
collect(void *ctx, const struct s3_entry *e, struct fault *f)
{
	(void)f;
	strcat(ctx, e->is_prefix ? "[" : "");
	strcat(ctx, e->key);
	strcat(ctx, e->is_prefix ? "]" : ";");
	return 0;
}

static int
list(struct s3_list_state *l, const char *inner, char *out, struct fault *f)
{
	static char doc[4096];
	struct xml *x;
	int rc;

	out[0] = '\0';
	l->cb = collect;
	l->ctx = out;
	snprintf(
	    doc, sizeof doc, "<ListBucketResult>%s</ListBucketResult>", inner);
	assert_int_equal(xml_parse(&x, doc, strlen(doc), f), 0);
	rc = s3_list_read(l, x, f);
	xml_free(x);
	return rc;
}

#define K(name) "<Contents><Key>" name "</Key><Size>1</Size></Contents>"
#define P(name) "<CommonPrefixes><Prefix>" name "</Prefix></CommonPrefixes>"
#define END "<IsTruncated>false</IsTruncated>"
#define MORE(token)                                                            \
	"<IsTruncated>true</IsTruncated><NextContinuationToken>" token         \
	"</NextContinuationToken>"

static void
a_listing_is_merged_in_order(void **state)
{
	struct s3_list_state l = {.prefix = "p/"};
	struct fault f = FAULT_INIT;
	char out[1000];

	(void)state;
	assert_int_equal(
	    list(&l, P("p/b/") P("p/d/") K("p/a") K("p/c") K("p/e") MORE("t1"),
		out, &f),
	    0);
	assert_string_equal(out, "p/a;[p/b/]p/c;[p/d/]p/e;");
	assert_true(l.more);
	assert_string_equal(l.token, "t1");
	assert_int_equal(
	    list(&l, "<EncodingType>url</EncodingType>" K("p%2Ff+g") END, out,
		&f),
	    0);
	assert_string_equal(out, "p/f g;");
	assert_false(l.more);
	memset(&l, 0, sizeof l);
	l.prefix = "";
	l.start_after = "b";
	assert_int_equal(list(&l, K("a") K("b") K("c") END, out, &f), 0);
	assert_string_equal(out, "c;");
}

static void
a_listing_that_cannot_be_complete_is_corrupt(void **state)
{
	static const char *const bad[] = {
	    K("p/a"), /* is there more? */
	    K("p/a") "<IsTruncated>perhaps</IsTruncated>",
	    K("p/a") "<IsTruncated>true</IsTruncated>",
	    K("p/a") MORE(""),
	    K("p/a") MORE("t0"), /* the page we are on */
	    K("p/b") K("p/a") END,
	    K("p/a") K("p/a") END,
	    K("q/a") END,
	    K("") END,
	    "<Contents><Size>1</Size></Contents>" END,
	    "<Contents><Key>p/a</Key></Contents>" END,
	    "<Contents><Key>p/a</Key><Size>-1</Size></Contents>" END,
	    K("p/0") END, /* before what the last page ended with */
	    "<EncodingType>url</EncodingType>" K("p/%zz") END,
	};
	struct fault f = FAULT_INIT;
	char out[1000];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct s3_list_state l = {.prefix = "p/", .any = true};

		strcpy(l.token, "t0");
		strcpy(l.last, "p/0");
		if (list(&l, bad[i], out, &f) != FAULT_CORRUPT)
			fail_msg("%zu: %s", i, out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_listing_is_merged_in_order),
	    cmocka_unit_test(a_listing_that_cannot_be_complete_is_corrupt),
	};

	return cmocka_run_group_tests_name("s3_list", tests, NULL, NULL);
}
