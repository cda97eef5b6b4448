/* completion_fish.c - the lines of share/completion/lh.fish: calls of complete(1) of fish. */
#include "completion.h"

#define QUOTE "\\'"

/* Append "__lh_takes_lh_search": names of variables have no "-". */
static void put_variable(struct lh_buf *out, const char *prefix, struct lh_str tool)
{
	size_t i;

	lh_buf_puts(out, prefix);
	for (i = 0; i < tool.n; i++)
		lh_buf_putc(out, tool.p[i] == '-' ? '_' : tool.p[i]);
}

/* Return what lists the values of a kind, for -a of complete, or NULL. */
static const char *list_of(const struct slot *s)
{
	static const struct { const char *value, *list; } lists[] = {
		{ "folder", "(__lh_folders)" }, { "command", "(__fish_complete_command)" },
		{ "page", "$__lh_tools $__lh_pages" },
	};
	size_t i;

	for (i = 0; i < sizeof lists / sizeof *lists; i++)
		if (is(s->value, lists[i].value))
			return lists[i].list;
	return NULL;
}

/* Append what completes a slot: " -f -a 'a b'", " -F". */
static void put_slot(struct lh_buf *out, const struct slot *s)
{
	const char *list = list_of(s);

	lh_buf_puts(out, is(s->value, "file") && !s->n_files ? " -F" : " -f");
	if (!list && !s->n_files && !s->n_choices)
		return;
	lh_buf_puts(out, s->n_files ? " -k -a '" : " -a '");
	put_joined(out, s->choices, s->n_choices, " ");
	if (s->n_choices && (list || s->n_files))
		lh_buf_putc(out, ' ');
	if (s->n_files) {
		lh_buf_puts(out, "(__lh_files \"");
		put_joined(out, s->files, s->n_files, "\" \"");
		lh_buf_puts(out, "\")");
	} else if (list) {
		lh_buf_puts(out, list);
	}
	lh_buf_putc(out, '\'');
}

static void put_start(struct lh_buf *out, const struct described *d)
{
	lh_buf_printf(out, "complete -c %.*s -n '", (int)d->tool.n, d->tool.p);
	if (is(d->tool, "lh"))
		lh_buf_puts(out, "not __lh_tool; and ");
}

static void put_can(struct lh_buf *out, const struct option *o)
{
	lh_buf_puts(out, "__lh_can ");
	put_commands_of(out, o);
	if (o->slot.repeatable)
		return;
	if (o->key.p)
		lh_buf_printf(out, " -%.*s", (int)o->key.n, o->key.p);
	if (o->name.p)
		lh_buf_printf(out, " --%.*s", (int)o->name.n, o->name.p);
}

static void put_option(struct lh_buf *out, const struct described *d, const struct option *o)
{
	put_start(out, d);
	put_can(out, o);
	lh_buf_putc(out, '\'');
	if (o->key.p)
		lh_buf_printf(out, " -s %.*s", (int)o->key.n, o->key.p);
	if (o->name.p)
		lh_buf_printf(out, " -l %.*s", (int)o->name.n, o->name.p);
	lh_buf_puts(out, " -d ");
	put_quoted(out, o->help, QUOTE);
	if (!is(o->type, "flag")) {
		lh_buf_puts(out, " -r");
		put_slot(out, &o->slot);
	}
	lh_buf_putc(out, '\n');
}

static void put_operands(struct lh_buf *out, const struct described *d, const struct command *c)
{
	const struct slot *s;
	size_t i;

	for (i = 0; i < c->n_operands; i++) {
		s = &c->operands[i];
		put_start(out, d);
		lh_buf_puts(out, "__lh_at ");
		put(out, c->name.n ? c->name : lh_str_of("."));
		if (s->repeatable)
			lh_buf_printf(out, " %zu'", i + 1);
		else
			lh_buf_printf(out, " %zu %zu'", i + 1, i + 1);
		put_slot(out, s);
		lh_buf_putc(out, '\n');
	}
}

static void put_lists(struct lh_buf *out, const struct described *d)
{
	const struct command *c;
	const struct option *o;

	put_variable(out, "set -g __lh_takes_", d->tool);
	for (o = d->options; o < d->options + d->n_options; o++) {
		if (is(o->type, "flag"))
			continue;
		if (o->key.p)
			lh_buf_printf(out, " -%.*s", (int)o->key.n, o->key.p);
		if (o->name.p)
			lh_buf_printf(out, " --%.*s", (int)o->name.n, o->name.p);
	}
	put_variable(out, "\nset -g __lh_commands_", d->tool);
	for (c = d->commands; c < d->commands + d->n_commands; c++) {
		lh_buf_putc(out, ' ');
		put(out, c->name.n ? c->name : lh_str_of("."));
	}
	lh_buf_putc(out, '\n');
}

static void put_tool(struct lh_buf *out, const struct described *d)
{
	struct command none = nameless(d);
	const struct command *c;
	size_t i;

	put_lists(out, d);
	lh_buf_printf(out, "complete -c %.*s -f\n", (int)d->tool.n, d->tool.p);
	for (c = d->commands; c < d->commands + d->n_commands; c++) {
		if (c->name.n) {
			put_start(out, d);
			lh_buf_puts(out, "__lh_begin' -a ");
			put_quoted(out, c->name, QUOTE);
			lh_buf_puts(out, " -d ");
			put_quoted(out, c->help, QUOTE);
			lh_buf_putc(out, '\n');
		}
		put_operands(out, d, c);
	}
	if (!d->n_commands)
		put_operands(out, d, &none);
	for (i = 0; i < d->n_options; i++)
		put_option(out, d, &d->options[i]);
}

void fish_tables(const struct described *all, size_t n, struct lh_buf *out)
{
	size_t i;

	lh_buf_puts(out, "set -g __lh_tools ");
	bash_tools(all, n, out);
	lh_buf_puts(out, "\nset -g __lh_pages ");
	bash_pages(all, n, out);
	lh_buf_puts(out, "\ncomplete -c lh -n __lh_tool -f -a '(__lh_complete_tool)'\n");
	for (i = 1; i < n; i++) {
		lh_buf_puts(out, "complete -c lh -n __lh_begin -a ");
		put_quoted(out, short_name(&all[i]), QUOTE);
		lh_buf_puts(out, " -d ");
		put_quoted(out, all[i].summary, QUOTE);
		lh_buf_putc(out, '\n');
	}
	for (i = 0; i < n; i++)
		put_tool(out, &all[i]);
}
