/* tools_data.c - tools over datasets, playbooks and pathways. */
#include "tool_parts.h"

#include "index/index_tools.h"
#include "json/count.h"

#define LIMIT 20		/* elements of a list, unless the call says how many */
#define OBJECTS 20		/* objects of a manifest */

/* ---- list_datasets ---- */

struct list {
	struct lh_mcp_part part;
};
const struct lh_bind lh_mcp_datasets_in[] = {
	LH_MCP_PART(struct list, part),
	LH_BIND_CLOSED
};

/* The members of a manifest that are written one by one. */
static const char *const manifest_drop[] = { "objects", "store", "status", "code", NULL };

static void add_manifest_link(struct lh_mcp_reply *r, const struct lh_value *manifest)
{
	struct lh_value name = lh_mcp_get_in(manifest, "name", LH_STRING);
	struct lh_buf uri = { 0 }, text = { 0 };
	struct lh_str s;
	struct lh_err err;

	if (lh_value_str(&name, &text, &s, &err) == 0) {
		lh_buf_puts(&uri, "lh:manifest/");
		lh_mcp_percent(&uri, s);
		if (lh_buf_check(&uri, &err) == 0)
			lh_mcp_link(r, (struct lh_str){ uri.p, uri.len }, s, "manifest");
	}
	lh_buf_free(&uri);
	lh_buf_free(&text);
}

int lh_mcp_ask_datasets(struct lh_mcp_question *q, const struct lh_value *args, struct lh_err *err)
{
	struct list l = { .part.limit = LIMIT };
	struct lh_buf text = { 0 };
	int rc = lh_bind_value(lh_mcp_datasets_in, args, &l, &text, err);

	lh_buf_free(&text);
	lh_buf_puts(q->line, "{}");
	return rc;
}

static int write_dataset(void *ctx, struct lh_writer *w, const struct lh_value *v,
			 struct lh_err *err)
{
	static const char *const names[] = { "dataset_id", "schema_fingerprint", "row_count",
					     "created_at", "updated_at" };
	struct lh_value name = lh_mcp_get_in(v, "name", LH_STRING);
	struct lh_value objects = lh_mcp_get_in(v, "objects", LH_ARRAY);
	size_t i;

	(void)err;
	lh_write_object(w, NULL);
	lh_write_value(w, "name", &name);
	for (i = 0; i < sizeof names / sizeof *names; i++)
		lh_mcp_copy(w, v, names[i], LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NUMBER));
	lh_write_u64(w, "objects", lh_value_count(&objects));
	lh_write_end(w);
	add_manifest_link(ctx, v);
	return 0;
}

int lh_mcp_answer_datasets(struct lh_mcp_reply *r, const struct lh_value *args,
			   const struct lh_record *rec, struct lh_err *err)
{
	struct list l = { .part.limit = LIMIT };
	struct lh_value array = lh_mcp_get(rec, "manifests", LH_ARRAY);
	struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(r->structured);
	int rc = lh_bind_value(lh_mcp_datasets_in, args, &l, &text, err);

	lh_mcp_part_begin(&l.part);
	lh_write_object(&w, NULL);
	if (!rc)
		rc = lh_mcp_write_part(&w, "datasets", &array, &l.part, write_dataset, r, err);
	lh_write_u64(&w, "count", lh_value_count(&array));
	lh_write_end(&w);
	lh_buf_free(&text);
	return rc;
}

/* ---- get_manifest ---- */

struct manifest {
	struct lh_str name;
	int detail;
};
const struct lh_bind lh_mcp_manifest_in[] = {
	{ LH_BIND_STRING("name", struct manifest, name), .required = true, .filled = true,
	  .about = "Name of the dataset." },
	LH_MCP_DETAIL(struct manifest, detail, "brief"),
	LH_BIND_CLOSED
};

int lh_mcp_ask_manifest(struct lh_mcp_question *q, const struct lh_value *args, struct lh_err *err)
{
	struct manifest m = { .detail = 0 };
	struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(q->line);
	int rc = lh_bind_value(lh_mcp_manifest_in, args, &m, &text, err);

	if (!rc) {
		lh_write_object(&w, NULL);
		lh_write_str(&w, "name", m.name);
		lh_write_end(&w);
	}
	lh_buf_free(&text);
	return rc;
}

