/* signal.c - stop on a signal.  See signal.h. */
#include "signal.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

#define TMP_SLOTS 32
#define BEFORE_DEATH 2		/* the frame's, and the tool's */

static const char *volatile tmp[TMP_SLOTS];
static sig_atomic_t pending;	/* read by every thread: atomic */
static volatile sig_atomic_t deferred;
static __thread const bool *abandoned;
static int wake = -1;
static void (*volatile before_death[BEFORE_DEATH])(void);
static const int caught[] = { SIGINT, SIGTERM, SIGHUP };
#define N_CAUGHT (sizeof caught / sizeof caught[0])

void lh_signal_unlink(void)
{
	for (size_t i = 0; i < TMP_SLOTS; i++)
		if (tmp[i])
			unlink(tmp[i]);
}

void lh_signal_before_death(void (*call)(void))
{
	size_t i;

	for (i = 0; i < BEFORE_DEATH - 1 && before_death[i] && before_death[i] != call; i++)
		;
	before_death[i] = call;
}

static void clear_up(void)
{
	size_t i;

	for (i = 0; i < BEFORE_DEATH; i++)
		if (before_death[i])
			before_death[i]();
	lh_signal_unlink();
}

void lh_signal_exit(int status)
{
	clear_up();
	_exit(status);
}

void lh_signal_die(int sig)
{
	sigset_t set;

	clear_up();
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	_exit(128 + sig);
}

/* Make the wake descriptor readable, if there is one yet. */
static void set_wake(void)
{
	int fd = __atomic_load_n(&wake, __ATOMIC_SEQ_CST);

	if (fd >= 0 && write(fd, &(uint64_t){ 1 }, sizeof(uint64_t)) < 0)
		errno = 0;	/* full: then it is readable already */
}

static void on_signal(int sig)
{
	int saved = errno;

	if (lh_signal_pending() || !deferred)
		lh_signal_die(sig);
	__atomic_store_n(&pending, sig, __ATOMIC_SEQ_CST);
	set_wake();
	errno = saved;
}

void lh_signal_install(void)
{
	struct sigaction sa = { .sa_handler = on_signal }, old;
	size_t i;

	sigemptyset(&sa.sa_mask);
	for (i = 0; i < N_CAUGHT; i++)
		sigaddset(&sa.sa_mask, caught[i]);
	for (i = 0; i < N_CAUGHT; i++)
		if (sigaction(caught[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(caught[i], &sa, NULL);
}

void lh_signal_defer(bool on)
{
	deferred = on;
}

bool lh_signal_deferred(void)
{
	return deferred;
}

int lh_signal_pending(void)
{
	return __atomic_load_n(&pending, __ATOMIC_RELAXED);
}

bool lh_stopping(void)
{
	return lh_signal_pending() != 0 ||
	       (abandoned && __atomic_load_n(abandoned, __ATOMIC_RELAXED));
}

void lh_stop_when(const bool *flag)
{
	abandoned = flag;
}

int lh_signal_wake_fd(void)
{
	return wake;
}

/* A signal that came before must make the descriptor readable, too.  This function stores the
 * descriptor and then looks for a signal; the handler, which may run in another thread at the
 * same time, stores the signal and then looks for the descriptor. */
int lh_signal_wake_open(struct lh_err *err)
{
	int fd;

	if (wake >= 0)
		return 0;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return lh_err_sys(err, "eventfd");
	__atomic_store_n(&wake, fd, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&pending, __ATOMIC_SEQ_CST))
		set_wake();
	return 0;
}

void lh_signal_block(sigset_t *old)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < N_CAUGHT; i++)
		sigaddset(&set, caught[i]);
	pthread_sigmask(SIG_BLOCK, &set, old);
}

struct hand {
	void (*work)(void *ctx, size_t i);
	void *ctx;
	size_t i;
	pthread_t thread;
};

static void *run_hand(void *arg)
{
	struct hand *h = arg;

	h->work(h->ctx, h->i);
	return NULL;
}

void lh_signal_crew(size_t n, void (*work)(void *ctx, size_t i), void *ctx)
{
	LH_SCOPED(lh_free_local) struct hand *hand = lh_calloc(n, sizeof *hand);
	size_t started = 1;
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (; started < n; started++) {
		hand[started] = (struct hand){ work, ctx, started, 0 };
		if (pthread_create(&hand[started].thread, NULL, run_hand, hand + started) != 0)
			break;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (n)
		work(ctx, 0);
	while (--started)
		pthread_join(hand[started].thread, NULL);
}

int lh_signal_tmp_add(const char *path)
{
	int i;

	for (i = 0; i < TMP_SLOTS; i++)
		if (__sync_bool_compare_and_swap(&tmp[i], NULL, path))
			return i;
	return -1;
}

void lh_signal_tmp_drop(int slot)
{
	if (slot >= 0)
		tmp[slot] = NULL;
}
