/* schema.c - records in, with every violation of a schema out. */
#include "validate.h"

#include <stdatomic.h>

#include "json/write.h"
#include <lh/schema.h>
#include <lh/time.h>

/* What the threads share. */
struct run {
	struct lh_tool *tool;
	const struct lh_schema *schema;
	bool wire;
	atomic_bool bad;
};

struct worker {
	struct run *run;
	struct lh_buf scratch, findings;
};

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct worker *w = context;

	(void)err;
	w->run = ctx;
	return 0;
}

static void worker_free(void *arg)
{
	struct worker *w = arg;

	lh_buf_free(&w->scratch);
	lh_buf_free(&w->findings);
}

static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	struct lh_buf *to = ctx;
	struct lh_writer w = { to, 0, to->len > 0 };

	lh_write_object(&w, NULL);
	lh_write_str(&w, "field", *field);
	lh_write_text(&w, "severity", "error");
	lh_write_str(&w, "message", *problem);
	lh_write_end(&w);
}

/* The members of a report. */
static void put_report(struct lh_writer *w, const struct lh_buf *findings, uint64_t ms)
{
	lh_write_array(w, "findings");
	lh_buf_add(w->out, findings->p, findings->len);
	lh_write_end(w);
	lh_write_u64(w, "elapsed_ms", ms);
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	static const char *const drop[] = { "verdict" };
	struct worker *w = arg;
	struct run *run = w->run;
	double start = lh_time_monotonic();
	struct lh_writer to;
	uint64_t ms;
	long n;

	lh_buf_reset(&w->scratch);
	lh_buf_reset(&w->findings);
	n = lh_schema_check_record(run->schema, rec, &w->scratch, on_violation, &w->findings, err);
	if (n < 0 || lh_buf_check(&w->findings, err) < 0)
		return -1;
	if (n)
		atomic_store_explicit(&run->bad, true, memory_order_relaxed);
	ms = run->tool->now ? 0 : (uint64_t)((lh_time_monotonic() - start) * 1000);
	if (run->wire) {
		to = lh_write_to(out);
		lh_write_object(&to, NULL);
		put_report(&to, &w->findings, ms);
		lh_write_u64(&to, "status", n ? 422 : 200);
		lh_write_end(&to);
		return 0;
	}
	to = lh_write_record(out, rec, drop, 1);
	lh_write_object(&to, "verdict");
	lh_write_u64(&to, "status", n ? 422 : 200);
	lh_write_object(&to, "report");
	put_report(&to, &w->findings, ms);
	lh_write_end(&to);
	lh_write_end(&to);
	lh_write_end(&to);
	return 0;
}

static int list(struct lh_tool *tool)
{
	const char *name;
	size_t i;

	if (tool->n_operands)
		return lh_tool_usage(tool, "--schema list takes no operand");
	for (i = 0; (name = lh_schema_name(i)); i++)
		if (lh_tool_out(tool, name, strlen(name)) < 0 || lh_tool_out(tool, "\n", 1) < 0)
			return -1;
	return 0;
}

static int unknown(struct lh_tool *tool, const char *given)
{
	char all[512] = "";
	size_t i, n = 0;

	for (i = 0; lh_schema_name(i) && n < sizeof all; i++)
		n += (size_t)snprintf(all + n, sizeof all - n, "%s, ", lh_schema_name(i));
	return lh_tool_usage(tool, "--schema: \"%.200s\" is not %sor list", given, all);
}

int schema_run(struct lh_tool *tool, const struct settings *s)
{
	struct run run = { .tool = tool, .wire = s->wire };
	int rc;

	if (!strcmp(s->schema, "list"))
		return list(tool);
	run.schema = lh_schema_find(s->schema);
	if (!run.schema)
		return unknown(tool, s->schema);
	rc = lh_records_run(tool, &(struct lh_flow){
		.map = on_record, .shared = &run,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free });
	if (atomic_load(&run.bad))
		lh_tool_verdict_bad(tool);
	return rc;
}
