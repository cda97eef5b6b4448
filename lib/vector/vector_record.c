/* vector_record.c - read id, vector, text and metadata of a record.  See
 * vector_record.h. */
#include "vector_record.h"

#include "base/num.h"
#include "vector/distance.h"
#include "json/bind.h"

struct ids {
	struct lh_str id, model;
};
static const struct lh_bind id_members[] = {
	{ LH_BIND_ID("id", struct ids, id), .required = true },
	LH_BIND_END
};
static const struct lh_bind model_members[] = {
	{ LH_BIND_STRING("model", struct ids, model) },
	LH_BIND_END
};

/* Read the id from a field of any name. */
static int id_of_field(const struct lh_record *rec, const char *field, struct lh_buf *scratch,
		       struct lh_str *id, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, field);

	if (!v || v->type == LH_NULL)
		return lh_err_set(err, LH_EDATA, "missing \"%s\" (string or number)", field);
	if (v->type == LH_STRING) {
		lh_value_str(v, scratch, id);
		return 0;
	}
	if (v->type != LH_NUMBER)
		return lh_err_set(err, LH_EDATA, "\"%s\" must be a string or number", field);
	*id = (struct lh_str){ v->p, v->n };
	return 0;
}

int lh_vector_record_id(const struct lh_record *rec, const char *field, struct lh_buf *scratch,
			struct lh_str *id, struct lh_err *err)
{
	struct ids ids;
	int rc;

	if (field)
		return id_of_field(rec, field, scratch, id, err);
	rc = lh_bind(id_members, rec, &ids, scratch, err);
	if (!rc)
		*id = ids.id;
	return rc;
}

static int array_vector(const struct lh_value *v, struct lh_buf *out, size_t *n, struct lh_err *err)
{
	/* An element has two bytes at least, so the memory is bounded by the text. */
	size_t max = v->n / 2 < LH_DIM_MAX ? v->n / 2 : LH_DIM_MAX;
	float *to = (float *)(void *)lh_buf_room(out, max * sizeof *to);
	long got;

	if (!to)
		return 0;
	got = lh_f32s_read(v->p, v->p + v->n, to, max, err);
	if (got < 0)
		return lh_err_prefix(err, "vector");
	lh_buf_took(out, (size_t)got * sizeof *to);
	*n = (size_t)got;
	return 0;
}

/* Decode base64 in which a backslash precedes every slash, as some JSON writers do. -2:
 * no memory. */
static long escaped_base64(const struct lh_value *v, char *to)
{
	LH_SCOPED(lh_buf_free) struct lh_buf plain = { 0 };
	struct lh_str text;
	long got = -2;

	lh_buf_init(&plain, v->n);
	lh_value_str(v, &plain, &text);
	got = lh_base64_read(text.p, text.n, to);
	return got;
}

static int base64_vector(const struct lh_value *v, struct lh_buf *out, size_t *n,
			 struct lh_err *err)
{
	size_t chars = v->n - 2;
	char *to;
	long got;

	if (chars > (size_t)LH_DIM_MAX * 6)
		return lh_err_data(err, 413, "dimension over %d", LH_DIM_MAX);
	to = lh_buf_room(out, chars / 4 * 3 + 3);
	if (!to)
		return 0;
	got = v->escaped ? escaped_base64(v, to) : lh_base64_read(v->p + 1, chars, to);
	if (got == -2)
		return -1;
	if (got < 0)
		return lh_err_set(err, LH_EDATA, "vector is not base64");
	if (got % 4)
		return lh_err_set(err, LH_EDATA,
				  "vector of %ld bytes does not hold whole 32-bit floats", got);
	lh_buf_took(out, (size_t)got);
	*n = (size_t)got / 4;
	return 0;
}

int lh_vector_record_vector(const struct lh_value *v, struct lh_buf *out, size_t *n,
			    struct lh_err *err)
{
	int rc;

	if (v->type == LH_ARRAY)
		rc = array_vector(v, out, n, err);
	else if (v->type == LH_STRING)
		rc = base64_vector(v, out, n, err);
	else
		return lh_err_set(err, LH_EDATA, "vector is neither an array nor base64");
	if (rc == 0 && *n == 0)
		return lh_err_set(err, LH_EDATA, "empty vector");
	if (rc == 0 && *n > LH_DIM_MAX)
		return lh_err_data(err, 413, "dimension over %d", LH_DIM_MAX);
	return rc;
}

int lh_vector_record_text(const struct lh_record *rec, struct lh_path *field,
			  const struct lh_template *tpl, struct lh_buf *scratch,
			  struct lh_str *text, struct lh_err *err)
{
	struct lh_value v;

	if (tpl) {
		size_t at = scratch->len;

		if (lh_template_render(tpl, rec, scratch, err) < 0)
			return -1;
		*text = (struct lh_str){ scratch->p + at, scratch->len - at };
	} else {
		if (lh_path_string(field, rec, &v, err) < 0)
			return -1;
		lh_value_str(&v, scratch, text);
	}
	if (!text->n)
		return lh_err_set(err, LH_EDATA, "empty text");
	return 0;
}

int lh_vector_record_model(const struct lh_record *rec, struct lh_buf *scratch,
			   struct lh_str *model, struct lh_err *err)
{
	struct ids ids = { .model = { "", 0 } };
	int rc = lh_bind(model_members, rec, &ids, scratch, err);

	if (!rc)
		*model = ids.model;
	return rc;
}

static bool in_metadata(const struct lh_member *m, struct lh_str id)
{
	const struct lh_str not_in[] = {
		id, { "vector", 6 }, { "dimension", 9 }, { "model", 5 }
	};
	size_t i;

	for (i = 0; i < sizeof not_in / sizeof *not_in; i++)
		if (lh_value_is(&m->key, not_in[i].p, not_in[i].n))
			return false;
	if (m->val.type == LH_TRUE)
		return !lh_value_is(&m->key, LH_OF_PERSONS, sizeof LH_OF_PERSONS - 1);
	return m->val.type != LH_NULL || !lh_value_is(&m->key, "metadata", 8);
}

void lh_vector_record_meta(const struct lh_record *rec, const char *id, struct lh_buf *out)
{
	const struct lh_str id_field = lh_str_of(id ? id : "id");
	const struct lh_value *v = lh_record_get(rec, "metadata");
	char before = '{';
	size_t i;

	if (v && v->type == LH_OBJECT) {
		lh_buf_add(out, v->p, v->n);
		return;
	}
	for (i = 0; i < rec->n; i++) {
		const struct lh_member *m = &rec->member[i];

		if (!in_metadata(m, id_field))
			continue;
		lh_buf_putc(out, before);
		lh_buf_add(out, m->key.p, m->key.n);
		lh_buf_putc(out, ':');
		lh_buf_add(out, m->val.p, m->val.n);
		before = ',';
	}
	if (before == ',')
		lh_buf_putc(out, '}');
}
