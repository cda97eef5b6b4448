/* look.c - lh-pathway get, history and verify. */
#include <stdlib.h>

#include "base/mem.h"
#include "json/bind.h"
#include "json/write.h"
#include "pathway.h"

struct named {
	struct lh_str uid;
};
static const struct lh_bind members[] = {
	{ LH_BIND_STRING("uid", struct named, uid), .required = true, .filled = true },
	LH_BIND_END
};

/* Find the trace that a record names, in the present state of the log. */
static int find_trace(struct run *r, const struct lh_record *rec, uint32_t *i, struct lh_err *err)
{
	struct named named;
	struct lh_str *uid = &named.uid;
	int64_t at;

	if (lh_bind(members, rec, &named, &r->strings, err) < 0 ||
	    lh_pathway_refresh(r->p, err) < 0)
		return -1;
	at = lh_pathway_find(r->p, uid->p, uid->n);
	if (at < 0)
		return lh_err_data(err, 404, "unknown uid \"%.*s\"",
				   (int)(uid->n > 100 ? 100 : uid->n), uid->p);
	*i = (uint32_t)at;
	return 0;
}

int get_record(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err)
{
	struct run *r = run;
	uint32_t i;

	return find_trace(r, rec, &i, err) < 0 ? -1 : lh_pathway_put(r->p, i, out, err);
}

int history_record(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err)
{
	struct run *r = run;
	struct lh_writer w;
	int64_t at;
	uint32_t i;

	if (find_trace(r, rec, &i, err) < 0 || lh_pathway_ends(r->p, i, err) < 0)
		return -1;
	if (r->tool->verb->bit == V_REQUESTS) {
		w = lh_write_to(out);
		lh_write_object(&w, NULL);
		lh_write_value(&w, "uid", lh_record_get(rec, "uid"));
	} else {
		w = lh_write_record(out, rec, (const char *const[]){ "history" }, 1);
	}
	lh_write_array(&w, "history");
	for (at = i; at >= 0; at = lh_pathway_predecessor(r->p, i, err)) {
		lh_write_key(&w, NULL);
		i = (uint32_t)at;
		if (lh_pathway_put(r->p, i, out, err) < 0)
			return -1;
	}
	lh_write_end(&w);
	lh_write_end(&w);
	return at == -3 ? -1 : 0;
}

static int run_read_only(struct lh_tool *tool, void *settings,
			 int (*map)(struct lh_record *, struct lh_buf *, void *, struct lh_err *))
{
	struct run r;
	int rc = run_open(&r, tool, settings, tool->operands[0], LH_PATHWAY_READ);

	if (!rc)
		rc = run_records(&r, map);
	return run_close(&r, rc);
}

int pathway_get(struct lh_tool *tool, void *settings)
{
	return run_read_only(tool, settings, get_record);
}

int pathway_history(struct lh_tool *tool, void *settings)
{
	return run_read_only(tool, settings, history_record);
}

/* ---- verify ---- */

struct ways {
	uint64_t missing, cycles;
};

/* Follow every chain of predecessors once: a trace is marked by the first walk that
 * reaches it, and a walk that meets its own mark has found a cycle. */
static int walk_all(struct lh_pathway *p, uint64_t n, struct ways *w, struct lh_err *err)
{
	uint32_t *mark = lh_calloc(n ? n : 1, sizeof *mark, err);
	uint64_t from;
	int64_t at = 0;

	if (!mark)
		return -1;
	for (from = 0; from < n && at != -3; from++) {
		for (at = (int64_t)from; at >= 0 && !mark[at];
		     at = lh_pathway_predecessor(p, (uint32_t)at, err))
			mark[at] = (uint32_t)from + 1;
		w->missing += at == -2;
		w->cycles += at >= 0 && mark[at] == from + 1;
	}
	free(mark);
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
	lh_write_u64(&w, "events", st.events);
	lh_write_u64(&w, "traces", st.traces);
	lh_write_u64(&w, "retired", st.retired);
	lh_write_u64(&w, "skipped", st.skipped);
	lh_write_u64(&w, "missing_predecessors", ways.missing);
	lh_write_u64(&w, "cycles", ways.cycles);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &b);
}

int pathway_verify(struct lh_tool *tool, void *settings)
{
	struct run r;
	size_t i;
	int rc;

	for (i = 0; i < tool->n_operands; i++) {
		rc = run_open(&r, tool, settings, tool->operands[i], LH_PATHWAY_READ);
		if (!rc)
			rc = verify_one(&r);
		if (run_close(&r, rc) == 0)
			continue;
		if (i + 1 == tool->n_operands || tool->err.code != LH_EIO)
			return -1;
		lh_tool_warn(tool, "%s", tool->err.msg);	/* go on with the next */
		lh_tool_failed(tool);
	}
	return 0;
}
