/* sets.c - a folder of BEIR as records for lh-index and queries for lh-search.  See judge.h. */
#include <stdlib.h>
#include <string.h>

#include "file/file.h"
#include "judge.h"

#define STEP ((size_t)1 << 20)	/* bytes written at once */

const struct lh_bind sets_out[] = { LH_OP_COUNT("records"), LH_OP_COUNT("queries"), LH_BIND_END };

static const struct lh_made made_records = { "a file of lh-judge sets", { "{\"id\":\"" }, NULL };
static const struct lh_made made_queries = { "a file of lh-judge sets", { "{\"query_id\":\"" },
					     NULL };

struct beir_line {
	struct lh_str id, title, text;
};
static const struct lh_bind beir_members[] = {
	{ LH_BIND_ID("_id", struct beir_line, id), .required = true, .filled = true },
	{ LH_BIND_STRING("title", struct beir_line, title) },
	{ LH_BIND_STRING("text", struct beir_line, text), .required = true },
	LH_BIND_END
};

/* A file that is converted. */
struct set {
	bool queries;
	const struct lh_intern *wanted;	/* the queries that have grades; NULL: all */
	struct lh_atomic file;
	struct lh_buf out, strings, text;
	uint64_t n;
};

static int write_some(struct set *set, struct lh_err *err)
{
	if (lh_atomic_write(&set->file, set->out.p, set->out.len, err) < 0)
		return -1;
	lh_buf_reset(&set->out);
	return 0;
}

static int convert(struct lh_record *rec, struct lh_buf *unused, void *ctx, struct lh_err *err)
{
	struct set *set = ctx;
	struct beir_line line = { .title = { NULL, 0 } };
	struct lh_writer w = lh_write_to(&set->out);

	(void)unused;
	if (*rec->line != '{')
		return lh_err_set(err, LH_EDATA, "not a JSON object");
	if (lh_bind(beir_members, rec, &line, &set->strings, err) < 0)
		return -1;
	if (set->wanted && lh_intern_find(set->wanted, line.id.p, line.id.n) < 0)
		return 0;
	lh_buf_reset(&set->text);
	if (line.title.n) {
		lh_buf_add(&set->text, line.title.p, line.title.n);
		lh_buf_putc(&set->text, ' ');
	}
	lh_buf_add(&set->text, line.text.p, line.text.n);
	lh_write_object(&w, NULL);
	lh_write_str(&w, set->queries ? "query_id" : "id", line.id);
	lh_write_str(&w, set->queries ? "query_text" : "text",
		     (struct lh_str){ set->text.p, set->text.len });
	lh_write_end(&w);
	lh_buf_putc(&set->out, '\n');
	set->n++;
	return set->out.len < STEP ? 0 : write_some(set, err);
}

/* Convert DIR/NAME to OUT/NAME. */
static int convert_file(struct lh_tool *tool, struct set *set, const char *name)
{
	LH_SCOPED(lh_buf_free) struct lh_buf from = { 0 }, to = { 0 };
	const struct lh_made *made = set->queries ? &made_queries : &made_records;
	struct lh_err *err = &tool->err;
	int rc;

	lh_buf_printf(&from, "%s/%s%c", tool->operands[0], name, 0);
	lh_buf_printf(&to, "%s/%s%c", tool->operands[1], name, 0);
	if (lh_tool_replaces(tool, to.p, made) < 0)
		return -1;
	rc = lh_atomic_open(&set->file, to.p, 0666, err);
	if (!rc)
		rc = read_file(tool, from.p, convert, set);
	if (!rc)
		rc = write_some(set, err);
	if (!rc)
		rc = lh_atomic_commit(&set->file, err);
	lh_atomic_close(&set->file);
	lh_buf_free(&set->out);
	lh_buf_free(&set->strings);
	lh_buf_free(&set->text);
	return rc;
}

int judge_sets(struct lh_tool *tool, void *settings)
{
	static const char *const names[] = { "records", "queries" };
	const struct settings *s = settings;
	struct set records = { .queries = false }, queries = { .queries = true };
	struct lh_intern known = { .n = 0 };
	struct list qrels = { .file = NULL };
	int rc = 0;

	if (s->qrels) {
		rc = list_read(tool, &qrels, s->qrels, true, &known);
		queries.wanted = &known;
	}
	if (!rc)
		rc = lh_own_mkdirs(tool->operands[1], 0777, &tool->err);
	if (!rc)
		rc = convert_file(tool, &records, "corpus.jsonl");
	if (!rc)
		rc = convert_file(tool, &queries, "queries.jsonl");
	if (!rc)
		rc = lh_tool_out_counts(tool, names, (uint64_t[]){ records.n, queries.n }, 2);
	list_free(&qrels);
	lh_intern_free(&known);
	return rc;
}
