/* change.c - lh-index add, delete, set-metadata, replace-metadata and move. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "embed/hashv1.h"
#include "base/mem.h"
#include "base/table.h"
#include "index.h"
#include "index/index_tools.h"
#include "json/bind.h"
#include "vector/vector_record.h"

/* ---- add and delete ---- */

#define COMMIT_BYTES (64u << 20)

struct change {
	struct lh_tool *tool;
	struct rows rows;
	struct changes to;
	const struct lh_index_params *p;
	const char *id_field;	/* of a delete; NULL: "id" */
	uint64_t done;
};

int changes_open(struct changes *ch, const char *path, double lock_timeout, struct lh_err *err)
{
	ch->path = path;
	ch->fold = false;
	ch->c = lh_index_change_open(path, lock_timeout, err);
	return ch->c ? 0 : -1;
}

int changes_store(struct changes *ch, struct lh_err *err)
{
	bool fold;

	if (lh_index_change_commit(ch->c, &fold, err) < 0)
		return -1;
	ch->fold = ch->fold || fold;
	return 0;
}

int changes_store_some(struct changes *ch, struct lh_err *err)
{
	return lh_index_change_bytes(ch->c) < COMMIT_BYTES ? 0 : changes_store(ch, err);
}

int changes_fold(struct changes *ch, uint64_t jobs, double lock_timeout, struct lh_err *err)
{
	bool due = ch->fold;

	ch->fold = false;
	if (due && lh_index_compact_unless_busy(ch->path, (unsigned)jobs, lock_timeout, err) < 0)
		return lh_err_prefix(err, "the changes are stored, but the compaction failed");
	return 0;
}

int changes_finish(struct changes *ch, struct lh_tool *tool, const struct settings *s)
{
	if (changes_store(ch, &tool->err) < 0 || not_stopped(tool) < 0)
		return -1;
	return changes_fold(ch, tool->jobs, s->lock_timeout, &tool->err);
}

/* --on-error stop promises all or nothing. */
static int store_some(struct change *ch, struct lh_err *err)
{
	return ch->tool->on_error == LH_ON_ERROR_STOP ? 0 : changes_store_some(&ch->to, err);
}

static int open_change(struct change *ch, struct lh_tool *tool, const struct settings *s)
{
	ch->tool = tool;
	if (changes_open(&ch->to, tool->operands[0], s->lock_timeout, &tool->err) < 0)
		return -1;
	ch->p = lh_index_change_params(ch->to.c);
	return 0;
}

/* ---- add ---- */

static bool is_gguf(const struct lh_index_params *p, const struct settings *s)
{
	return strcmp(p->engine, lh_engine_name(LH_ENGINE_GGUF)) == 0 &&
		(s->engine < 0 || s->engine == LH_ENGINE_GGUF);
}

static int same_prefix(const char *option, const char *given, const char *kept, struct lh_err *err)
{
	if (!given || strcmp(given, kept) == 0)
		return 0;
	return lh_err_set(err, LH_EUSAGE, "--%s \"%.200s\": the index has \"%s\"", option, given,
			  kept);
}

/* Set up engine gguf: --model is the present file or name of the model. */
static int start_gguf(struct rows *r, const struct lh_index_params *p, const struct settings *s,
		      struct lh_err *err)
{
	if (same_prefix("prefix", s->prefix, p->prefix, err) < 0 ||
	    same_prefix("query-prefix", s->query_prefix, p->query_prefix, err) < 0)
		return -1;
	r->engine = lh_engine_name(LH_ENGINE_GGUF);
	r->model = p->model;
	r->url = s->model ? s->model : p->url;
	r->prefix = p->prefix;
	r->cut = p->dimension;
	return 0;
}

