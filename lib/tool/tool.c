/* tool.c - start and end of every program, and stdout.  See tool.h. */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/file.h"
#include "frame.h"
#include "json/json_scanner.h"
#include "json/write.h"
#include "base/cpu.h"
#include "base/signal.h"
#include "base/utf8.h"
#include "base/time.h"

#define OUT_BLOCK 65536

/* Static, not allocated: out of memory must still be reported.  A process runs one tool. */
static struct lh_tool_state the_state;

/* Open closed descriptors among 0 to 2 on /dev/null, so that no file opened later is mistaken
 * for stdin, stdout or stderr.  Returns a bit set of those that were closed. */
static unsigned fill_descriptors(void)
{
	unsigned closed = 0;
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			closed |= 1u << fd;
	while (closed) {
		fd = open("/dev/null", O_RDWR);
		if (fd > 2)
			close(fd);
		if (fd < 0 || fd >= 2)
			break;
	}
	return closed;
}

void lh_tool_told(void *tool, const char *text)
{
	lh_tool_warn(tool, "%s", text);
}

void lh_tool_init(struct lh_tool *t, const char *name, const char *synopsis, const char *summary,
		  const struct lh_option *options)
{
	sigset_t set;

	memset(t, 0, sizeof *t);
	t->name = name;
	t->synopsis = synopsis;
	t->summary = summary;
	t->options = options;
	t->max_line = UINT64_C(256) << 20;
	t->lock_timeout = LH_LOCK_TIMEOUT;
	t->max_members = LH_JSON_MEMBERS;
	t->jobs = lh_cpu_cores(256);
	t->state = &the_state;
	memset(&the_state, 0, sizeof the_state);
	the_state.closed = fill_descriptors();
	the_state.out = (struct lh_buf){ 0 };
	the_state.terminal = isatty(STDOUT_FILENO);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN);	/* so that the write fails and is reported */
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	/* What is written is never writable by others, whatever the umask. */
	umask(umask(077) | S_IWOTH);
	lh_signal_install();
	lh_progress_init(t);
	lh_truncated_install(t->name);
	lh_own_set_report(lh_tool_told, t);
}

int lh_tool_parse(struct lh_tool *t, int argc, char **argv, void *settings)
{
	static const char *const names[] = { "stdin", "stdout" };
	int fd, rc;

	/* a closed stderr is not an error: /dev/null replaces it */
	for (fd = 0; fd <= 1; fd++)
		if (t->state->closed & 1u << fd)
			return lh_err_set(&t->err, LH_EIO, "%s is closed", names[fd]);
	rc = lh_options_parse(t, argc, argv, settings);
	lh_json_members = t->max_members;
	return rc;
}

int lh_tool_usage(struct lh_tool *t, const char *fmt, ...)
{
	va_list ap;

	t->err.code = LH_EUSAGE;
	t->err.column = 0;
	t->err.status = 0;
	t->err.coded = false;
	va_start(ap, fmt);
	vsnprintf(t->err.msg, sizeof t->err.msg, fmt, ap);
	va_end(ap);
	return -1;
}

int lh_tool_unexpected(struct lh_tool *t, size_t i, const char *fmt, ...)
{
	char taken[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(taken, sizeof taken, fmt, ap);
	va_end(ap);
	return lh_tool_usage(t, "unexpected operand \"%.200s\": %s", t->operands[i], taken);
}

int lh_tool_no_stream(struct lh_tool *t, const char *what)
{
	return lh_tool_usage(t, "\"-\": %s is a file, not a stream (./- if that is its name)",
			     what);
}

bool lh_tool_reads_stdin(const struct lh_tool *t)
{
	size_t i;

	for (i = 0; i < t->n_operands; i++)
		if (!strcmp(t->operands[i], "-"))
			return true;
	return !t->n_operands;
}

int lh_tool_reported(struct lh_tool *t)
{
	t->err.code = LH_EIO;
	t->err.msg[0] = '\0';
	return -1;
}

void lh_tool_verdict_bad(struct lh_tool *t)
{
	__atomic_store_n(&t->state->bad, true, __ATOMIC_RELAXED);
}

void lh_tool_verdict_over(struct lh_tool *t, uint64_t n, const char *what, const char *where)
{
	if (n)
		return;
	lh_tool_message(t, "0 %s%s%s%s", what, where ? " in " : "", where ? where : "",
			t->allow_empty ? "" : ": --allow-empty if that is right");
	if (!t->allow_empty)
		lh_tool_verdict_bad(t);
}

void lh_tool_failed(struct lh_tool *t)
{
	__atomic_store_n(&t->state->failed, true, __ATOMIC_RELAXED);
}

void lh_tool_answer_each(struct lh_tool *t)
{
	if (t->on_error == LH_ON_ERROR_SKIP)
		t->on_error = LH_ON_ERROR_EMIT;
}

void lh_tool_record_failed(struct lh_tool *t)
{
	if (t->on_error == LH_ON_ERROR_EMIT)
		lh_tool_verdict_bad(t);
	else
		lh_tool_failed(t);
}

void lh_tool_ignore_sigpipe(struct lh_tool *t)
{
	(void)t;
	signal(SIGPIPE, SIG_IGN);
}

/* Report a failed write to stdout, once, here, since the caller may drop the error. */
static int stdout_failed(struct lh_tool *t)
{
	if (errno == EPIPE) {
		t->state->pipe_gone = true;
	} else {
		t->state->out_failed = true;
		lh_err_prefix(&t->err, "stdout");
		lh_message_at(t, LH_STYLE_BAD, NULL, 0, 0, t->err.msg);
	}
	return lh_tool_reported(t);
}

/* Write to a terminal: DEL and the controls U+0080 to U+009F, which JSON leaves in strings and
 * of which some terminals make commands, as JSON's escapes. */
static int write_shown(const char *p, size_t n, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		unsigned char next = i + 1 < n ? (unsigned char)p[i + 1] : 0;

		if (c == 0x7f)
			lh_buf_puts(&b, "\\u007f");
		else if (c == 0xc2 && next >= 0x80 && next < 0xa0)
			lh_buf_printf(&b, "\\u%04x", (unsigned char)p[++i]);
		else
			lh_buf_putc(&b, p[i]);
	}
	return lh_write_all(STDOUT_FILENO, b.p, b.len, err);
}

