/* A worker that has no descriptors left: who calls is told so, and nothing runs
 * in circles meanwhile. */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "relay.h"

#define LIMIT 64
#define TICKS 6
/* So many rounds take this long, however quick the machine is. */
#define TICKS_MS 200
#define FOR_EVER_MS 60000

static char name[WIRE_NAME];
static struct fault f;

/* ---- the worker, a process of its own ---- */

struct worker {
	int out;  /* each TICKS rounds: 's' when they took their time, or 'q' */
	int last; /* let go then; -1: none */
	int ticks;
	int64_t began_ms;
};

static bool
tick(void *ctx)
{
	struct worker *w = ctx;
	int64_t now = clock_monotonic_ms();
	char say;

	if (w->ticks++ % TICKS != 0)
		return true;
	if (w->ticks > 1) {
		say = now - w->began_ms >= TICKS_MS ? 's' : 'q';
		if (w->last >= 0)
			close(w->last);
		w->last = -1;
		if (write(w->out, &say, 1) != 1)
			return false;
	}
	w->began_ms = now;
	return true;
}

static void
declines(void *ctx, struct relay_call *c)
{
	(void)ctx;
	relay_call_decline(c);
}

static void
finished(void *ctx, void *job)
{
	(void)ctx;
	(void)job;
}

static void
nothing(void *ctx, size_t i, void *job)
{
	(void)ctx;
	(void)i;
	(void)job;
}

/* left: so many descriptors may be opened when it begins. */
static void
serves(int listener, int left, int out)
{
	struct worker w = {.out = out, .last = -1};
	const struct relay_service service = {
	    &w, declines, declines, finished, tick};
	const struct rlimit limit = {LIMIT, LIMIT};
	struct relay_pool *pool;
	int fd;

	if (relay_pool_new(&pool, 1, nothing, NULL, &f) != 0 ||
	    setrlimit(RLIMIT_NOFILE, &limit) != 0)
		_exit(1);
	while ((fd = dup(listener)) >= 0)
		w.last = fd;
	for (; left > 0; left--)
		close(w.last--);
	relay_serve(listener, pool, &service);
	_exit(0);
}

/* ---- those who call it ---- */

struct world {
	int listener;
	int heard; /* what the worker says */
	pid_t worker;
};

static int
setup(void **state)
{
	static struct world w;
	struct sockaddr_un a;
	socklen_t len;

	snprintf(name, sizeof(name), "pitrkit-test-%d", (int)getpid());
	len = wire_address(name, &a);
	w.worker = -1;
	w.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(w.listener >= 0);
	assert_int_equal(bind(w.listener, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(w.listener, 4), 0);
	*state = &w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	close(w->heard);
	if (w->worker > 0) {
		kill(w->worker, SIGKILL);
		waitpid(w->worker, NULL, 0);
	}
	return 0;
}

static void
works(struct world *w, int left)
{
	int p[2];

	assert_int_equal(pipe(p), 0);
	w->worker = fork();
	assert_true(w->worker >= 0);
	if (w->worker == 0)
		serves(w->listener, left, p[1]);
	close(p[1]);
	close(w->listener);
	w->heard = p[0];
}

static int
calls(void)
{
	struct wire_request rq = {.magic = WIRE_MAGIC};
	size_t n = offsetof(struct wire_request, text);
	int s = wire_connect(name);

	assert_true(s >= 0);
	/* He may have been turned away before he has spoken. */
	assert_true(send(s, &rq, n, MSG_NOSIGNAL) == (ssize_t)n ||
		    errno == EPIPE || errno == ECONNRESET);
	return s;
}

/* What comes of it; 0: the end of the connection, as when it was turned away.
 */
static uint32_t
answer(int s)
{
	struct pollfd p = {.fd = s, .events = POLLIN};
	struct wire_answer a = {.kind = 0};

	assert_int_equal(poll(&p, 1, FOR_EVER_MS), 1);
	if (recv(s, &a, sizeof(a), 0) <= 0)
		a.kind = 0;
	close(s);
	return a.kind;
}

static char
hears(const struct world *w)
{
	char said = 0;

	assert_int_equal(read(w->heard, &said, 1), 1);
	return said;
}

static void
a_caller_is_answered(void **state)
{
	works(*state, 8);
	assert_int_equal(answer(calls()), WIRE_DECLINED);
	assert_int_equal(answer(calls()), WIRE_DECLINED);
}

static void
without_descriptors_he_is_turned_away_at_once(void **state)
{
	struct world *w = *state;

	works(w, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(answer(calls()), 0);
	/* One is let go. */
	(void)hears(w);
	assert_int_equal(answer(calls()), WIRE_DECLINED);
}

/* It once ran in circles until somebody gave up, a processor's whole time. */
static void
and_where_not_even_that_can_be_done_nothing_spins(void **state)
{
	struct world *w = *state;
	int s = calls();

	works(w, 0);
	assert_int_equal(hears(w), 's');
	/* One was let go. */
	assert_int_equal(answer(s), WIRE_DECLINED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_caller_is_answered, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		without_descriptors_he_is_turned_away_at_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		and_where_not_even_that_can_be_done_nothing_spins, setup,
		teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
