/* mcp_tools.c - tools of a file.  See mcp_tool.h. */
#include "mcp_tool.h"

#include <stdlib.h>

#include "base/mem.h"
#include "file/file.h"
#include "json/bind.h"
#include "json/compact.h"
#include "serve/routes.h"

#define FILE_MAX ((size_t)16 << 20)
#define NAME_MAX_BYTES 128

struct members {
	struct lh_str name, title, description;
	struct lh_value input, output, annotations, at;
	const struct lh_str *run;
	size_t n_run;
	uint64_t pool;
};

static const struct lh_bind table[] = {
	{ LH_BIND_STRING("name", struct members, name), .required = true, .filled = true,
	  .longest = NAME_MAX_BYTES, .as_written = LH_BIND_FIELD(struct members, at) },
	{ LH_BIND_STRING("title", struct members, title), .no_nul = true },
	{ LH_BIND_STRING("description", struct members, description), .required = true,
	  .filled = true, .no_nul = true },
	{ LH_BIND_STRINGS("run", struct members, run, n_run), .required = true, .filled = true },
	{ LH_BIND_OBJECT("inputSchema", struct members, input), .required = true },
	{ LH_BIND_OBJECT("outputSchema", struct members, output) },
	{ LH_BIND_OBJECT("annotations", struct members, annotations) },
	{ LH_BIND_U64("pool", struct members, pool, 1, 256) },
	LH_BIND_CLOSED
};

struct file_members {
	struct members *tool;
	size_t n_tools;
};

static const struct lh_bind file_table[] = {
	{ LH_BIND_TABLES("tools", struct file_members, tool, n_tools, table), .required = true },
	LH_BIND_END
};

struct reading {
	const char *path;
	struct lh_buf text;
	struct lh_err *err;
};

/* Put "file:line: " before an error about the byte at `at`. */
static int wrong(const struct reading *r, const char *at)
{
	size_t line = 1;
	const char *p;

	for (p = r->text.p; at && p < at; p++)
		line += *p == '\n';
	r->err->code = LH_EUSAGE;
	r->err->column = 0;
	return lh_err_prefix(r->err, "%s:%zu", r->path, line);
}

static int copy_text(const char **to, struct lh_str s, struct lh_err *err)
{
	*to = s.p ? lh_strndup(s.p, s.n, err) : NULL;
	return s.p && !*to ? -1 : 0;
}

/* Copy a JSON object on one line, which the protocol needs; v is absent if p is NULL. */
static int copy_object(const char **to, const struct lh_value *v, struct lh_err *err)
{
	struct lh_buf text = { 0 };

	if (!v->p)
		return 0;
	lh_json_compact(&text, v->p, v->n);
	lh_buf_putc(&text, '\0');
	*to = text.p;
	return lh_buf_check(&text, err);
}

/* Check that a schema describes an object, as the protocol demands. */
static int check_schema(const struct members *m, const struct lh_value *schema, const char *name,
			struct lh_err *err)
{
	struct lh_value type;

	if (!schema->p || (lh_value_get(schema, "type", &type) && type.type == LH_STRING &&
			   lh_value_is(&type, "object", 6)))
		return 0;
	return lh_err_set(err, LH_EDATA, "tool \"%.*s\": \"%s\": \"type\" must be \"object\"",
			  (int)m->name.n, m->name.p, name);
}

static int check_name(const struct lh_mcp_tools *t, struct lh_str name, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < name.n; i++)
		if (!memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.",
			    name.p[i], 65))
			return lh_err_set(err, LH_EDATA, "\"name\" must be letters, digits, "
					  "\"_\", \"-\" and \".\"");
	for (i = 0; i < t->n; i++)
		if (lh_str_is(name, t->v[i].name, strlen(t->v[i].name)))
			return lh_err_set(err, LH_EDATA, "tool \"%s\" is there twice",
					  t->v[i].name);
	return 0;
}

