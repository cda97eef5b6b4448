/* coproc.c - run another tool as a child.  See coproc.h. */
#include "coproc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "base/time.h"
#include "base/mem.h"
#include "base/signal.h"
#include "file/confine.h"
#include "json/bind.h"
#include "shell_coproc.h"

/* ---- the end of a child's stderr ---- */

void lh_stderr_tail_end(struct lh_stderr_tail *w)
{
	if (w->line && w->open)
		w->line(w->owner, w->text + w->n - w->open, w->open);
	w->open = 0;
}

ssize_t lh_stderr_tail_read(struct lh_stderr_tail *w, int fd)
{
	char text[sizeof w->text];
	ssize_t n = read(fd, text, sizeof text);
	size_t stay;

	if (n <= 0)
		return n;
	if (w->open + (size_t)n > sizeof text)
		lh_stderr_tail_end(w);	/* a piece: there is no room for the whole line */
	stay = sizeof text - (size_t)n < w->n ? sizeof text - (size_t)n : w->n;
	memmove(w->text, w->text + w->n - stay, stay);
	memcpy(w->text + stay, text, (size_t)n);
	w->n = stay + (size_t)n;
	if (w->line) {
		const char *p, *lf;

		w->open += (size_t)n;
		/* Pass on the lines that are complete. */
		p = w->text + w->n - w->open;
		while (w->open && (lf = memchr(p, '\n', w->open)) != NULL) {
			w->line(w->owner, p, (size_t)(lf - p));
			w->open -= (size_t)(lf + 1 - p);
			p = lf + 1;
		}
	}
	return n;
}

void lh_stderr_tail_drain(struct lh_stderr_tail *w, int fd)
{
	int left = 0, takes;

	if (fd < 0 || ioctl(fd, FIONREAD, &left) < 0)
		return;
	for (takes = left / (int)sizeof w->text + 1;
	     takes && ioctl(fd, FIONREAD, &left) == 0 && left > 0; takes--)
		if (lh_stderr_tail_read(w, fd) <= 0)
			return;
}

void lh_stderr_tail_last_line(const struct lh_stderr_tail *w, const char *name, char *to,
			      size_t size)
{
	size_t n = w->n, len = strlen(name);
	const char *p = w->text, *lf;

	while (n && p[n - 1] == '\n')
		n--;
	lf = n ? memrchr(p, '\n', n) : NULL;
	if (lf) {
		n -= (size_t)(lf + 1 - p);
		p = lf + 1;
	}
	if (n > len + 1 && memcmp(p, name, len) == 0 && memcmp(p + len, ": ", 2) == 0) {
		p += len + 2;
		n -= len + 2;
	}
	snprintf(to, size, "%.*s", (int)n, p);
}

/* ---- tools ---- */

#define REPLY_MAX ((size_t)1 << 30)
#define CHUNK 65536

void lh_coproc_find(const char *name, char *to, size_t n)
{
	char self[4096], *slash;
	ssize_t len = strchr(name, '/') ? -1 : readlink("/proc/self/exe", self, sizeof self - 1);

	if (len > 0) {
		self[len] = '\0';
		slash = strrchr(self, '/');
		if (slash &&
		    (size_t)snprintf(to, n, "%.*s/%s", (int)(slash - self), self, name) < n &&
		    access(to, X_OK) == 0)
			return;
	}
	snprintf(to, n, "%s", name);
}

/* Return whether s is "NAME=..." for a NAME that `more` sets. */
static bool is_set(const char *s, char *const *more)
{
	size_t name = strcspn(s, "=") + 1;

	for (; *more; more++)
		if (strncmp(s, *more, name) == 0)
			return true;
	return false;
}

#define NET (LH_KEYS_OLLAMA | LH_KEYS_OPENAI | LH_KEYS_CHAT | LH_KEYS_STORE | LH_KEYS_RERANK)

