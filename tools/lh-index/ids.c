/* ids.c - the lines of --ids: the id and metadata of each vector of a file that has none. */
#include "index.h"
#include "json/bind.h"
#include "vector/vector_record.h"

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
