/* from.c - lh-index build --from npy and dump --to npy: vectors from and to files of NumPy. */
#include <stdlib.h>
#include <unistd.h>

#include "archive/archive.h"
#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "index.h"
#include "index/index_tools.h"
#include "json/bind.h"
#include "json/write.h"
#include "vector/vector_record.h"

/* ---- ids and metadata ---- */

struct fields {
	struct lh_str id;
	struct lh_value metadata;
	uint64_t label;
	bool has_label;
};

static const struct lh_bind members[] = {
	{ LH_BIND_ID("id", struct fields, id), .required = true },
	{ LH_BIND_OBJECT("metadata", struct fields, metadata) },
	{ LH_BIND_U64("label", struct fields, label, 0, INT64_MAX),
	  .given = LH_BIND_FIELD(struct fields, has_label) },
	LH_BIND_END
};

int ids_read(const struct lh_record *rec, const char *field, struct lh_buf *scratch,
	     struct lh_str *id, struct lh_err *err)
{
	if (*rec->line == '{')
		return lh_vector_record_id(rec, field, scratch, id, err);
	*id = (struct lh_str){ rec->line, rec->len };
	return 0;
}

static int read_line(struct lh_record *rec, void *result, struct lh_buf *out, void *context,
		     struct lh_err *err)
{
	struct ids_line *line = result;
	struct fields f = { .metadata = { .p = NULL } };
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc = 0;

	if (*rec->line == '{')
		rc = lh_bind(members, rec, &f, &text, err);
	else
		f.id = (struct lh_str){ rec->line, rec->len };
	(void)context;
	*line = (struct ids_line){ f.label, f.has_label, f.id.n };
	if (rc == 0) {
		lh_buf_add(out, f.id.p, f.id.n);
		lh_buf_add(out, f.metadata.p, f.metadata.p ? f.metadata.n : 0);
	}
	return rc < 0 ? -1 : 1;
}

int id_doubled(struct lh_str id, struct lh_err *err)
{
	return lh_err_set(err, LH_EDATA, "the id %.*s occurs twice",
			  (int)(id.n < 100 ? id.n : 100), id.p);
}

int ids_each(struct lh_tool *tool, const char *file,
	     int (*take)(const struct lh_output *o, void *ctx, struct lh_err *err), void *ctx)
{
	char *files[] = { (char *)(uintptr_t)file };
	struct lh_flow flow = {
		.fill = read_line, .ids = true, .result_size = sizeof(struct ids_line),
		.sink = take, .shared = ctx, .files = files, .n_files = 1,
	};

	tool->on_error = LH_ON_ERROR_STOP;
	if (lh_records_run(tool, &flow) < 0) {
		lh_tool_failed(tool);
		return -1;
	}
	return not_stopped(tool);
}

/* ---- ids of rows that are written ---- */

#define PIECE ((size_t)1 << 20)		/* bytes of one write */

int ids_flush(struct ids_output *o, struct lh_err *err)
{
	if (lh_atomic_write(&o->file, o->lines.p, o->lines.len, err) < 0)
		return -1;
	lh_buf_reset(&o->lines);
	return 0;
}

int ids_put(struct ids_output *o, const uint64_t *label, const struct lh_row *row,
	    struct lh_err *err)
{
	struct lh_writer w = lh_write_to(&o->lines);

	lh_write_object(&w, NULL);
	if (label)
		lh_write_u64(&w, "label", *label);
	lh_write_str(&w, "id", row->id);
	if (metadata_write(&o->meta, &w, row, err) < 0)
		return -1;
	lh_write_end(&w);
	lh_buf_putc(&o->lines, '\n');
	return o->lines.len >= PIECE ? ids_flush(o, err) : 0;
}

void ids_close(struct ids_output *o)
{
	lh_atomic_close(&o->file);
	metadata_free(&o->meta);
	lh_buf_free(&o->lines);
}

/* ---- build --from ---- */

/*
 * A wrong row, or a file that ends too early, ends the run: such a file did not arrive whole.
 */

struct from {
	struct lh_tool *tool;
	struct rows *rows;
	const struct settings *s;
	row_sink sink;
	void *ctx;

	size_t next_file;		/* of the operands */
	struct lh_byte_source src;
	struct row_reader r;
	bool in_file, in_member;	/* a file is open; one of its members is read */
	uint64_t taken;			/* vectors of all files so far */
	struct metadata meta;
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
	f->r = (struct row_reader){ .read = read_source, .ctx = &f->src };
	return npy_begin(&f->r, err) < 0 ? prefix_name(f, err) : 1;
}

