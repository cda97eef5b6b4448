/* server.c - the loop: requests, filters, signals.  See serve.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lh/time.h>
#include "base/signal.h"
#include "file/file.h"
#include "serve.h"

#define TURN_MS 50
#define TURNS 16			/* of libmicrohttpd in one of the loop */
#define SPARE_DESCRIPTORS 256		/* of filters, logs, the loop */
#define FILTERS_END 5.0			/* seconds for filters to end by themselves */

/* ---- limits ---- */

/* No core files, they would hold tokens and bodies: a limit of 1 byte keeps them also from a
 * program that the kernel pipes them to, and holds for the filters. */
static void forbid_cores(void)
{
	const struct rlimit one = { 1, 1 }, none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &one) < 0)
		setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

/* Allow as many descriptors as the connections need; fewer connections where that is not to be
 * had. */
static void set_limits(struct server *s)
{
	const uint64_t need = s->site->config.connections + SPARE_DESCRIPTORS;
	struct rlimit files;

	s->limit = s->site->config.connections;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	if (files.rlim_cur < need) {
		files.rlim_cur = files.rlim_max < need ? files.rlim_max : need;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (files.rlim_cur >= need)
		return;
	s->limit = files.rlim_cur > 2 * SPARE_DESCRIPTORS ? files.rlim_cur - SPARE_DESCRIPTORS
							  : files.rlim_cur / 2;
	lh_tool_message(s->tool, "at most %llu connections: the limit of open files is %llu",
			(unsigned long long)s->limit, (unsigned long long)files.rlim_cur);
}

/* ---- the state ---- */

static int make_folder(const char *state, const char *name, struct lh_err *err)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof path, "%s/%s", state, name) >= sizeof path)
		return lh_err_set(err, LH_EUSAGE, "--state: the name is too long");
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return lh_err_sys(err, "%s", path);
	return 0;
}

static int make_state(const char *state, struct lh_err *err)
{
	char path[4096];
	static const char *const folder[] = { "index", "playbook", "log", "spool", "store" };
	size_t i;

	if (mkdir(state, 0700) < 0 && errno != EEXIST)
		return lh_err_sys(err, "--state %s", state);
	for (i = 0; i < sizeof folder / sizeof *folder; i++)
		if (make_folder(state, folder[i], err) < 0)
			return -1;
	if ((size_t)snprintf(path, sizeof path, "%s/spool", state) < sizeof path)
		lh_sweep_below(path);
	return 0;
}

/* ---- signals ---- */

/* Report what another configuration cannot change in a running process. */
static void say_unchanged(const struct server *s, const struct site *site)
{
	if (!lh_argv_same(site->config.listen, s->site->config.listen))
		lh_tool_warn(s->tool, "\"listen\" takes effect at the next start");
	if (site->config.connections != s->site->config.connections)
		lh_tool_warn(s->tool, "\"connections\" takes effect at the next start");
}

/* Go on in a file of the name of the log, which may have been renamed. */
static void reopen_log(struct server *s)
{
	struct lh_err err;

	log_flush(s);
	if (log_open(s, s->site->config.access_log, &err) < 0)
		lh_tool_warn(s->tool, "access log not opened again: %s", err.msg);
}

static void reload(struct server *s)
{
	struct lh_err err;
	struct site *site = site_new(s->set, s->environment_token, &err);

	if (site && (listen_check(site, s, &err) < 0 || make_state(site->config.state, &err) < 0 ||
		     site_start(site, s, &err) < 0)) {
		site_drop(site, s);
		site = NULL;
	}
	if (!site) {
		reopen_log(s);
		lh_tool_warn(s->tool, "configuration not changed: %s", err.msg);
		return;
	}
	say_unchanged(s, site);
	site_drop(s->site, s);
	s->site = site;
	reopen_log(s);
	lh_tool_message(s->tool, "configuration read again");
}

static void stop(struct server *s)
{
	if (s->stop++)
		return;
	listen_drain(s);
	listen_close(s);
	s->stop_at = lh_time_monotonic() + s->site->config.drain;
	notify_systemd("STOPPING=1");
	lh_tool_message(s->tool, "ending; %llu requests are in flight",
			(unsigned long long)s->in_flight);
}

static void on_signal(struct lh_source *io, uint32_t events)
{
	struct server *s = (struct server *)((char *)io - offsetof(struct server, signals));
	struct signalfd_siginfo info;

	(void)events;
	while (read(io->fd, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo != SIGHUP)
			stop(s);
		else if (!s->stop)
			reload(s);
	}
}

static int open_signals(struct server *s, struct lh_err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->signals = (struct lh_source){ signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC),
					 on_signal };
	if (s->signals.fd < 0)
		return lh_err_sys(err, "signalfd");
	return lh_loop_add(&s->loop, &s->signals, EPOLLIN, err);
}

/* ---- the loop ---- */

