/* change.c - lh-index add and delete: append to INDEX-log, and compact when due. */
#include "index/index_tools.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "index.h"
#include <lh/hashv1.h>
#include "base/mem.h"

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
