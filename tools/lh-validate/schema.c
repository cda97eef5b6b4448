/* schema.c - records in, with every violation of a schema out. */
#include "validate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "file/file.h"
#include "json/write.h"
#include "jsonschema/jsonschema.h"
#include "schema/schema.h"
#include "base/time.h"

/* What the threads share; one of the schemas is set. */
struct run {
	struct lh_tool *tool;
	const struct lh_schema *schema;
	struct lh_jsonschema *own;	/* of a file */
	bool wire;
	atomic_bool bad;
};

struct worker {
	struct run *run;
	struct lh_buf scratch, findings;
	struct lh_jsonschema_run own;
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
	lh_jsonschema_run_free(&w->own);
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

static long check(struct worker *w, struct lh_record *rec, struct lh_err *err)
{
	const struct lh_value all = { rec->line, rec->len, LH_OBJECT, false };
	const struct run *run = w->run;

	if (run->own)
		return lh_jsonschema_check(run->own, &w->own, &all, on_violation, &w->findings,
					   err);
	return lh_schema_check_record(run->schema, rec, &w->scratch, on_violation, &w->findings);
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
	n = check(w, rec, err);
	if (n < 0)
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
	struct lh_suggest s = lh_suggest_for(given, strlen(given));
	char all[512] = "", close[LH_SUGGEST_ROOM];
	const char *name;
	size_t i, n = 0;

	for (i = 0; (name = lh_schema_name(i)) && n < sizeof all; i++) {
		n += (size_t)snprintf(all + n, sizeof all - n, "%s, ", name);
		lh_suggest_offer(&s, name, strlen(name));
	}
	lh_suggest_text(&s, "", close);
	return lh_tool_usage(tool, "--schema: \"%.200s\"%s%s%s is not %slist, or a file", given,
			     *close ? " (" : "", close, *close ? ")" : "", all);
}

#define SCHEMA_MAX ((size_t)16 << 20)	/* bytes of a file */

struct source {
	struct lh_tool *tool;
	const char *path;	/* of the schema */
};

static void on_unknown_keyword(void *ctx, const char *place)
{
	const struct source *from = ctx;

	lh_tool_verbose(from->tool, "%s: %.300s: not a keyword of JSON Schema, ignored", from->path,
			place);
}

/* Insert the file before the reason, and of a syntax error the line and column. */
static int bad_file(struct lh_err *err, const char *path, const struct lh_buf *text)
{
	size_t line = 1, begin = 0, i;

	if (!err->column)
		return lh_err_prefix(err, "%s", path);
	for (i = 0; i + 1 < err->column; i++) {
		if (text->p[i] == '\n') {
			line++;
			begin = i + 1;
		}
	}
	return lh_err_prefix(err, "%s:%zu:%zu", path, line, err->column - begin);
}

/* Compile the JSON Schema in a file: 1, 0 if there is no such file, or -1. */
static int open_file(struct lh_tool *tool, const char *path, struct lh_jsonschema **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0
			: lh_err_sys(&tool->err, "%s: cannot open", path);
	lh_buf_init(&text, SCHEMA_MAX);
	rc = lh_read_rest(fd, path, &text, &tool->err);
	if (rc <= 0)
		return rc;
	*out = lh_jsonschema_new((struct lh_str){ text.p ? text.p : "", text.len },
				 on_unknown_keyword, &(struct source){ tool, path }, &tool->err);
	return *out ? 1 : bad_file(&tool->err, path, &text);
}

int schema_run(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct run run = { .tool = tool, .wire = s->wire };
	int rc = 0;

	if (!strcmp(s->schema, "list"))
		return list(tool);
	run.schema = lh_schema_find(s->schema);
	if (!run.schema) {
		rc = open_file(tool, s->schema, &run.own);
		rc = rc ? (rc < 0 ? -1 : 0) : unknown(tool, s->schema);
	}
	if (!rc)
		rc = lh_records_run(tool, &(struct lh_flow){
			.map = on_record, .shared = &run,
			.context_size = sizeof(struct worker), .context_init = worker_init,
			.context_free = worker_free });
	lh_jsonschema_free(run.own);
	if (atomic_load(&run.bad))
		lh_tool_verdict_bad(tool);
	return rc;
}
