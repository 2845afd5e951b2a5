/* Answers of a store: plain elements, no tricks. */
#include "unit.h"

#include "xml.h"

static struct fault f;

static int
parse(const char *s, struct xml **x)
{
	*x = NULL;
	return xml_parse(x, s, strlen(s), &f);
}

static void
a_listing_is_read(void **state)
{
	const struct xml_node *n;
	struct xml *x;

	(void)state;
	assert_int_equal(
	    parse("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		  "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/\">"
		  "<Name>b</Name><Prefix/>\n"
		  "<Contents><Key>a&amp;b&#x41;</Key><Size>1</Size></Contents>"
		  "<Other><Key>no</Key></Other>"
		  "<Contents><Key>c</Key></Contents></ListBucketResult>",
		&x),
	    0);
	assert_string_equal(xml_root(x), "ListBucketResult");
	assert_string_equal(xml_text(xml_top(x), "Name"), "b");
	assert_string_equal(xml_text(xml_top(x), "Prefix"), "");
	assert_null(xml_text(xml_top(x), "Marker"));
	/* Elements inside: no text. */
	assert_null(xml_text(xml_top(x), "Contents"));
	n = xml_child(xml_top(x), "Contents");
	assert_string_equal(xml_text(n, "Key"), "a&bA");
	assert_string_equal(xml_text(n, "Size"), "1");
	n = xml_next(n);
	assert_string_equal(xml_text(n, "Key"), "c");
	assert_null(xml_text(n, "Size"));
	n = xml_next(n);
	assert_null(n);
	assert_null(xml_next(n));
	assert_null(xml_child(n, "x"));
	assert_null(xml_text(n, "x"));
	xml_free(x);
	xml_free(NULL);
}

static void
text_is_in_one_piece(void **state)
{
	struct xml *x;

	(void)state;
	assert_int_equal(parse("<s:R xmlns:s='u'><s:K>a<!-- c -->b<?pi x?>"
			       "<![CDATA[<&c>]]>d&lt;</s:K></s:R>",
			     &x),
	    0);
	assert_string_equal(xml_root(x), "R");
	assert_string_equal(xml_text(xml_top(x), "K"), "ab<&c>d<");
	xml_free(x);
}

static void
what_is_not_well_formed_is_refused(void **state)
{
	static const char *const bad[] = {"", " ", "x", "<a>", "<a></b>",
	    "<a/><b/>", "<a/>x", "<a b/>", "<a>&nbsp;</a>", "<a>\x01</a>",
	    "<a>\xff</a>", "<html><br></html>", "{\"a\":1}"};
	struct xml *x;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i], &x), FAULT_CORRUPT);
		assert_null(x);
	}
	assert_int_equal(
	    xml_parse(&x, "<a/>", (size_t)XML_MAX + 1, &f), FAULT_CORRUPT);
	/* A NUL, and what follows it. */
	assert_int_equal(xml_parse(&x, "<a/>\0<b/>", 9, &f), FAULT_CORRUPT);
	assert_null(x);
}

static void
a_dtd_is_refused_before_it_is_read(void **state)
{
	static const char *const bad[] = {"<!DOCTYPE a><a/>",
	    "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
	    "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
	    "<a>&x;</a>",
	    "<!DOCTYPE a [<!ENTITY x \"ha\"><!ENTITY y \"&x;&x;\">]>"
	    "<a>&y;</a>",
	    "<?xml version='1.0'?><!-- c --><!DOCTYPE a PUBLIC \"p\" "
	    "\"http://127.0.0.1:1/\"><a/>"};
	struct xml *x;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i], &x), FAULT_CORRUPT);
		assert_null(x);
	}
}

static void
depth_has_a_limit(void **state)
{
	static char deep[30001];
	struct xml *x;
	size_t i;

	(void)state;
	for (i = 0; i < 30000; i += 3)
		memcpy(deep + i, "<a>", 3);
	assert_int_equal(parse(deep, &x), FAULT_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_listing_is_read),
	    cmocka_unit_test(text_is_in_one_piece),
	    cmocka_unit_test(what_is_not_well_formed_is_refused),
	    cmocka_unit_test(a_dtd_is_refused_before_it_is_read),
	    cmocka_unit_test(depth_has_a_limit),
	};

	return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
