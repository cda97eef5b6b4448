/* commands.c - lh-workflow check, run and requests. */
#include "flow.h"

#include <stdlib.h>
#include <unistd.h>

#include "json/bind.h"
#include "json/write.h"

/* ---- check ---- */

static int print_order(struct lh_tool *tool, const struct lh_workflow *w)
{
	struct lh_buf line = { 0 };
	struct lh_writer out = lh_write_to(&line);
	size_t i;

	lh_write_object(&out, NULL);
	lh_write_str(&out, "workflow", w->name);
	lh_write_u64(&out, "nodes", w->n);
	lh_write_array(&out, "order");
	for (i = 0; i < w->n; i++)
		lh_write_str(&out, NULL, w->node[w->order[i]].id);
	lh_write_end(&out);
	lh_write_end(&out);
	return lh_tool_out_line(tool, &line);
}

static int check_flows(struct lh_tool *tool, void *settings)
{
	struct modes modes;
	int rc = modes_open(&modes, tool, settings, false);
	size_t i;

	for (i = 0; !rc && i < tool->n_operands; i++) {
		struct lh_workflow w = { .n = 0 };

		if (lh_workflow_open(&w, tool->operands[i],
				     &(struct lh_workflow_modes){ modes_know, &modes },
				     &tool->err) == 0) {
			rc = print_order(tool, &w);
		} else if (tool->err.code == LH_EDATA || tool->err.code == LH_EIO) {
			lh_tool_warn(tool, "%s", tool->err.msg);	/* go on with the next */
			lh_tool_failed(tool);
		} else {
			rc = -1;
		}
		lh_workflow_free(&w);
	}
	modes_close(&modes);
	return rc;
}

/* ---- run ---- */

struct runs {
	struct engine e;
	struct lh_workflow w;
};

static int print_line(void *tool, struct lh_buf *line, struct lh_err *err)
{
	lh_buf_putc(line, '\n');
	if (lh_buf_check(line, err) < 0)
		return -1;
	if (lh_tool_out(tool, line->p, line->len) == 0)
		return 0;
	*err = ((struct lh_tool *)tool)->err;
	return -1;
}

static int run_one(struct runs *r, const struct lh_value *input, struct lh_err *err)
{
	const struct run_to to = { print_line, r->e.tool };
	LH_SCOPED(lh_buf_free) struct lh_buf last = { 0 };
	int rc = engine_run(&r->e, &r->w, input, &to, &last, err);

	return rc ? rc : print_line(r->e.tool, &last, err);
}

/* Pass a record on to the calling thread, which asks. */
static int pass(struct lh_record *rec, struct lh_buf *out, void *runs, struct lh_err *err)
{
	(void)runs;
	(void)err;
	lh_buf_add(out, rec->line, rec->len);
	return 0;
}

static int on_input(const struct lh_output *o, void *runs, struct lh_err *err)
{
	const struct lh_value input = { o->text, o->n, LH_OBJECT, false };

	return run_one(runs, &input, err);
}

static int run_records(struct runs *r)
{
	static const char empty[] = "{}";
	const struct lh_value none = { empty, 2, LH_OBJECT, false };
	struct lh_tool *tool = r->e.tool;
	struct lh_flow flow = { .map = pass, .sink = on_input, .shared = r,
				.files = tool->operands + 1, .n_files = tool->n_operands - 1 };

	if (r->e.s->no_input || (!flow.n_files && isatty(STDIN_FILENO)))
		return run_one(r, &none, &tool->err);
	tool->jobs = 1;		/* those of the engine are for nodes */
	return lh_records_run(tool, &flow);
}

static int run_flow(struct lh_tool *tool, void *settings)
{
	struct runs r = { .w.n = 0 };
	int rc = engine_open(&r.e, tool, settings, false);

	if (!rc)
		rc = lh_workflow_open(&r.w, tool->operands[0],
				      &(struct lh_workflow_modes){ modes_know, &r.e.modes },
				      &tool->err);
	if (!rc) {
		modes_fit(&r.e.modes, &r.w, r.e.jobs);
		rc = run_records(&r);
	}
	rc = engine_close(&r.e, rc);
	lh_workflow_free(&r.w);
	return rc;
}

