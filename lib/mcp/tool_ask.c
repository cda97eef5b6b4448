/* tool_ask.c - the arguments of a tool: held against its schema, and as its filter reads them.
 * See mcp_tool.h. */
#include "tool_parts.h"

#include <stdio.h>

#include "index/index_tools.h"
#include "json/write.h"

/* ---- checks ---- */

/* Keep the first violation: "k: expected integer, got string". */
static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	struct lh_err *err = ctx;

	if (err->code == LH_OK)
		lh_err_data(err, 400, "%.*s: %.*s", (int)field->n, field->p, (int)problem->n,
			    problem->p);
}

static int check_schema(const struct lh_jsonschema *s, const struct lh_value *args,
			struct lh_err *err)
{
	struct lh_jsonschema_run run = { .scratch = { 0 } };
	struct lh_err first = { .code = LH_OK };
	long n = lh_jsonschema_check(s, &run, args, on_violation, &first, err);

	lh_jsonschema_run_free(&run);
	if (n > 0)
		*err = first;
	return n ? -1 : 0;
}

/* Return whether there is an argument, other than null and false. */
static bool is_on(const struct lh_value *args, const char *name)
{
	struct lh_value v;

	return lh_value_get(args, name, &v) && v.type != LH_NULL && v.type != LH_FALSE;
}

/* Choose the route, and refuse arguments that do not go with each other. */
static int choose(struct lh_mcp_question *q, const struct lh_mcp_tool *t,
		  const struct lh_value *args, struct lh_err *err)
{
	char a[LH_MCP_NAME], b[LH_MCP_NAME];
	struct lh_iter it;

	for (lh_iter_init(&it, &t->apart); t->apart.p && lh_iter_next(&it); )
		if (is_on(args, lh_mcp_name(a, &it.key)) && is_on(args, lh_mcp_name(b, &it.val)))
			return lh_err_set(err, LH_EDATA, "\"%s\" does not go with \"%s\"", a, b);
	for (lh_iter_init(&it, &t->routes); t->routes.p && lh_iter_next(&it); )
		if (it.val.type == LH_STRING && is_on(args, lh_mcp_name(a, &it.key)))
			q->route = (struct lh_str){ it.val.p + 1, it.val.n - 2 };
	return 0;
}

/* ---- the record ---- */

bool lh_mcp_argument(const struct lh_mcp_tool *t, const struct lh_value *args, const char *name,
		     struct lh_value *v)
{
	const struct lh_value schema = { t->input, strlen(t->input), LH_OBJECT, false };
	struct lh_value all, property;

	if (lh_value_get(args, name, v) && v->type != LH_NULL)
		return true;
	return lh_value_get(&schema, "properties", &all) &&
	       lh_mcp_has(&all, name, &property) && lh_mcp_has(&property, "default", v);
}

static bool is_cut(const struct lh_mcp_tool *t, const char *name)
{
	struct lh_iter it;

	for (lh_iter_init(&it, &t->cut); t->cut.p && lh_iter_next(&it); )
		if (lh_value_is(&it.val, name, strlen(name)))
			return true;
	return false;
}

/* Write the name of a member as the file has it, and a comma before it. */
static void write_name(struct lh_writer *w, struct lh_str name)
{
	lh_write_key(w, NULL);
	lh_buf_printf(w->out, "\"%.*s\":", (int)name.n, name.p);
}

/* Write an argument as its filter reads it, and what it adds.  Returns whether that is the
 * member called `indexes`. */
static bool write_argument(struct lh_writer *w, const struct lh_mcp_tool *t, const char *name,
			   const struct lh_value *v)
{
	struct lh_value as, added;
	struct lh_iter it;
	struct lh_str to = lh_str_of(name);
	bool in_array = false;

	if (t->as.p && lh_value_get(&t->as, name, &as) && as.type == LH_STRING) {
		to = (struct lh_str){ as.p + 1, as.n - 2 };
		in_array = to.n > 2 && !memcmp(to.p + to.n - 2, "[]", 2);
		to.n -= 2 * in_array;
	}
	write_name(w, to);
	lh_buf_puts(w->out, in_array ? "[" : "");
	lh_json_compact(w->out, v->p, v->n);
	lh_buf_puts(w->out, in_array ? "]" : "");
	if (t->adds.p && v->type != LH_FALSE && lh_mcp_has(&t->adds, name, &added))
		for (lh_iter_init(&it, &added); lh_iter_next(&it); ) {
			write_name(w, (struct lh_str){ it.key.p + 1, it.key.n - 2 });
			lh_json_compact(w->out, it.val.p, it.val.n);
		}
	return lh_str_is(to, t->indexes.p, t->indexes.n);
}

/* Write the names of all indexes. */
static int write_indexes(struct lh_writer *w, struct lh_str name, const char *state,
			 struct lh_err *err)
{
	struct lh_index_folder f;
	char path[4096];
	size_t i;

	if ((size_t)snprintf(path, sizeof path, "%s/index", state) >= sizeof path ||
	    lh_index_folder_read(&f, path, err) < 0)
		return lh_err_data(err, 503, "the folder of the indexes cannot be read");
	write_name(w, name);
	lh_buf_putc(w->out, '[');
	for (i = 0; i < f.n; i++) {
		lh_buf_puts(w->out, i ? "," : "");
		lh_buf_json(w->out, f.name[i], strlen(f.name[i]));
	}
	lh_buf_putc(w->out, ']');
	lh_index_folder_free(&f);
	return i ? 0 : lh_err_data(err, 404, "there is no index to search");
}

static int compose(struct lh_mcp_question *q, const struct lh_mcp_tool *t,
		   const struct lh_value *args, struct lh_err *err)
{
	const struct lh_value schema = { t->input, strlen(t->input), LH_OBJECT, false };
	struct lh_writer w = lh_write_to(q->line);
	const struct lh_mcp_part part = lh_mcp_part_of(t, args);
	char name[LH_MCP_NAME];
	struct lh_value all, v;
	struct lh_iter it;
	bool has_indexes = false;
	int rc = 0;

	lh_write_object(&w, NULL);
	if (lh_value_get(&schema, "properties", &all) && all.type == LH_OBJECT)
		for (lh_iter_init(&it, &all); lh_iter_next(&it); )
			if (lh_mcp_argument(t, args, lh_mcp_name(name, &it.key), &v) &&
			    !is_cut(t, name))
				has_indexes |= write_argument(&w, t, name, &v);
	if (t->more.n) {
		write_name(&w, t->more);
		lh_buf_u64(q->line, part.offset + part.limit + 1);
	}
	if (t->indexes.n && !has_indexes)
		rc = write_indexes(&w, t->indexes, q->state, err);
	lh_write_end(&w);
	return rc;
}

int lh_mcp_ask(struct lh_mcp_question *q, const struct lh_mcp_tool *t, const struct lh_value *args,
	       struct lh_err *err)
{
	if (t->table ? lh_bind_check(t->table, args, err) < 0
		     : t->schema && check_schema(t->schema, args, err) < 0)
		return -1;
	if (t->table)
		return choose(q, t, args, err) < 0 ? -1 : compose(q, t, args, err);
	lh_json_compact(q->line, args->p, args->n);
	return 0;
}