int lh_mcp_answer_manifest(struct lh_mcp_reply *r, const struct lh_value *args,
			   const struct lh_record *rec, struct lh_err *err)
{
	struct manifest m = { .detail = 0 };
	struct lh_value whole = lh_mcp_whole(rec), objects;
	struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(r->structured);
	struct lh_iter it;
	uint64_t n = 0, limit = OBJECTS;
	int rc = lh_bind_value(lh_mcp_manifest_in, args, &m, &text, err);

	if (m.detail == LH_MCP_FULL)
		limit = 1000;
	lh_write_object(&w, NULL);
	if (!rc)
		rc = lh_mcp_write_members(&w, "manifest", &whole, manifest_drop,
					  LH_MCP_MEMBER(m.detail), err);
	objects = lh_mcp_get(rec, "objects", LH_ARRAY);
	lh_write_u64(&w, "count", lh_value_count(&objects));
	lh_write_array(&w, "objects");
	for (lh_iter_init(&it, &objects); !rc && n++ < limit && lh_iter_next(&it); )
		rc = lh_mcp_write_cut(&w, NULL, &it.val, LH_MCP_TEXT(LH_MCP_FULL), err);
	lh_write_end(&w);
	lh_write_end(&w);
	add_manifest_link(r, &whole);
	lh_buf_free(&text);
	return rc;
}

/* ---- query_sql ---- */

struct sql {
	struct lh_str sql;
	struct lh_mcp_part part;
};
const struct lh_bind lh_mcp_sql_in[] = {
	{ LH_BIND_STRING("sql", struct sql, sql), .required = true, .filled = true,
	  .about = "A statement, such as SELECT role, count(*) FROM workers GROUP BY role." },
	LH_MCP_PART(struct sql, part),
	LH_BIND_CLOSED
};

int lh_mcp_ask_sql(struct lh_mcp_question *q, const struct lh_value *args, struct lh_err *err)
{
	struct sql s = { .part.limit = LIMIT };
	struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(q->line);
	int rc = lh_bind_value(lh_mcp_sql_in, args, &s, &text, err);

	if (!rc) {
		lh_write_object(&w, NULL);
		lh_write_str(&w, "sql", s.sql);
		lh_write_end(&w);
	}
	lh_buf_free(&text);
	return rc;
}

static int write_row(void *ctx, struct lh_writer *w, const struct lh_value *row,
		     struct lh_err *err)
{
	const struct sql *s = ctx;
	struct lh_iter it;
	int rc = 0;

	if (row->type != LH_ARRAY)
		return lh_err_set(err, LH_EDATA, "a row is not an array");
	lh_write_array(w, NULL);
	for (lh_iter_init(&it, row); !rc && lh_iter_next(&it); )
		rc = lh_mcp_write_cut(w, NULL, &it.val, LH_MCP_TEXT(s->part.detail), err);
	lh_write_end(w);
	return rc;
}

int lh_mcp_answer_sql(struct lh_mcp_reply *r, const struct lh_value *args,
		      const struct lh_record *rec, struct lh_err *err)
{
	struct sql s = { .part.limit = LIMIT };
	struct lh_value columns = lh_mcp_get(rec, "columns", LH_ARRAY);
	struct lh_value rows = lh_mcp_get(rec, "rows", LH_ARRAY), whole = lh_mcp_whole(rec);
	struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(r->structured);
	int rc = lh_bind_value(lh_mcp_sql_in, args, &s, &text, err);

	lh_mcp_part_begin(&s.part);
	lh_write_object(&w, NULL);
	lh_write_value(&w, "columns", &columns);
	if (!rc)
		rc = lh_mcp_write_part(&w, "rows", &rows, &s.part, write_row, &s, err);
	lh_write_u64(&w, "row_count", lh_value_count(&rows));
	lh_mcp_copy(&w, &whole, "truncated", LH_BIND_IS(LH_TRUE));
	lh_write_end(&w);
	lh_buf_free(&text);
	return rc;
}

/* ---- playbook_record ---- */