static const struct {
	const char *name;
	unsigned keys;		/* who needs it */
} secret[] = {
	{ "LH_OPENAI_API_KEY", LH_KEYS_OPENAI }, { "LH_OPENAI_URL", LH_KEYS_OPENAI },
	{ "LH_OLLAMA_URL", LH_KEYS_OLLAMA | LH_KEYS_CHAT },
	{ "LH_KEYS_FILE", LH_KEYS_CHAT },
	{ "OLLAMA_CLOUD_KEY", LH_KEYS_CHAT }, { "LH_OLLAMA_CLOUD_URL", LH_KEYS_CHAT },
	{ "OPENROUTER_API_KEY", LH_KEYS_CHAT }, { "LH_OPENROUTER_URL", LH_KEYS_CHAT },
	{ "OPENCODE_API_KEY", LH_KEYS_CHAT }, { "LH_OPENCODE_URL", LH_KEYS_CHAT },
	{ "KIMI_API_KEY", LH_KEYS_CHAT }, { "LH_KIMI_URL", LH_KEYS_CHAT },
	{ "http_proxy", NET }, { "https_proxy", NET }, { "HTTPS_PROXY", NET },
	{ "all_proxy", NET }, { "ALL_PROXY", NET },
	{ "AWS_ACCESS_KEY_ID", LH_KEYS_STORE }, { "AWS_SECRET_ACCESS_KEY", LH_KEYS_STORE },
	{ "AWS_SESSION_TOKEN", LH_KEYS_STORE }, { "LH_S3_KEY_FILE", LH_KEYS_STORE },
	{ "LH_SUBJECT_AUDIT_KEY", LH_KEYS_AUDIT },
	{ "LANGFUSE_PUBLIC_KEY", LH_KEYS_EXPORT }, { "LANGFUSE_SECRET_KEY", LH_KEYS_EXPORT },
	{ "LH_OTLP_TOKEN", LH_KEYS_EXPORT }, { "LH_RERANK_API_KEY", LH_KEYS_RERANK },
};

/* Variables that any program may need, and that hold no keys; "_" at the end stands
 * for all that begin so. */
static const char *const common[] = {
	"PATH", "HOME", "XDG_CACHE_HOME", "USER", "LOGNAME", "SHELL", "TERM", "TMPDIR", "TZ",
	"LANG", "LANGUAGE", "LC_", "LH_"
};

static bool is_named(const char *s, const char *name)
{
	size_t n = strlen(name);

	return strncmp(s, name, n) == 0 && s[n] == '=';
}

static bool is_common(const char *s)
{
	size_t i;

	for (i = 0; i < sizeof common / sizeof *common; i++) {
		size_t n = strlen(common[i]);

		if (common[i][n - 1] == '_' ? strncmp(s, common[i], n) == 0
					    : is_named(s, common[i]))
			return true;
	}
	return false;
}

/* Return whether the child inherits the variable s. */
static bool inherits(const struct lh_spawn *child, const char *s)
{
	char *const *name = child->inherit;
	size_t i;

	for (; name && *name; name++)
		if (is_named(s, *name))
			return true;
	for (i = 0; i < sizeof secret / sizeof *secret; i++)
		if (is_named(s, secret[i].name))
			return secret[i].keys & child->keys;
	return !(child->keys & LH_KEYS_STRANGER) || is_common(s);
}

/* Return the environment for a child; the strings are borrowed. */
static char **environment(const struct lh_spawn *child)
{
	static char *const none[] = { NULL };
	char *const *more = child->env ? child->env : none;
	size_t n = 0, n_more = 0, i;
	char **env;

	while (environ[n])
		n++;
	while (more[n_more])
		n_more++;
	env = lh_calloc(n + n_more + 1, sizeof *env);
	for (i = n = 0; environ[i]; i++)
		if (!is_set(environ[i], more) && inherits(child, environ[i]))
			env[n++] = environ[i];
	for (i = 0; i < n_more; i++)
		env[n++] = more[i];
	return env;
}

/* ---- start ---- */

bool lh_coproc_program(const char *name, char *to, size_t n)
{
	const char *dirs = getenv("PATH"), *end;
	struct stat st;

	lh_coproc_find(name, to, n);
	if (strchr(to, '/'))
		return access(to, X_OK) == 0;
	for (dirs = dirs ? dirs : "/bin:/usr/bin"; dirs; dirs = *end ? end + 1 : NULL) {
		end = strchrnul(dirs, ':');
		if ((size_t)snprintf(to, n, "%.*s%s%s", (int)(end - dirs), dirs,
				     end == dirs ? "./" : "/", name) < n &&
		    access(to, X_OK) == 0 && stat(to, &st) == 0 && S_ISREG(st.st_mode))
			return true;
	}
	return false;
}

/* What a child needs before it is another program.  It shares the memory of its parent, which
 * waits: nothing here allocates, and what it writes the parent reads. */
