/* info.c - lh-index info, verify and compact. */
#include "index/index_tools.h"
#include <stdio.h>

#include "index.h"
#include "json/write.h"
#include "model/http.h"

/* Report a failed operand, and go on with the others. */
static void operand_failed(struct lh_tool *tool, int *rc)
{
	lh_tool_warn(tool, "%s", tool->err.msg);
	tool->err.msg[0] = '\0';
	*rc = -1;
}

static void put_name(struct lh_writer *w, const char *key, const char *value)
{
	if (*value)
		lh_write_text(w, key, value);
	else
		lh_write_null(w, key);
}

static void put_origin(struct lh_writer *w, const struct lh_index_params *p)
{
	char shown[sizeof p->url + 3];

	put_name(w, "engine", p->engine);
	put_name(w, "model", p->model);
	/* Append the url of a service, the path of a table, or that or the name of a model. */
	if (lh_engine_here(p->engine) ||
	    strcmp(p->engine, lh_engine_name(LH_ENGINE_GGUF)) == 0)
		snprintf(shown, sizeof shown, "%s", p->url);
	else
		lh_http_mask(p->url, shown, sizeof shown);
	put_name(w, "url", shown);
	put_name(w, "created_at", p->created_at);
	if (p->persons)
		lh_write_bool(w, "persons", true);
	if (*p->prefix)
		lh_write_text(w, "prefix", p->prefix);
	if (*p->query_prefix)
		lh_write_text(w, "query_prefix", p->query_prefix);
	put_name(w, "field", p->field);
	put_name(w, "template", p->text_template);
	if (p->lexical) {
		lh_write_object(w, "lexical");
		lh_write_text(w, lh_lexical_source_name(p->lexical), p->lexical_of);
		lh_write_end(w);
	} else {
		lh_write_null(w, "lexical");
	}
}

static void put_info(struct lh_writer *w, const char *path, const struct lh_index *ix)
{
	const struct lh_index_params *p = lh_index_get_params(ix);
	struct lh_str name = lh_index_name(path);
	struct lh_index_stats st;

	lh_index_get_stats(ix, &st);
	lh_write_object(w, NULL);
	if (lh_utf8_valid(name.p, name.n))
		lh_write_str(w, "name", name);
	else
		lh_write_null(w, "name");	/* JSON has no form for other bytes */
	lh_write_u64(w, "dimension", p->dimension);
	lh_write_u64(w, "length", st.live);
	put_name(w, "distance", lh_distance_name(p->distance));
	lh_write_u64(w, "m", p->m);
	lh_write_u64(w, "ef_construction", p->ef_construction);
	if (p->ef_search)
		lh_write_u64(w, "ef_search", p->ef_search);
	put_name(w, "precision", lh_precision_name(p->precision));
	lh_write_bool(w, "rescore", p->rescore);
	put_name(w, "layout", LH_INDEX_LAYOUT);
	put_origin(w, p);
	lh_write_u64(w, "file_bytes", st.file_bytes);
	lh_write_u64(w, "pending", st.pending);
	lh_write_u64(w, "deleted", st.deleted);
	lh_write_u64(w, "format", st.format);
	lh_write_end(w);
}

static int info_one(struct lh_tool *tool, const char *path)
{
	struct lh_index *ix = lh_index_open(path, &tool->err);
	struct lh_writer w;
	struct lh_buf line = { 0 };

	if (!ix)
		return -1;
	w = lh_write_to(&line);
	put_info(&w, path, ix);
	lh_index_close(ix);
	return lh_tool_out_line(tool, &line);
}

int index_info(struct lh_tool *tool, void *settings)
{
	size_t i;
	int rc = 0;

	(void)settings;
	for (i = 0; i < tool->n_operands; i++)
		if (info_one(tool, tool->operands[i]) < 0)
			operand_failed(tool, &rc);
	return rc;
}

struct check {
	struct lh_tool *tool;
	const char *path;
	struct lh_index *index;	/* with --reach */
	bool damaged;
};

static void on_damage(void *ctx, const char *section, const char *text)
{
	struct check *c = ctx;

	c->damaged = true;
	lh_tool_verdict_bad(c->tool);
	lh_tool_warn(c->tool, "%s: %s: %s", c->path, section, text);
}

static void on_unreached(void *ctx, uint64_t row)
{
	struct check *c = ctx;
	struct lh_row r;

	c->damaged = true;
	lh_tool_verdict_bad(c->tool);
	if (lh_index_row(c->index, row, &r, &c->tool->err) > 0)
		lh_tool_warn(c->tool, "%s: graph: row %llu, \"%.*s\": no link leads to it",
			     c->path, (unsigned long long)row, (int)r.id.n, r.id.p);
}

/* Report each live row that a walk over the graph does not get to. */
static int check_reach(struct check *c)
{
	struct lh_err *err = &c->tool->err;
	int64_t n;

	c->index = lh_index_open(c->path, err);
	n = c->index ? lh_index_unreached(c->index, on_unreached, c) : -1;
	if (n == 0 && !lh_index_has_graph(c->index))
		lh_tool_verbose(c->tool, "%s: no graph: every row is scanned", c->path);
	lh_index_close(c->index);
	return n < 0 ? -1 : 0;
}

int index_verify(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	size_t i;
	int rc = 0;

	for (i = 0; i < tool->n_operands; i++) {
		struct check c = { .tool = tool, .path = tool->operands[i] };

		if (lh_index_verify(c.path, on_damage, &c, &tool->err) < 0 ||
		    (s->reach && check_reach(&c) < 0 && !c.damaged))
			operand_failed(tool, &rc);
		else if (!c.damaged)
			lh_tool_verbose(tool, "%s: good", c.path);
		tool->err.msg[0] = '\0';	/* it was reported already */
		lh_tool_share(tool, i + 1, tool->n_operands);
	}
	return rc;
}

int index_compact(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;

	if (lh_index_compact_watched(tool->operands[0], (unsigned)tool->jobs, s->lock_timeout,
				     show_stage, tool, &tool->err) < 0)
		return -1;
	return not_stopped(tool);
}