/* Set up the engine of the index or, if it has none, the one given. */
static int start_engine(struct rows *r, const struct lh_index_params *p, const struct settings *s,
			struct lh_err *err)
{
	r->dimension = p->dimension;
	if (is_gguf(p, s))
		return start_gguf(r, p, s, err);
	if (s->prefix || s->query_prefix)
		return lh_err_set(err, LH_EUSAGE, "--%s is for engine gguf",
				  s->prefix ? "prefix" : "query-prefix");
	if (s->model && *p->model && strcmp(s->model, p->model) != 0)
		return lh_err_set(err, LH_EUSAGE, "--model %s: the index has %s", s->model,
				  p->model);
	if (s->engine >= 0 && *p->engine && strcmp(engine_name(s->engine), p->engine) != 0)
		return lh_err_set(err, LH_EUSAGE, "--engine %s: the index has %s",
				  engine_name(s->engine), p->engine);
	if (*p->engine)
		r->engine = p->engine;
	else if (s->engine >= 0)
		r->engine = engine_name(s->engine);
	else
		snprintf(r->refusal, sizeof r->refusal,
			 "the index names no engine (model %s): name one by --engine",
			 *p->model ? p->model : "unknown");
	r->model = *p->model ? p->model : s->model;
	r->url = s->url ? s->url : p->url;
	return 0;
}

/* Make texts as those in the index were made. */
static int start_source(struct settings *s, const struct lh_index_params *p, struct lh_err *err)
{
	const char *given = s->template ? s->template : s->field,
		   *kept = *p->text_template ? p->text_template : p->field;
	bool by_template = *p->text_template;

	if (!*kept) {
		if (!given || (s->field && strcmp(given, TEXT_FIELD) == 0))
			return 0;
		return lh_err_set(err, LH_EUSAGE,
				  "--%s %.400s: the index was built without, from \"" TEXT_FIELD
				  "\"",
				  s->template ? "template" : "field", given);
	}
	if (!given)
		*(by_template ? &s->template : &s->field) = kept;
	else if (by_template != !!s->template || strcmp(given, kept) != 0)
		return lh_err_set(err, LH_EUSAGE, "--%s %.400s: the index has --%s %.400s",
				  s->template ? "template" : "field", given,
				  by_template ? "template" : "field", kept);
	return 0;
}

int rows_like(struct rows *r, struct lh_tool *tool, struct settings *s,
	      const struct lh_index_params *p, struct lh_err *err)
{
	*r = (struct rows){ .tool = NULL };
	if (start_source(s, p, err) < 0 || rows_init(r, tool, s, err) < 0)
		return -1;
	return start_engine(r, p, s, err);
}

int changes_put(struct changes *ch, const struct row *row, struct lh_err *err)
{
	const struct lh_index_params *p = lh_index_change_params(ch->c);
	const char *meta = row->clears ? "{}" : row->meta.n ? row->meta.p : NULL;

	if (row_fits(row, p->dimension, p->model, err) < 0)
		return -1;
	return lh_index_change_put(ch->c, row->id.p, row->id.n, row->vector, row->n, meta,
				   row->clears ? 2 : row->meta.n, err);
}

static int put_row(const struct row *row, void *ctx, struct lh_err *err)
{
	struct change *ch = ctx;

	if (changes_put(&ch->to, row, err) < 0)
		return -1;
	ch->done++;
	return store_some(ch, err);
}

int index_add(struct lh_tool *tool, void *settings)
{
	struct settings own = *(const struct settings *)settings;
	const struct settings *s = &own;
	struct change ch = { .tool = tool };
	int rc = open_change(&ch, tool, s);
	bool says;

	if (rc == 0)
		rc = rows_like(&ch.rows, tool, &own, ch.p, &tool->err);
	if (rc == 0)
		rc = rows_run(&ch.rows, tool, put_row, &ch);
	if (rc == 0)
		rc = changes_finish(&ch.to, tool, s);
	if (rc == 0)
		lh_tool_verbose(tool, "%s: %s added or replaced", tool->operands[0],
				LH_N(ch.done, "record"));
	says = atomic_load(&ch.rows.of_persons) && !ch.p->persons;
	lh_index_change_close(ch.to.c);
	rows_free(&ch.rows);
	return rc == 0 && says ? lh_index_set_persons(tool->operands[0], (unsigned)tool->jobs,
						      s->lock_timeout, &tool->err) : rc;
}

/* ---- delete ---- */

static int take_id(struct lh_record *rec, struct lh_buf *out, void *change, struct lh_err *err)
{
	const struct change *ch = change;
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	struct lh_str id;
	int rc = ids_read(rec, ch->id_field, &scratch, &id, err);

	if (rc == 0 && id.n == 0)
		rc = lh_err_set(err, LH_EDATA, "empty id");
	if (rc == 0)
		lh_buf_add(out, id.p, id.n);
	return rc;
}