/* Write to stdout; a signal takes effect after all n bytes are written. */
static int write_stdout(struct lh_tool *t, const void *p, size_t n)
{
	bool was = lh_signal_deferred();
	int rc;

	if (t->state->out_failed || t->state->pipe_gone)
		return lh_tool_reported(t);
	lh_signal_defer(true);
	lh_progress_give_way(t, p, n);
	rc = t->state->terminal ? write_shown(p, n, &t->err) :
				  lh_write_all(STDOUT_FILENO, p, n, &t->err);
	if (rc < 0)
		stdout_failed(t);
	lh_signal_defer(was);
	if (!was && lh_signal_pending())
		lh_signal_die(lh_signal_pending());
	return rc;
}

int lh_tool_flush(struct lh_tool *t)
{
	struct lh_buf *out = &t->state->out;
	int rc = 0;

	if (out->len && t->state->settle)
		rc = t->state->settle(t->state->settle_ctx, out, &t->err);
	if (out->len && !rc)
		rc = write_stdout(t, out->p, out->len);
	lh_buf_reset(out);
	return rc;
}

void lh_tool_hold(struct lh_tool *t, int (*settle)(void *ctx, struct lh_buf *text,
						   struct lh_err *err), void *ctx)
{
	t->state->settle = settle;
	t->state->settle_ctx = ctx;
}

size_t lh_tool_held(const struct lh_tool *t)
{
	return t->state->out.len;
}

int lh_tool_write(struct lh_tool *t, const void *p, size_t n)
{
	if (t->state->settle)
		return lh_tool_out(t, p, n);
	if (lh_tool_flush(t) < 0)
		return -1;
	return n ? write_stdout(t, p, n) : 0;
}

int lh_tool_out(struct lh_tool *t, const void *p, size_t n)
{
	struct lh_buf *out = &t->state->out;

	if (n >= OUT_BLOCK && !t->state->settle)
		return lh_tool_write(t, p, n);
	if (out->len + n > OUT_BLOCK && !t->state->settle && lh_tool_flush(t) < 0)
		return -1;
	lh_buf_add(out, p, n);
	return 0;
}

int lh_tool_out_text(struct lh_tool *t, struct lh_buf *text)
{
	int rc = lh_tool_out(t, text->p, text->len);

	lh_buf_free(text);
	return rc;
}

int lh_tool_out_line(struct lh_tool *t, struct lh_buf *line)
{
	lh_buf_putc(line, '\n');
	return lh_tool_out_text(t, line);
}

int lh_tool_out_counts(struct lh_tool *t, const char *const *name, const uint64_t *count, size_t n)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	size_t i;

	lh_write_object(&w, NULL);
	for (i = 0; i < n; i++)
		lh_write_u64(&w, name[i], count[i]);
	lh_write_end(&w);
	return lh_tool_out_line(t, &line);
}

void lh_tool_time(const struct lh_tool *t, char *out)
{
	int64_t ms;

	if (!t->now || lh_time_read(t->now, strlen(t->now), &ms) < 0)
		ms = lh_time_clock();
	lh_time_print(ms, out);
}

const char *lh_tool_user(char user[LH_TOOL_USER])
{
	const struct passwd *pw = getpwuid(getuid());
	const char *sudo = getenv("SUDO_USER");
	int n = pw ? snprintf(user, LH_TOOL_USER, "user %s", pw->pw_name)
		   : snprintf(user, LH_TOOL_USER, "user %lu", (unsigned long)getuid());

	if (sudo && *sudo && n > 0 && lh_utf8_valid(sudo, strlen(sudo)) &&
	    strlen(sudo) + (size_t)n + 8 < LH_TOOL_USER)
		snprintf(user + n, (size_t)(LH_TOOL_USER - n), ", for %s", sudo);
	return user;
}

int lh_tool_finish(struct lh_tool *t, int rc)
{
	struct lh_tool_state *s = t->state;
	struct lh_err before;

	lh_progress_clear(t);
	lh_options_free(t);
	if (rc < 0 && t->err.msg[0] && t->err.code != LH_EINTR && !lh_signal_pending())
		lh_message_at(t, LH_STYLE_BAD, NULL, 0, 0, t->err.msg);
	/* The last errors of a disk or pipe appear when stdout is closed. */
	before = t->err;
	if (lh_tool_flush(t) == 0 && close(STDOUT_FILENO) < 0 && errno != EINTR) {
		lh_err_sys(&t->err, "close failed");
		stdout_failed(t);
	}
	t->err = before;
	lh_buf_free(&s->out);
	if (s->rejected) {
		char text[80];

		snprintf(text, sizeof text, "%llu of %llu records rejected",
			 (unsigned long long)s->rejected, (unsigned long long)s->records);
		lh_message_at(t, LH_STYLE_BAD, NULL, 0, 0, text);
	}
	if (lh_signal_pending())
		lh_signal_die(lh_signal_pending());
	if (s->out_failed || __atomic_load_n(&s->failed, __ATOMIC_RELAXED))
		return 2;
	if (s->pipe_gone)
		return 0;
	if (rc < 0)
		return s->stopped && t->err.code == LH_EDATA ? 1 : 2;
	return s->bad || s->rejected ? 1 : 0;
}
