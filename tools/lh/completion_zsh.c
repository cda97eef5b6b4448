/* completion_zsh.c - the tables of share/completion/lh.zsh, which says what they mean. */
#include "completion.h"

/* Append a text of a spec, with a backslash before each of the special characters, within
 * quotes that the caller writes. */
static void put_text(struct lh_buf *out, struct lh_str s, const char *special)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (strchr(special, s.p[i]))
			lh_buf_putc(out, '\\');
		if (s.p[i] == '\'')
			lh_buf_puts(out, "'\\''");
		else
			lh_buf_putc(out, s.p[i]);
	}
}

/* Append ":FILE:_files", what follows the name of an option or the number of an operand.  An
 * action after a blank is called as it stands. */
static void put_slot(struct lh_buf *out, const struct slot *s)
{
	static const struct { const char *value, *action; } actions[] = {
		{ "file", "_files" }, { "folder", "_files -/" },
		{ "command", "_command_names -e" }, { "page", "_lh_pages" },
	};
	const char *action = NULL;
	size_t i;

	lh_buf_putc(out, ':');
	put_text(out, s->name, ":\\");
	lh_buf_putc(out, ':');
	for (i = 0; i < sizeof actions / sizeof *actions; i++)
		if (is(s->value, actions[i].value))
			action = actions[i].action;
	if (s->n_choices) {
		lh_buf_puts(out, action ? " _lh_either \"" : "(");
		put_joined(out, s->choices, s->n_choices, " ");
		lh_buf_puts(out, action ? "\" " : ")");
	}
	if (s->n_files) {
		lh_buf_puts(out, "_lh_files \"");
		put_joined(out, s->files, s->n_files, "\" \"");
		lh_buf_putc(out, '"');
	} else if (action || !s->n_choices) {
		lh_buf_puts(out, action ? action : " ");
	}
}

static void put_commands(struct lh_buf *out, const struct option *o)
{
	size_t i;

	for (i = 0; i < o->n_commands; i++) {
		if (i)
			lh_buf_putc(out, ',');
		put(out, o->commands[i].n ? o->commands[i] : lh_str_of("."));
	}
	lh_buf_putc(out, '|');
}

/* Append an option by one of its names: the spec of _arguments. */
static void put_spec(struct lh_buf *out, const struct option *o, bool by_name)
{
	lh_buf_puts(out, "\t\t\t'");
	put_commands(out, o);
	if (o->slot.repeatable)
		lh_buf_putc(out, '*');
	else if (o->key.p && o->name.p)
		lh_buf_printf(out, "(-%.*s --%.*s)", (int)o->key.n, o->key.p, (int)o->name.n,
			      o->name.p);
	if (by_name)
		lh_buf_printf(out, "--%.*s", (int)o->name.n, o->name.p);
	else
		lh_buf_printf(out, "-%.*s", (int)o->key.n, o->key.p);
	if (!is(o->type, "flag"))
		lh_buf_putc(out, by_name ? '=' : '+');
	lh_buf_putc(out, '[');
	put_text(out, o->help, "[]\\");
	lh_buf_putc(out, ']');
	if (!is(o->type, "flag"))
		put_slot(out, &o->slot);
	lh_buf_puts(out, "'\n");
}

static void put_operands(struct lh_buf *out, const struct command *c)
{
	size_t i;

	for (i = 0; i < c->n_operands; i++) {
		lh_buf_puts(out, "\t\t\t'");
		put(out, c->name.n ? c->name : lh_str_of("."));
		lh_buf_puts(out, c->operands[i].repeatable ? "|*" : "|");
		put_slot(out, &c->operands[i]);
		lh_buf_puts(out, "'\n");
	}
}

static void put_command(struct lh_buf *out, struct lh_str name, struct lh_str help)
{
	lh_buf_puts(out, "\t\t\t'");
	put_text(out, name, ":\\");
	lh_buf_putc(out, ':');
	put_text(out, help, "\\");
	lh_buf_puts(out, "'\n");
}

static void put_takes(struct lh_buf *out, const struct described *d)
{
	const struct option *o;

	lh_buf_puts(out, "\t\t)\n\t\ttakes=(");
	for (o = d->options; o < d->options + d->n_options; o++) {
		if (is(o->type, "flag"))
			continue;
		if (o->key.p)
			lh_buf_printf(out, " -%.*s", (int)o->key.n, o->key.p);
		if (o->name.p)
			lh_buf_printf(out, " --%.*s", (int)o->name.n, o->name.p);
	}
	lh_buf_puts(out, ")\n\t\t;;\n");
}

static void put_tool(struct lh_buf *out, const struct described *d)
{
	struct command none = nameless(d);
	const struct command *c;
	const struct option *o;

	lh_buf_printf(out, "\t%.*s)\n\t\tcommands=(\n", (int)d->tool.n, d->tool.p);
	for (c = d->commands; c < d->commands + d->n_commands; c++)
		if (c->name.n)
			put_command(out, c->name, c->help);
	lh_buf_puts(out, "\t\t)\n\t\toperands=(\n");
	for (c = d->commands; c < d->commands + d->n_commands; c++)
		put_operands(out, c);
	if (!d->n_commands)
		put_operands(out, &none);
	lh_buf_puts(out, "\t\t)\n\t\toptions=(\n");
	for (o = d->options; o < d->options + d->n_options; o++) {
		if (o->key.p)
			put_spec(out, o, false);
		if (o->name.p)
			put_spec(out, o, true);
	}
	put_takes(out, d);
}

void zsh_tables(const struct described *all, size_t n, struct lh_buf *out)
{
	size_t i;

	for (i = 0; i < n; i++)
		put_tool(out, &all[i]);
}

void zsh_tools(const struct described *all, size_t n, struct lh_buf *out)
{
	size_t i;

	for (i = 1; i < n; i++)
		put_command(out, short_name(&all[i]), all[i].summary);
}

void zsh_pages(const struct described *all, size_t n, struct lh_buf *out)
{
	size_t i;

	(void)all;
	(void)n;
	for (i = 0; i < N_PAGES; i++)
		lh_buf_printf(out, "%s'%s:%s'", i ? " " : "", pages[i].name, pages[i].about);
}
