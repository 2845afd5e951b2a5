#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdio.h"
#include "proc.h"

/* A secret has pages of its own: advice and locks work on pages. The head
 * keeps the mapping's size, whatever becomes of len. */
union head {
	size_t mapped;
	max_align_t align;
};

/* Locking fails where RLIMIT_MEMLOCK is used up, the advice on old kernels:
 * then we go on, for a backup that does not run helps nobody. */
static unsigned char *
allocate(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size;
	union head *h;

	if (n > SIZE_MAX - sizeof(*h) - page)
		return NULL;
	size = (n + sizeof(*h) + page - 1) / page * page;
	h = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (h == MAP_FAILED)
		return NULL;
	(void)madvise(h, size, MADV_DONTDUMP);
	(void)mlock(h, size);
	h->mapped = size;
	return (unsigned char *)(h + 1);
}

static void
release(unsigned char *p)
{
	union head *h;
	size_t size;

	if (p == NULL)
		return;
	h = (union head *)(void *)(p - sizeof(*h));
	size = h->mapped;
	explicit_bzero(h, size);
	munmap(h, size);
}

int
secret_copy(struct secret *s, const void *data, size_t n, struct fault *f)
{
	unsigned char *p;

	if (n > SECRET_MAX)
		return fault_set(f, FAULT_CONFIG,
		    "a secret is longer than %d bytes", SECRET_MAX);
	p = allocate(n + 1);
	if (p == NULL)
		return fault_nomem(f);
	if (n > 0)
		memcpy(p, data, n);
	p[n] = '\0';
	s->data = p;
	s->len = n;
	return 0;
}

/* Not to wait for a writer when it is a FIFO. */
static int
open_checked(const char *path, int *fd, struct fault *f)
{
	struct stat st;
	int p, e;

	do
		p = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	while (p < 0 && errno == EINTR);
	if (p < 0) {
		e = errno;
		fault_errno(f, e, "%s", path);
		if (e == EACCES)
			return fault_recode(f, FAULT_DENIED);
		return e == ENOENT ? fault_recode(f, FAULT_ABSENT)
				   : FAULT_SYSTEM;
	}
	if (fstat(p, &st) != 0)
		fault_errno(f, errno, "%s", path);
	else if (!S_ISREG(st.st_mode))
		fault_set(f, FAULT_CONFIG, "%s: not a regular file", path);
	else if ((st.st_mode & 077) != 0)
		fault_set(f, FAULT_CONFIG,
		    "%s: holds a secret, but its mode is %04o; "
		    "take it from group and others (chmod 600)",
		    path, (unsigned)(st.st_mode & 07777));
	else {
		*fd = p;
		return 0;
	}
	close(p);
	return (int)f->code;
}

int
secret_load(struct secret *s, const char *path, struct fault *f)
{
	unsigned char *p;
	size_t got;
	int fd = -1, r;

	r = open_checked(path, &fd, f);
	if (r != 0)
		return r;
	p = allocate(SECRET_MAX + 1);
	if (p == NULL) {
		close(fd);
		return fault_nomem(f);
	}
	r = fdio_read(fd, path, p, SECRET_MAX + 1, &got, f);
	if (r == 0 && got > SECRET_MAX)
		r = fault_set(f, FAULT_CONFIG, "%s: longer than %d bytes", path,
		    SECRET_MAX);
	/* The big area goes at once: locked memory is scarce. */
	if (r == 0)
		r = secret_copy(s, p, got, f);
	release(p);
	close(fd);
	return r;
}

/* s: without the newlines at the end of the n bytes at p. */
static int
copy_line(struct secret *s, const unsigned char *p, size_t n, struct fault *f)
{
	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	if (n == 0)
		return fault_set(f, FAULT_CONFIG, "gives an empty secret");
	if (memchr(p, '\n', n) != NULL || memchr(p, '\0', n) != NULL)
		return fault_set(
		    f, FAULT_CONFIG, "gives more than a single line");
	return secret_copy(s, p, n, f);
}

int
secret_load_line(struct secret *s, const char *path, struct fault *f)
{
	struct secret all = SECRET_INIT;
	int r;

	r = secret_load(&all, path, f);
	if (r != 0)
		return r;
	r = copy_line(s, all.data, all.len, f);
	if (r != 0)
		fault_prefix(f, "%s", path);
	secret_free(&all);
	return r;
}

int
secret_run_line(struct secret *s, const char *command, const struct deadline *d,
    struct fault *f)
{
	unsigned char *out;
	size_t n;
	int r;

	r = proc_output(command, SECRET_MAX, d, &out, &n, f);
	if (r != 0)
		return r;
	r = copy_line(s, out, n, f);
	if (r != 0)
		fault_prefix(f, "the command");
	secret_wipe(out, n);
	free(out);
	return r;
}

void
secret_free(struct secret *s)
{
	release(s->data);
	s->data = NULL;
	s->len = 0;
}

void
secret_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

/* The barrier keeps the compiler from leaving the loop early. */
bool
secret_equal(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;
	unsigned diff = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		diff |= (unsigned)(x[i] ^ y[i]);
		__asm__ volatile("" : "+r"(diff));
	}
	return diff == 0;
}
