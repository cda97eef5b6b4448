/* describe.c - what a table is: its name, columns, types; and types from a file. */
#include <string.h>

#include "archive/archive.h"
#include "file/file.h"
#include "ingest.h"
#include "json/write.h"

#define TYPES_MAX (16u << 20)	/* bytes of the file of --types */

struct lh_str dataset_name(const struct ingest *in)
{
	const char *s = in->s->name, *slash, *dot;
	size_t n;

	if (s)
		return lh_str_of(s);
	if (!in->tool->n_operands || strcmp(in->tool->operands[0], "-") == 0)
		return (struct lh_str){ NULL, 0 };
	s = in->tool->operands[0];
	slash = strrchr(s, '/');
	s = slash ? slash + 1 : s;
	n = lh_archive_stem(s);
	dot = memrchr(s, '.', n);
	return (struct lh_str){ s, dot && dot > s ? (size_t)(dot - s) : n };
}

int describe(struct ingest *in, const struct lh_column *column, const bool *null, size_t n)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	struct lh_str name = dataset_name(in);
	char hex[65];
	size_t i;

	lh_columns_fingerprint(column, n, hex);
	lh_write_object(&w, NULL);
	if (name.p && lh_utf8_valid(name.p, name.n))
		lh_write_str(&w, "name", name);
	else
		lh_write_null(&w, "name");
	lh_write_array(&w, "columns");
	for (i = 0; i < n; i++) {
		lh_write_object(&w, NULL);
		lh_write_str(&w, "name", column[i].name);
		lh_write_text(&w, "type", lh_column_type_name(column[i].type));
		lh_write_bool(&w, "nullable", null[i]);
		lh_write_end(&w);
	}
	lh_write_end(&w);
	lh_write_text(&w, "schema_fingerprint", hex);
	lh_write_u64(&w, "row_count", in->rows);
	lh_write_end(&w);
	return lh_tool_out_line(in->tool, &line);
}

/* Set the type of one column. */
static int set_type(const struct lh_iter *it, struct lh_column *column, size_t n,
		    struct lh_buf *scratch, struct lh_err *err)
{
	struct lh_str name, type = { NULL, 0 };
	size_t i = 0;
	int is;

	lh_value_str(&it->key, scratch, &name);
	while (i < n && !lh_str_is(column[i].name, name.p, name.n))
		i++;
	if (i == n)
		return lh_err_set(err, LH_EIO, "there is no column \"%.*s\" (--types)",
				  (int)(name.n < 100 ? name.n : 100), name.p);
	if (it->val.type == LH_STRING)
		lh_value_str(&it->val, scratch, &type);
	is = type.p ? lh_column_type_named(type) : -1;
	if (is < 0)
		return lh_err_set(err, LH_EIO, "--types: the type of column \"%.*s\" must be "
				  "string, int64, float64 or bool",
				  (int)(name.n < 100 ? name.n : 100), name.p);
	column[i].given = true;
	column[i].type = (enum lh_column_type)is;
	return 0;
}

static int set_types(const struct lh_buf *text, struct lh_column *column, size_t n,
		     struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record scan = { 0 };
	struct lh_value v;
	struct lh_iter it;
	int rc = lh_json_parse(&scan, text->p, text->len, &v, err);

	if (!rc && v.type != LH_OBJECT)
		rc = lh_err_set(err, LH_EIO, "is not a JSON object");
	if (rc < 0)
		lh_err_prefix(err, "--types");
	if (!rc)
		lh_iter_init(&it, &v);
	while (!rc && lh_iter_next(&it)) {
		lh_buf_reset(&scratch);
		rc = set_type(&it, column, n, &scratch, err);
	}
	if (rc < 0 && err->code == LH_EDATA)
		err->code = LH_EIO;
	return rc;
}

int types_read(const char *path, struct lh_column *column, size_t n, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc;

	lh_buf_init(&text, TYPES_MAX);
	rc = lh_file_read(path, &text, err);
	if (!rc)
		rc = lh_err_set(err, LH_EIO, "%s: does not exist", path);
	if (rc > 0)
		rc = set_types(&text, column, n, err);
	return rc;
}
