/* stderr.c - messages, progress, and the last line where a mapped file is cut.  See tool.h. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "base/signal.h"
#include "file/file.h"
#include "frame.h"
#include "text/escape.h"

/* ---- a mapped file that has become shorter ---- */

/*
 * The handler finds the name of the file in /proc/self/maps, and calls nothing but what a signal
 * handler may.
 */

static const char *tool;
static char map_line[PATH_MAX + 128];	/* of the maps: "FROM-TO r--s OFFSET DEVICE INODE   PATH" */

/* Read a hexadecimal number, and go past it and what ends it. */
static uintptr_t number(const char **p)
{
	uintptr_t n = 0;

	for (; **p && **p != '-' && **p != ' '; (*p)++)
		n = n * 16 + (uintptr_t)(**p <= '9' ? **p - '0' : **p - 'a' + 10);
	*p += **p != '\0';
	return n;
}

/* Return the path of the line's mapping if that has the address and is of a file, or NULL. */
static const char *path_in_line(uintptr_t address)
{
	const char *p = map_line;
	uintptr_t from = number(&p), to = number(&p);

	return address >= from && address < to ? strchr(map_line, '/') : NULL;
}

static const char *path_at(uintptr_t address)
{
	static char block[4096];
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	const char *path = NULL;
	size_t n = 0;
	ssize_t got;

	while (!path && fd >= 0 && (got = read(fd, block, sizeof block)) > 0)
		for (ssize_t i = 0; i < got && !path; i++) {
			if (block[i] != '\n') {
				map_line[n] = block[i];
				n += n < sizeof map_line - 1;
				continue;
			}
			map_line[n] = '\0';
			path = path_in_line(address);
			n = 0;
		}
	return path;
}

static void on_bus(int sig, siginfo_t *info, void *context)
{
	static const char text[] = ": truncated while it was read, or its disk has failed\n";
	static atomic_flag once = ATOMIC_FLAG_INIT;
	static char message[sizeof map_line + 512];
	const char *path;
	size_t n;

	(void)context;
	if (atomic_flag_test_and_set(&once))
		for (;;)
			pause();	/* another thread ends the process */
	path = info->si_code == BUS_ADRERR ? path_at((uintptr_t)info->si_addr) : NULL;
	if (!path)
		lh_signal_die(sig);
	/* Write "tool: PATH: text" with one write(2), the control bytes of the path as "?". */
	n = strnlen(tool, 64);
	memcpy(message, tool, n);
	message[n++] = ':';
	message[n++] = ' ';
	for (; *path; path++)
		message[n++] = (unsigned char)*path < ' ' || *path == 0x7f ? '?' : *path;
	memcpy(message + n, text, sizeof text);
	if (write(STDERR_FILENO, message, n + sizeof text - 1) < 0) {
		/* stderr cannot be written */
	}
	lh_signal_unlink();
	_exit(2);
}

void lh_truncated_install(const char *name)
{
	struct sigaction sa = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };

	tool = name;
	sigfillset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
}

/* ---- progress ---- */

/*
 * On a terminal the line is written over and over, fits the width, and leaves the cursor
 * at its start: a narrower window then breaks it below the cursor, and erasing from there
 * removes all of it.  Elsewhere each is a line of its own.
 *
 * Messages of any thread remove the line: who shows, removes or tests it holds the lock of
 * stderr, which one thread may take twice.
 */

#define INTERVAL 0.2	/* seconds between two lines */
#define BAR_MIN 10
#define BAR_MAX 40

/* The parts of a line; "" or NULL for none. */
struct parts {
	const char *what;
	double share;		/* of the work; negative: not known */
	char percent[16], records[40], rate[32], left[32];
};

/* What is left out of a line that is too wide, first to last. */
enum without { BAR = 1, RATE, NAME, RECORDS, WHAT, LEFT };

struct line {
	char text[256];
	size_t n, name;		/* bytes of the text; of the name at its start */
};

/* The tool whose line a signal removes. */
static struct lh_tool_state *volatile on_terminal;

static void erase_on_signal(void)
{
	if (on_terminal && on_terminal->progress.shown &&
	    write(STDERR_FILENO, "\r\x1b[K", 4) < 0)
		return;		/* stderr cannot be written */
}