/* Read the next row of all files: 1, 0 after the last one, -1. */
static int next_row(struct from *f, struct lh_err *err)
{
	int rc;

	for (;;) {
		if (f->in_member) {
			rc = npy_next(&f->r, err);
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

static int store_row(struct from *f, struct lh_str id, struct lh_str meta, struct lh_err *err)
{
	struct row row = {
		.id = id, .meta = lh_str_of(""), .model = lh_str_of(""), .text = lh_str_of(""),
		.vector = (const float *)(const void *)f->r.vector.p, .n = f->r.dimension,
	};
	int rc = 0;

	lh_tool_progress(f->tool, ++f->taken);
	if (meta.n && !lh_str_is(meta, "null", 4)) {
		rc = metadata_parse(&f->meta, meta, &row.meta, err);
		row.clears = !rc && !f->meta.scan.n;
	}
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

/* Store rows whose ids are their numbers. */
static int run_alone(struct from *f, struct lh_err *err)
{
	char number[24];
	int more = 0;

	while (!lh_stopping() && (more = next_row(f, err)) > 0) {
		snprintf(number, sizeof number, "%llu", (unsigned long long)f->taken);
		if (store_row(f, lh_str_of(number), lh_str_of(""), err) < 0)
			return -1;
	}
	return lh_stopping() ? not_stopped(f->tool) : more;
}

static int take_line(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	struct from *f = ctx;
	const struct ids_line *line = o->result;
	int more;

	if (line->has_label && line->label != f->taken)
		return lh_err_set(err, LH_EDATA, "label %llu, expected %llu",
				  (unsigned long long)line->label, (unsigned long long)f->taken);
	more = next_row(f, err);
	if (more < 0)
		return -1;
	if (!more)
		return lh_err_set(err, LH_EDATA, "there are only %s", LH_N(f->taken, "vector"));
	return store_row(f, (struct lh_str){ o->text, line->id_n },
			 (struct lh_str){ o->text + line->id_n, o->n - line->id_n }, err);
}

/* Store rows whose ids and metadata are lines of --ids. */
static int run_with_ids(struct from *f)
{
	struct lh_tool *tool = f->tool;
	int more;

	if (ids_each(tool, f->s->ids, take_line, f) < 0)
		return -1;
	more = next_row(f, &tool->err);
	if (more > 0)
		return lh_err_set(&tool->err, LH_EUSAGE, "%s: %s, and there are more vectors",
				  f->s->ids, LH_N(f->taken, "line"));
	return more;
}

int from_run(struct rows *r, struct lh_tool *tool, row_sink sink, void *ctx)
{
	const struct settings *s = r->settings;
	struct from f = {
		.tool = tool, .rows = r, .s = s, .sink = sink, .ctx = ctx, .next_file = 1,
	};
	int rc;

	if (s->ids && strcmp(s->ids, "-") == 0 &&
	    (tool->n_operands == 1 || lh_tool_reads_stdin(tool)))
		return lh_tool_usage(tool, "--ids -: stdin has the vectors");
	rc = s->ids ? run_with_ids(&f) : run_alone(&f, &tool->err);
	close_file(&f);
	metadata_free(&f.meta);
	return rc < 0 ? -1 : 0;
}

/* ---- dump --to ---- */

struct to {
	const struct lh_index *ix;
	uint32_t dimension;
	float *vector;
	uint64_t rows, of;		/* written so far, of all */
	struct ids_output ids;
};

static int put_row(void *ctx, uint64_t at, const struct lh_row *of, struct lh_buf *out,
		   struct lh_err *err)
{
	struct to *to = ctx;
	struct lh_str meta;

	lh_index_vector(to->ix, at, to->vector);
	if (!lh_vec_finite(to->vector, to->dimension))
		return lh_err_set(err, LH_ECORRUPT, "vector holds NaN or infinity");
	to->rows++;
	lh_buf_add(out, to->vector, to->dimension * sizeof *to->vector);
	return to->ids.name ? ids_put(&to->ids, NULL, of, err)
			    : metadata_read(&to->ids.meta, of, &meta, err);
}

static int put_begin(struct to *to, struct lh_tool *tool)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };

	npy_write_begin(to->of, to->dimension, &out);
	return lh_tool_out(tool, out.p, out.len);
}

static int check_end(struct to *to, struct lh_tool *tool)
{
	if (to->rows == to->of)
		return 0;
	return lh_err_set(&tool->err, LH_ECORRUPT, "%s: %s, expected %llu", tool->operands[0],
			  LH_N(to->rows, "record"), (unsigned long long)to->of);
}

static int write_all(struct to *to, struct lh_tool *tool)
{
	if (to->ids.name && lh_atomic_open(&to->ids.file, to->ids.name, 0666, &tool->err) < 0)
		return -1;
	if (put_begin(to, tool) < 0 || dump_rows(tool, to->ix, put_row, to) < 0 ||
	    check_end(to, tool) < 0 || lh_tool_flush(tool) < 0)
		return -1;
	if (!to->ids.name)
		return 0;
	return ids_flush(&to->ids, &tool->err) < 0
		? -1 : lh_atomic_commit(&to->ids.file, &tool->err);
}

static int check_output(struct lh_tool *tool, const struct settings *s)
{
	if (isatty(STDOUT_FILENO))
		return lh_tool_usage(tool, "--to: such a file is not written to a terminal");
	if (s->ids && strcmp(s->ids, "-") == 0)
		return lh_tool_no_stream(tool, "a file");
	if (s->ids && same_file(s->ids, tool->operands[0]))
		return lh_tool_usage(tool, "--ids: %s is INDEX itself", s->ids);
	return s->ids ? lh_tool_replaces(tool, s->ids, &made_ids) : 0;
}

int to_run(struct lh_tool *tool, const struct settings *s, const struct lh_index *ix)
{
	const struct lh_index_params *p = lh_index_get_params(ix);
	struct to to = {
		.ix = ix, .dimension = p->dimension, .ids = { s->ids, .file = { .fd = -1 } },
	};
	struct lh_index_stats st;
	int rc = check_output(tool, s);

	if (rc < 0)
		return -1;
	if (s->ids)
		lh_tool_ignore_sigpipe(tool);
	lh_index_get_stats(ix, &st);
	to.of = st.live;
	to.vector = lh_calloc(p->dimension, sizeof *to.vector);
	rc = write_all(&to, tool);
	ids_close(&to.ids);
	free(to.vector);
	return rc;
}
