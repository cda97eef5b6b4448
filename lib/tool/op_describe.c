/* op_describe.c - print --describe: the operations of a tool as JSON.  See op.h. */
#include "json/write.h"
#include "op_parts.h"

/* Write the options of all commands, or those of the commands in bits alone. */
static void write_options(struct lh_writer *w, const struct lh_tool *tool, bool all, unsigned bits)
{
	const struct lh_option *o;
	char key[] = "?";

	lh_write_array(w, "options");
	for (o = tool->options; o->key || o->name; o++) {
		if (o->hidden || (all ? o->verbs != 0 : !(o->verbs & bits)))
			continue;
		key[0] = (char)o->key;
		lh_write_object(w, NULL);
		lh_write_text(w, "name", o->name ? o->name : key);
		lh_write_text(w, "about", o->help);
		lh_write_end(w);
	}
	lh_write_end(w);
}

static void write_schema(struct lh_writer *w, const char *name, const struct lh_bind *table,
			 unsigned how)
{
	if (!table) {
		lh_write_null(w, name);
		return;
	}
	lh_write_object(w, name);
	lh_bind_schema(w, table, how);
	lh_write_end(w);
}

/* Write an operation; operands NULL: as requests have it, without a command. */
static void write_op(struct lh_writer *w, const struct lh_tool *tool, const struct lh_op *op,
		     const char *name, const char *operands)
{
	struct lh_op_names names;

	lh_op_names_set(&names, tool->spec->ops);
	lh_write_object(w, NULL);
	lh_write_text(w, "name", name);
	lh_write_text(w, "operands", operands);
	lh_write_text(w, "about", op->about);
	write_options(w, tool, false, operands ? op->bit : 0);
	write_schema(w, "input", op->command == lh_op_requests ? names.member : op->in,
		     LH_BIND_NULLS);
	write_schema(w, "output", op->out, 0);
	lh_write_bool(w, "writes", op->writes);
	lh_write_end(w);
}

void lh_op_describe(const struct lh_tool *tool, struct lh_buf *out)
{
	struct lh_writer w = lh_write_to(out);
	const struct lh_op *op;

	lh_write_object(&w, NULL);
	lh_write_text(&w, "name", tool->name);
	lh_write_text(&w, "about", tool->summary);
	write_options(&w, tool, true, 0);
	lh_write_array(&w, "operations");
	for (op = tool->spec->ops; op->name; op++) {
		if (op->operands)
			write_op(&w, tool, op, op->name, op->operands);
		if (op->request || !op->operands)
			write_op(&w, tool, op, op->request ? op->request : op->name, NULL);
	}
	lh_write_end(&w);
	lh_write_end(&w);
	lh_buf_putc(out, '\n');
}
