/* search.c - lh-pathway search: print matching traces, the newest first. */
#include <string.h>

#include <lh/metadata_filter.h>
#include "base/signal.h"
#include "pathway.h"

#define BLOCK 65536

struct search {
	struct run run;
	struct lh_filter *filter;	/* NULL: none */
	struct lh_record scan;
	struct lh_buf text, out;
};

/* ---- contains ---- */

static int string_holds(struct search *f, const struct lh_value *v, const char *text, size_t n,
			struct lh_err *err)
{
	struct lh_str s;

	lh_buf_reset(&f->text);
	if (lh_value_str(v, &f->text, &s, err) < 0)
		return -1;
	return memmem(s.p, s.n, text, n) != NULL;
}

/* Return 1 when a string in the checked value v contains the text; names of members do
 * not count. */
static int holds(struct search *f, const struct lh_value *v, const char *text, size_t n,
		 struct lh_err *err)
{
	struct lh_iter it;
	int rc = 0;

	if (v->type == LH_STRING)
		return string_holds(f, v, text, n, err);
	for (lh_iter_init(&it, v); !rc && lh_iter_next(&it); )
		rc = holds(f, &it.val, text, n, err);
	return rc;
}

/* ---- one trace ---- */

static bool has_tag(const struct lh_value *tags, const char *tag)
{
	struct lh_iter it;

	if (!tags->n)
		return false;
	for (lh_iter_init(&it, tags); lh_iter_next(&it); )
		if (lh_value_is(&it.val, tag, strlen(tag)))
			return true;
	return false;
}

static int fits(struct search *f, uint32_t i, struct lh_err *err)
{
	const struct settings *s = f->run.s;
	struct lh_value v;
	size_t k;
	int rc = 1;

	if (lh_pathway_retired(f->run.p, i) && !s->retired)
		return 0;
	if (s->tag.n && lh_pathway_tags(f->run.p, i, &v, err) < 0)
		return -1;
	for (k = 0; k < s->tag.n; k++)
		if (!has_tag(&v, s->tag.v[k]))
			return 0;
	if (!s->contains && !f->filter)
		return 1;
	if (lh_pathway_content(f->run.p, i, &v, err) < 0)
		return -1;
	if (s->contains)
		rc = holds(f, &v, s->contains, strlen(s->contains), err);
	if (rc == 1 && f->filter)
		rc = v.type == LH_OBJECT ? lh_filter_match(f->filter, v.p, v.n, err) : 0;
	return rc;
}

static int print_fitting(struct search *f, struct lh_err *err)
{
	struct lh_tool *tool = f->run.tool;
	struct lh_pathway_stats st;
	uint64_t left = f->run.s->k, i;
	int rc = 0;

	lh_pathway_get_stats(f->run.p, &st);
	for (i = st.traces; i-- > 0 && left && rc >= 0 && !lh_stopping(); ) {
		rc = fits(f, (uint32_t)i, err);
		if (rc != 1)
			continue;
		left--;
		rc = lh_pathway_put(f->run.p, (uint32_t)i, &f->out, err);
		lh_buf_putc(&f->out, '\n');
		if (!rc && (f->out.len >= BLOCK || f->out.failed)) {
			rc = lh_buf_check(&f->out, err) < 0
				? -1
				: lh_tool_out(tool, f->out.p, f->out.len);
			lh_buf_reset(&f->out);
		}
	}
	if (rc >= 0)
		rc = lh_buf_check(&f->out, err) < 0 ? -1 : lh_tool_out(tool, f->out.p, f->out.len);
	return rc < 0 ? -1 : 0;
}

static int make_filter(struct search *f, struct lh_err *err)
{
	const struct settings *s = f->run.s;
	struct lh_value v;
	struct lh_buf json = { 0 };
	int rc;

	if (!s->where.n)
		return 0;
	rc = lh_filter_where(&json, s->where.v, s->where.n, err);
	if (rc < 0)
		lh_err_prefix(err, "--where");
	if (!rc)
		rc = lh_buf_check(&json, err);
	if (!rc)
		rc = lh_json_parse(&f->scan, json.p, json.len, &v, err);
	f->filter = rc ? NULL : lh_filter_new(err);
	rc = f->filter ? lh_filter_compile(f->filter, &v, err) : -1;
	lh_buf_free(&json);
	return rc;
}

int pathway_search(struct lh_tool *tool, void *settings)
{
	struct search f = { .run = { .tool = tool, .s = settings } };
	int rc;

	lh_record_init(&f.scan);
	rc = make_filter(&f, &tool->err);
	if (!rc) {
		rc = run_open(&f.run, tool, settings, tool->operands[0], false);
		if (!rc)
			rc = print_fitting(&f, &tool->err);
		rc = run_close(&f.run, rc);
	}
	lh_filter_free(f.filter);
	lh_record_free(&f.scan);
	lh_buf_free(&f.text);
	lh_buf_free(&f.out);
	return rc;
}