struct entry {
	struct lh_str query, id, answer_corpus, corpus, role;
	const struct lh_str *tag;
	size_t tags;
	double score;
};
const struct lh_bind lh_mcp_playbook_in[] = {
	{ LH_BIND_STRING("query_text", struct entry, query), .required = true, .filled = true,
	  .about = "The query." },
	{ LH_BIND_STRING("answer_id", struct entry, id), .required = true, .filled = true,
	  .about = "Id of the record that was a good answer." },
	{ LH_BIND_STRING("answer_corpus", struct entry, answer_corpus), .required = true,
	  .filled = true, .about = "Index that has that record." },
	{ LH_BIND_F64("score", struct entry, score, 0, 1), .above = true, .required = true,
	  .about = "How good the answer was: 1 is best." },
	{ LH_BIND_STRINGS("tags", struct entry, tag, tags),
	  .about = "Words to find the entry by." },
	{ LH_BIND_STRING("role", struct entry, role), .about = "Role that the query asked for." },
	{ LH_BIND_STRING("corpus", struct entry, corpus), LH_INDEX_NAME,
	  .about = "Name of the playbook (default playbook_memory)." },
	LH_BIND_CLOSED
};

int lh_mcp_ask_playbook(struct lh_mcp_question *q, const struct lh_value *args, struct lh_err *err)
{
	struct entry e = { .tags = 0 };

	return lh_mcp_pass(lh_mcp_playbook_in, &e, q, args, err);
}

int lh_mcp_answer_playbook(struct lh_mcp_reply *r, const struct lh_value *args,
			   const struct lh_record *rec, struct lh_err *err)
{
	struct lh_value id = lh_mcp_get(rec, "playbook_id", LH_STRING);
	struct lh_writer w = lh_write_to(r->structured);

	(void)args;
	(void)err;
	lh_write_object(&w, NULL);
	lh_write_value(&w, "playbook_id", &id);
	lh_write_end(&w);
	return 0;
}

/* ---- pathway_search ---- */

struct pathway {
	struct lh_str contains, tag;
	struct lh_mcp_part part;
};
const struct lh_bind lh_mcp_pathway_in[] = {
	{ LH_BIND_STRING("contains", struct pathway, contains), .filled = true,
	  .about = "Text that the content must contain." },
	{ LH_BIND_STRING("tag", struct pathway, tag), .filled = true,
	  .about = "Tag that the trace must have." },
	LH_MCP_PART(struct pathway, part),
	LH_BIND_CLOSED
};

/* One trace more than is shown is asked for, to know whether there are more. */
int lh_mcp_ask_pathway(struct lh_mcp_question *q, const struct lh_value *args, struct lh_err *err)
{
	struct pathway p = { .part.limit = LIMIT };
	struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(q->line);
	int rc = lh_bind_value(lh_mcp_pathway_in, args, &p, &text, err);

	lh_mcp_part_begin(&p.part);
	if (!rc) {
		lh_write_object(&w, NULL);
		if (p.contains.p)
			lh_write_str(&w, "content_contains", p.contains);
		if (p.tag.p)
			lh_write_str(&w, "tag", p.tag);
		lh_write_u64(&w, "limit", p.part.offset + p.part.limit + 1);
		lh_write_end(&w);
	}
	lh_buf_free(&text);
	return rc;
}

static int write_trace(void *ctx, struct lh_writer *w, const struct lh_value *v,
		       struct lh_err *err)
{
	static const char *const names[] = { "created_at_ns", "updated_at_ns", "replay_count",
					     "predecessor_uid" };
	const struct pathway *p = ctx;
	struct lh_value uid = lh_mcp_get_in(v, "uid", LH_STRING);
	struct lh_value tags = lh_mcp_get_in(v, "tags", LH_ARRAY), content;
	size_t i;
	int rc = 0;

	lh_write_object(w, NULL);
	lh_write_value(w, "uid", &uid);
	if (lh_mcp_has(v, "content", &content))
		rc = lh_mcp_write_cut(w, "content", &content, LH_MCP_TEXT(p->part.detail), err);
	lh_write_value(w, "tags", &tags);
	for (i = 0; i < sizeof names / sizeof *names; i++)
		lh_mcp_copy(w, v, names[i], LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NUMBER));
	lh_write_end(w);
	return rc;
}

int lh_mcp_answer_pathway(struct lh_mcp_reply *r, const struct lh_value *args,
			  const struct lh_record *rec, struct lh_err *err)
{
	struct pathway p = { .part.limit = LIMIT };
	struct lh_value array = lh_mcp_get(rec, "results", LH_ARRAY);
	struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(r->structured);
	int rc = lh_bind_value(lh_mcp_pathway_in, args, &p, &text, err);

	lh_mcp_part_begin(&p.part);
	lh_write_object(&w, NULL);
	if (!rc)
		rc = lh_mcp_write_part(&w, "traces", &array, &p.part, write_trace, &p, err);
	lh_write_end(&w);
	lh_buf_free(&text);
	return rc;
}
