/* look.c - lh-pathway get, history, stats and verify. */
#include <stdlib.h>

#include "base/mem.h"
#include "json/bind.h"
#include "json/write.h"
#include "pathway.h"

/* Find the trace that a record names, in the present state of the log. */
static int find_trace(struct lh_pathway *p, struct lh_str uid, uint32_t *i, struct lh_err *err)
{
	int64_t at;

	if (lh_pathway_refresh(p, err) < 0)
		return -1;
	at = lh_pathway_find(p, uid.p, uid.n);
	if (at < 0)
		return lh_err_data(err, 404, "unknown uid \"%.*s\"",
				   (int)(uid.n > 100 ? 100 : uid.n), uid.p);
	*i = (uint32_t)at;
	return 0;
}

int get_trace(const struct lh_call *call, const void *in, struct lh_buf *out, struct lh_err *err)
{
	struct lh_pathway *p = run_of(call)->p;
	uint32_t i;

	return find_trace(p, ((const struct change *)in)->uid, &i, err) < 0
		? -1 : lh_pathway_put(p, i, out, err);
}

int get_history(const struct lh_call *call, const void *in, struct lh_buf *out,
		struct lh_err *err)
{
	struct lh_pathway *p = run_of(call)->p;
	const struct lh_str uid = ((const struct change *)in)->uid;
	struct lh_writer w = lh_write_to(out);
	int64_t at;
	uint32_t i;

	if (find_trace(p, uid, &i, err) < 0 || lh_pathway_ends(p, i, err) < 0)
		return -1;
	if (call->rec && !call->omit) {
		w = lh_write_record(out, call->rec, (const char *const[]){ "history" }, 1);
	} else {
		lh_write_object(&w, NULL);
		if (call->rec)
			lh_write_value(&w, "uid", lh_record_get(call->rec, "uid"));
		else
			lh_write_str(&w, "uid", uid);
	}
	lh_write_array(&w, "history");
	for (at = i; at >= 0; at = lh_pathway_predecessor(p, i, err)) {
		lh_write_key(&w, NULL);
		i = (uint32_t)at;
		if (lh_pathway_put(p, i, out, err) < 0)
			return -1;
	}
	lh_write_end(&w);
	lh_write_end(&w);
	return at == -3 ? -1 : 0;
}

/* ---- stats ---- */

static void write_counts(struct lh_writer *w, const struct lh_pathway_stats *st)
{
	lh_write_u64(w, "events", st->events);
	lh_write_u64(w, "traces", st->traces);
	lh_write_u64(w, "retired", st->retired);
	lh_write_u64(w, "skipped", st->skipped);
}

int get_stats(const struct lh_call *call, const void *in, struct lh_buf *out, struct lh_err *err)
{
	struct lh_pathway *p = run_of(call)->p;
	struct lh_writer w = lh_write_to(out);
	struct lh_pathway_stats st;

	(void)in;
	if (lh_pathway_refresh(p, err) < 0)
		return -1;
	lh_pathway_get_stats(p, &st);
	lh_write_object(&w, NULL);
	write_counts(&w, &st);
	lh_write_end(&w);
	return 0;
}

/* ---- verify ---- */

struct ways {
	uint64_t missing, cycles;
};

/* Follow every chain of predecessors once: a trace is marked by the first walk that
 * reaches it, and a walk that meets its own mark has found a cycle. */
static int walk_all(struct lh_pathway *p, uint64_t n, struct ways *w, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) uint32_t *mark = lh_calloc(n ? n : 1, sizeof *mark);
	uint64_t from;
	int64_t at = 0;

	for (from = 0; from < n && at != -3; from++) {
		for (at = (int64_t)from; at >= 0 && !mark[at];
		     at = lh_pathway_predecessor(p, (uint32_t)at, err))
			mark[at] = (uint32_t)from + 1;
		w->missing += at == -2;
		w->cycles += at >= 0 && mark[at] == from + 1;
	}
	return at == -3 ? -1 : 0;
}

static int verify_one(struct run *r)
{
	struct lh_tool *tool = r->tool;
	struct lh_pathway_stats st;
	struct ways ways = { 0, 0 };
	struct lh_writer w;
	struct lh_buf b = { 0 };

	lh_pathway_get_stats(r->p, &st);
	if (walk_all(r->p, st.traces, &ways, &tool->err) < 0)
		return -1;
	if (st.skipped || ways.cycles)
		lh_tool_verdict_bad(tool);
	w = lh_write_to(&b);
	lh_write_object(&w, NULL);
	if (lh_utf8_valid(r->path, strlen(r->path)))
		lh_write_text(&w, "log", r->path);
	else
		lh_write_null(&w, "log");
	write_counts(&w, &st);
	lh_write_u64(&w, "missing_predecessors", ways.missing);
	lh_write_u64(&w, "cycles", ways.cycles);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &b);
}

int pathway_verify(struct lh_tool *tool, void *settings)
{
	struct run *r = &((struct settings *)settings)->run;
	size_t i;
	int rc;

	for (i = 0; i < tool->n_operands; i++) {
		rc = run_open(r, tool, tool->operands[i], LH_PATHWAY_READ);
		if (!rc)
			rc = verify_one(r);
		if (run_close(r, rc) == 0)
			continue;
		if (i + 1 == tool->n_operands || tool->err.code != LH_EIO)
			return -1;
		lh_tool_warn(tool, "%s", tool->err.msg);	/* go on with the next */
		lh_tool_failed(tool);
	}
	return 0;
}