void lh_progress_init(struct lh_tool *t)
{
	struct lh_tool_state *s = t->state;

	s->progress.tty = lh_term_knows_sequences(STDERR_FILENO);
	s->progress.out_tty = s->progress.tty && isatty(STDOUT_FILENO);
	s->progress.start = s->progress.last = lh_time_monotonic();
	if (s->progress.tty) {
		on_terminal = s;
		lh_signal_before_death(erase_on_signal);
	}
}

bool lh_tool_shows_progress(const struct lh_tool *t)
{
	return t->progress == LH_PROGRESS_ALWAYS ||
	       (t->progress == LH_PROGRESS_AUTO && !t->quiet && t->state->progress.tty);
}

/* ---- removing it ---- */

/* Return what removes the line of progress from the terminal, for the caller to write
 * before something else; "" if there is none. */
static const char *lh_progress_erase(struct lh_tool *t)
{
	struct lh_tool_state *s = t->state;
	bool was = s->progress.shown && s->progress.tty;
	size_t rows, n, columns;

	s->progress.shown = false;
	if (!was)
		return "";
	columns = (size_t)lh_term_columns(STDERR_FILENO);
	rows = s->progress.cells < columns ? 1 : (s->progress.cells - 1) / columns + 1;
	if (rows == 1)
		return "\r\x1b[K";
	/* from the first row down and back: not \x1b[J, which tmux scrolls into its history */
	n = (size_t)snprintf(s->progress.erase, sizeof s->progress.erase, "\r\x1b" "7\x1b[K");
	while (--rows && n + 8 < sizeof s->progress.erase)
		n += (size_t)snprintf(s->progress.erase + n, sizeof s->progress.erase - n,
				      "\x1b[B\x1b[K");
	snprintf(s->progress.erase + n, sizeof s->progress.erase - n, "\x1b" "8");
	return s->progress.erase;
}

void lh_progress_clear(struct lh_tool *t)
{
	struct lh_err ignored;
	const char *erase;

	flockfile(stderr);
	erase = lh_progress_erase(t);
	if (*erase)
		lh_write_all(STDERR_FILENO, erase, strlen(erase), &ignored);
	funlockfile(stderr);
}

void lh_progress_give_way(struct lh_tool *t, const char *p, size_t n)
{
	if (!t->state->progress.out_tty || !n)
		return;
	lh_progress_clear(t);
	t->state->progress.midline = p[n - 1] != '\n';
}

/* ---- the line ---- */

static void add(struct line *l, const char *between, const char *text)
{
	if (*text && l->n < sizeof l->text)
		l->n += (size_t)snprintf(l->text + l->n, sizeof l->text - l->n, "%s%s", between,
					 text);
	if (l->n >= sizeof l->text)
		l->n = sizeof l->text - 1;
}

/* Compose a line of all parts that `less` does not leave out, with a bar of so many cells. */
static void compose(struct line *l, const char *name, const struct parts *p, unsigned less,
		    size_t bar)
{
	const char *between = "";

	l->n = 0;
	if (less < NAME) {
		add(l, "", name);
		add(l, "", ": ");
	}
	l->name = l->n ? l->n - 1 : 0;
	if (less < WHAT && p->what) {
		add(l, "", p->what);
		add(l, "", ": ");
	}
	add(l, "", p->percent);
	if (bar) {
		char text[BAR_MAX + 4] = " [";
		size_t done = (size_t)(p->share * (double)bar), i;

		for (i = 0; i < bar; i++)
			text[2 + i] = i < done ? '=' : i == done ? '>' : ' ';
		text[2 + i] = ']';
		text[3 + i] = '\0';
		add(l, "", text);
	}
	if (*p->percent)
		between = bar ? " " : ", ";
	if (less < RECORDS || !*p->percent) {
		add(l, between, p->records);
		between = *p->records ? ", " : between;
	}
	if (less < RATE)
		add(l, between, p->rate);
	if (less < LEFT)
		add(l, *p->percent || *p->records ? between : "", p->left);
}

