/*
 * progress.c - one line on stderr that shows how far the work is.  See tool.h.
 *
 * On a terminal the line is written over and over, fits the width, and leaves the cursor
 * at its start: a narrower window then breaks it below the cursor, and erasing from there
 * removes all of it.  Elsewhere each is a line of its own.
 *
 * Messages of any thread remove the line: who shows, removes or tests it holds the lock of
 * stderr, which one thread may take twice.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/signal.h"
#include "file/file.h"
#include "frame.h"
#include <lh/time.h>

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

const char *lh_progress_erase(struct lh_tool *t)
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
	if (!out.failed)
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
	snprintf(p.records, sizeof p.records, "%llu records", (unsigned long long)s->records);
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
