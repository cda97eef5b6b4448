/* op.c - the commands and requests of a tool by its operations.  See op.h. */
#include "op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame.h"

/* A command at work. */
struct run {
	struct lh_call call;		/* the first, as lh_op_answer has it */
	const struct lh_tool_spec *spec;
	struct lh_op_names names;
	struct lh_buf strings;		/* of a record */
	void *in;			/* its struct */
	bool failing;			/* requests: a failure is reported already */
};

/* ---- rows ---- */

static const struct lh_op *op_of(const struct lh_tool *tool)
{
	const struct lh_op *op = tool->spec->ops;

	if (!tool->verb)
		return lh_op_of_filter(tool);
	while (!op->operands || strcmp(op->name, tool->verb->name) != 0)
		op++;
	return op;
}

/* Return whether operands begin with a word, "put|get [NAME...]": those after it are the
 * command's to check. */
static bool has_word(const char *operands)
{
	return *operands >= 'a' && *operands <= 'z';
}

/* Count the words of "LOG [FILE...]"; required: those without brackets alone. */
static size_t words(const char *s, bool required)
{
	size_t n = 0;

	if (required && has_word(s))
		return 1;
	for (; *s; s += strcspn(s, " "), s += strspn(s, " "))
		n += !required || *s != '[';
	return n;
}

static int check_operands(struct lh_tool *tool)
{
	const char *takes = tool->verb->operands, *name = tool->verb->name;
	size_t most = words(takes, false);
	int n;

	if (tool->n_operands <= most || strstr(takes, "...") || has_word(takes))
		return 0;
	if (most != 1)
		return lh_tool_unexpected(tool, most, "%s takes %s", name, most ? takes : "none");
	takes += *takes == '[';
	n = (int)strcspn(takes, "]");
	if (!*name)
		return lh_tool_unexpected(tool, most, "one %.*s is taken", n, takes);
	return lh_tool_unexpected(tool, most, "%s takes one %.*s", name, n, takes);
}

static int run_op(struct lh_tool *tool, void *settings)
{
	const struct lh_op *op = op_of(tool);

	if (tool->verb && check_operands(tool) < 0)
		return -1;
	return op->command ? op->command(tool, settings) : lh_op_run(tool, settings);
}

/* ---- records ---- */

int lh_op_refuse_paths(const struct lh_tool *tool, const struct lh_bind *table,
		       const struct lh_record *rec, struct lh_err *err)
{
	for (; !tool->files && table && table->name; table++)
		if (table->path && !table->safe && lh_record_get(rec, table->name))
			return lh_err_set(err, LH_EDATA, "\"%s\" names a file, which records may "
					  "do with --files alone", table->name);
	return 0;
}

static int answer(struct run *r, struct lh_record *rec, struct lh_buf *out, struct lh_err *err)
{
	const struct lh_op *op = r->call.op;

	r->call.rec = rec;
	if (!op->size)
		return op->answer(&r->call, NULL, out, err);
	memset(r->in, 0, op->size);
	if (lh_op_refuse_paths(r->call.tool, op->in, rec, err) < 0 ||
	    lh_bind(op->in, rec, r->in, &r->strings, err) < 0)
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
	const char *const but[] = { LH_OP_TRACE, LH_OP_ID, r->call.omit, NULL };
	struct lh_op_asked asked;

	if (lh_bind(r->names.member, rec, &asked, &r->strings, err) < 0)
		return -1;
	r->call.op = r->names.of[asked.op];
	if (lh_op_is_shut(r->call.op) &&
	    lh_bind_refuse_others(r->call.op->in, but, rec, err) < 0)
		return -1;
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
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };

	memset(r->in, 0, r->call.op->size);
	memcpy((char *)r->in + r->call.op->in->field - 1, &text, sizeof text);
	if (r->call.op->answer(&r->call, r->in, &out, &tool->err) == 0)
		return lh_tool_out_line(tool, &out);
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

static void run_begin(struct run *r, struct lh_tool *tool, void *settings)
{
	const struct lh_op *op;
	size_t size = 1;

	*r = (struct run){ .call = { tool, op_of(tool), settings, NULL, NULL },
			   .spec = tool->spec };
	if (!r->call.op->answer) {
		r->call.omit = "op";
		lh_op_names_set(&r->names, tool->spec->ops);
	}
	tool->jobs = 1;
	for (op = tool->spec->ops; op->name; op++)
		size = op->size > size ? op->size : size;
	r->in = lh_calloc(1, size);
}

static int run_end(struct run *r, int rc)
{
	lh_buf_free(&r->strings);
	free(r->in);
	return rc;
}

int lh_op_flow(struct lh_tool *tool, void *settings, const struct lh_flow *part)
{
	size_t first = tool->verb ? tool->verb->min_operands : 0;
	struct lh_flow flow = part ? *part : (struct lh_flow){ .files = NULL };
	struct run r;

	run_begin(&r, tool, settings);
	if (!r.call.op->answer)
		lh_tool_answer_each(tool);
	if (!flow.batch)
		flow.map = r.call.op->answer ? on_record : on_request;
	flow.shared = &r;
	flow.before_output = before_output;
	flow.files = tool->operands + first;
	flow.n_files = tool->n_operands - first;
	return run_end(&r, lh_records_run(tool, &flow));
}

int lh_op_texts(struct lh_tool *tool, void *settings, const struct lh_list *texts,
		const char *option)
{
	struct run r;
	size_t i;
	int rc = 0;

	run_begin(&r, tool, settings);
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
	const size_t i = tool->verb ? tool->verb->min_operands : 0;
	const struct lh_list texts = { (const char **)tool->operands + i, tool->n_operands - i };

	if (!texts.n || !tool->verb || strstr(tool->verb->operands, "[FILE...]"))
		return lh_op_flow(tool, settings, NULL);
	return lh_op_texts(tool, settings, &texts, NULL);
}

int lh_op_main(const struct lh_tool_spec *spec, int argc, char **argv, void *settings)
{
	struct lh_verb verbs[LH_OPS_MAX + 1] = { { NULL } }, *v = verbs;
	const struct lh_op *op;
	struct lh_tool tool;
	int rc;

	for (op = spec->ops; op->name; op++)
		if (op->operands)
			*v++ = (struct lh_verb){ op->name, op->operands, op->about, op->bit,
						 words(op->operands, true) };
	lh_tool_init(&tool, spec->name, spec->synopsis, spec->summary, spec->options);
	tool.verbs = v > verbs ? verbs : NULL;
	tool.spec = spec;
	if (spec->ignore_sigpipe)
		lh_tool_ignore_sigpipe(&tool);
	rc = lh_tool_parse(&tool, argc, argv, settings);
	if (!rc && spec->check)
		rc = spec->check(&tool, settings);
	if (!rc)
		rc = run_op(&tool, settings);
	if (spec->close)
		rc = spec->close(&tool, settings, rc);
	return lh_tool_finish(&tool, rc);
}
