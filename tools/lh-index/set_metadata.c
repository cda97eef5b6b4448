/* set_metadata.c - lh-index set-metadata: replace the metadata of records, not their vectors.
 *
 * Ids are looked up as the records are read, in the index as it was at the start, so that one
 * that is not there is rejected.  The changes are gathered.  To store some, the lock is taken,
 * and each record gets the vector that it has then: what other writers added meanwhile stays.
 * A record that was deleted meanwhile remains so.
 */
#include "index/index_tools.h"
#include <stdlib.h>

#include "index.h"
#include "base/mem.h"
#include "json/bind.h"
#include "vector/vector_record.h"

#define STORE_BYTES (64u << 20)	/* of frames */

struct gathered {
	size_t at;		/* of the id in text; the metadata follows it */
	uint32_t id_n, meta_n;
};

struct setting {
	struct lh_tool *tool;
	const struct settings *s;
	struct lh_index *ix;	/* as it was last read */
	struct changes to;
	struct lh_buf text;
	struct gathered *v;
	size_t n, cap;
	uint64_t done;
};

/* ---- reading ---- */

struct read {			/* a record's result; its text is the id, then the metadata */
	uint32_t id_n, meta_n;
};

struct member {
	struct lh_value meta;
};
static const struct lh_bind members[] = {
	{ LH_BIND_OBJECT("metadata", struct member, meta), .required = true },
	LH_BIND_END
};

static int fill(struct lh_record *rec, void *result, struct lh_buf *out, void *setting,
		struct lh_err *err)
{
	const struct setting *set = setting;
	struct lh_buf scratch = { 0 };
	struct read *r = result;
	struct member m;
	struct lh_str id;
	int rc = lh_vector_record_id(rec, set->s->id_field, &scratch, &id, err);

	if (!rc)
		rc = lh_bind(members, rec, &m, NULL, err);
	if (!rc && (id.n > UINT32_MAX || m.meta.n > UINT32_MAX))
		rc = lh_err_data(err, 413, "record over 4 GiB");
	if (!rc) {
		r->id_n = (uint32_t)id.n;
		r->meta_n = (uint32_t)m.meta.n;
		lh_buf_add(out, id.p, id.n);
		lh_buf_add(out, m.meta.p, m.meta.n);
	}
	lh_buf_free(&scratch);
	return rc < 0 ? -1 : 1;
}

/* ---- storing ---- */

/* Gather the changes, for the records that are there now. */
static int put_gathered(struct setting *set, struct lh_err *err)
{
	const struct gathered *g;

	for (g = set->v; g < set->v + set->n; g++) {
		const char *id = set->text.p + g->at;
		int64_t at = lh_index_find(set->ix, id, g->id_n, err);

		if (at == -1)
			continue;
		if (at < 0 || lh_index_change_put_meta(set->to.c, set->ix, (uint64_t)at,
						       id + g->id_n, g->meta_n, err) < 0)
			return -1;
	}
	return 0;
}

static int renew(struct setting *set, struct lh_err *err)
{
	struct lh_index *now = lh_index_renew(set->ix, err);

	if (!now)
		return -1;
	lh_index_close(set->ix);
	set->ix = now;
	return 0;
}

static int store(struct setting *set, struct lh_err *err)
{
	int rc = 0;

	if (!set->n)
		return 0;
	if (lh_index_change_hold(set->to.c, err) < 0)
		return -1;
	if (renew(set, err) < 0 || put_gathered(set, err) < 0 || changes_store(&set->to, err) < 0)
		rc = -1;
	lh_index_change_release(set->to.c);
	set->n = 0;
	lh_buf_reset(&set->text);
	return rc;
}

/* --on-error stop promises all or nothing. */
static int store_some(struct setting *set, struct lh_err *err)
{
	const size_t vectors = set->n * lh_index_get_params(set->ix)->dimension * sizeof(float);

	if (set->tool->on_error == LH_ON_ERROR_STOP || set->text.len + vectors < STORE_BYTES)
		return 0;
	return store(set, err);
}

static int gather(const struct lh_output *o, void *setting, struct lh_err *err)
{
	struct setting *set = setting;
	const struct read *r = o->result;
	struct lh_row row;
	uint64_t at;

	if (find_row(set->ix, (struct lh_str){ o->text, r->id_n }, &at, &row, err) < 0 ||
	    lh_index_check_meta(r->meta_n, err) < 0 ||
	    lh_grow(&set->v, &set->cap, set->n + 1, sizeof *set->v, err) < 0)
		return -1;
	set->v[set->n++] = (struct gathered){ set->text.len, r->id_n, r->meta_n };
	lh_buf_add(&set->text, o->text, o->n);
	set->done++;
	return lh_buf_check(&set->text, err) < 0 ? -1 : store_some(set, err);
}

int index_set_metadata(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct setting set = { .tool = tool, .s = s };
	struct lh_flow flow = {
		.fill = fill, .result_size = sizeof(struct read), .sink = gather, .shared = &set,
		.files = tool->operands + 1, .n_files = tool->n_operands - 1,
	};
	int rc = changes_open(&set.to, tool->operands[0], s->lock_timeout, &tool->err);

	if (!rc)
		rc = (set.ix = lh_index_open(tool->operands[0], &tool->err)) ? 0 : -1;
	if (!rc)
		rc = lh_records_run(tool, &flow) < 0 ? -1 : not_stopped(tool);
	if (!rc)
		rc = store(&set, &tool->err);
	if (!rc)
		rc = changes_finish(&set.to, tool, s);
	if (!rc)
		lh_tool_verbose(tool, "%s: metadata of %llu records replaced", tool->operands[0],
				(unsigned long long)set.done);
	lh_index_change_close(set.to.c);
	lh_index_close(set.ix);
	lh_buf_free(&set.text);
	free(set.v);
	return rc;
}