static int drop(struct change *ch, const char *id, size_t n, struct lh_err *err)
{
	return lh_index_change_delete(ch->to.c, id, n, err) < 0 ? -1 : store_some(ch, err);
}

static int on_id(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	return drop(ctx, o->text, o->n, err);
}

/* Delete an id of the command line. */
static int drop_given(struct change *ch, const char *id, const char *from, struct lh_err *err)
{
	if (drop(ch, id, strlen(id), err) == 0)
		return 0;
	if (err->code == LH_EDATA)
		err->code = LH_EUSAGE;
	return lh_err_prefix(err, "%s", from);
}

/* Return whether an operand is input, as all were before 0.2: "-" or a file, and the id of no
 * record. */
static bool is_input(const char *path, const char *operand)
{
	int64_t found = -1;
	struct lh_err unused;
	struct lh_index *ix;
	struct stat st;

	if (strcmp(operand, "-") == 0)
		return true;
	if (stat(operand, &st) < 0 || S_ISDIR(st.st_mode))
		return false;
	ix = lh_index_open(path, &unused);
	if (ix)
		found = lh_index_find(ix, operand, strlen(operand), &unused);
	lh_index_close(ix);
	return found < 0;
}

/* Delete the ids of the command line, and set what is input. */
static int drop_operands(struct change *ch, const struct settings *s, struct lh_flow *flow,
			 struct lh_err *err)
{
	const struct lh_tool *tool = ch->tool;
	char *operand;
	size_t i;

	for (i = 0; i < s->id.n; i++)
		if (drop_given(ch, s->id.v[i], "--id", err) < 0)
			return -1;
	for (i = 1; i < tool->n_operands; i++) {
		operand = tool->operands[i];
		if (is_input(tool->operands[0], operand))
			flow->files[flow->n_files++] = operand;
		else if (drop_given(ch, operand, operand, err) < 0)
			return -1;
	}
	if (s->ids)
		flow->files[flow->n_files++] = (char *)(uintptr_t)s->ids;
	return 0;
}

static int drop_all(struct change *ch, const struct settings *s)
{
	struct lh_tool *tool = ch->tool;
	struct lh_flow flow = { .map = take_id, .ids = true, .sink = on_id, .shared = ch };
	int rc;

	flow.files = lh_calloc(tool->n_operands, sizeof *flow.files);
	rc = drop_operands(ch, s, &flow, &tool->err);
	if (rc == 0 && (flow.n_files || (!s->id.n && tool->n_operands == 1)))
		rc = lh_records_run(tool, &flow) < 0 ? -1 : not_stopped(tool);
	free(flow.files);
	return rc;
}

int index_delete(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct change ch = { .tool = tool, .id_field = s->id_field };
	const struct lh_index_tally *tally;
	int rc = open_change(&ch, tool, s);

	if (rc == 0)
		rc = drop_all(&ch, s);
	if (rc == 0)
		rc = changes_finish(&ch.to, tool, s);
	if (rc == 0) {
		tally = lh_index_change_tally(ch.to.c);
		rc = lh_tool_out_counts(tool, (const char *const[]){ "deleted", "unknown" },
				 (uint64_t[]){ tally->deleted, tally->unknown }, 2);
	}
	lh_index_change_close(ch.to.c);
	return rc;
}

/* ---- metadata ---- */

/*
 * set-metadata changes the top-level members that are named, and removes those that are null;
 * replace-metadata puts the given object in place of all of it.
 *
 * Ids are looked up as the records are read, in the index as it was at the start, so that one
 * that is not there is rejected.  The changes are gathered.  To store some, the lock is taken,
 * and each record gets the vector (and the other members) that it has then: what other writers
 * added meanwhile stays.
 * A record that was deleted meanwhile remains so.
 */

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

static int store(struct setting *set, struct lh_err *err)
{
	int rc = 0;

	if (!set->n)
		return 0;
	if (lh_index_change_hold(set->to.c, err) < 0)
		return -1;
	if (index_renew(&set->ix, err) < 0 || put_gathered(set, err) < 0 ||
	    changes_store(&set->to, err) < 0)
		rc = -1;
	lh_index_change_release(set->to.c);
	set->n = 0;
	lh_table_clear(&set->by_id);
	lh_buf_reset(&set->text);
	return rc;
}

