/* to.c - lh-index dump --to npy: the rows of an index as a file of NumPy. */
#include "index.h"
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"

#define PIECE ((size_t)1 << 20)		/* bytes of one write */

struct to {
	const struct lh_index *ix;
	uint32_t dimension;
	float *vector;
	struct metadata meta;
	uint64_t rows, of;		/* written so far, of all */

	const char *ids_name;		/* NULL: no --ids */
	struct lh_atomic ids;
	struct lh_buf lines;
};

static int flush_lines(struct to *to, struct lh_err *err)
{
	if (lh_atomic_write(&to->ids, to->lines.p, to->lines.len, err) < 0)
		return -1;
	lh_buf_reset(&to->lines);
	return 0;
}

static int put_line(struct to *to, struct lh_str id, struct lh_str meta, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(&to->lines);

	lh_write_object(&w, NULL);
	lh_write_str(&w, "id", id);
	if (meta.n)
		lh_write_raw(&w, "metadata", meta);
	lh_write_end(&w);
	lh_buf_putc(&to->lines, '\n');
	return to->lines.len >= PIECE ? flush_lines(to, err) : 0;
}

static int put_row(void *ctx, uint64_t at, const struct lh_row *of, struct lh_buf *out,
		   struct lh_err *err)
{
	struct to *to = ctx;
	struct lh_str meta;

	lh_index_vector(to->ix, at, to->vector);
	if (!lh_vec_finite(to->vector, to->dimension))
		return lh_err_set(err, LH_ECORRUPT, "vector holds NaN or infinity");
	if (metadata_read(&to->meta, of, &meta, err) < 0)
		return -1;
	to->rows++;
	lh_buf_add(out, to->vector, to->dimension * sizeof *to->vector);
	return to->ids_name ? put_line(to, of->id, meta, err) : 0;
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
	if (to->ids_name && lh_atomic_open(&to->ids, to->ids_name, 0666, &tool->err) < 0)
		return -1;
	if (put_begin(to, tool) < 0 || dump_rows(tool, to->ix, put_row, to) < 0 ||
	    check_end(to, tool) < 0 || lh_tool_flush(tool) < 0)
		return -1;
	if (!to->ids_name)
		return 0;
	return flush_lines(to, &tool->err) < 0 ? -1 : lh_atomic_commit(&to->ids, &tool->err);
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
		.ix = ix, .dimension = p->dimension, .ids_name = s->ids, .ids = { .fd = -1 },
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
	lh_atomic_close(&to.ids);
	lh_buf_free(&to.lines);
	metadata_free(&to.meta);
	free(to.vector);
	return rc;
}
