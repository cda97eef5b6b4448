/* op.c - the commands and requests of a tool by its operations.  See op.h. */
#include "op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame.h"
#include "op_parts.h"

/* A command at work. */
struct run {
	struct lh_call call;
	const struct lh_tool_spec *spec;
	const struct lh_op *op;		/* of the record at hand */
	struct lh_op_names names;
	struct lh_buf strings;		/* of a record */
	void *in;			/* its struct */
	bool failing;			/* requests: a failure is reported already */
};

/* ---- rows ---- */

void lh_op_names_set(struct lh_op_names *n, const struct lh_op *ops)
{
	const struct lh_bind line = {
		LH_BIND_INDEX("op", struct lh_op_name, op, n->name), .required = true,
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
	s.describe = lh_op_describe;
	return lh_tool_main(&s, argc, argv, settings);
}

/* ---- records ---- */

static int answer(struct run *r, struct lh_record *rec, struct lh_buf *out, struct lh_err *err)
{
	const struct lh_op *op = r->op;

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

static int on_request(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err)
{
	struct run *r = run;
	struct lh_op_name asked;
	char why[100];

	if (lh_bind(r->names.member, rec, &asked, &r->strings, err) < 0)
		return -1;
	r->op = r->names.of[asked.op];
	if (answer(r, rec, out, err) == 0) {
		r->failing = false;
		return 0;
	}
	snprintf(why, sizeof why, "the %s %s", r->spec->what,
		 err->code == LH_ENET ? "does not answer" : "cannot be used at present");
	return lh_records_unavailable(r->call.tool, &r->failing, why, err);
}

/* Answer an operand; a refusal is reported, and the others are answered. */
static int on_operand(struct run *r, const char *operand)
{
	struct lh_tool *tool = r->call.tool;
	const struct lh_str text = lh_str_of(operand);
	struct lh_buf out = { 0 };

	memset(r->in, 0, r->op->size);
	memcpy((char *)r->in + r->op->in->off, &text, sizeof text);
	if (r->op->answer(&r->call, r->in, &out, &tool->err) == 0)
		return lh_tool_out_line(tool, &out);
	lh_buf_free(&out);
	if (tool->err.code != LH_EDATA)
		return -1;
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

static int run_records(struct run *r, int (*map)(struct lh_record *, struct lh_buf *, void *,
						 struct lh_err *))
{
	struct lh_tool *tool = r->call.tool;
	size_t first = tool->verb->min_operands;

	return lh_records_run(tool, &(struct lh_flow){
		.map = map,
		.shared = r,
		.before_output = before_output,
		.files = tool->operands + first,
		.n_files = tool->n_operands - first,
	});
}

static int run_begin(struct run *r, struct lh_tool *tool, void *settings)
{
	const struct lh_op *op;
	size_t size = 1;

	*r = (struct run){ .call = { tool, settings, NULL, NULL }, .spec = tool->spec,
			   .op = op_of(tool) };
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

int lh_op_run(struct lh_tool *tool, void *settings)
{
	size_t i = tool->verb->min_operands;
	struct run r;
	int rc = run_begin(&r, tool, settings);

	if (!rc && (i == tool->n_operands || strstr(tool->verb->operands, "[FILE...]")))
		return run_end(&r, run_records(&r, on_record));
	for (; !rc && i < tool->n_operands; i++)
		rc = on_operand(&r, tool->operands[i]);
	return run_end(&r, rc);
}

int lh_op_requests(struct lh_tool *tool, void *settings)
{
	struct run r;
	int rc = run_begin(&r, tool, settings);

	r.call.omit = "op";
	lh_op_names_set(&r.names, tool->spec->ops);
	if (!rc)
		rc = run_records(&r, on_request);
	return run_end(&r, rc);
}
