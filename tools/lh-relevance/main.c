/* lh-relevance: which chunks belong to the file under review.  See lh-relevance(1). */
#include <stdlib.h>

#include "lh_file.h"
#include "lh_mem.h"
#include "lh_num.h"
#include "relevance.h"

enum { V_GATE = 1, V_FILTER = 2 };

#define OPT(type, f, lo, hi) type, false, offsetof(struct settings, f), lo, hi, NULL, V_FILTER

static const struct lh_option options[] = {
	{ 0, "focus", "FILE", "JSON of the file under review, for all records", OPT(LH_OPT_TEXT, focus, 0, 0) },
	{ 0, "threshold", "SCORE", "keep chunks from there on (default 0.3)", OPT(LH_OPT_REAL, threshold, 0, 10) },
	{ 0, "kept", NULL, "print the chunks that are kept, no others", OPT(LH_OPT_FLAG, kept, 0, 0) },
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static const struct lh_verb verbs[] = {
	{ "gate", "[FILE...]", "the mode that a model is given", V_GATE, 0, gate_run },
	{ NULL, NULL, NULL, 0, 0, NULL },
};

struct worker {
	const struct settings *s;
	struct focus given, own;	/* --focus; the record's */
	struct lh_buf text;
};

static void worker_free(void *self)
{
	struct worker *w = self;

	if (!w)
		return;
	focus_free(&w->given);
	focus_free(&w->own);
	lh_buf_free(&w->text);
	free(w);
}

/* Each thread makes its own sets of what --focus holds. */
static int take_option(struct worker *w, struct lh_err *err)
{
	struct lh_record scan;
	struct lh_value v;
	int rc;

	lh_record_init(&scan);
	rc = lh_json_parse(&scan, w->s->focus_text.p, w->s->focus_text.len, &v, err);
	if (!rc)
		rc = focus_take(&w->given, &v, err);
	lh_record_free(&scan);
	return rc;
}

static void *worker_new(void *ctx, struct lh_err *err)
{
	struct worker *w = lh_calloc(1, sizeof *w, err);

	if (!w)
		return NULL;
	w->s = ctx;
	focus_init(&w->given);
	focus_init(&w->own);
	lh_buf_init(&w->text, LH_BUF_NOMAX);
	if (!w->s->focus || take_option(w, err) == 0)
		return w;
	worker_free(w);
	return NULL;
}

static int take_string(struct worker *w, const struct lh_record *rec, const char *name, struct lh_str *to, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, name);

	*to = (struct lh_str){ "", 0 };
	if (!v || v->type == LH_NULL)
		return 0;
	if (v->type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "\"%s\" is not a string", name);
	return lh_value_str(v, &w->text, to, err);
}

static int judge(struct worker *w, const struct lh_record *rec, struct verdict *verdict, struct lh_err *err)
{
	const struct lh_value *text = lh_record_get(rec, "text"), *focus = lh_record_get(rec, "focus");
	struct lh_str path, chunk;

	if (!text)
		return lh_err_set(err, LH_EDATA, "missing string field \"text\"");
	if (!focus && !w->s->focus)
		return lh_err_set(err, LH_EDATA, "missing object field \"focus\" (or --focus)");
	lh_buf_reset(&w->text);
	if (!lh_buf_room(&w->text, rec->len + LH_PAD))	/* so that no string moves another */
		return lh_buf_check(&w->text, err);
	if (take_string(w, rec, "path", &path, err) < 0 || take_string(w, rec, "text", &chunk, err) < 0)
		return -1;
	if (focus && focus_take(&w->own, focus, err) < 0)
		return -1;
	return score_chunk(focus ? &w->own : &w->given, path_plain(path), chunk, verdict, err);
}

static void put_real(struct lh_buf *out, const char *name, double v)
{
	char *to;

	lh_buf_puts(out, name);
	to = lh_buf_room(out, LH_F64_MAX);
	if (to)
		lh_buf_took(out, lh_f64_print(to, v));
}

static int on_chunk(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	struct worker *w = worker;
	struct verdict v;
	bool kept;

	if (judge(w, rec, &v, err) < 0)
		return -1;
	kept = v.score >= w->s->threshold;
	if (!kept && w->s->kept)
		return 0;
	lh_record_open(out, rec, (const char *const[]){ "relevance" }, 1);
	put_real(out, "\"relevance\":{\"score\":", v.score);
	put_real(out, ",\"threshold\":", w->s->threshold);
	lh_buf_printf(out, ",\"kept\":%s,\"signals\":", kept ? "true" : "false");
	score_put_signals(&v, out);
	lh_buf_putc(out, '}');
	lh_record_close(out, rec);
	return 0;
}

/* Read --focus, and see that it is one. */
static int read_focus(struct lh_tool *tool, struct settings *s)
{
	struct lh_mapped m;
	struct lh_record scan;
	struct lh_value v;
	struct focus f;
	int rc;

	if (lh_mapped_open(&m, s->focus, &tool->err) < 0)
		return -1;
	lh_buf_add(&s->focus_text, m.p, m.n);
	lh_mapped_close(&m);
	if (lh_buf_check(&s->focus_text, &tool->err) < 0 || !lh_buf_room(&s->focus_text, 1))
		return lh_buf_check(&s->focus_text, &tool->err);
	lh_record_init(&scan);
	focus_init(&f);
	rc = lh_json_parse(&scan, s->focus_text.p, s->focus_text.len, &v, &tool->err);
	if (!rc)
		rc = focus_take(&f, &v, &tool->err);
	focus_free(&f);
	lh_record_free(&scan);
	return rc < 0 ? lh_err_prefix(&tool->err, "--focus %s", s->focus) : 0;
}

static int filter(struct lh_tool *tool, struct settings *s)
{
	struct lh_flow flow = { .map = on_chunk, .worker_new = worker_new, .worker_free = worker_free, .ctx = s };
	int rc = 0;

	lh_buf_init(&s->focus_text, LH_BUF_NOMAX);
	if (s->focus)
		rc = read_focus(tool, s);
	if (!rc)
		rc = lh_flow_run(tool, &flow);
	lh_buf_free(&s->focus_text);
	return rc;
}

int main(int argc, char **argv)
{
	struct settings s = { .threshold = 0.3 };
	struct lh_tool tool;
	int rc;

	lh_tool_init(&tool, "lh-relevance", "[gate] [OPTION]... [FILE]...", "which chunks belong to the file under review", options);
	if (argc > 1 && strcmp(argv[1], verbs[0].name) == 0)
		lh_tool_verbs(&tool, verbs);
	rc = lh_tool_parse(&tool, argc, argv, &s);
	if (!rc)
		rc = tool.verb ? tool.verb->run(&tool, &s) : filter(&tool, &s);
	return lh_tool_finish(&tool, rc);
}
