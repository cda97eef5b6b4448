/* info.c - lh-index info, verify and compact. */
#include <stdio.h>

#include "index.h"
#include "model/http.h"

/* Report a failed operand, and go on with the others. */
static void operand_failed(struct lh_tool *tool, int *rc)
{
	lh_tool_warn(tool, "%s", tool->err.msg);
	tool->err.msg[0] = '\0';
	*rc = -1;
}

static void put_name(struct lh_buf *b, const char *key, const char *value)
{
	lh_buf_printf(b, ",\"%s\":", key);
	if (*value)
		lh_buf_json(b, value, strlen(value));
	else
		lh_buf_puts(b, "null");
}

/* Append the url of a service, or the path of a table. */
static void put_url(struct lh_buf *b, const struct lh_index_params *p)
{
	char shown[sizeof p->url + 3];

	if (lh_engine_here(p->engine))
		snprintf(shown, sizeof shown, "%s", p->url);
	else
		lh_http_mask(p->url, shown, sizeof shown);
	put_name(b, "url", shown);
}

static void put_info(struct lh_buf *b, const char *path, const struct lh_index *ix)
{
	const struct lh_index_params *p = lh_index_get_params(ix);
	struct lh_str name = lh_index_name(path);
	struct lh_index_stats st;

	lh_index_get_stats(ix, &st);
	lh_buf_puts(b, "{\"name\":");
	if (lh_utf8_valid(name.p, name.n))
		lh_buf_json(b, name.p, name.n);
	else
		lh_buf_puts(b, "null");	/* JSON has no number for it */
	lh_buf_printf(b, ",\"dimension\":%u,\"length\":%llu", p->dimension, (unsigned long long)st.live);
	put_name(b, "distance", lh_distance_name(p->distance));
	lh_buf_printf(b, ",\"m\":%u,\"ef_construction\":%u", p->m, p->ef_construction);
	put_name(b, "precision", lh_precision_name(p->precision));
	lh_buf_printf(b, ",\"rescore\":%s", p->rescore ? "true" : "false");
	put_name(b, "engine", p->engine);
	put_name(b, "model", p->model);
	put_url(b, p);
	put_name(b, "created_at", p->created_at);
	put_name(b, "field", p->field);
	put_name(b, "template", p->text_template);
	if (p->lexical) {
		lh_buf_puts(b, ",\"lexical\":{\"");
		lh_buf_puts(b, lh_lexical_source_name(p->lexical));
		lh_buf_puts(b, "\":");
		lh_buf_json(b, p->lexical_of, strlen(p->lexical_of));
		lh_buf_putc(b, '}');
	} else {
		lh_buf_puts(b, ",\"lexical\":null");
	}
	lh_buf_printf(b, ",\"file_bytes\":%llu,\"pending\":%llu,\"deleted\":%llu,\"format\":%u}\n",
		      (unsigned long long)st.file_bytes, (unsigned long long)st.pending,
		      (unsigned long long)st.deleted, st.format);
}

static int info_one(struct lh_tool *tool, const char *path)
{
	struct lh_index *ix = lh_index_open(path, &tool->err);
	struct lh_buf b;
	int rc;

	if (!ix)
		return -1;
	lh_buf_init(&b, LH_BUF_NOMAX);
	put_info(&b, path, ix);
	rc = lh_buf_check(&b, &tool->err);
	if (rc == 0)
		rc = lh_tool_out(tool, b.p, b.len);
	lh_buf_free(&b);
	lh_index_close(ix);
	return rc;
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
	bool damaged;
};

static void on_damage(void *ctx, const char *section, const char *text)
{
	struct check *c = ctx;

	c->damaged = true;
	lh_tool_verdict_bad(c->tool);
	lh_tool_warn(c->tool, "%s: %s: %s", c->path, section, text);
}

int index_verify(struct lh_tool *tool, void *settings)
{
	size_t i;
	int rc = 0;

	(void)settings;
	for (i = 0; i < tool->n_operands; i++) {
		struct check c = { tool, tool->operands[i], false };

		if (lh_index_verify(c.path, on_damage, &c, &tool->err) < 0)
			operand_failed(tool, &rc);
		else if (!c.damaged)
			lh_tool_verbose(tool, "%s: good", c.path);
		tool->err.msg[0] = '\0';	/* it was reported already */
	}
	return rc;
}

int index_compact(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;

	if (lh_index_compact(tool->operands[0], (unsigned)tool->jobs, s->lock_timeout, &tool->err) < 0)
		return -1;
	return not_stopped(tool);
}
