/*
 * resources.c - what can be read by its URI: records, indexes, schemas, datasets, the last audit.
 * See mcp_tool.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "file/file.h"
#include "file/rows.h"
#include "index/index_tools.h"
#include "mcp_parts.h"
#include "schema/schema_table.h"
#include "serve/routes.h"

/* ---- the last audit of the distillation ---- */

#define REPORT_MAX 1048576	/* bytes of the report */
#define ROW_MAX 1048576		/* of the numbers */

/* Copy the last row of a log, if it is a record. */
static int last_row(const char *path, struct lh_buf *to, struct lh_err *err)
{
	struct lh_rows *rows = lh_rows_new();
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_file_row row;
	int rc = lh_rows_open(rows, path, err);

	while (rc > 0 && (rc = lh_rows_next(rows, &row, err)) > 0) {
		lh_buf_reset(to);
		if (row.n <= ROW_MAX)
			lh_buf_add(to, row.p, row.n);
	}
	lh_rows_free(rows);
	if (!rc && to->len && lh_record_parse(&rec, to->p, to->len, err) < 0)
		to->len = 0;
	return rc;
}

/* Append {"baseline":{...},"report":"..."} of the last audit in the state.  LH_EDATA with 404 if
 * there is none. */
static int lh_mcp_write_audit(struct lh_buf *out, const char *state, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf row = { 0 }, report = { .max = REPORT_MAX };
	struct lh_writer w = lh_write_to(out);
	char path[4096];
	int rc;

	snprintf(path, sizeof path, "%.3900s/data/_kb/audit_baselines.jsonl", state);
	rc = last_row(path, &row, err);
	if (rc < 0)
		rc = lh_err_data(err, 503, "the numbers of the audits cannot be read");
	snprintf(path, sizeof path, "%.3900s/reports/distillation/phase8-full-audit-report.md",
		 state);
	if (!rc && lh_file_read(path, &report, err) != 1)
		lh_buf_reset(&report);
	lh_buf_putc(&report, '\0');
	if (!rc && !row.len && (report.failed || report.len <= 1))
		rc = lh_err_data(err, 404, "there is no audit yet");
	lh_write_object(&w, NULL);
	if (row.len)
		lh_write_raw(&w, "baseline", (struct lh_str){ row.p, row.len });
	else
		lh_write_null(&w, "baseline");
	lh_write_bytes(&w, "report", report.failed || report.len <= 1 ? NULL : report.p);
	lh_write_end(&w);
	return rc;
}

/* ---- resources ---- */

#define PAGE 100		/* resources of one answer */

/* ---- reads by a filter ---- */

/* A record without its vector, whole. */
static const struct lh_mcp_tool record_reader = {
	.name = "lookup", .route = "GET /v1/vectors/index/{name}/record/{id}",
	.cuts = true, .answer = lh_mcp_answer_record,
};
static const struct lh_mcp_tool index_reader = {
	.name = "index", .route = "GET /v1/vectors/index/{name}",
};

/* ---- lists ---- */

static void write_resource(struct lh_mcp_page *p, const char *uri, const char *name,
			   const char *about)
{
	lh_write_object(p->w, NULL);
	lh_write_text(p->w, "uri", uri);
	lh_write_text(p->w, "name", name);
	lh_write_text(p->w, "description", about);
	lh_write_text(p->w, "mimeType", "application/json");
	lh_write_end(p->w);
}

static void write_kind(struct lh_mcp_page *p, const char *kind, const char *name,
		       const char *about)
{
	char uri[LH_INDEX_NAME_MAX + 64];

	snprintf(uri, sizeof uri, "lh:%s/%s", kind, name);
	write_resource(p, uri, name, about);
}

static size_t schemas(void)
{
	size_t n = 0;

	while (lh_schema_name(n))
		n++;
	return n;
}

/* Return whether there is an audit, also one that cannot be read. */
static bool has_audit(const char *state)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_err err;
	bool has = lh_mcp_write_audit(&text, state, &err) == 0 || lh_err_status(&err) != 404;

	return has;
}

