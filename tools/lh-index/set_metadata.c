/* set_metadata.c - lh-index set-metadata and replace-metadata: change the metadata of records,
 * not their vectors.
 *
 * set-metadata changes the top-level members that are named, and removes those that are null;
 * replace-metadata puts the given object in place of all of it.
 *
 * Ids are looked up as the records are read, in the index as it was at the start, so that one
 * that is not there is rejected.  The changes are gathered.  To store some, the lock is taken,
 * and each record gets the vector (and the other members) that it has then: what other writers
 * added meanwhile stays.
 * A record that was deleted meanwhile remains so.
 */
#include "index/index_tools.h"
#include <stdlib.h>

#include "index.h"
#include "base/mem.h"
#include "base/table.h"
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
	struct lh_table by_id;	/* of set-metadata: the newest of v with that id */
	struct lh_record is, change;
	struct lh_buf line, changes, merged, name;
	uint64_t done;
};

/* ---- reading ---- */

struct read {			/* a record's result; its text is the id, then the metadata */
	uint32_t id_n, meta_n;
};

struct member {
	struct lh_value meta;
};
const struct lh_bind metadata_in[] = {
	{ LH_BIND_OBJECT("metadata", struct member, meta), .required = true },
	LH_BIND_END
};

static int fill(struct lh_record *rec, void *result, struct lh_buf *out, void *setting,
		struct lh_err *err)
{
	const struct setting *set = setting;
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	struct read *r = result;
	struct member m;
	struct lh_str id;
	int rc = lh_vector_record_id(rec, set->s->id_field, &scratch, &id, err);

	if (!rc)
		rc = lh_bind(metadata_in, rec, &m, NULL, err);
	if (!rc && (id.n > UINT32_MAX || m.meta.n > UINT32_MAX))
		rc = lh_err_data(err, 413, "record over 4 GiB");
	if (!rc) {
		r->id_n = (uint32_t)id.n;
		r->meta_n = (uint32_t)m.meta.n;
		lh_buf_add(out, id.p, id.n);
		lh_buf_add(out, m.meta.p, m.meta.n);
	}
	return rc < 0 ? -1 : 1;
}

/* ---- storing ---- */

/* Find the member of rec that has the name of key; NULL: none. */
static const struct lh_value *same_member(struct setting *set, const struct lh_record *rec,
					  const struct lh_value *key)
{
	struct lh_str name;
	size_t i;

	lh_buf_reset(&set->name);
	lh_value_str(key, &set->name, &name);
	for (i = 0; i < rec->n; i++)
		if (lh_value_is(&rec->member[i].key, name.p, name.n))
			return &rec->member[i].val;
	return NULL;
}

static void put_member(struct lh_buf *out, const struct lh_value *key, const struct lh_value *v)
{
	if (out->len > 1)
		lh_buf_putc(out, ',');
	lh_buf_add(out, key->p, key->n);
	lh_buf_putc(out, ':');
	lh_buf_add(out, v->p, v->n);
}

/* Copy a text, so that it can be parsed, and parse it. */
static int parse(struct lh_record *rec, struct lh_buf *copy, struct lh_str text,
		 struct lh_err *err)
{
	lh_buf_reset(copy);
	lh_buf_add(copy, text.n ? text.p : "{}", text.n ? text.n : 2);
	return lh_record_parse(rec, copy->p, copy->len, err);
}

/* Merge a change into an object, in set->merged.  A null removes a member, or stays where both
 * are changes. */
static int merge(struct setting *set, struct lh_str is, struct lh_str change, bool both_changes,
		 struct lh_err *err)
{
	struct lh_buf *out = &set->merged;
	size_t i;

	if (parse(&set->is, &set->line, is, err) < 0 ||
	    parse(&set->change, &set->changes, change, err) < 0)
		return -1;
	lh_buf_reset(out);
	lh_buf_putc(out, '{');
	err->code = LH_OK;
	for (i = 0; i < set->is.n; i++) {
		const struct lh_member *m = &set->is.member[i];
		const struct lh_value *now = same_member(set, &set->change, &m->key);

		if (!now || now->type != LH_NULL || both_changes)
			put_member(out, &m->key, now ? now : &m->val);
	}
	for (i = 0; i < set->change.n; i++) {
		const struct lh_member *m = &set->change.member[i];

		if ((m->val.type != LH_NULL || both_changes) &&
		    !same_member(set, &set->is, &m->key))
			put_member(out, &m->key, &m->val);
	}
	lh_buf_putc(out, '}');
	return err->code ? -1 : 0;
}

