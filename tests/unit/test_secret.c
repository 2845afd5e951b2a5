/* A secret comes from where only its owner can read, and goes wiped. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secret.h"

static struct fault f;
static char path[40];

static void
write_file(const void *data, size_t n, mode_t mode)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
copy_has_a_nul_behind_it(void **state)
{
	struct secret s = SECRET_INIT;
	char big[SECRET_MAX + 1] = {0};

	(void)state;
	assert_int_equal(secret_copy(&s, "key", 3, &f), 0);
	assert_int_equal(s.len, 3);
	assert_string_equal((char *)s.data, "key");
	secret_free(&s);
	assert_null(s.data);
	secret_free(&s);
	assert_int_equal(secret_copy(&s, NULL, 0, &f), 0);
	assert_string_equal((char *)s.data, "");
	secret_free(&s);
	assert_int_equal(secret_copy(&s, big, SECRET_MAX, &f), 0);
	secret_free(&s);
	assert_int_equal(
	    secret_copy(&s, big, SECRET_MAX + 1, &f), FAULT_CONFIG);
	assert_null(s.data);
}

static void
a_file_that_others_may_read_is_refused(void **state)
{
	static const mode_t bad[] = {0644, 0640, 0604, 0620, 0777};
	struct secret s = SECRET_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file("x", 1, bad[i]);
		assert_int_equal(secret_load(&s, path, &f), FAULT_CONFIG);
		assert_non_null(strstr(f.text, "chmod 600"));
		assert_null(s.data);
	}
	write_file("x\n", 2, 0400);
	assert_int_equal(secret_load(&s, path, &f), 0);
	assert_int_equal(s.len, 2);
	secret_free(&s);
	write_file("x\n", 2, 0600);
	assert_int_equal(secret_load(&s, path, &f), 0);
	secret_free(&s);
}

static void
what_is_no_plain_file_is_refused(void **state)
{
	static char big[SECRET_MAX + 1];
	struct secret s = SECRET_INIT;

	(void)state;
	assert_int_equal(secret_load(&s, "/nowhere/x", &f), FAULT_ABSENT);
	assert_int_equal(secret_load(&s, "/tmp", &f), FAULT_CONFIG);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(secret_load(&s, path, &f), FAULT_CONFIG);
	write_file(big, sizeof(big), 0600);
	assert_int_equal(secret_load(&s, path, &f), FAULT_CONFIG);
	write_file(big, SECRET_MAX, 0600);
	assert_int_equal(secret_load(&s, path, &f), 0);
	assert_int_equal(s.len, SECRET_MAX);
	secret_free(&s);
}

static void
a_line_is_a_single_line(void **state)
{
	struct deadline d = deadline_in_ms(20000);
	struct secret s = SECRET_INIT;

	(void)state;
	write_file("pass word\r\n\n", 12, 0600);
	assert_int_equal(secret_load_line(&s, path, &f), 0);
	assert_string_equal((char *)s.data, "pass word");
	secret_free(&s);
	write_file("hunter2\nb\n", 10, 0600);
	assert_int_equal(secret_load_line(&s, path, &f), FAULT_CONFIG);
	assert_null(strstr(f.text, "hunter2"));
	write_file("\n", 1, 0600);
	assert_int_equal(secret_load_line(&s, path, &f), FAULT_CONFIG);
	write_file("a\0b", 3, 0600);
	assert_int_equal(secret_load_line(&s, path, &f), FAULT_CONFIG);
	assert_int_equal(secret_run_line(&s, "echo abc", &d, &f), 0);
	assert_string_equal((char *)s.data, "abc");
	assert_int_equal(s.len, 3);
	secret_free(&s);
	assert_int_equal(secret_run_line(&s, ":", &d, &f), FAULT_CONFIG);
	assert_int_equal(
	    secret_run_line(&s, "echo a; echo b", &d, &f), FAULT_CONFIG);
	assert_null(s.data);
}

static void
comparison_and_wiping(void **state)
{
	unsigned char a[40], b[40];
	size_t i;

	(void)state;
	memset(a, 5, sizeof(a));
	memset(b, 5, sizeof(b));
	assert_true(secret_equal(a, b, sizeof(a)));
	assert_true(secret_equal(NULL, NULL, 0));
	for (i = 0; i < sizeof(a); i++) {
		b[i] ^= 0x80;
		assert_false(secret_equal(a, b, sizeof(a)));
		b[i] ^= 0x80;
	}
	secret_wipe(a, sizeof(a));
	for (i = 0; i < sizeof(a); i++)
		assert_int_equal(a[i], 0);
	secret_wipe(NULL, 0);
}

static void
a_secret_stays_out_of_core_dumps(void **state)
{
	struct secret s = SECRET_INIT;
	char line[256];
	unsigned long from, to, at;
	int inside = 0, found = 0;
	FILE *p;

	(void)state;
	assert_int_equal(secret_copy(&s, "key", 3, &f), 0);
	at = (unsigned long)(uintptr_t)s.data;
	p = fopen("/proc/self/smaps", "r");
	assert_non_null(p);
	while (fgets(line, sizeof(line), p) != NULL) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from <= at && at < to;
		if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, " dd") != NULL;
	}
	fclose(p);
	assert_true(found);
	secret_free(&s);
}

static int
begin(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/pitrkit-secret.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int
end(void **state)
{
	(void)state;
	return unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(copy_has_a_nul_behind_it),
	    cmocka_unit_test(a_file_that_others_may_read_is_refused),
	    cmocka_unit_test(what_is_no_plain_file_is_refused),
	    cmocka_unit_test(a_line_is_a_single_line),
	    cmocka_unit_test(comparison_and_wiping),
	    cmocka_unit_test(a_secret_stays_out_of_core_dumps),
	};

	return cmocka_run_group_tests_name("secret", tests, begin, end);
}
