/*
 * from.c - lh-index build --from: vectors from files of other programs.
 *
 * A wrong row, or a file that ends too early, ends the run: such a file is a copy of a table
 * that did not arrive whole.
 */
#include "index.h"
#include "base/signal.h"
#include "archive/archive.h"
#include "index/index_tools.h"
#include "json/write.h"

struct from {
	struct lh_tool *tool;
	struct rows *rows;
	const struct settings *s;
	const struct format_reader *format;
	row_sink sink;
	void *ctx;

	size_t next_file;		/* of the operands */
	struct lh_byte_source src;
	struct row_reader r;
	bool in_file, in_member;	/* a file is open; one of its members is read */
	uint64_t taken;			/* vectors of all files so far */
	struct metadata meta;
	struct lh_buf line;		/* metadata of several lines, as one */
};

static ssize_t read_source(void *ctx, void *to, size_t n, struct lh_err *err)
{
	return lh_byte_source_read(ctx, to, n, err);
}

static int prefix_name(const struct from *f, struct lh_err *err)
{
	return lh_err_prefix(err, "%s", lh_byte_source_name(&f->src));
}

static void close_member(struct from *f)
{
	row_reader_free(&f->r);
	f->in_member = false;
}

static void close_file(struct from *f)
{
	close_member(f);
	lh_byte_source_close(&f->src);
	f->in_file = false;
}

/* Open the next operand, or stdin if there are none: 1, 0 after the last one, -1. */
static int open_file(struct from *f, struct lh_err *err)
{
	size_t at = f->next_file++;
	const char *name = "-";

	if (at < f->tool->n_operands)
		name = f->tool->operands[at];
	else if (at > 1)
		return 0;
	f->in_file = true;
	return lh_byte_source_open(&f->src, name, err) < 0 ? prefix_name(f, err) : 1;
}

/* Begin to read the file, or a member of it, if it is an archive: 1, 0 after all, -1. */
static int open_member(struct from *f, struct lh_err *err)
{
	int more = lh_byte_source_next(&f->src, err);

	if (more <= 0)
		return more < 0 ? prefix_name(f, err) : 0;
	f->in_member = true;
	f->r = (struct row_reader){
		.in = { .read = read_source, .ctx = &f->src },
		.id_type = f->s->id_type < 0 ? ID_TEXT : (enum id_type)f->s->id_type,
		.meta_max = f->tool->max_line,
	};
	return f->format->begin(&f->r, err) < 0 ? prefix_name(f, err) : 1;
}

/* Read the next row of all files: 1, 0 after the last one, -1. */
static int next_row(struct from *f, struct format_row *row, struct lh_err *err)
{
	int rc;

	for (;;) {
		if (f->in_member) {
			rc = f->format->next(&f->r, row, err);
			if (rc)
				return rc < 0 ? prefix_name(f, err) : 1;
			close_member(f);
		}
		if (f->in_file) {
			rc = open_member(f, err);
			if (rc < 0)
				return -1;
			if (!rc)
				close_file(f);
		} else {
			rc = open_file(f, err);
			if (rc <= 0)
				return rc;
		}
	}
}

/* Set the metadata of a row to JSON from outside, which may be a null.  Text of several lines
 * loses the white space between its tokens, since it will be part of a line wherever it is
 * written; any other is stored byte for byte. */
static int set_metadata(struct from *f, struct lh_str json, struct row *row, struct lh_err *err)
{
	if (!json.n || lh_str_is(json, "null", 4))
		return 0;
	if (metadata_parse(&f->meta, json, &row->meta, err) < 0)
		return -1;
	row->clears = !f->meta.scan.n;
	if (!memchr(row->meta.p, '\n', row->meta.n))
		return 0;
	lh_buf_reset(&f->line);
	lh_json_compact(&f->line, row->meta.p, row->meta.n);
	row->meta = (struct lh_str){ f->line.p, f->line.len };
	return lh_buf_check(&f->line, err);
}

/* Store a row, if it is in the shard. */
static int store_row(struct from *f, const struct format_row *from, struct lh_err *err)
{
	struct row row = {
		.id = from->id, .meta = lh_str_of(""), .model = lh_str_of(""),
		.text = lh_str_of(""), .vector = from->vector, .n = from->n,
	};
	int rc;

	lh_tool_progress(f->tool, ++f->taken);
	if (!lh_shard_has(&f->rows->shard, from->id.p, from->id.n)) {
		f->rows->others = true;
		return 0;
	}
	rc = set_metadata(f, from->meta, &row, err);
	if (rc == 0)
		rc = f->sink(&row, f->ctx, err);
	if (rc < 0) {
		if (err->code == LH_EDATA)
			err->code = LH_ECORRUPT;	/* of the file, not of a record */
		lh_err_prefix(err, "row %llu", (unsigned long long)f->r.rows);
		return prefix_name(f, err);
	}
	return 0;
}

/* Store rows whose ids are in the file, or else their numbers. */
static int run_alone(struct from *f, struct lh_err *err)
{
	struct format_row row = { .n = 0 };
	char number[24];
	int more = 0;

	while (!lh_stopping() && (more = next_row(f, &row, err)) > 0) {
		if (!row.id.p) {
			snprintf(number, sizeof number, "%llu", (unsigned long long)f->taken);
			row.id = lh_str_of(number);
		}
		if (store_row(f, &row, err) < 0)
			return -1;
	}
	return lh_stopping() ? not_stopped(f->tool) : more;
}

static int take_line(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	struct from *f = ctx;
	const struct ids_line *line = o->result;
	struct format_row row;
	int more;

	if (line->has_label && line->label != f->taken)
		return lh_err_set(err, LH_EDATA, "label %llu, expected %llu",
				  (unsigned long long)line->label, (unsigned long long)f->taken);
	more = next_row(f, &row, err);
	if (more < 0)
		return -1;
	if (!more)
		return lh_err_set(err, LH_EDATA, "there are only %llu vectors",
				  (unsigned long long)f->taken);
	row.id = (struct lh_str){ o->text, line->id_n };
	row.meta = (struct lh_str){ o->text + line->id_n, o->n - line->id_n };
	return store_row(f, &row, err);
}

/* Store rows whose ids and metadata are lines of --ids. */
static int run_with_ids(struct from *f)
{
	struct lh_tool *tool = f->tool;
	struct format_row row;
	int more;

	if (ids_each(tool, f->s->ids, take_line, f) < 0)
		return -1;
	more = next_row(f, &row, &tool->err);
	if (more > 0)
		return lh_err_set(&tool->err, LH_EUSAGE,
				  "%s: %llu lines, and there are more vectors", f->s->ids,
				  (unsigned long long)f->taken);
	return more;
}

int from_run(struct rows *r, struct lh_tool *tool, row_sink sink, void *ctx)
{
	const struct settings *s = r->settings;
	struct from f = {
		.tool = tool, .rows = r, .s = s, .format = format_reader(s->from), .sink = sink,
		.ctx = ctx, .next_file = 1,
	};
	int rc;

	if (s->ids && strcmp(s->ids, "-") == 0 &&
	    (tool->n_operands == 1 || lh_tool_reads_stdin(tool)))
		return lh_tool_usage(tool, "--ids -: stdin has the vectors");
	rc = s->ids ? run_with_ids(&f) : run_alone(&f, &tool->err);
	close_file(&f);
	metadata_free(&f.meta);
	lh_buf_free(&f.line);
	return rc < 0 ? -1 : 0;
}
