/* help.c - print --help from the option table.  See tool.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"

#define WIDTH 79
#define COLUMN_MIN 20
#define COLUMN_MAX 34
#define SCREEN 40		/* lines that the help of a tool has at most */

/* Append a heading, followed by text that is not one. */
static void heading(const struct lh_tool *t, struct lh_buf *b, const char *text)
{
	lh_term_put(b, lh_term_colored(STDOUT_FILENO, t->color), LH_STYLE_HEADING, text,
		    strlen(text));
}

static size_t option_left(const struct lh_option *o, char *to, size_t n)
{
	size_t at;

	if (o->key && o->name)
		at = (size_t)snprintf(to, n, "  -%c, --%s", o->key, o->name);
	else if (o->key)
		at = (size_t)snprintf(to, n, "  -%c", o->key);
	else
		at = (size_t)snprintf(to, n, "      --%s", o->name);
	if (o->arg)
		at += (size_t)snprintf(to + at, n - at, " %s", o->arg);
	return at;
}

/* Append a row of two columns, with right broken at spaces. */
static void row(struct lh_buf *b, const char *left, size_t column, const char *right)
{
	size_t at = strlen(left);

	lh_buf_puts(b, left);
	if (at + 2 > column) {
		lh_buf_putc(b, '\n');
		at = 0;
	}
	while (*right) {
		size_t room = WIDTH - column, n = strlen(right);

		for (; at < column; at++)
			lh_buf_putc(b, ' ');
		if (n > room)
			for (n = room; n && right[n] != ' '; n--)
				;
		if (!n)
			n = strcspn(right, " ");
		lh_buf_add(b, right, n);
		lh_buf_putc(b, '\n');
		right += n;
		right += strspn(right, " ");
		at = 0;
	}
}

/* Return whether an option is listed; brief: of a tool with commands, only those of all. */
static bool listed(const struct lh_tool *t, const struct lh_option *o, bool brief)
{
	if (o->hidden)
		return false;
	return !o->verbs || (t->verb ? (o->verbs & t->verb->bit) != 0 : !brief);
}

#define VERBS_MOST 4	/* of an option, before the rest is left to the help of a command */

/* Append the commands of an option, "; add, build", unless it is for all, or for the tool
 * without a command. */
static void verbs_of(const struct lh_tool *t, const struct lh_option *o, struct lh_buf *b)
{
	const struct lh_verb *v;
	const char *between = "; ";
	bool many = __builtin_popcount(o->verbs) > VERBS_MOST;
	unsigned n = 0;

	if (t->verb || !t->verbs || !o->verbs)
		return;
	for (v = t->verbs; v->name; v++)
		if (!*v->name && o->verbs & v->bit)
			return;
	for (v = t->verbs; v->name; v++) {
		if (!(o->verbs & v->bit))
			continue;
		lh_buf_puts(b, between);
		if (many && n++ == 2) {
			lh_buf_puts(b, "...");
			return;
		}
		lh_buf_puts(b, v->name);
		between = ", ";
	}
}

static size_t lines_of(const struct lh_buf *b)
{
	size_t i, n = 0;

	for (i = 0; i < b->len; i++)
		n += b->p[i] == '\n';
	return n;
}

/* Append the rows, with the texts from a column on. */
static void rows(const struct lh_tool *t, bool brief, size_t column, struct lh_buf *b)
{
	LH_SCOPED(lh_buf_free) struct lh_buf right = { 0 };
	const struct lh_option *o;
	char left[128];

	for (o = t->options; o->key || o->name; o++) {
		if (o->common || !listed(t, o, brief))
			continue;
		option_left(o, left, sizeof left);
		lh_buf_reset(&right);
		lh_buf_puts(&right, o->help);
		if (o->env)
			lh_buf_printf(&right, " [%s]", o->env);
		verbs_of(t, o, &right);
		lh_buf_putc(&right, '\0');
		row(b, left, column, right.p);
	}
}

/* Append the names of the options that most tools have, which the tool's page explains. */
static void common(const struct lh_tool *t, bool brief, struct lh_buf *b)
{
	LH_SCOPED(lh_buf_free) struct lh_buf names = { 0 };
	const struct lh_option *o;

	for (o = t->options; o->key || o->name; o++) {
		if (!o->common || !listed(t, o, brief))
			continue;
		if (o->key)
			lh_buf_printf(&names, "%s-%c", names.len ? ", " : "", o->key);
		else
			lh_buf_printf(&names, "%s--%s", names.len ? ", " : "", o->name);
	}
	lh_buf_printf(&names, "; see %s(1)", t->name);
	lh_buf_putc(&names, '\0');
	row(b, "  Also", 8, names.p);
}

static void options(const struct lh_tool *t, bool brief, struct lh_buf *b)
{
	LH_SCOPED(lh_buf_free) struct lh_buf best = { 0 }, text = { 0 };
	size_t column;

	for (column = COLUMN_MAX; column >= COLUMN_MIN; column--) {
		lh_buf_reset(&text);
		rows(t, brief, column, &text);
		if (column < COLUMN_MAX && lines_of(&text) > lines_of(&best))
			continue;
		lh_buf_reset(&best);
		lh_buf_add(&best, text.p, text.len);
	}
	lh_buf_putc(b, '\n');
	heading(t, b, "Options:");
	lh_buf_putc(b, '\n');
	lh_buf_add(b, best.p, best.len);
	common(t, brief, b);
}

static void verbs(const struct lh_tool *t, struct lh_buf *b)
{
	const struct lh_verb *v;
	char left[128];

	lh_buf_putc(b, '\n');
	heading(t, b, "Commands:");
	lh_buf_putc(b, '\n');
	for (v = t->verbs; v->name; v++) {
		if (!*v->name)
			continue;
		snprintf(left, sizeof left, "  %s%s%s", v->name, *v->operands ? " " : "",
			 v->operands);
		row(b, left, COLUMN_MAX, v->help);
	}
}

static void help_text(const struct lh_tool *t, bool brief, struct lh_buf *b)
{
	heading(t, b, "Usage:");
	if (t->verb) {
		lh_buf_printf(b, " %s %s [OPTION]...%s%s\n%s\n", t->name, t->verb->name,
			      *t->verb->operands ? " " : "", t->verb->operands, t->verb->help);
	} else {
		lh_buf_printf(b, " %s %s\n%s\n", t->name, t->synopsis, t->summary);
		if (t->spec && t->spec->example)
			lh_buf_printf(b, "\n  %s\n", t->spec->example);
		if (t->verbs)
			verbs(t, b);
	}
	options(t, brief, b);
	if (brief)
		lh_buf_printf(b, "\n%s COMMAND --help lists the options of a command.\n",
			      t->name);
}

void lh_help_text(const struct lh_tool *t, struct lh_buf *b)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	help_text(t, false, &text);
	if (t->verbs && !t->verb && lines_of(&text) > SCREEN) {
		lh_buf_reset(&text);
		help_text(t, true, &text);
	}
	lh_buf_add(b, text.p, text.len);
}
