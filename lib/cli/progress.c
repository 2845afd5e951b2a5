#include "progress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "text.h"

#define REDRAW_MS 200
#define BAR_MAX 40U

struct progress {
	const char *what;
	int64_t start_ms;
	atomic_uint_fast64_t done;
	atomic_uint_fast64_t total;
	pthread_mutex_t drawing;
	int64_t drawn_ms; /* under the mutex */
};

static void
bar(char *out, size_t width, double part)
{
	size_t full = (size_t)((double)width * part);

	memset(out, '#', full);
	memset(out + full, '.', width - full);
	out[width] = '\0';
}

static void
known_total(char *out, size_t cap, const char *what, uint64_t done,
    uint64_t total, const char *rate, int64_t left_ms, unsigned columns)
{
	char d[16], t[16], left[24], tail[120], mark[BAR_MAX + 1];
	double part = (double)done / (double)total;
	size_t used, width;

	if (part > 1)
		part = 1;
	text_human_size(done, d);
	text_human_size(total, t);
	text_human_duration(left_ms, left);
	snprintf(tail, sizeof(tail), "%s / %s  %3.0f%%  %s/s  %s left", d, t,
	    part * 100, rate, left_ms < 0 ? "?" : left);
	/* What is left of the line is the bar's. */
	used = strlen(what) + strlen(tail) + 5;
	width = columns > used ? columns - used : 0;
	if (width > BAR_MAX)
		width = BAR_MAX;
	if (width < 8)
		snprintf(out, cap, "%s %s", what, tail);
	else {
		bar(mark, width, part);
		snprintf(out, cap, "%s [%s] %s", what, mark, tail);
	}
}

void
progress_format(char *out, size_t cap, const char *what, uint64_t done,
    uint64_t total, int64_t elapsed_ms, unsigned columns)
{
	double rate =
	    elapsed_ms > 0 ? (double)done * 1000 / (double)elapsed_ms : 0;
	char r[16], d[16];
	double left = -1;

	text_human_size(rate < 1e18 ? (uint64_t)rate : 0, r);
	if (total == 0) {
		text_human_size(done, d);
		snprintf(out, cap, "%s %s  %s/s", what, d, r);
	} else {
		if (rate >= 1)
			left = total > done
				   ? (double)(total - done) / rate * 1000
				   : 0;
		known_total(out, cap, what, done, total, r,
		    left < 1e15 ? (int64_t)left : -1, columns);
	}
	/* A line that wraps could not be drawn over. */
	if (columns > 1 && strlen(out) >= columns)
		out[columns - 1] = '\0';
}

/* Nothing to do about a terminal that does not take it. */
static void
show(const char *s)
{
	ssize_t r = write(STDERR_FILENO, s, strlen(s));

	(void)r;
}

static void
draw(const struct progress *p, int64_t now)
{
	struct winsize w;
	char line[256] = "\r", text[240];
	unsigned columns = 80;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
		columns = w.ws_col;
	progress_format(text, sizeof(text), p->what, atomic_load(&p->done),
	    atomic_load(&p->total), now - p->start_ms, columns);
	snprintf(line, sizeof(line), "\r%s\033[K", text);
	show(line);
}

int
progress_start(struct progress **out, const char *what, uint64_t total,
    bool wanted, struct fault *f)
{
	struct progress *p;

	if (!wanted || !isatty(STDERR_FILENO)) {
		*out = NULL;
		return 0;
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return fault_nomem(f);
	p->what = what;
	p->start_ms = clock_monotonic_ms();
	atomic_init(&p->done, 0);
	atomic_init(&p->total, total);
	if (pthread_mutex_init(&p->drawing, NULL) != 0) {
		free(p);
		return fault_nomem(f);
	}
	log_live(1);
	draw(p, p->start_ms);
	p->drawn_ms = p->start_ms;
	*out = p;
	return 0;
}

void
progress_total(struct progress *p, uint64_t total)
{
	if (p != NULL)
		atomic_store(&p->total, total);
}

/* Whoever finds another one drawing goes on with its work. */
void
progress_add(struct progress *p, uint64_t bytes)
{
	int64_t now;

	if (p == NULL)
		return;
	atomic_fetch_add(&p->done, bytes);
	if (pthread_mutex_trylock(&p->drawing) != 0)
		return;
	now = clock_monotonic_ms();
	if (now - p->drawn_ms >= REDRAW_MS) {
		draw(p, now);
		p->drawn_ms = now;
	}
	pthread_mutex_unlock(&p->drawing);
}

void
progress_end(struct progress *p)
{
	if (p == NULL)
		return;
	log_live(0);
	show("\r\033[K");
	pthread_mutex_destroy(&p->drawing);
	free(p);
}