/* --on-error stop promises all or nothing. */
static int store_changed(struct setting *set, struct lh_err *err)
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
	return store_changed(set, err);
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

/* ---- move ---- */

#define BATCH (8u << 20)	/* bytes; other writers of SRC wait for one batch */

/*
 * A row is deleted from SRC once it is on disk in DEST, and SRC's lock is held from
 * the reading of the row until then.  So a row is in one of the two or in both,
 * whenever the run ends; a row that others delete from SRC meanwhile is either gone
 * before it is read, or unknown to SRC when they delete it.  Both locks are taken
 * before, so that a move the other way does not hold the one that this waits for.
 */

static int take_row(struct transfer *t, const struct lh_index *src, uint64_t at,
		    const struct lh_row *row, struct lh_err *err)
{
	transfer_fn *put = t->keep ? lh_index_change_put_new : lh_index_change_put;
	int rc = transfer_row(t, put, src, at, row, err);

	if (rc <= 0)
		return rc;
	return lh_index_change_delete(t->from.c, row->id.p, row->id.n, err);
}

/* Gather rows, up to a batch: 1 when there are more, 0, -1. */
static int gather_rows(struct transfer *t, const struct lh_index *src, struct lh_err *err)
{
	uint64_t i, at, n = lh_index_rows(src);
	struct lh_row row;
	int rc;

	t->failed = 0;		/* rows that are refused stay, and are met again */
	for (i = 0; i < n; i++) {
		if (lh_index_change_bytes(t->to.c) + lh_index_change_bytes(t->from.c) >= BATCH)
			return 1;
		rc = lh_index_nth_row(src, i, &at, &row, err);
		if (rc > 0)
			rc = take_row(t, src, at, &row, err);
		if (rc < 0)
			return lh_err_prefix(err, "%s", t->from.path);
	}
	return 0;
}

/* Lock both indexes, in the order of their paths. */
static int hold_both(struct transfer *t, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *from = realpath(t->from.path, NULL);
	LH_SCOPED(lh_free_local) char *to = realpath(t->to.path, NULL);
	bool from_first = !from || !to || strcmp(from, to) < 0;
	struct lh_index_change *first = from_first ? t->from.c : t->to.c,
			       *second = from_first ? t->to.c : t->from.c;

	if (lh_index_change_hold(first, err) < 0)
		return -1;
	if (lh_index_change_hold(second, err) == 0)
		return 0;
	lh_index_change_release(first);
	return -1;
}

int move_rows(struct transfer *t, struct lh_err *err)
{
	struct lh_index *src;
	int rc;

	if (hold_both(t, err) < 0)
		return -1;
	src = transfer_source(t, t->from.path, err);
	rc = src ? gather_rows(t, src, err) : -1;
	lh_index_close(src);
	if (rc >= 0 && (changes_store(&t->to, err) < 0 || changes_store(&t->from, err) < 0))
		rc = -1;
	lh_index_change_release(t->from.c);
	lh_index_change_release(t->to.c);
	return rc;
}

static int move_all(struct transfer *t, struct lh_tool *tool, const struct settings *s)
{
	int more;

	do {
		more = move_rows(t, &tool->err);
		if (more < 0 || not_stopped(tool) < 0)
			return -1;
		lh_tool_progress(tool, lh_index_change_tally(t->from.c)->deleted);
	} while (more);
	if (changes_fold(&t->to, tool->jobs, s->lock_timeout, &tool->err) < 0 ||
	    changes_fold(&t->from, tool->jobs, s->lock_timeout, &tool->err) < 0)
		return -1;
	return lh_tool_out_counts(tool, (const char *const[]){ "moved" },
			   &lh_index_change_tally(t->from.c)->deleted, 1);
}

int index_move(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(transfer_close) struct transfer t = { .vector = NULL };
	int rc = carry_persons(tool->operands[0], tool->operands[1], s, (unsigned)tool->jobs,
			       &tool->err);

	if (!rc)
		rc = transfer_open(&t, tool->operands[0], tool->operands[1], s->lock_timeout,
				   &tool->err);
	return rc ? rc : move_all(&t, tool, s);
}
