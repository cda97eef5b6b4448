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
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "base/signal.h"
#include "file/file.h"
#include "serve.h"

#define TURN_MS 50
#define SPARE_DESCRIPTORS 256		/* of filters, logs, the loop */

/* ---- limits ---- */

/* Allow as many descriptors as the connections need; fewer connections where that is not to be
 * had. */
static void set_limits(struct server *s)
{
	const uint64_t need = s->site->config.limits.connections + SPARE_DESCRIPTORS;
	uint64_t *limit = &s->connections.limit;
	struct rlimit files;

	*limit = s->site->config.limits.connections;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	if (files.rlim_cur < need) {
		files.rlim_cur = files.rlim_max < need ? files.rlim_max : need;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (files.rlim_cur >= need)
		return;
	*limit = files.rlim_cur > 2 * SPARE_DESCRIPTORS ? files.rlim_cur - SPARE_DESCRIPTORS
							: files.rlim_cur / 2;
	lh_tool_message(s->tool, "at most %s: the limit of open files is %llu",
			LH_N(*limit, "connection"), (unsigned long long)files.rlim_cur);
}

/* ---- the state ---- */

/* Make a folder that only this user may enter, and take away what others had of an old one: there
 * are persons' data in it. */
static int make_folder(const char *state, const char *name, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_format("%s/%s", state, name);
	struct stat st;

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return lh_err_sys(err, "%s", path);
	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	    st.st_mode & 077 && chmod(path, 0700) < 0)
		return lh_err_sys(err, "%s", path);
	return 0;
}

static int make_state(const struct lh_serve_config *c, struct lh_err *err)
{
	const char *state = c->state;
	LH_SCOPED(lh_free_local) char *spool = lh_format("%s/spool", state);
	static const char *const folder[] = { "index", "playbook", "log", "spool", "store" };
	size_t i;

	umask(077);	/* of the filters too: what is in the state is for this user alone */
	if (mkdir(state, 0700) < 0 && errno != EEXIST)
		return lh_err_sys(err, "--state %s", state);
	for (i = 0; i < sizeof folder / sizeof *folder; i++)
		if (make_folder(state, folder[i], err) < 0)
			return -1;
	lh_sweep_below(spool);
	return 0;
}

/* ---- signals ---- */

/* Without a token, say to whom it is open: a proxy that adds no header looks like a
 * program of this machine. */
static void say_to_whom(const struct server *s)
{
	if (!s->site->token.n)
		lh_tool_message(s->tool, "no token is required: open to all programs of this "
				"machine, and to all clients of any proxy here; see --token-file");
}

/* Go on in a file of the name of the log, which may have been renamed. */
static void reopen_log(struct server *s)
{
	struct lh_err err;

	log_flush(&s->log);
	if (log_open(&s->log, s->site->config.access_log, &err) < 0)
		lh_tool_warn(s->tool, "access log not opened again: %s", err.msg);
}

static bool same_list(const struct lh_list *a, const struct lh_list *b)
{
	size_t i;

	for (i = 0; i < a->n && i < b->n && !strcmp(a->v[i], b->v[i]); i++)
		;
	return a->n == i && b->n == i;
}

static void reload_site(struct server *s)
{
	struct lh_err err;
	bool opens;
	struct site *site = site_new(s->tool, s->set, s->environment_token, &err);

	if (site && (listen_check(&site->config.listen, &s->connections, site->token.n, &err) < 0 ||
		     make_state(&site->config, &err) < 0 ||
		     site_start(site, &s->pools, &s->stats, &err) < 0)) {
		site_drop(site);
		site = NULL;
	}
	if (!site) {
		reopen_log(s);
		lh_tool_warn(s->tool, "configuration not changed: %s", err.msg);
		return;
	}
	if (!same_list(&site->config.listen, &s->site->config.listen))
		lh_tool_warn(s->tool, "\"listen\" takes effect at the next start");
	if (site->config.limits.connections != s->site->config.limits.connections)
		lh_tool_warn(s->tool, "\"connections\" takes effect at the next start");
	opens = s->site->token.n && !site->token.n;
	site_drop(s->site);
	s->site = site;
	if (opens)
		say_to_whom(s);
	site_say(site);
	reopen_log(s);
	lh_tool_message(s->tool, "configuration read again");
}

static void stop_server(struct server *s)
{
	if (s->stop++)
		return;
	http_drain(&s->connections);
	listen_close(&s->connections);
	s->connections.ending = true;
	s->stop_at = lh_time_monotonic() + s->site->config.limits.drain;
	notify_systemd("STOPPING=1");
	lh_tool_message(s->tool, "ending; %s in flight",
			LH_N(s->in_flight, "request is|requests are"));
}

