/* operations.c - print --describe: the operations of a tool as JSON.  See op.h. */
#include <string.h>

#include "frame.h"
#include "json/write.h"

const struct lh_bind lh_op_any[] = { LH_BIND_END };

void lh_op_names_set(struct lh_op_names *n, const struct lh_op *ops)
{
	const struct lh_bind line = {
		LH_BIND_INDEX("op", struct lh_op_asked, op, n->name), .required = true,
		.about = "the operation"
	};
	size_t i = 0;

	for (; ops->name; ops++) {
		if (!ops->answer)
			continue;
		n->of[i] = ops;
		n->name[i++] = ops->request ? ops->request : ops->name;
	}
	n->name[i] = NULL;
	n->member[0] = line;
	n->member[1] = (struct lh_bind)LH_BIND_END;
}

const struct lh_op *lh_op_of_filter(const struct lh_tool *t)
{
	return t->spec->mode ? t->spec->mode(t->state->settings) : t->spec->ops;
}

/* Write the options of all commands, or those of the commands in bits alone. */
static void write_options(struct lh_writer *w, const struct lh_tool *t, bool all, unsigned bits)
{
	const struct lh_option *o;
	char key[] = "?";

	lh_write_array(w, "options");
	for (o = t->options; o->key || o->name; o++) {
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

bool lh_op_is_shut(const struct lh_op *op)
{
	return op->in && op->in != lh_op_any && !op->keeps;
}

/* Set to, of LH_BIND_MAX + 3 lines, to the members that a request may have besides "op". */
static void shut_table(const struct lh_bind *from, struct lh_bind *to)
{
	static const struct lh_bind own[] = {
		{ LH_BIND_ONLY(LH_OP_TRACE, LH_BIND_TO_VALUE), .types = LH_BIND_ANY,
		  .about = "the request, in logs" },
		{ LH_BIND_ONLY(LH_OP_ID, LH_BIND_TO_VALUE), .types = LH_BIND_ANY,
		  .about = "the request, in its error" },
	};
	bool has[2] = { false, false };
	size_t i;

	for (; from->name; from++) {
		for (i = 0; i < 2; i++)
			has[i] |= !strcmp(from->name, own[i].name);
		*to++ = *from;
	}
	for (i = 0; i < 2; i++)
		if (!has[i])
			*to++ = own[i];
	*to = (struct lh_bind)LH_BIND_CLOSED;
}

static void write_schema(struct lh_writer *w, const char *name, const struct lh_bind *table,
			 unsigned how)
{
	if (!table) {
		lh_write_null(w, name);
		return;
	}
	lh_write_object(w, name);
	if (table == lh_op_any)
		lh_write_text(w, "type", "object");
	else
		lh_bind_schema(w, table, how);
	lh_write_end(w);
}

/* Write which members of its answer and its record are marked; all: those of all requests. */
static void write_marked(struct lh_writer *w, const struct lh_op *row, bool all)
{
	static const struct {
		const char *name;
		bool in, paths;
	} lists[] = { { "shows", false, false }, { "uses", true, false }, { "paths", true, true } };
	size_t i, from;

	for (i = 0; i < sizeof lists / sizeof *lists; i++) {
		const struct lh_op *op = row;

		if (!all && !lists[i].in && (!op->out || op->out == lh_op_any)) {
			lh_write_null(w, lists[i].name);
			continue;
		}
		lh_write_array(w, lists[i].name);
		from = w->out->len;
		do {
			const struct lh_bind *table = lists[i].in ? op->in : op->out;

			if (table && (op->answer || !all))
				lh_bind_marked(w, table, lists[i].paths, from);
		} while (all && (++op)->name);
		lh_write_end(w);
	}
}

/* Write an operation; operands NULL: as requests have it, without a command. */
static void write_op(struct lh_writer *w, const struct lh_tool *t, const struct lh_op *op,
		     const char *name, const char *operands)
{
	const bool requests = !op->answer && !strcmp(op->name, "requests");
	const bool shut = t->verbs && !operands && lh_op_is_shut(op);
	struct lh_bind members[LH_BIND_MAX + 3];
	struct lh_op_names names;

	if (requests)
		lh_op_names_set(&names, t->spec->ops);
	lh_write_object(w, NULL);
	lh_write_text(w, "name", name);
	lh_write_text(w, "operands", operands);
	lh_write_text(w, "about", op->about);
	write_options(w, t, false, operands ? op->bit : 0);
	if (shut)
		shut_table(op->in, members);
	write_schema(w, "input", requests ? names.member : shut ? members : op->in,
		     LH_BIND_NULLS | LH_BIND_WORDS);
	write_schema(w, "output", op->out, 0);
	lh_write_bool(w, "writes", op->writes);
	write_marked(w, requests ? t->spec->ops : op, requests);
	lh_write_end(w);
}

/* Write the operation of a filter, and those of its requests; what it does not say of itself is
 * said of the tool. */
static void write_filter(struct lh_writer *w, const struct lh_tool *t)
{
	static const char before[] = "[OPTION]...";
	const char *operands = strstr(t->synopsis, before);
	const struct lh_op *row = lh_op_of_filter(t);
	struct lh_op op = *row;

	if (!op.about)
		op.about = t->summary;
	operands = operands ? operands + sizeof before - 1 : "";
	write_op(w, t, &op, "", operands + (*operands == ' '));
	while ((++row)->name && *row->name)
		write_op(w, t, row, row->name, NULL);
}

static void write_ops(struct lh_writer *w, const struct lh_tool *t)
{
	const struct lh_op *op;
	bool requests = false;

	for (op = t->spec->ops; op->name; op++)
		requests |= !op->answer && !strcmp(op->name, "requests");
	for (op = t->spec->ops; op->name; op++) {
		if (op->operands)
			write_op(w, t, *op->name ? op : lh_op_of_filter(t), op->name, op->operands);
		if (requests && op->answer)
			write_op(w, t, op, op->request ? op->request : op->name, NULL);
	}
}

void lh_operations_text(const struct lh_tool *t, struct lh_buf *b)
{
	struct lh_writer w = lh_write_to(b);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "name", t->name);
	lh_write_text(&w, "about", t->summary);
	write_options(&w, t, true, 0);
	lh_write_array(&w, "operations");
	(t->verbs ? write_ops : write_filter)(&w, t);
	lh_write_end(&w);
	lh_write_end(&w);
	lh_buf_putc(b, '\n');
}
