/* lines.c - JSON Lines through lh-ingest: records as they are, perhaps with an id. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "base/table.h"
#include "base/xxh3.h"
#include "ingest.h"
#include "json/write.h"

/* ---- ids that an earlier record has ---- */

#define IDS_MAX (1u << 22)	/* ids that are compared, in 100 MiB at most */

int ingest_id(struct ingest *in, struct lh_str id, struct lh_err *err)
{
	const uint64_t hash = lh_xxh3(id.p, id.n);
	bool is_new = true;

	if (in->ids.n < IDS_MAX &&
	    lh_map_add(&in->ids, &hash, sizeof hash, sizeof hash, &is_new, err) < 0)
		return -1;
	if (in->ids.n == IDS_MAX)
		is_new = lh_map_find(&in->ids, &hash, sizeof hash, sizeof hash) < 0;
	in->repeated += !is_new;
	return 0;
}

void ingest_line(struct ingest *in, uint64_t line)
{
	lh_buf_json(&in->out, in->s->line, strlen(in->s->line));
	lh_buf_putc(&in->out, ':');
	lh_buf_u64(&in->out, line);
}

/* ---- lines ---- */

#define BLOCK ((size_t)256 << 10)	/* bytes read at a time */

struct lines {
	struct ingest *in;
	struct lh_byte_source source;
	size_t operand;			/* the file, from 1 */
	struct lh_buf text;		/* lines; those before at are done */
	size_t at;
	uint64_t line, opening;		/* the first line that is not blank; 0: none yet */
	bool too_long;			/* the line is over the limit, and not kept */
	struct lh_record rec;
	struct lh_buf scratch;
	/* of --columns and --store: */
	struct lh_column *column;
	uint64_t *present;		/* by column: records that have a value */
	size_t n, cap, present_cap;
	struct lh_table by_name;
};

static struct lh_str name_of(const void *columns, uint32_t i)
{
	return (*(struct lh_column *const *)columns)[i].name;
}

/* Return the number of the column with that name, a new one perhaps. */
static size_t column_of(struct lines *l, struct lh_str name)
{
	int64_t i = lh_table_find(&l->by_name, name, name_of, &l->column);
	char *copy;

	if (i >= 0)
		return (size_t)i;
	lh_grow(&l->column, &l->cap, l->n + 1, sizeof *l->column);
	lh_grow(&l->present, &l->present_cap, l->n + 1, sizeof *l->present);
	copy = lh_strndup(name.p, name.n);
	l->column[l->n] = (struct lh_column){ .name = { copy, name.n } };
	l->present[l->n] = 0;
	l->n++;
	lh_table_set(&l->by_name, l->column[l->n - 1].name, (uint32_t)l->n - 1, name_of,
		     &l->column);
	return l->n - 1;
}

/* Take the members of the record into account for the columns. */
static int see_members(struct lines *l, struct lh_err *err)
{
	struct lh_str name;
	int64_t c;
	size_t i;

	for (i = 0; i < l->rec.n; i++) {
		const struct lh_value *v = &l->rec.member[i].val;

		lh_buf_reset(&l->scratch);
		lh_value_str(&l->rec.member[i].key, &l->scratch, &name);
		c = column_of(l, name);
		if (v->type == LH_NULL)
			continue;
		l->present[c]++;
		/* a string is never a number, and has its quotes here */
		lh_column_see(&l->column[c], (struct lh_str){ v->p, v->n });
	}
	if (l->n > l->in->tool->max_members)
		return lh_err_set(err, LH_EIO, "%s: more than %s (--max-members)",
				  lh_byte_source_name(&l->source),
				  LH_N(l->in->tool->max_members, "column"));
	return 0;
}

/* Append the members, the first one after this text, but for those that options give.  The null
 * ones of Parquet are left out, as those of CSV are. */
static void put_members(struct lines *l, const char *before, bool has_id)
{
	const struct lh_str line = lh_str_of(l->in->s->line ? l->in->s->line : "");
	const bool nulls = !l->in->parquet || l->in->s->null_members;
	struct lh_buf *out = &l->in->out;
	size_t i;

	for (i = 0; i < l->rec.n; i++) {
		const struct lh_member *m = &l->rec.member[i];

		if ((has_id && lh_value_is(&m->key, "id", 2)) ||
		    (l->in->s->line && lh_value_is(&m->key, line.p, line.n)) ||
		    (m->val.type == LH_NULL && !nulls))
			continue;
		lh_buf_puts(out, before);
		lh_buf_add(out, m->key.p, m->key.n);
		lh_buf_putc(out, ':');
		lh_buf_add(out, m->val.p, m->val.n);
		before = ",";
	}
}

