/* op.c - the commands, requests and description of a tool by its operations.  See op.h. */
#include "op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "json/write.h"

/* The operations of requests, and the table of the member that names one. */
struct asked {
	int op;			/* index of name and of */
};
struct names {
	const char *name[LH_OPS_MAX + 1];	/* ends with NULL */
	const struct lh_op *of[LH_OPS_MAX];
	struct lh_bind member[2];
};

/* A command at work. */
struct run {
	struct lh_call call;		/* the first, as lh_op_answer has it */
	const struct lh_tool_spec *spec;
	struct names names;
	struct lh_buf strings;		/* of a record */
	void *in;			/* its struct */
	bool failing;			/* requests: a failure is reported already */
};

/* ---- rows ---- */

static void set_names(struct names *n, const struct lh_op *ops)
{
	const struct lh_bind line = {
		LH_BIND_INDEX("op", struct asked, op, n->name), .required = true,
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

static const struct lh_op *op_of(const struct lh_tool *tool)
{
	const struct lh_op *op = tool->spec->ops;

	while (!op->operands || strcmp(op->name, tool->verb->name) != 0)
		op++;
	return op;
}

/* Return whether the records of a command name their operation. */
static bool is_requests(const struct lh_op *op)
{
	return !op->answer && strcmp(op->name, "requests") == 0;
}

/* Count the words of "LOG [FILE...]"; required: those without brackets alone. */
static size_t words(const char *s, bool required)
{
	size_t n = 0;

	for (; *s; s += strcspn(s, " "), s += strspn(s, " "))
		n += !required || *s != '[';
	return n;
}

static int check_operands(struct lh_tool *tool)
{
	const char *takes = tool->verb->operands;
	size_t most = words(takes, false);

	if (tool->n_operands <= most || strstr(takes, "..."))
		return 0;
	return lh_tool_unexpected(tool, most, "%s takes %s%s", tool->verb->name,
				  most == 1 ? "one " : "", most ? takes : "none");
}

static int run_op(struct lh_tool *tool, void *settings)
{
	const struct lh_op *op = op_of(tool);

	if (check_operands(tool) < 0)
		return -1;
	return op->command ? op->command(tool, settings) : lh_op_run(tool, settings);
}

/* ---- records ---- */

static int answer(struct run *r, struct lh_record *rec, struct lh_buf *out, struct lh_err *err)
{
	const struct lh_op *op = r->call.op;

	r->call.rec = rec;
	if (!op->size)
		return op->answer(&r->call, NULL, out, err);
	memset(r->in, 0, op->size);
	if (lh_bind(op->in, rec, r->in, &r->strings, err) < 0)
		return -1;
	return op->answer(&r->call, r->in, out, err);
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err)
{
	return answer(run, rec, out, err);
}

int lh_op_answer(struct lh_call *call, struct lh_record *rec, struct lh_buf *out,
		 struct lh_err *err)
{
	struct run *r = (struct run *)call;
	struct asked asked;

	if (lh_bind(r->names.member, rec, &asked, &r->strings, err) < 0)
		return -1;
	r->call.op = r->names.of[asked.op];
	return answer(r, rec, out, err);
}

static int on_request(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err)
{
	struct run *r = run;
	char why[100];

	if (lh_op_answer(&r->call, rec, out, err) == 0) {
		r->failing = false;
		return 0;
	}
	if (r->spec->failed && r->spec->failed(&r->call, err) < 0)
		return -1;
	snprintf(why, sizeof why, "the %s %s", r->spec->what,
		 err->code == LH_ENET ? "does not answer" : "cannot be used at present");
	return lh_records_unavailable(r->call.tool, &r->failing, why, err);
}

/* Answer an operand; a refusal is reported, and the others are answered. */
static int on_operand(struct run *r, const char *operand, const char *option)
{
	struct lh_tool *tool = r->call.tool;
	const struct lh_str text = lh_str_of(operand);
	struct lh_buf out = { 0 };

	memset(r->in, 0, r->call.op->size);
	memcpy((char *)r->in + r->call.op->in->off, &text, sizeof text);
	if (r->call.op->answer(&r->call, r->in, &out, &tool->err) == 0)
		return lh_tool_out_line(tool, &out);
	lh_buf_free(&out);
	if (tool->err.code != LH_EDATA)
		return -1;
	if (option)
		lh_err_prefix(&tool->err, "%s", option);
	lh_tool_warn(tool, "%s", tool->err.msg);
	lh_tool_verdict_bad(tool);
	return 0;
}

/* ---- commands ---- */

static int before_output(void *run, struct lh_err *err)
{
	struct run *r = run;

	return r->spec->before_output ? r->spec->before_output(r->call.settings, err) : 0;
}

static int run_begin(struct run *r, struct lh_tool *tool, void *settings)
{
	const struct lh_op *op;
	size_t size = 1;

	*r = (struct run){ .call = { tool, op_of(tool), settings, NULL, NULL },
			   .spec = tool->spec };
	if (!r->call.op->answer) {
		r->call.omit = "op";
		set_names(&r->names, tool->spec->ops);
	}
	tool->jobs = 1;
	for (op = tool->spec->ops; op->name; op++)
		size = op->size > size ? op->size : size;
	r->in = lh_calloc(1, size, &tool->err);
	return r->in ? 0 : -1;
}

static int run_end(struct run *r, int rc)
{
	lh_buf_free(&r->strings);
	free(r->in);
	return rc;
}

int lh_op_flow(struct lh_tool *tool, void *settings, const struct lh_flow *part)
{
	size_t first = tool->verb->min_operands;
	struct lh_flow flow = part ? *part : (struct lh_flow){ .files = NULL };
	struct run r;
	int rc = run_begin(&r, tool, settings);

	if (!flow.batch)
		flow.map = r.call.op->answer ? on_record : on_request;
	flow.shared = &r;
	flow.before_output = before_output;
	flow.files = tool->operands + first;
	flow.n_files = tool->n_operands - first;
	return run_end(&r, rc ? rc : lh_records_run(tool, &flow));
}

int lh_op_texts(struct lh_tool *tool, void *settings, const struct lh_list *texts,
		const char *option)
{
	struct run r;
	int rc = run_begin(&r, tool, settings);
	size_t i;

	for (i = 0; !rc && i < texts->n; i++)
		rc = on_operand(&r, texts->v[i], option);
	return run_end(&r, rc);
}

int lh_op_requests(struct lh_tool *tool, void *settings)
{
	return lh_op_flow(tool, settings, NULL);
}

int lh_op_run(struct lh_tool *tool, void *settings)
{
	const size_t i = tool->verb->min_operands;
	const struct lh_list texts = { (const char **)tool->operands + i, tool->n_operands - i };

	if (!texts.n || strstr(tool->verb->operands, "[FILE...]"))
		return lh_op_flow(tool, settings, NULL);
	return lh_op_texts(tool, settings, &texts, NULL);
}

/* ---- --describe ---- */

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
	struct names names;

	set_names(&names, tool->spec->ops);
	lh_write_object(w, NULL);
	lh_write_text(w, "name", name);
	lh_write_text(w, "operands", operands);
	lh_write_text(w, "about", op->about);
	write_options(w, tool, false, operands ? op->bit : 0);
	write_schema(w, "input", is_requests(op) ? names.member : op->in,
		     LH_BIND_NULLS);
	write_schema(w, "output", op->out, 0);
	lh_write_bool(w, "writes", op->writes);
	lh_write_end(w);
}

static void describe(const struct lh_tool *tool, struct lh_buf *out)
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

int lh_op_main(const struct lh_tool_spec *spec, int argc, char **argv, void *settings)
{
	struct lh_verb verbs[LH_OPS_MAX + 1] = { { NULL } }, *v = verbs;
	struct lh_tool_spec s = *spec;
	const struct lh_op *op;

	for (op = spec->ops; op->name; op++)
		if (op->operands)
			*v++ = (struct lh_verb){ op->name, op->operands, op->about, op->bit,
						 words(op->operands, true), run_op };
	s.verbs = verbs;
	s.describe = describe;
	return lh_tool_main(&s, argc, argv, settings);
}