struct birth {
	const struct lh_spawn *how;
	const char *path;
	char **env;
	volatile int failed;		/* errno */
};

/* Signals of the parent shall not be handled by its functions in the child. */
static void forget_handlers(void)
{
	struct sigaction a;
	int i;

	for (i = 1; i < NSIG; i++)
		if (sigaction(i, NULL, &a) == 0 && a.sa_handler != SIG_DFL &&
		    a.sa_handler != SIG_IGN)
			signal(i, SIG_DFL);
}

static int set_descriptors(const struct lh_spawn *s)
{
	size_t i;

	for (i = 0; i < s->n_fd; i++)
		if (s->fd[i] >= 0 && (s->fd[i] == (int)i ? fcntl((int)i, F_SETFD, 0)
							 : dup2(s->fd[i], (int)i)) < 0)
			return -1;
	return 0;
}

static void become(struct birth *b)
{
	const struct lh_spawn *s = b->how;
	sigset_t none;

	forget_handlers();
	if (s->group) {
		setpgid(0, 0);
		signal(SIGPIPE, SIG_DFL);
	}
	if (set_descriptors(s) == 0 && (!s->folder || chdir(s->folder) == 0) &&
	    (!s->confined || lh_confined_enter(s->confined) == 0)) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		syscall(SYS_execve, b->path, s->argv, b->env, 0, 0,
			s->confined ? s->confined->pass : 0);
	}
	b->failed = errno;
	_exit(127);
}

static pid_t give_birth(struct birth *b)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = vfork();
	if (pid == 0)
		become(b);
	if (pid < 0)
		b->failed = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

/* No signal is blocked in a child.  A child that leads a group also starts with the default
 * SIGPIPE, as a shell expects. */
pid_t lh_coproc_spawn(const struct lh_spawn *s, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char **env = environment(s);
	char path[4096];
	struct birth b = { .how = s, .path = path, .env = env };
	pid_t pid;

	lh_coproc_program(s->argv[0], path, sizeof path);	/* the kernel says why not */
	pid = give_birth(&b);
	if (!b.failed)
		return pid;
	if (pid > 0)
		waitpid(pid, NULL, 0);
	errno = b.failed;
	return lh_err_sys(err, "cannot run %s", s->argv[0]);
}

int lh_coproc_start(struct lh_coproc *c, char *const argv[], unsigned keys, struct lh_err *err)
{
	int ends[2];

	memset(c, 0, sizeof *c);
	lh_buf_init(&c->in, REPLY_MAX);
	snprintf(c->name, sizeof c->name, "%s", argv[0]);
	/* A socket and not two pipes: writing to a dead child is then an error, not
	 * a SIGPIPE, which would end the tool without a message. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return lh_err_sys(err, "socketpair");
	c->fd = ends[0];
	c->stderr_fd = memfd_create(c->name, MFD_CLOEXEC);
	if (c->stderr_fd < 0)
		lh_err_sys(err, "memfd_create");
	else
		c->pid = lh_coproc_spawn(&(struct lh_spawn){
			.argv = argv, .fd = (int[]){ ends[1], ends[1], c->stderr_fd }, .n_fd = 3,
			.keys = keys }, err);
	close(ends[1]);
	if (c->pid <= 0) {
		close(c->fd);
		if (c->stderr_fd >= 0)
			close(c->stderr_fd);
		c->pid = 0;
		return -1;
	}
	return 0;
}

bool lh_coproc_stderr_error(int stderr_fd, const char *child, struct lh_err *err)
{
	struct lh_stderr_tail stderr_end = { .n = 0 };
	char last[sizeof stderr_end.text + 1];
	off_t end = lseek(stderr_fd, 0, SEEK_END), tail = (off_t)sizeof stderr_end.text;
	ssize_t n = pread(stderr_fd, stderr_end.text, sizeof stderr_end.text,
			  end > tail ? end - tail : 0);

	stderr_end.n = n > 0 ? (size_t)n : 0;
	lh_stderr_tail_last_line(&stderr_end, child, last, sizeof last);
	if (*last)
		lh_err_set(err, LH_EIO, "%s", last);
	return *last;
}

/* Wait for the child to end; report its status as an error. */
static int wait_for_end(struct lh_coproc *c, struct lh_err *err)
{
	int status = 0, rc = 0;

	close(c->fd);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
	if (WIFSIGNALED(status))
		rc = lh_err_set(err, LH_EIO, "%s was ended by signal %d", c->name,
				WTERMSIG(status));
	else if (WEXITSTATUS(status) > 1)
		rc = lh_coproc_stderr_error(c->stderr_fd, c->name, err) ? -1
			: lh_err_set(err, LH_EIO, "%s ended with status %d", c->name,
				     WEXITSTATUS(status));
	close(c->stderr_fd);
	return rc;
}

static int report_ended(struct lh_coproc *c, struct lh_err *err)
{
	return wait_for_end(c, err) < 0 ? -1 : lh_err_set(err, LH_EIO, "%s ended without an answer",
							  c->name);
}

/* Receive what there is: 1, 0 at its end, -1. */
static int receive(struct lh_coproc *c, struct lh_err *err)
{
	char *to = lh_buf_room(&c->in, CHUNK);
	ssize_t n;

	if (!to) {
		if (lh_buf_check(&c->in, err) < 0 && err->code == LH_EDATA)
			lh_err_set(err, LH_EIO, "%s: answer is longer than %zu bytes", c->name,
				   REPLY_MAX);
		return -1;
	}
	n = recv(c->fd, to, CHUNK, MSG_DONTWAIT);
	if (n > 0)
		lh_buf_took(&c->in, (size_t)n);
	if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNRESET)
		return lh_err_sys(err, "%s: read failed", c->name);
	return n != 0 && !(n < 0 && errno == ECONNRESET);
}

