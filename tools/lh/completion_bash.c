/* completion_bash.c - the tables of share/completion/lh.bash, which says what they mean. */
#include "completion.h"

static void put_kind(struct lh_buf *out, const struct slot *s)
{
	static const struct { const char *value, *kind; } kinds[] = {
		{ "file", "f" }, { "folder", "d" }, { "command", "c" }, { "page", "p" },
	};
	const char *kind = "t";
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (is(s->value, kinds[i].value))
			kind = kinds[i].kind;
	lh_buf_puts(out, kind);
	if (s->n_files) {
		lh_buf_putc(out, ':');
		put_joined(out, s->files, s->n_files, ":");
	}
	if (s->n_choices) {
		lh_buf_putc(out, '=');
		put_joined(out, s->choices, s->n_choices, "|");
	}
}

static void put_option(struct lh_buf *out, const struct option *o)
{
	if (o->key.p)
		lh_buf_printf(out, "-%.*s%s", (int)o->key.n, o->key.p, o->name.p ? "," : "");
	if (o->name.p)
		lh_buf_printf(out, "--%.*s", (int)o->name.n, o->name.p);
	lh_buf_putc(out, ' ');
	if (is(o->type, "flag"))
		lh_buf_putc(out, '-');
	else
		put_kind(out, &o->slot);
	lh_buf_printf(out, " %c ", o->slot.repeatable ? '*' : '1');
	put_commands_of(out, o);
	lh_buf_putc(out, '\n');
}

static void put_operands(struct lh_buf *out, const struct command *c)
{
	size_t i;

	put(out, c->name.n ? c->name : lh_str_of("."));
	for (i = 0; i < c->n_operands; i++) {
		lh_buf_putc(out, ' ');
		put_kind(out, &c->operands[i]);
		if (c->operands[i].repeatable)
			lh_buf_putc(out, '+');
	}
	lh_buf_putc(out, '\n');
}

static void put_tool(struct lh_buf *out, const struct described *d)
{
	struct command none = nameless(d);
	size_t i;

	lh_buf_printf(out, "\t%.*s)\n\t\tC='", (int)d->tool.n, d->tool.p);
	for (i = 0; i < d->n_commands; i++) {
		if (!d->commands[i].name.n)
			continue;
		put(out, d->commands[i].name);
		lh_buf_putc(out, ' ');
	}
	lh_buf_puts(out, "'\n\t\tA='");
	for (i = 0; i < d->n_commands; i++)
		put_operands(out, &d->commands[i]);
	if (!d->n_commands)
		put_operands(out, &none);
	lh_buf_puts(out, "'\n\t\tO='");
	for (i = 0; i < d->n_options; i++)
		put_option(out, &d->options[i]);
	lh_buf_puts(out, "'\n\t\t;;\n");
}

void bash_tables(const struct described *all, size_t n, struct lh_buf *out)
{
	size_t i;

	for (i = 0; i < n; i++)
		put_tool(out, &all[i]);
}

void bash_tools(const struct described *all, size_t n, struct lh_buf *out)
{
	size_t i;

	for (i = 1; i < n; i++) {
		if (i > 1)
			lh_buf_putc(out, ' ');
		put(out, short_name(&all[i]));
	}
}

void bash_pages(const struct described *all, size_t n, struct lh_buf *out)
{
	size_t i;

	(void)all;
	(void)n;
	for (i = 0; i < N_PAGES; i++) {
		if (i)
			lh_buf_putc(out, ' ');
		lh_buf_puts(out, pages[i].name);
	}
}