/* Return whether the peer may read what this route tells, too. */
static bool may(const struct lh_mcp_page *p, const char *route)
{
	return lh_mcp_may(p->peer, p->routes, route);
}
#define DATASETS "GET /v1/catalog/list"
#define AUDITS "GET /console/audit"

/* Write resource number i: the fixed ones, the schemas, the indexes.  Returns whether there is
 * one. */
static bool write_nth(struct lh_mcp_page *p, const struct lh_index_folder *f, size_t i)
{
	const size_t named = schemas();

	if (i == 0 && may(p, DATASETS))
		write_resource(p, "lh:manifests", "manifests", "the datasets of the catalog");
	if (i == 1 && may(p, AUDITS) && has_audit(p->state))
		write_resource(p, "lh:audit/last", "last audit",
			       "numbers and report of the last audit of the distillation");
	if (i < 2)
		return true;
	i -= 2;
	if (i < named)
		write_kind(p, "schema", lh_schema_name(i), "JSON Schema of a record");
	else if (i - named < f->n)
		write_kind(p, "index", f->name[i - named], "an index: its size and parameters");
	return i < named + f->n;
}

/* Leave out the indexes that the peer does not see. */
static void keep_seen(const struct lh_mcp_page *p, struct lh_index_folder *f)
{
	const bool any = may(p, index_reader.route);
	size_t i, n = 0;

	for (i = 0; i < f->n; i++)
		if (any && lh_mcp_sees(p->peer, f->name[i]))
			f->name[n++] = f->name[i];
		else
			free(f->name[i]);
	f->n = n;
}

int lh_mcp_resources_list(struct lh_mcp_page *p, struct lh_err *err)
{
	LH_SCOPED(lh_index_folder_free) struct lh_index_folder f = { .n = 0 };
	char path[4096];
	size_t i, from = 0;

	if (p->cursor.p && !lh_mcp_is_cursor(NULL, p->cursor))
		return lh_err_set(err, LH_EDATA, "unknown cursor");
	if (p->cursor.p)
		from = lh_mcp_offset(p->cursor);
	if ((size_t)snprintf(path, sizeof path, "%s/index", p->state) < sizeof path &&
	    lh_index_folder_read(&f, path, err) < 0)
		f = (struct lh_index_folder){ .n = 0 };		/* no folder: no index */
	keep_seen(p, &f);
	for (i = from; i < from + PAGE && write_nth(p, &f, i); i++)
		;
	if (i == from + PAGE && i < 2 + schemas() + f.n)
		lh_buf_printf(p->next, "%zu", i);
	return 0;
}

int lh_mcp_templates_list(struct lh_mcp_page *p, struct lh_err *err)
{
	static const char *const of[][3] = {
		{ "lh://{corpus}/{id}", "record", "a record of an index, whole" },
		{ "lh:manifest/{name}", "manifest", "a dataset" },
		{ "lh:index/{name}", "index", "an index: its size and parameters" },
		{ "lh:schema/{name}", "schema", "JSON Schema of a record" },
	};
	size_t i;

	if (p->cursor.p)
		return lh_err_set(err, LH_EDATA, "unknown cursor");
	for (i = 0; i < sizeof of / sizeof *of; i++) {
		lh_write_object(p->w, NULL);
		lh_write_text(p->w, "uriTemplate", of[i][0]);
		lh_write_text(p->w, "name", of[i][1]);
		lh_write_text(p->w, "description", of[i][2]);
		lh_write_text(p->w, "mimeType", "application/json");
		lh_write_end(p->w);
	}
	return 0;
}

/* ---- reading ---- */

static bool begins(struct lh_str uri, const char *with, struct lh_str *rest)
{
	size_t n = strlen(with);

	if (uri.n < n || memcmp(uri.p, with, n) != 0)
		return false;
	*rest = (struct lh_str){ uri.p + n, uri.n - n };
	return true;
}