/* Return whether a complete line has arrived. */
static bool has_line(struct lh_coproc *c, size_t from)
{
	const char *lf = c->in.len > from ? memchr(c->in.p + from, '\n', c->in.len - from) : NULL;

	c->reply = lf ? (size_t)(lf - c->in.p) + 1 : 0;
	return lf != NULL;
}

static void end_with(struct lh_coproc *c, int sig)
{
	struct lh_err ignored;

	kill(c->pid, sig);
	wait_for_end(c, &ignored);
}

static int kill_late(struct lh_coproc *c, double seconds, struct lh_err *err)
{
	end_with(c, SIGKILL);
	return lh_err_set(err, LH_ENET, "%s did not answer within %g seconds", c->name, seconds);
}

/* Pass the signal on: the child may be waiting for something that never happens. */
static int pass_signal_on(struct lh_coproc *c, struct lh_err *err)
{
	end_with(c, SIGTERM);
	return lh_err_set(err, LH_EINTR, "interrupted");
}

/* Send the n bytes at p, then an LF, and receive a line, both at the same time: a
 * child may answer before it has read everything. */
static int exchange_lines(struct lh_coproc *c, const char *p, size_t n, double seconds,
			  struct lh_err *err)
{
	double until = lh_time_monotonic() + seconds, left;
	size_t sent = 0, looked;
	int rc;

	if (has_line(c, 0))
		return 0;
	for (;;) {
		struct pollfd f[] = { { .fd = c->fd,
					.events = (short)(POLLIN | (sent <= n ? POLLOUT : 0)) },
				      { .fd = lh_signal_wake_fd(), .events = POLLIN } };

		left = until - lh_time_monotonic();
		if (left <= 0)
			return kill_late(c, seconds, err);
		if (poll(f, 2, left > 3600 ? 3600000 : (int)(left * 1000) + 1) < 0 &&
		    errno != EINTR)
			return lh_err_sys(err, "poll");
		if (lh_signal_pending())
			return pass_signal_on(c, err);
		if (f[0].revents & POLLOUT && sent <= n) {
			ssize_t got = sent < n
				? send(c->fd, p + sent, n - sent, MSG_NOSIGNAL | MSG_DONTWAIT)
					       : send(c->fd, "\n", 1, MSG_NOSIGNAL | MSG_DONTWAIT);

			if (got < 0 && errno != EAGAIN && errno != EINTR)
				return report_ended(c, err);
			sent += got > 0 ? (size_t)got : 0;
		}
		if (f[0].revents & ~POLLOUT) {
			looked = c->in.len;
			rc = receive(c, err);
			if (rc < 0)
				return -1;
			if (has_line(c, looked))
				return 0;
			if (!rc)
				return report_ended(c, err);
		}
	}
}

