/* term.c - colour, the size of a terminal, cells of text, the user's pager.  See term.h. */
#include "term.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "proc/coproc.h"
#include "text/escape.h"

/* ---- cells ---- */

#define ESCAPED 4	/* \xNN */

/* Return two for East Asian Width W and F; none for marks (Mn, Me) and for the medial and final
 * letters of Hangul.  utf8proc_charwidth itself gives marks that advance (Mc) no cell. */
static unsigned width(uint32_t c)
{
	if (c - 0x1160 <= 0x11ff - 0x1160 || c - 0xd7b0 <= 0xd7ff - 0xd7b0)
		return 0;
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_MN: case UTF8PROC_CATEGORY_ME:
		return 0;
	case UTF8PROC_CATEGORY_CN:	/* some will be ideographs */
		return c - 0xf900 <= 0xfaff - 0xf900 || c - 0x20000 <= 0x2fffd - 0x20000 ||
		       c - 0x30000 <= 0x3fffd - 0x30000 ? 2 : 1;
	default:
		return utf8proc_charwidth((utf8proc_int32_t)c) == 2 ? 2 : 1;
	}
}

/* Return the cells of the character at p; *len is its length. */
static unsigned cells_at(const char *p, size_t n, size_t *len)
{
	const unsigned char *s = (const unsigned char *)p;

	*len = lh_escape_char_len(p, n);
	if (!*len) {
		*len = 1;
		return ESCAPED;
	}
	return *s < 0x80 ? 1 : width(lh_utf8_get(&s));
}

size_t lh_term_cells(const char *p, size_t n)
{
	size_t cells = 0, len;

	for (; n; p += len, n -= len)
		cells += cells_at(p, n, &len);
	return cells;
}

size_t lh_term_fit(const char *p, size_t n, size_t cells)
{
	size_t at, len, used = 0;

	for (at = 0; at < n; at += len) {
		used += cells_at(p + at, n - at, &len);
		if (used > cells)
			break;
	}
	return at;
}

/* ---- the terminal ---- */

#define SIZE_MAX_CELLS 10000

bool lh_term_knows_sequences(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb");
}

bool lh_term_colored(int fd, enum lh_color when)
{
	const char *no = getenv("NO_COLOR");

	if (when != LH_COLOR_AUTO)
		return when == LH_COLOR_ALWAYS;
	return !(no && *no) && lh_term_knows_sequences(fd);
}

int lh_term_columns(int fd)
{
	const char *text = getenv("COLUMNS");
	struct winsize size = { 0 };
	char *end = "";
	long n = 0;

	if (ioctl(fd, TIOCGWINSZ, &size) == 0)
		n = size.ws_col;
	if (!n && text)
		n = strtol(text, &end, 10);
	return n < 1 || *end ? 80 : n > SIZE_MAX_CELLS ? SIZE_MAX_CELLS : (int)n;
}

const char *lh_term_style(enum lh_style style)
{
	static const char *const begin[] = {
		[LH_STYLE_PLAIN] = "",		 [LH_STYLE_KEY] = "\x1b[1;34m",
		[LH_STYLE_STRING] = "\x1b[32m",	 [LH_STYLE_NUMBER] = "\x1b[36m",
		[LH_STYLE_LITERAL] = "\x1b[35m", [LH_STYLE_HEADING] = "\x1b[1m",
		[LH_STYLE_DIM] = "\x1b[2m",	 [LH_STYLE_GOOD] = "\x1b[32m",
		[LH_STYLE_WARN] = "\x1b[1;33m",	 [LH_STYLE_BAD] = "\x1b[1;31m",
	};

	return begin[style];
}

void lh_term_put(struct lh_buf *b, bool colored, enum lh_style style, const char *p, size_t n)
{
	if (!colored || style == LH_STYLE_PLAIN || !n) {
		lh_buf_add(b, p, n);
		return;
	}
	lh_buf_puts(b, lh_term_style(style));
	lh_buf_add(b, p, n);
	lh_buf_puts(b, LH_TERM_RESET);
}

/* ---- the pager ---- */