static int no_such(struct lh_str uri, struct lh_err *err)
{
	size_t i, n = uri.n < 200 ? uri.n : 200;

	for (i = 0; i < n && uri.p[i] > 0x20 && uri.p[i] < 0x7f; i++)
		;
	return lh_err_data(err, 404, "there is no resource %.*s", (int)i, uri.p);
}

/* Set the arguments: one member of a decoded text, or two. */
static int set_args(struct lh_mcp_resource *r, const struct lh_mcp_tool *by, const char *name,
		    struct lh_str text, struct lh_str corpus, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(&r->args);
	LH_SCOPED(lh_buf_free) struct lh_buf plain = { 0 };
	int rc = lh_percent_decode(text, false, &plain, err);

	r->by = by;
	lh_write_object(&w, NULL);
	if (corpus.p)
		lh_write_str(&w, "name", corpus);
	if (!rc)
		lh_write_str(&w, name, (struct lh_str){ plain.p ? plain.p : "", plain.len });
	lh_write_end(&w);
	return rc;
}

/* Return whether the state has an index of that name. */
static bool has_index(const struct lh_mcp_page *of, struct lh_str name)
{
	char path[4096], text[LH_INDEX_NAME_MAX + 1];

	if (!lh_index_name_valid(name))
		return false;
	snprintf(text, sizeof text, "%.*s", (int)name.n, name.p);
	return lh_mcp_sees(of->peer, text) &&
	       (size_t)snprintf(path, sizeof path, "%s/index/%s.lhv", of->state, text) <
			sizeof path &&
	       lh_index_is_file(path);
}

static int open_schema(struct lh_mcp_resource *r, struct lh_str uri, struct lh_str name,
		       struct lh_err *err)
{
	struct lh_writer w = lh_write_to(&r->text);
	const struct lh_schema *s;
	char text[64];

	snprintf(text, sizeof text, "%.*s", (int)(name.n < 63 ? name.n : 63), name.p);
	s = lh_schema_find(text);
	if (!s)
		return no_such(uri, err);
	r->type = "application/schema+json";
	lh_write_object(&w, NULL);
	lh_write_text(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
	lh_write_text(&w, "title", s->name);
	lh_bind_schema(&w, s->field, 0);
	lh_write_end(&w);
	return 0;
}

int lh_mcp_resource_open(struct lh_mcp_resource *r, const struct lh_mcp_tools *tools,
			 const struct lh_mcp_page *of, struct lh_str uri, struct lh_err *err)
{
	struct lh_str rest, corpus = { NULL, 0 };
	const char *slash;

	if (begins(uri, "lh://", &rest) && (slash = memchr(rest.p, '/', rest.n))) {
		corpus = (struct lh_str){ rest.p, (size_t)(slash - rest.p) };
		rest = (struct lh_str){ slash + 1, rest.n - corpus.n - 1 };
		if (has_index(of, corpus) && rest.n)
			return set_args(r, &record_reader, "id", rest, corpus, err);
	} else if (begins(uri, "lh:index/", &rest) && has_index(of, rest)) {
		return set_args(r, &index_reader, "name", rest, corpus, err);
	} else if (begins(uri, "lh:manifest/", &rest) && rest.n && may(of, DATASETS)) {
		return set_args(r, lh_mcp_tools_find(tools, "get_manifest"), "name", rest, corpus,
				err);
	} else if (begins(uri, "lh:manifests", &rest) && !rest.n && may(of, DATASETS)) {
		r->by = lh_mcp_tools_find(tools, "list_datasets");
		lh_buf_puts(&r->args, "{\"limit\":100}");
		return 0;
	} else if (begins(uri, "lh:schema/", &rest)) {
		return open_schema(r, uri, rest, err);
	} else if (begins(uri, "lh:audit/last", &rest) && !rest.n && may(of, AUDITS)) {
		return lh_mcp_write_audit(&r->text, of->state, err) ? -1 : 0;
	}
	return no_such(uri, err);
}