/* Append what comes before the members: the brace, and the line. */
static void put_start(struct lines *l)
{
	lh_buf_putc(&l->in->out, '{');
	if (!l->in->s->line)
		return;
	ingest_line(l->in, l->line);
	lh_buf_puts(&l->in->out, l->in->id ? "," : "");
}

/* Append the record with its id in front. */
static int put_with_id(struct lines *l, struct lh_err *err)
{
	const struct ingest *in = l->in;
	const struct lh_value *v = lh_record_get(&l->rec, in->id);
	struct lh_buf *out = &l->in->out;
	struct lh_str id;
	size_t i;

	if (!v || v->type == LH_NULL)
		return lh_err_set(err, LH_EDATA, "missing \"%s\" (--id)", in->id);
	if (v->type == LH_ARRAY || v->type == LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "\"%s\" must be a text, a number or a truth value "
				  "(--id)", in->id);
	lh_buf_reset(&l->scratch);
	if (in->id_prefix)
		lh_buf_puts(&l->scratch, in->id_prefix);
	i = l->scratch.len;
	id = (struct lh_str){ v->p, v->n };
	if (v->type == LH_STRING)
		lh_value_str(v, &l->scratch, &id);
	if (!id.n)
		return lh_err_set(err, LH_EDATA, "the id is empty (\"%s\")", in->id);
	if (l->scratch.len == i)
		lh_buf_add(&l->scratch, id.p, id.n);
	put_start(l);
	lh_buf_puts(out, "\"id\":");
	lh_buf_json(out, l->scratch.p, l->scratch.len);
	put_members(l, ",", true);
	lh_buf_puts(out, "}\n");
	return ingest_id(l->in, (struct lh_str){ l->scratch.p, l->scratch.len }, err);
}

static int put_record(struct lines *l, const char *p, size_t n, struct lh_err *err)
{
	struct lh_buf *out = &l->in->out;
	size_t at = out->len;
	int rc = 0;

	if (lh_record_parse(&l->rec, p, n, err) < 0)
		return -1;
	if (l->in->id)
		rc = put_with_id(l, err);
	if (!rc && !l->in->id && !l->in->parquet && !l->in->s->line) {
		lh_buf_add(out, p, n);
		lh_buf_putc(out, '\n');
	} else if (!rc && !l->in->id) {
		put_start(l);
		put_members(l, l->in->s->line ? "," : "", false);
		lh_buf_puts(out, "}\n");
	}
	if (!rc && (l->in->s->columns || l->in->keep))
		rc = see_members(l, err);
	if (rc < 0 || l->in->s->columns)
		out->len = at;
	l->in->rows += rc == 0;
	return rc;
}

static int reject(struct lines *l, const char *p, size_t n, struct lh_err why)
{
	if (ingest_flush(l->in) < 0)
		return -1;
	return lh_records_reject(l->in->records, &(struct lh_rejection){
		.file = lh_byte_source_name(&l->source), .line = l->line, .operand = l->operand,
		.record = p, .n = n, .code = why.code, .column = why.column,
		.status = lh_err_status(&why), .coded = why.coded, .why = why.msg,
		.opening = l->line == l->opening });
}

static int reject_long(struct lines *l)
{
	struct lh_err why = { 0 };

	l->too_long = false;
	lh_err_data(&why, 413, "line is longer than %llu bytes (--max-line)",
		    (unsigned long long)l->in->tool->max_line);
	return reject(l, NULL, 0, why);
}

/* Handle a whole line, without its LF. */
static int take_line(struct lines *l, const char *p, size_t n)
{
	struct lh_err *err = &l->in->tool->err;
	size_t i = 0, mark;

	l->line++;
	if (l->too_long || n > l->in->tool->max_line) {
		if (ingest_flush(l->in) < 0 || lh_records_long_line(l->in->records, p, n) < 0)
			return -1;
		l->in->pending++;
		return reject_long(l);
	}
	mark = l->line == 1 ? lh_mark_len(p, n) : 0;
	p += mark;
	n -= mark;
	n -= n && p[n - 1] == '\r';
	while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r'))
		i++;
	if (i == n)
		return 0;
	if (!l->opening)
		l->opening = l->line;
	l->in->pending++;
	*err = (struct lh_err){ 0 };
	if (put_record(l, p, n, err) < 0)
		return err->code == LH_EDATA ? reject(l, p, n, *err) : -1;
	return l->in->out.len >= BLOCK ? ingest_flush(l->in) : 0;
}