/* Make the metadata that a record is to have. */
static int make_metadata(struct setting *set, uint64_t at, const struct gathered *g,
			 struct lh_str *meta, struct lh_err *err)
{
	struct lh_row row;

	*meta = (struct lh_str){ set->text.p + g->at + g->id_n, g->meta_n };
	if (set->tool->verb->bit & V_REPLACE)
		return 0;
	if (lh_index_row(set->ix, at, &row, err) < 0 || merge(set, row.meta, *meta, false, err) < 0)
		return -1;
	*meta = (struct lh_str){ set->merged.p, set->merged.len };
	return 0;
}

/* Gather the changes, for the records that are there now. */
static int put_gathered(struct setting *set, struct lh_err *err)
{
	const struct gathered *g;
	struct lh_str meta;

	for (g = set->v; g < set->v + set->n; g++) {
		const char *id = set->text.p + g->at;
		int64_t at = lh_index_find(set->ix, id, g->id_n, err);

		if (at == -1)
			continue;
		if (at < 0 || make_metadata(set, (uint64_t)at, g, &meta, err) < 0 ||
		    lh_index_change_put_meta(set->to.c, set->ix, (uint64_t)at, meta.p, meta.n,
					     err) < 0)
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
	lh_table_clear(&set->by_id);
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

static struct lh_str id_of(const void *setting, uint32_t number)
{
	const struct setting *set = setting;

	return (struct lh_str){ set->text.p + set->v[number].at, set->v[number].id_n };
}

/* Gather a change of a record.  A second one for the same record is merged into the first. */
static int gather_one(struct setting *set, struct lh_str id, struct lh_str meta,
		      struct lh_err *err)
{
	int64_t i = lh_table_find(&set->by_id, id, id_of, set);
	const struct gathered *g;

	if (i >= 0 && !(set->tool->verb->bit & V_REPLACE)) {
		g = &set->v[i];
		if (merge(set, (struct lh_str){ set->text.p + g->at + g->id_n, g->meta_n }, meta,
			  true, err) < 0)
			return -1;
		meta = (struct lh_str){ set->merged.p, set->merged.len };
	}
	if (i < 0) {
		lh_grow(&set->v, &set->cap, set->n + 1, sizeof *set->v);
		i = (int64_t)set->n++;
	}
	set->v[i] = (struct gathered){ set->text.len, (uint32_t)id.n, (uint32_t)meta.n };
	lh_buf_add(&set->text, id.p, id.n);
	lh_buf_add(&set->text, meta.p, meta.n);
	lh_table_set(&set->by_id, id_of(set, (uint32_t)i), (uint32_t)i, id_of, set);
	return 0;
}

static int gather(const struct lh_output *o, void *setting, struct lh_err *err)
{
	struct setting *set = setting;
	const struct read *r = o->result;
	const struct lh_str id = { o->text, r->id_n }, meta = { o->text + r->id_n, r->meta_n };
	struct lh_row row;
	uint64_t at;

	if (find_row(set->ix, id, &at, &row, err) < 0 || lh_index_check_meta(r->meta_n, err) < 0)
		return -1;
	if (!(set->tool->verb->bit & V_REPLACE) && row.meta.n && *row.meta.p != '{')
		return lh_err_set(err, LH_EDATA, "its metadata is not an object: replace-metadata "
				  "replaces it");
	if (gather_one(set, id, meta, err) < 0)
		return -1;
	set->done++;
	return store_some(set, err);
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
		lh_tool_verbose(tool, "%s: metadata of %s %s", tool->operands[0],
				LH_N(set.done, "record"),
				tool->verb->bit & V_REPLACE ? "replaced" : "changed");
	lh_index_change_close(set.to.c);
	lh_index_close(set.ix);
	lh_record_free(&set.is);
	lh_record_free(&set.change);
	lh_table_free(&set.by_id);
	lh_buf_free(&set.line);
	lh_buf_free(&set.changes);
	lh_buf_free(&set.merged);
	lh_buf_free(&set.name);
	lh_buf_free(&set.text);
	free(set.v);
	return rc;
}