/* Start the pager with fd as its stdin.  Returns its PID, or -1. */
static pid_t spawn(const char *command, int fd, struct lh_err *err)
{
	char *less[] = { "less", "-FRX", NULL };
	char *shell[] = { "/bin/sh", "-c", (char *)command, NULL };
	char *env[] = { "LESS=FRX", NULL };	/* without R, less shows colours as text */

	return lh_coproc_spawn(&(struct lh_spawn){ .argv = command ? shell : less,
						   .fd = (int[]){ fd }, .n_fd = 1,
						   .env = getenv("LESS") ? NULL : env }, err);
}

/* ---- SIGINT ---- */

static volatile pid_t running;		/* the pager that SIGINT is left to */
static struct sigaction before_int, before_chld;

/* Let SIGINT end this process again once the pager has ended. */
static void on_child(int sig)
{
	siginfo_t ended = { 0 };
	int saved = errno;

	(void)sig;
	if (waitid(P_PID, (id_t)running, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid)
		sigaction(SIGINT, &before_int, NULL);
	errno = saved;
}

/* ---- */

/* Make fd stdout, and remember what that was. */
static int redirect(struct lh_term_pager *pager, int fd, struct lh_err *err)
{
	pager->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (pager->out >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
		return 0;
	lh_err_sys(err, "stdout");
	if (pager->out >= 0)
		close(pager->out);
	return -1;
}

bool lh_term_pager_wanted(void)
{
	const char *command = getenv("PAGER");

	return isatty(STDOUT_FILENO) && !(command && (!*command || !strcmp(command, "cat")));
}

int lh_term_pager_start(struct lh_term_pager *pager, struct lh_err *err)
{
	const char *command = getenv("PAGER");
	int ends[2], rc = 0;

	*pager = (struct lh_term_pager){ 0 };
	if (!lh_term_pager_wanted())
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return lh_err_sys(err, "pipe");
	pager->pid = spawn(command, ends[0], err);
	close(ends[0]);
	if (pager->pid < 0) {
		pager->pid = 0;
		rc = command ? -1 : 0;	/* less is not installed */
	} else {
		rc = redirect(pager, ends[1], err);
	}
	close(ends[1]);
	if (rc < 0 && pager->pid) {
		waitpid(pager->pid, NULL, 0);
		pager->pid = 0;
	}
	pager->command = command ? command : "less";
	if (pager->pid) {
		struct sigaction ignore = { .sa_handler = SIG_IGN };
		struct sigaction child = { .sa_handler = on_child,
					  .sa_flags = SA_RESTART | SA_NOCLDSTOP };

		running = pager->pid;
		sigaction(SIGINT, &ignore, &before_int);
		sigaction(SIGCHLD, &child, &before_chld);
		on_child(SIGCHLD);	/* it may have ended before */
	}
	return rc;
}

/* Report a failure of the pager.  SIGINT and SIGPIPE are ways to leave one; a shell says with
 * 128 + N that its command died of signal N, and with 126 and 127 that it could not run it. */
static int judge(const struct lh_term_pager *pager, int status, struct lh_err *err)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

	if (!code || code == 128 + SIGINT || code == 128 + SIGPIPE)
		return 0;
	if (code == 126 || code == 127)
		return lh_err_set(err, LH_EIO, "the pager \"%s\" cannot be run", pager->command);
	if (WIFSIGNALED(status))
		return lh_err_set(err, LH_EIO, "the pager was ended by signal %d", code - 128);
	return lh_err_set(err, LH_EIO, "the pager ended with status %d", code);
}

int lh_term_pager_end(struct lh_term_pager *pager, struct lh_err *err)
{
	int status = 0;

	if (!pager->pid)
		return 0;
	dup2(pager->out, STDOUT_FILENO);	/* closes the pipe: the pager's input ends */
	close(pager->out);
	while (waitpid(pager->pid, &status, 0) < 0 && errno == EINTR)
		;
	sigaction(SIGCHLD, &before_chld, NULL);
	sigaction(SIGINT, &before_int, NULL);
	pager->pid = 0;
	return judge(pager, status, err);
}