static void show_on_terminal(struct lh_tool *t, const struct parts *p)
{
	bool colored = lh_term_colored(STDERR_FILENO, t->color);
	struct lh_tool_state *s = t->state;
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	struct lh_err ignored;
	struct line l;
	size_t cells, bar;
	unsigned less;

	if (s->progress.midline)
		return;
	cells = (size_t)lh_term_columns(STDERR_FILENO) - 1;
	compose(&l, t->name, p, 0, 0);
	if (p->share >= 0 && l.n + BAR_MIN + 3 <= cells) {
		bar = cells - l.n - 3;
		compose(&l, t->name, p, 0, bar < BAR_MAX ? bar : BAR_MAX);
	} else {
		for (less = BAR; l.n > cells && less <= LEFT; less++)
			compose(&l, t->name, p, less, 0);
		l.n = lh_term_fit(l.text, l.n, cells);
		l.name = l.name < l.n ? l.name : l.n;
	}
	lh_buf_puts(&out, s->progress.shown ? lh_progress_erase(t) : "\r\x1b[K");
	lh_term_put(&out, colored, LH_STYLE_HEADING, l.text, l.name);
	lh_buf_add(&out, l.text + l.name, l.n - l.name);
	lh_buf_putc(&out, '\r');
	s->progress.cells = l.n;
	s->progress.shown = true;
	lh_write_all(STDERR_FILENO, out.p, out.len, &ignored);
}

static void show(struct lh_tool *t, struct parts *p)
{
	p->what = t->state->progress.what;
	flockfile(stderr);
	if (t->state->progress.tty) {
		show_on_terminal(t, p);
	} else {
		bool share = !*p->records;
		struct line l = { .n = 0 };
		struct lh_err ignored;

		add(&l, "", t->name);
		add(&l, ": ", p->what ? p->what : "");
		add(&l, ": ", share ? p->percent : p->records);
		add(&l, ", ", p->rate);
		add(&l, ", ", p->left);
		add(&l, "", "\n");
		lh_write_all(STDERR_FILENO, l.text, l.n, &ignored);
	}
	funlockfile(stderr);
}

/* ---- what is known ---- */

/* Return whether progress is to be shown now; *took is the time since its start. */
static bool due(const struct lh_tool *t, bool at_once, double *took)
{
	struct lh_tool_state *s = t->state;
	double now;

	if (!lh_tool_shows_progress(t))
		return false;
	now = lh_time_monotonic();
	if (!at_once && now - s->progress.last < INTERVAL)
		return false;
	s->progress.last = now;
	*took = now - s->progress.start;
	return true;
}

/* Set the share, and the time left as far as it follows from that. */
static void put_share(struct parts *p, double took, uint64_t done, uint64_t of)
{
	double left;

	p->share = -1;
	if (!of)
		return;
	p->share = done < of ? (double)done / (double)of : 1;
	snprintf(p->percent, sizeof p->percent, "%.0f %%", 100.0 * (double)done / (double)of);
	if (!done || done >= of)
		return;
	left = took * (double)(of - done) / (double)done;
	if (left > 5400)
		snprintf(p->left, sizeof p->left, "%.1f h left", left / 3600);
	else if (left > 90)
		snprintf(p->left, sizeof p->left, "%.0f min left", left / 60);
	else
		snprintf(p->left, sizeof p->left, "%.0f s left", left);
}

void lh_tool_progress(struct lh_tool *t, uint64_t records)
{
	const struct lh_tool_state *s = t->state;
	struct parts p = { 0 };
	double took;

	t->state->records = records;
	if (!due(t, false, &took))	/* it is shown at most five times a second */
		return;
	put_share(&p, took, s->progress.done, s->progress.of);
	snprintf(p.records, sizeof p.records, "%.39s", LH_N(s->records, "record"));
	snprintf(p.rate, sizeof p.rate, "%.0f/s", took > 0 ? (double)s->records / took : 0.0);
	show(t, &p);
}

void lh_tool_share(struct lh_tool *t, uint64_t done, uint64_t of)
{
	struct parts p = { 0 };
	double took;

	if (!of || !due(t, done == of, &took))
		return;
	put_share(&p, took, done, of);
	show(t, &p);
}

