/* Listings of versions and of uploads, page by page. */
#include <stdio.h>

#include "s3_marks.h"
#include "unit.h"

struct seen {
	char text[200];
	int stop;
};

static int
see(void *ctx, const char *key, const char *id, const struct xml_node *n,
    struct fault *f)
{
	struct seen *s = ctx;
	size_t at = strlen(s->text);

	(void)f;
	assert_non_null(n);
	snprintf(s->text + at, sizeof s->text - at, "%s=%s ", key, id);
	return s->stop;
}

static struct s3_marks
marks(void)
{
	return (struct s3_marks){.what = "listing of uploads",
	    .prefix = "p/",
	    .id = "UploadId",
	    .next_id = "NextUploadIdMarker"};
}

static int
page(struct s3_marks *m, const char *text, struct seen *s)
{
	struct fault f = FAULT_INIT;
	struct xml *x;
	int rc;

	s->text[0] = '\0';
	assert_int_equal(xml_parse(&x, text, strlen(text), &f), 0);
	rc = s3_marks_entries(m, x, "Upload", see, s, &f);
	if (rc == 0)
		rc = s3_marks_end(m, x, &f);
	if (rc == FAULT_CORRUPT)
		assert_non_null(strstr(f.text, "listing of uploads: "));
	xml_free(x);
	return rc;
}

#define U(key, id)                                                             \
	"<Upload><Key>" key "</Key><UploadId>" id "</UploadId></Upload>"
#define NEXT(key, id)                                                          \
	"<IsTruncated>true</IsTruncated><NextKeyMarker>" key                   \
	"</NextKeyMarker><NextUploadIdMarker>" id "</NextUploadIdMarker>"

static void
pages_follow_each_other(void **state)
{
	struct s3_marks m = marks();
	struct seen s = {"", 0};

	(void)state;
	assert_int_equal(
	    page(&m, "<L>" U("p/a", "1") U("p/a", "2") NEXT("p/a", "2") "</L>",
		&s),
	    0);
	assert_string_equal(s.text, "p/a=1 p/a=2 ");
	assert_true(m.more);
	assert_string_equal(m.key, "p/a");
	assert_string_equal(m.mark, "2");
	assert_int_equal(page(&m,
			     "<L><EncodingType>url</EncodingType>" U(
				 "p/%20%2b", "3+") NEXT("p/c%2Fd", "3+") "</L>",
			     &s),
	    0);
	assert_string_equal(s.text, "p/ +=3+ ");
	assert_string_equal(m.key, "p/c/d");
	assert_string_equal(m.mark, "3+");
	assert_int_equal(
	    page(&m, "<L><IsTruncated>false</IsTruncated></L>", &s), 0);
	assert_false(m.more);
	s.stop = FAULT_AGAIN;
	assert_int_equal(page(&m, "<L>" U("p/a", "1") U("p/b", "1") "</L>", &s),
	    FAULT_AGAIN);
	assert_string_equal(s.text, "p/a=1 ");
}

static void
answers_that_lie_are_refused(void **state)
{
	static const char *const bad[] = {
	    "<L/>", "<L><IsTruncated>perhaps</IsTruncated></L>",
	    "<L><IsTruncated>true</IsTruncated></L>",
	    "<L>" U("q/a", "1") "<IsTruncated>false</IsTruncated></L>",
	    "<L>" U("p/a", "") "<IsTruncated>false</IsTruncated></L>",
	    "<L><Upload><UploadId>1</UploadId></Upload>"
	    "<IsTruncated>false</IsTruncated></L>",
	    "<L><EncodingType>url</EncodingType>" U(
		"p/%zz", "1") "<IsTruncated>false</IsTruncated></L>",
	    "<L>" NEXT("p/m", "5") "</L>", /* the same again */
	    "<L>" NEXT("p/l", "6") "</L>", /* back */
	};
	struct seen s = {"", 0};
	char *text = malloc(8192);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct s3_marks m = marks();

		strcpy(m.key, "p/m");
		strcpy(m.mark, "5");
		assert_int_equal(page(&m, bad[i], &s), FAULT_CORRUPT);
	}
	/* A name that is too long. */
	struct s3_marks m = marks();

	snprintf(text, 8192,
	    "<L><Upload><Key>p/%04000d</Key><UploadId>1</UploadId></Upload>"
	    "<IsTruncated>false</IsTruncated></L>",
	    1);
	assert_int_equal(page(&m, text, &s), FAULT_CORRUPT);
	free(text);
}

static void
going_in_circles_ends(void **state)
{
	struct s3_marks m = marks();
	struct seen s = {"", 0};
	unsigned n = 0;

	(void)state;
	/* Two pages of one key, each of which says that the other follows. */
	while (page(&m,
		   n % 2 == 0 ? "<L>" NEXT("p/a", "1") "</L>"
			      : "<L>" NEXT("p/a", "2") "</L>",
		   &s) == 0)
		assert_true(++n <= S3_MARKS_SAME + 1);
	assert_true(n >= S3_MARKS_SAME);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pages_follow_each_other),
	    cmocka_unit_test(answers_that_lie_are_refused),
	    cmocka_unit_test(going_in_circles_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
