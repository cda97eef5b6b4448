/* playbook.c - entries of a playbook.  See lh/playbook.h. */
#include <lh/playbook.h>

static int get_text(const struct lh_record *rec, const char *name, struct lh_buf *scratch,
		    struct lh_str *to, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, name);

	if (!v || v->type == LH_NULL)
		return lh_err_set(err, LH_EDATA, "missing string field \"%s\"", name);
	if (v->type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "\"%s\" is not a string", name);
	if (lh_value_str(v, scratch, to, err) < 0)
		return -1;
	return to->n ? 0 : lh_err_set(err, LH_EDATA, "\"%s\" is empty", name);
}

int lh_playbook_read_key(const struct lh_record *rec, struct lh_buf *scratch,
			 struct lh_playbook_entry *e, struct lh_err *err)
{
	*e = (struct lh_playbook_entry){ .score = 0 };
	lh_buf_reset(scratch);
	if (!lh_buf_room(scratch, rec->len + LH_PAD))	/* so that no text moves another */
		return lh_buf_check(scratch, err);
	if (get_text(rec, "query_text", scratch, &e->query_text, err) < 0 ||
	    get_text(rec, "answer_id", scratch, &e->answer_id, err) < 0 ||
	    get_text(rec, "answer_corpus", scratch, &e->answer_corpus, err) < 0)
		return -1;
	if (e->answer_id.n > LH_ID_MAX)
		return lh_err_data(err, 413, "\"answer_id\" of %zu bytes: at most %d",
				   e->answer_id.n, LH_ID_MAX);
	return 0;
}

static int get_score(const struct lh_record *rec, double *to, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, "score");

	if (!v || v->type == LH_NULL)
		return lh_err_set(err, LH_EDATA, "missing number field \"score\"");
	*to = v->type == LH_NUMBER ? lh_value_f64(v) : 0;
	if (!(*to > 0 && *to <= 1))
		return lh_err_set(err, LH_EDATA, "\"score\" is not a number above 0 and at most 1");
	return 0;
}

static int check_tags(const struct lh_record *rec, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, "tags");
	struct lh_iter it;
	bool good;

	if (!v || v->type == LH_NULL)
		return 0;
	good = v->type == LH_ARRAY;
	if (good)
		for (lh_iter_init(&it, v); good && lh_iter_next(&it); )
			good = it.val.type == LH_STRING;
	return good ? 0 : lh_err_set(err, LH_EDATA, "\"tags\" is not a list of strings");
}

int lh_playbook_read(const struct lh_record *rec, struct lh_buf *scratch,
		     struct lh_playbook_entry *e, struct lh_err *err)
{
	const struct lh_value *role = lh_record_get(rec, "role");

	if (lh_playbook_read_key(rec, scratch, e, err) < 0 || get_score(rec, &e->score, err) < 0 ||
	    check_tags(rec, err) < 0)
		return -1;
	if (!role || role->type == LH_NULL)
		return 0;
	if (role->type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "\"role\" is not a string");
	return lh_value_str(role, scratch, &e->role, err);
}

int lh_playbook_read_row(const struct lh_row *row, struct lh_record *rec, struct lh_buf *line,
			 struct lh_buf *scratch, struct lh_playbook_entry *e, struct lh_err *err)
{
	lh_buf_reset(line);
	lh_buf_add(line, row->meta.p, row->meta.n);	/* the scanner reads past its text */
	if (!row->meta.n)
		lh_buf_puts(line, "{}");
	if (lh_buf_check(line, err) < 0)
		return -1;
	if (memchr(line->p, '\n', line->len))
		return lh_err_set(err, LH_EDATA, "it holds a line break");
	return lh_record_parse(rec, line->p, line->len, err) < 0 ? -1 :
		       lh_playbook_read(rec, scratch, e, err);
}

static int check_first(const struct lh_index *ix, const char *path, struct lh_err *err)
{
	struct lh_playbook_entry e;
	struct lh_buf line, scratch;
	struct lh_record rec;
	struct lh_row row;
	uint64_t i, at, n = lh_index_rows(ix);
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++)
		rc = lh_index_nth_row(ix, i, &at, &row, err);
	if (rc <= 0)
		return rc;
	lh_record_init(&rec);
	lh_buf_init(&line, LH_BUF_NOMAX);
	lh_buf_init(&scratch, LH_BUF_NOMAX);
	rc = lh_playbook_read_row(&row, &rec, &line, &scratch, &e, err);
	if (rc < 0 && err->code == LH_EDATA) {
		err->code = LH_ECORRUPT;
		lh_err_prefix(err, "%s is no playbook: row %llu", path, (unsigned long long)i - 1);
	}
	lh_record_free(&rec);
	lh_buf_free(&line);
	lh_buf_free(&scratch);
	return rc;
}

int lh_playbook_check(const char *path, struct lh_err *err)
{
	struct lh_index *ix = lh_index_open(path, err);
	int rc = ix ? check_first(ix, path, err) : -1;

	lh_index_close(ix);
	return rc;
}