static void on_signal(struct lh_watch *io, uint32_t events)
{
	struct server *s = (struct server *)((char *)io - offsetof(struct server, signals));
	struct signalfd_siginfo info;

	(void)events;
	while (read(io->fd, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo != SIGHUP)
			stop_server(s);
		else if (!s->stop)
			reload_site(s);
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
	s->signals = (struct lh_watch){ signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC),
					 on_signal };
	if (s->signals.fd < 0)
		return lh_err_sys(err, "signalfd");
	return lh_loop_add(&s->loop, &s->signals, EPOLLIN, err);
}

/* ---- the loop ---- */

static int run_loop(struct server *s, struct lh_err *err)
{
	double swept = lh_time_monotonic(), now;

	while (!s->stop || (s->stop == 1 && s->in_flight && lh_time_monotonic() < s->stop_at)) {
		if (lh_signal_pending() && !s->stop)
			stop_server(s);	/* it came before there was a loop */
		if (lh_loop_wait(&s->loop, s->connections.queue ? 0 : TURN_MS, err) < 0)
			return -1;
		http_run(&s->connections);
		pools_tick(&s->pools);
		streams_wake(s);
		if (s->connections.queue)
			http_run(&s->connections);
		log_flush(&s->log);
		now = lh_time_monotonic();
		if (now - swept >= 1) {
			swept = now;
			http_sweep(&s->connections, now);
			indexes_look(s, false);
		}
	}
	return 0;
}

/* ---- start and end ---- */

static int start_server(struct server *s, struct lh_err *err)
{
	const struct rlimit one = { 1, 1 }, none = { 0, 0 };
	struct lh_err unused;

	/* a lock that the caller gave to this process is not for the filters */
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	/* No core files, they would hold tokens and bodies: a limit of 1 byte keeps them also from
	 * a program that the kernel pipes them to, and holds for the filters. */
	if (setrlimit(RLIMIT_CORE, &one) < 0)
		setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
	umask(077);		/* of the filters too: what they write is in the state */
	lh_record_init(&s->body);
	set_limits(s);
	if (getrandom(s->ids.seed, sizeof s->ids.seed, 0) != (ssize_t)sizeof s->ids.seed)
		return lh_err_sys(err, "getrandom");
	s->stats.none = stats_of(&s->stats, "none");
	if (make_state(&s->site->config, err) < 0 ||
	    log_open(&s->log, s->site->config.access_log, err) < 0 ||
	    lh_loop_open(&s->loop, err) < 0 || open_signals(s, err) < 0 ||
	    listen_open(&s->connections, &s->site->config.listen, s->site->token.n,
			http_accept, err) < 0)
		return -1;
	say_to_whom(s);
	lh_tmpdir_make(&s->pools.tmp, "lh-serve", &unused);	/* who needs it will say so */
	if (site_start(s->site, &s->pools, &s->stats, err) < 0)
		return -1;
	pools_say_open(&s->pools, &s->site->config);
	site_say(s->site);
	return 0;
}

int serve(struct lh_tool *tool, const struct settings *set, struct site *site,
	  const char *environment_token)
{
	struct server s = { .tool = tool, .set = set, .site = site, .loop = { .fd = -1 },
			    .environment_token = environment_token, .signals = { .fd = -1 },
			    .connections = { .tool = tool, .loop = &s.loop,
					     .calls = &request_calls },
			    .pools = { .tool = tool, .loop = &s.loop, .tmp.in_use = -1 },
			    .log = { .tool = tool, .fd = STDOUT_FILENO }, .began = time(NULL) };
	int rc = start_server(&s, &tool->err);

	if (!rc) {
		notify_systemd("READY=1");
		rc = run_loop(&s, &tool->err);
	}
	listen_close(&s.connections);
	if (s.in_flight) {
		lh_tool_verdict_bad(tool);
		lh_tool_warn(tool, "%s not answered in time",
			     LH_N(s.in_flight, "request was|requests were"));
		/* No filter may be asked once the answers are sent that there are. */
		pools_kill(&s.pools);
		http_run(&s.connections);
	}
	http_stop(&s.connections);
	log_end(&s.log);
	pools_end(&s.pools);
	site_drop(s.site);
	pools_free(&s.pools);
	lh_tmpdir_remove(&s.pools.tmp, &(struct lh_err){ 0 });
	stats_free(&s.stats);
	indexes_free(&s.indexes);
	lh_record_free(&s.body);
	lh_buf_free(&s.members);
	log_close(&s.log);
	lh_buf_free(&s.log.text);
	if (s.signals.fd >= 0)
		close(s.signals.fd);
	lh_loop_close(&s.loop);
	return rc;
}