/* Handle the whole lines that were read; of a line over the limit, what is there. */
static int take_lines(struct lines *l)
{
	struct lh_buf *b = &l->text;
	const char *lf;

	while ((lf = memchr(b->p + l->at, '\n', b->len - l->at))) {
		if (take_line(l, b->p + l->at, (size_t)(lf - b->p) - l->at) < 0)
			return -1;
		l->at = (size_t)(lf - b->p) + 1;
	}
	b->len -= l->at;
	memmove(b->p, b->p + l->at, b->len);
	l->at = 0;
	if (!l->too_long && b->len <= l->in->tool->max_line + 1)
		return 0;
	l->too_long = true;
	if (ingest_flush(l->in) < 0 || lh_records_long_line(l->in->records, b->p, b->len) < 0)
		return -1;
	b->len = 0;
	return 0;
}

/* Read the lines of a file, or of a member of an archive. */
static int read_member(struct lines *l)
{
	struct lh_err *err = &l->in->tool->err;
	struct lh_buf *b = &l->text;
	ssize_t got = 1;
	char *to;

	l->line = l->opening = 0;
	l->too_long = false;
	lh_buf_reset(b);
	while (got > 0) {
		to = lh_buf_room(b, BLOCK);
		got = lh_byte_source_read(&l->source, to, BLOCK, err);
		if (got < 0)
			return lh_err_prefix(err, "%s", lh_byte_source_name(&l->source));
		lh_buf_took(b, (size_t)got);
		if (got && memchr(to, '\n', (size_t)got) == NULL && b->len <= l->in->tool->max_line)
			continue;
		if (take_lines(l) < 0)
			return -1;
		if (lh_stopping())
			return lh_err_set(err, LH_EINTR, "interrupted");
	}
	return b->len || l->too_long ? take_line(l, b->p, b->len) : 0;
}

static int read_file(struct lines *l, const char *file)
{
	struct lh_err *err = &l->in->tool->err;
	int rc;

	if (!l->source.file) {
		l->source.output = lh_records_output(l->in->records);
		rc = l->in->parquet ? parquet_begin(l->in->parquet, file, &l->source, err) :
				      lh_byte_source_open(&l->source, file, err);
		if (rc < 0)
			return lh_err_prefix(err, "%s", file);
	}
	l->source.waiting = ingest_waiting;
	l->source.ctx = l->in;
	while ((rc = lh_byte_source_next(&l->source, err)) > 0) {
		if (l->source.workbook)
			return lh_err_set(err, LH_EIO, "%s: is a workbook, not JSON Lines; save "
					  "it as CSV in UTF-8", file);
		if (read_member(l) < 0)
			return -1;
	}
	if (rc < 0)
		return lh_err_prefix(err, "%s", lh_byte_source_name(&l->source));
	lh_byte_source_close(&l->source);
	return l->in->parquet && parquet_end(l->in->parquet, err) < 0 ?
		       lh_err_prefix(err, "%s", file) : 0;
}

/* Decide on the columns, and describe or keep what was read. */
static int finish_lines(struct lines *l)
{
	LH_SCOPED(lh_free_local) bool *null = lh_calloc(l->n, 1);
	size_t i;
	int rc = 0;

	for (i = 0; i < l->n; i++) {
		null[i] = l->present[i] < l->in->rows;
		lh_column_decide(&l->column[i]);
	}
	if (l->in->s->columns)
		rc = describe(l->in, l->column, null, l->n);
	if (l->in->keep)
		rc = ingest_flush(l->in);
	return rc || !l->in->keep ? rc : keep_finish(l->in, l->column, l->n);
}

int ingest_lines(struct ingest *in, struct lh_byte_source *first)
{
	static char *just_stdin[] = { "-" };
	char **file = in->tool->n_operands ? in->tool->operands : just_stdin;
	size_t n = in->tool->n_operands ? in->tool->n_operands : 1, i;
	struct lines l = { .in = in, .source = *first };
	int rc = 0;

	lh_records_hint(in->records);
	for (i = 0; i < n && !rc; i++) {
		l.operand = i + 1;
		rc = read_file(&l, file[i]);
	}
	if (!rc && (in->s->columns || in->keep))
		rc = finish_lines(&l);
	lh_byte_source_close(&l.source);
	lh_record_free(&l.rec);
	lh_buf_free(&l.text);
	lh_buf_free(&l.scratch);
	for (i = 0; i < l.n; i++)
		free((void *)(uintptr_t)l.column[i].name.p);
	free(l.column);
	free(l.present);
	lh_table_free(&l.by_name);
	return rc;
}