void lh_tool_bytes(struct lh_tool *t, uint64_t done, uint64_t of)
{
	struct parts p = { 0 };
	double took;

	if (!due(t, false, &took))
		return;
	put_share(&p, took, done, of);
	snprintf(p.records, sizeof p.records, "%.1f MB", (double)done / 1e6);
	snprintf(p.rate, sizeof p.rate, "%.1f MB/s", took > 0 ? (double)done / 1e6 / took : 0.0);
	show(t, &p);
}

void lh_tool_doing(struct lh_tool *t, const char *what)
{
	if (what != t->state->progress.what)
		t->state->progress.start = lh_time_monotonic();
	t->state->progress.what = what;
}

/* ---- messages ---- */

#define MESSAGE_MAX 8192
#define TAIL 16		/* bytes of a message kept for the ends of styles, and the LF */

struct text {
	char p[MESSAGE_MAX];
	size_t n;
};

static void put_text(struct text *t, const char *s, size_t n)
{
	size_t room = t->n < sizeof t->p - TAIL ? sizeof t->p - TAIL - t->n : 0;

	if (n > room)
		n = room;
	memcpy(t->p + t->n, s, n);
	t->n += n;
}

static void put_escaped(struct text *t, const char *s)
{
	size_t left = strlen(s), n;
	char hex[5];

	while (left) {
		n = lh_escape_char_len(s, left);
		if (n) {
			put_text(t, s, n);
		} else {
			n = 1;
			snprintf(hex, sizeof hex, "\\x%02x", (unsigned char)*s);
			put_text(t, hex, 4);
		}
		s += n;
		left -= n;
	}
}

static void put_number(struct text *t, uint64_t v)
{
	char s[24];

	put_text(t, s, (size_t)snprintf(s, sizeof s, "%llu", (unsigned long long)v));
}

static void begin(struct text *t, bool colored, enum lh_style style)
{
	if (colored)
		put_text(t, lh_term_style(style), strlen(lh_term_style(style)));
}

/* End a style; there is room for it also in a full text. */
static void end(struct text *t, bool colored)
{
	if (!colored)
		return;
	memcpy(t->p + t->n, LH_TERM_RESET, strlen(LH_TERM_RESET));
	t->n += strlen(LH_TERM_RESET);
}

void lh_message_at(struct lh_tool *t, enum lh_style style, const char *file, uint64_t line,
		   size_t column, const char *text)
{
	bool colored = lh_term_colored(STDERR_FILENO, t->color);
	struct text m = { .n = 0 };
	struct lh_err ignored;
	const char *erase;

	flockfile(stderr);	/* progress is another thread's */
	erase = lh_progress_erase(t);
	put_text(&m, erase, strlen(erase));
	begin(&m, colored, style);
	put_escaped(&m, t->name);
	put_text(&m, ":", 1);
	end(&m, colored);
	put_text(&m, " ", 1);
	if (file) {
		begin(&m, colored, LH_STYLE_HEADING);
		/* Put "file:line:column:". */
		put_escaped(&m, file);
		put_text(&m, ":", 1);
		if (line) {
			put_number(&m, line);
			put_text(&m, ":", 1);
		}
		if (line && column) {
			put_number(&m, column);
			put_text(&m, ":", 1);
		}
		end(&m, colored);
		put_text(&m, " ", 1);
	}
	put_escaped(&m, text);
	m.p[m.n++] = '\n';
	lh_write_all(STDERR_FILENO, m.p, m.n, &ignored);
	funlockfile(stderr);
}

static void write_message(struct lh_tool *t, enum lh_style style, const char *fmt, va_list ap)
{
	char text[2048];

	vsnprintf(text, sizeof text, fmt, ap);
	lh_message_at(t, style, NULL, 0, 0, text);
}

void lh_tool_warn(struct lh_tool *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_message(t, LH_STYLE_WARN, fmt, ap);
	va_end(ap);
}

void lh_tool_message(struct lh_tool *t, const char *fmt, ...)
{
	va_list ap;

	if (t->quiet)
		return;
	va_start(ap, fmt);
	write_message(t, LH_STYLE_HEADING, fmt, ap);
	va_end(ap);
}

void lh_tool_verbose(struct lh_tool *t, const char *fmt, ...)
{
	va_list ap;

	if (!t->verbose)
		return;
	va_start(ap, fmt);
	write_message(t, LH_STYLE_HEADING, fmt, ap);
	va_end(ap);
}
