#include "archive_spare.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define SPARE_MAX 32

struct spare {
	unsigned char *data;
	size_t cap;
	size_t written;
};

struct archive_spare {
	pthread_mutex_t lock;
	size_t most;
	size_t total; /* written, of what is kept */
	struct spare kept[SPARE_MAX];
	size_t n;
};

int
archive_spare_new(struct archive_spare **out, size_t most, struct fault *f)
{
	struct archive_spare *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return fault_nomem(f);
	pthread_mutex_init(&s->lock, NULL);
	s->most = most;
	*out = s;
	return 0;
}

void
archive_spare_free(struct archive_spare *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		free(s->kept[i].data);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* The last one that came, whose pages are still in the processors' caches. */
size_t
archive_spare_take(struct archive_spare *s, size_t need, struct buf *b)
{
	size_t written = 0;

	pthread_mutex_lock(&s->lock);
	for (size_t i = s->n; i > 0; i--) {
		struct spare *x = &s->kept[i - 1];

		/* A large one is not for a small file. */
		if (x->cap < need || x->cap / 2 > need)
			continue;
		b->data = x->data;
		b->cap = x->cap;
		written = x->written;
		s->total -= written;
		for (s->n--; i - 1 < s->n; i++, x++)
			*x = x[1];
		break;
	}
	pthread_mutex_unlock(&s->lock);
	return written;
}

void
archive_spare_give(struct archive_spare *s, struct buf *b, size_t taken)
{
	const size_t written = b->len > taken ? b->len : taken;
	bool keep;

	pthread_mutex_lock(&s->lock);
	keep = b->data != NULL && s->n < SPARE_MAX &&
	       written <= s->most / ARCHIVE_SPARE_SHARE &&
	       s->total + written <= s->most;
	if (keep) {
		s->total += written;
		s->kept[s->n++] = (struct spare){b->data, b->cap, written};
	}
	pthread_mutex_unlock(&s->lock);
	if (keep)
		buf_init(b, b->limit);
	else
		buf_free(b);
}