int lh_coproc_ask(struct lh_coproc *c, const char *line, size_t n, double seconds,
		  struct lh_str *reply, struct lh_err *err)
{
	if (c->command)
		return lh_shell_coproc_ask(c, line, n, seconds, reply, err);
	if (!c->pid)
		return lh_err_set(err, LH_EIO, "%s is not running", c->name);
	if (c->reply) {
		c->in.len -= c->reply;
		memmove(c->in.p, c->in.p + c->reply, c->in.len);
		c->reply = 0;
	}
	if (exchange_lines(c, line, n, seconds, err) < 0)
		return -1;
	*reply = (struct lh_str){ c->in.p, c->reply - 1 };
	return 0;
}

int lh_coproc_refusal(const struct lh_value *error, struct lh_err *err)
{
	struct lh_value code, message;
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	struct lh_str s;
	int64_t status = 0;
	int rc = 0;

	if (error->type != LH_OBJECT || !lh_value_get(error, "message", &message) ||
	    message.type != LH_STRING)
		return lh_err_set(err, LH_EIO, "an error without a message");
	if (!lh_value_get(error, "code", &code) || code.type != LH_NUMBER ||
	    !lh_value_i64(&code, &status) || status < 100 || status > 599)
		status = 0;
	lh_value_str(&message, &scratch, &s);
	if (rc == 0)
		rc = lh_err_set(err, status >= 500 ? LH_ENET : LH_EDATA, "%.*s",
				(int)(s.n < 900 ? s.n : 900), s.p);
	err->status = (unsigned)status;
	return rc;
}

int lh_coproc_stop(struct lh_coproc *c, struct lh_err *err)
{
	int rc = 0;

	if (c->pid && c->command) {
		lh_shell_coproc_end(c);
	} else if (c->pid) {
		shutdown(c->fd, SHUT_WR);
		rc = wait_for_end(c, err);
	}
	lh_buf_free(&c->in);
	return rc;
}

/* ---- lh-chat ---- */

static int start(struct lh_chat_child *c, struct lh_err *err)
{
	char timeout[LH_F64_MAX + 1] = "", retries[24];
	char *argv[] = { "lh-chat",   "-q",	    "-j1",	 "--wire",	  "--on-error",
			 "emit",      "--max-line", "2G",	 "--max-members", "1000000000",
			 "--timeout", timeout,	    "--retries", retries,	  NULL };

	lh_f64_print(timeout, c->timeout);
	snprintf(retries, sizeof retries, "%llu", (unsigned long long)c->retries);
	return lh_coproc_start(&c->child, argv, LH_KEYS_CHAT, err);
}

static int bad_answer(struct lh_err *err)
{
	return lh_err_set(err, LH_EIO, "lh-chat answered something else than a reply");
}

struct reply {
	struct lh_value error;
	struct lh_str content;
};
static const struct lh_bind reply_members[] = {
	{ LH_BIND_SOME("error", struct reply, error), .null = true },
	{ LH_BIND_STRING("content", struct reply, content), .lax = true },
	LH_BIND_END
};

static int read_reply(struct lh_chat_child *c, const struct lh_str *line, struct lh_str *content,
		      struct lh_err *err)
{
	struct reply r = { .content = { NULL, 0 } };

	if (lh_record_parse(&c->reply, line->p, line->n, err) < 0)
		return bad_answer(err);
	if (lh_bind(reply_members, &c->reply, &r, &c->text, err) < 0)
		return -1;
	if (r.error.p)
		return lh_coproc_refusal(&r.error, err);
	*content = r.content;
	return r.content.p ? 0 : bad_answer(err);
}

int lh_chat_child_ask(struct lh_chat_child *c, const char *line, size_t n, struct lh_str *content,
		      struct lh_err *err)
{
	/* Each try may wait for its turn as long as for its answer. */
	double patience = 2 * c->timeout * (double)(c->retries + 1) + 60;
	struct lh_err ignored;
	struct lh_str reply;

	if (!c->child.pid && start(c, err) < 0)
		return -1;
	if (lh_coproc_ask(&c->child, line, n, patience, &reply, err) == 0)
		return read_reply(c, &reply, content, err);
	lh_coproc_stop(&c->child, &ignored);
	if (err->code == LH_ENET)
		err->code = LH_EIO;	/* lh-chat itself hangs */
	return -1;
}

void lh_chat_child_stop(struct lh_chat_child *c)
{
	struct lh_err ignored;

	lh_coproc_stop(&c->child, &ignored);
	lh_buf_free(&c->text);
	lh_record_free(&c->reply);
}