static int copy_argv(struct lh_mcp_tool *t, const struct members *m, struct lh_err *err)
{
	size_t i;

	t->run = lh_calloc(m->n_run + 1, sizeof *t->run, err);
	for (i = 0; t->run && i < m->n_run; i++) {
		if (memchr(m->run[i].p, '\0', m->run[i].n))
			return lh_err_set(err, LH_EDATA, "a text holds NUL");
		t->run[i] = lh_strndup(m->run[i].p, m->run[i].n, err);
		if (!t->run[i])
			return -1;
	}
	if (t->run && !lh_is_command(t->run[0]))
		return lh_err_set(err, LH_EDATA, "tool \"%s\": \"run\": there is no command %s",
				  t->name, t->run[0]);
	return t->run ? 0 : -1;
}

static bool hint(const struct members *m, const char *name, uint8_t type)
{
	struct lh_value v;

	return m->annotations.p && lh_value_get(&m->annotations, name, &v) && v.type == type;
}

/* Add a tool.  Without hints it is offered, but no call of it is repeated. */
static int add_tool(struct lh_mcp_tools *to, const struct members *m, struct lh_err *err)
{
	const struct lh_value none = { .p = "{}", .n = 2, .type = LH_OBJECT };
	struct lh_mcp_tool *t;

	if (check_name(to, m->name, err) < 0 ||
	    lh_grow(&to->v, &to->cap, to->n + 1, sizeof *to->v, err) < 0)
		return -1;
	t = &to->v[to->n++];
	*t = (struct lh_mcp_tool){
		.pool = m->pool ? m->pool : 1,
		.repeat = hint(m, "readOnlyHint", LH_TRUE),
		.write = hint(m, "readOnlyHint", LH_FALSE) ||
			 hint(m, "destructiveHint", LH_TRUE),
	};
	if (check_schema(m, &m->input, "inputSchema", err) < 0 ||
	    check_schema(m, &m->output, "outputSchema", err) < 0 ||
	    copy_text(&t->name, m->name, err) < 0 || copy_text(&t->title, m->title, err) < 0 ||
	    copy_text(&t->description, m->description, err) < 0 ||
	    copy_object(&t->input, &m->input, err) < 0 ||
	    copy_object(&t->output, &m->output, err) < 0 ||
	    copy_object(&t->annotations, m->annotations.p ? &m->annotations : &none, err) < 0)
		return -1;
	return copy_argv(t, m, err);
}

static int read_text(struct lh_mcp_tools *t, struct reading *r, struct lh_record *rec)
{
	struct file_members m = { .tool = NULL };
	struct lh_buf strings = { 0 };
	struct lh_value v;
	size_t i;
	int rc = lh_json_parse(rec, r->text.p, r->text.len, &v, r->err);

	if (!rc)
		rc = lh_bind_file(file_table, &v, r->text.p, &m, &strings, r->err);
	if (rc)
		rc = wrong(r, r->err->column ? r->text.p + r->err->column - 1 : NULL);
	for (i = 0; !rc && i < m.n_tools; i++)
		if (add_tool(t, &m.tool[i], r->err) < 0)
			rc = wrong(r, m.tool[i].at.p);
	lh_buf_free(&strings);
	return rc;
}

int lh_mcp_tools_read(struct lh_mcp_tools *t, const char *path, struct lh_err *err)
{
	struct reading r = { .path = path, .err = err };
	struct lh_record rec;
	int rc;

	lh_record_init(&rec);
	lh_buf_init(&r.text, FILE_MAX);
	rc = lh_file_read_commands(path, &r.text, err);
	if (rc == 0)
		rc = lh_err_set(err, LH_EIO, "%s: no such file", path);
	else if (rc > 0)
		rc = read_text(t, &r, &rec);
	lh_buf_free(&r.text);
	lh_record_free(&rec);
	return rc;
}

void lh_mcp_tools_free(struct lh_mcp_tools *t)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		free((char *)t->v[i].name);
		free((char *)t->v[i].title);
		free((char *)t->v[i].description);
		free((char *)t->v[i].input);
		free((char *)t->v[i].output);
		free((char *)t->v[i].annotations);
		lh_argv_free(t->v[i].run);
	}
	free(t->v);
	*t = (struct lh_mcp_tools){ NULL, 0, 0 };
}
