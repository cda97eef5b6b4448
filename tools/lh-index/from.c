/*
 * from.c - lh-index build --from npy: vectors from files of NumPy.
 *
 * A wrong row, or a file that ends too early, ends the run: such a file did not arrive whole.
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
	f->r = (struct row_reader){
		.in = { .read = read_source, .ctx = &f->src },
	};
	return npy_begin(&f->r, err) < 0 ? prefix_name(f, err) : 1;
}

/* Read the next row of all files: 1, 0 after the last one, -1. */
static int next_row(struct from *f, struct format_row *row, struct lh_err *err)
{
	int rc;

	for (;;) {
		if (f->in_member) {
			rc = npy_next(&f->r, row, err);
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

/* Store a row, if it is in the shard. */
static int store_row(struct from *f, const struct format_row *from, struct lh_str id,
		     struct lh_str meta, struct lh_err *err)
{
	struct row row = {
		.id = id, .meta = lh_str_of(""), .model = lh_str_of(""),
		.text = lh_str_of(""), .vector = from->vector, .n = from->n,
	};
	int rc = 0;

	lh_tool_progress(f->tool, ++f->taken);
	if (!lh_shard_has(&f->rows->shard, id.p, id.n)) {
		f->rows->others = true;
		return 0;
	}
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
	struct format_row row = { .n = 0 };
	char number[24];
	int more = 0;

	while (!lh_stopping() && (more = next_row(f, &row, err)) > 0) {
		snprintf(number, sizeof number, "%llu", (unsigned long long)f->taken);
		if (store_row(f, &row, lh_str_of(number), lh_str_of(""), err) < 0)
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
		return lh_err_set(err, LH_EDATA, "there are only %s", LH_N(f->taken, "vector"));
	return store_row(f, &row, (struct lh_str){ o->text, line->id_n },
			 (struct lh_str){ o->text + line->id_n, o->n - line->id_n }, err);
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