static void tick_pools(struct server *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->pools; i++)
		lh_pool_tick(s->pool[i]->pool);
	for (i = 0; i < s->pools; i++) {
		struct shared_pool *p = s->pool[i];

		if (!p->retired || !lh_pool_over(p->pool)) {
			s->pool[n++] = p;
			continue;
		}
		lh_pool_free(p->pool);
		free(p);
	}
	s->pools = n;
}

/* Return whether libmicrohttpd has something to do without a further event: its events are
 * edges, and it reads and writes only some of what is there in one turn. */
static bool has_more(const struct server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;

	return s->resumed || (MHD_get_timeout(s->http, &ms) == MHD_YES && !ms);
}

/* Let libmicrohttpd work, some turns of it: filters and signals want their turn, too. */
static void run_http(struct server *s)
{
	int i;

	for (i = 0; i < TURNS && (!i || has_more(s)); i++) {
		s->resumed = false;
		MHD_run(s->http);
	}
}

static bool is_over(const struct server *s)
{
	return s->stop > 1 ||
	       (s->stop && (!s->in_flight || lh_time_monotonic() >= s->stop_at));
}

static int loop(struct server *s, struct lh_err *err)
{
	double swept = lh_time_monotonic(), now;

	while (!is_over(s)) {
		if (lh_signal_pending() && !s->stop)
			stop(s);	/* it came before there was a loop */
		if (lh_loop_wait(&s->loop, has_more(s) ? 0 : TURN_MS, err) < 0)
			return -1;
		run_http(s);
		tick_pools(s);
		streams_wake(s);
		if (s->resumed)
			run_http(s);
		log_flush(s);
		now = lh_time_monotonic();
		if (now - swept >= 1) {
			swept = now;
			clients_sweep(s, now);
		}
	}
	return 0;
}

/* ---- start and end ---- */

static int start(struct server *s, struct lh_err *err)
{
	/* a lock that the caller gave to this process is not for the filters */
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	forbid_cores();
	lh_record_init(&s->body);
	set_limits(s);
	if (getrandom(s->seed, sizeof s->seed, 0) != (ssize_t)sizeof s->seed)
		return lh_err_sys(err, "getrandom");
	s->other = stats_of(s, "none", err);
	if (!s->other || make_state(s->site->config.state, err) < 0 ||
	    log_open(s, s->site->config.access_log, err) < 0 ||
	    lh_loop_open(&s->loop, err) < 0 || open_signals(s, err) < 0 ||
	    http_start(s, err) < 0 || listen_all(s, s->site->config.listen, err) < 0)
		return -1;
	return site_start(s->site, s, err);
}

/* Fail what is still in flight, and send what is answered.  No connection may be suspended when
 * libmicrohttpd ends, so no filter may be asked once it runs again. */
static void end_requests(struct server *s)
{
	size_t i;

	if (s->in_flight) {
		lh_tool_verdict_bad(s->tool);
		lh_tool_warn(s->tool, "%llu requests were not answered in time",
			     (unsigned long long)s->in_flight);
		for (i = 0; i < s->pools; i++)
			lh_pool_kill(s->pool[i]->pool);
		run_http(s);
	}
	MHD_stop_daemon(s->http);
	s->http = NULL;
	log_end(s);
}

static void end_pools(struct server *s)
{
	const double until = lh_time_monotonic() + FILTERS_END;
	struct lh_err err;
	size_t i, open = 1;

	for (i = 0; i < s->pools; i++)
		lh_pool_retire(s->pool[i]->pool);
	while (open && lh_time_monotonic() < until) {
		for (open = i = 0; i < s->pools; i++) {
			lh_pool_tick(s->pool[i]->pool);
			open += !lh_pool_over(s->pool[i]->pool);
		}
		if (open)
			lh_loop_wait(&s->loop, TURN_MS, &err);
	}
	for (i = 0; i < s->pools; i++) {
		lh_pool_free(s->pool[i]->pool);
		free(s->pool[i]);
	}
	free(s->pool);
}

int serve(struct lh_tool *tool, const struct settings *set, struct site *site,
	  const char *environment_token)
{
	struct server s = { .tool = tool, .set = set, .site = site, .loop = { .fd = -1 },
			    .environment_token = environment_token, .signals = { .fd = -1 },
			    .log_fd = STDOUT_FILENO };
	int rc = start(&s, &tool->err);

	if (!rc) {
		notify_systemd("READY=1");
		rc = loop(&s, &tool->err);
	}
	listen_close(&s);
	if (s.http)
		end_requests(&s);
	lingers_close(&s);
	end_pools(&s);
	site_forget_pools(s.site);
	site_drop(s.site, &s);
	stats_free(&s);
	lh_record_free(&s.body);
	lh_buf_free(&s.members);
	log_close(&s);
	lh_buf_free(&s.log);
	if (s.signals.fd >= 0)
		close(s.signals.fd);
	lh_loop_close(&s.loop);
	wire_free();
	return rc;
}