/* ---- requests ---- */

struct request {
	struct lh_value flow, inputs;
};
static const struct lh_bind request_members[] = {
	{ LH_BIND_OBJECT("flow|workflow", struct request, flow), .required = true },
	{ LH_BIND_OBJECT("inputs", struct request, inputs), .about = "$input of the flow" },
	LH_BIND_END
};

static int add_result(void *out, struct lh_buf *line, struct lh_err *err)
{
	struct lh_buf *results = out;

	if (results->len)
		lh_buf_putc(results, ',');
	lh_buf_add(results, line->p, line->len);
	return lh_buf_check(results, err);
}

static int answer_flow(const struct lh_call *call, const void *in, struct lh_buf *out,
		       struct lh_err *err)
{
	static const struct lh_value none = { "{}", 2, LH_OBJECT, false };
	struct engine *e = ((const struct settings *)call->settings)->engine;
	const struct request *q = in;
	LH_SCOPED(lh_buf_free) struct lh_buf results = { 0 };
	const struct run_to to = { add_result, &results };
	struct lh_workflow w = { .n = 0 };
	int rc = lh_workflow_read(&w, &q->flow, NULL,
				  &(struct lh_workflow_modes){ modes_know, &e->modes }, err);

	if (!rc)
		rc = engine_run(e, &w, q->inputs.p ? &q->inputs : &none, &to, out, err);
	if (!rc) {
		struct lh_writer last = lh_write_again(out);

		lh_write_array(&last, "results");
		lh_buf_add(out, results.p, results.len);
		lh_write_end(&last);
		lh_write_end(&last);
	}
	lh_workflow_free(&w);
	return rc;
}

static int answer_requests(struct lh_tool *tool, void *settings)
{
	struct engine e;
	int rc = engine_open(&e, tool, settings, true);

	((struct settings *)settings)->engine = &e;
	if (!rc) {
		modes_fit(&e.modes, NULL, e.jobs);
		rc = lh_op_run(tool, settings);
	}
	return engine_close(&e, rc);
}

/* ---- the operations ---- */

#define RUN LH_OP_TEXT("workflow"), LH_OP_TEXT("run"), LH_OP_TEXT("status")
static const struct lh_bind order[] = {
	LH_OP_TEXT("workflow"), LH_OP_COUNT("nodes"),
	{ LH_BIND_ONLY("order", LH_BIND_TO_STRINGS), .required = true, .about = "ids of nodes" },
	LH_BIND_END
};
static const struct lh_bind result[] = {
	RUN, LH_OP_COUNT("duration_ms"),
	{ LH_BIND_ONLY("id", LH_BIND_TO_STRING), .about = "of the node; that of a run has none" },
	{ LH_BIND_ONLY("output", LH_BIND_TO_VALUE), .types = LH_BIND_ANY, .null = true,
	  .person = true, .about = "of the node" },
	LH_BIND_END
};
static const struct lh_bind whole[] = {
	RUN, LH_OP_COUNT("nodes"), LH_OP_COUNT("ok"), LH_OP_COUNT("failed"),
	LH_OP_COUNT("skipped"), LH_OP_COUNT("duration_ms"),
	{ LH_BIND_ONLY("results", LH_BIND_TO_TABLES), .table = result, .required = true },
	LH_BIND_END
};

const struct lh_op workflow_ops[] = {
	{ "check", "FLOW...", "check flows, and print the order of their nodes", V_CHECK,
	  .out = order, .command = check_flows },
	{ "run", "FLOW [FILE...]", "run a flow for each record", V_RUN, .out = result,
	  .command = run_flow, .writes = true },
	{ "requests", "[FILE...]", "run the flow in each record", V_REQUESTS, answer_flow,
	  LH_OP_IN(request_members, struct request), .out = whole, .command = answer_requests,
	  .writes = true },
	LH_OP_END
};
