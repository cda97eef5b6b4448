/*
 * requests.c - lh-playbook requests: record entries in the playbooks of a folder.
 *
 * The requests at hand are one batch: their entries are gathered, each playbook is
 * committed once, and then they are answered.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "file/held.h"
#include "index/index_tools.h"
#include "json/write.h"
#include "embed/hashv1.h"
#include "model/http.h"
#include "playbook.h"

#define OPEN_MAX 8	/* playbooks that stay open */
#define BATCH 1024	/* requests */

/* A playbook that is open. */
struct opened {
	struct opened *next;
	struct recorder r;
	struct lh_stamp file;		/* when it was opened */
	char *path;
	size_t from;			/* entries before this one are committed */
	bool failed;			/* close it */
};

/* An entry of a request, or what is wrong with it or with the request. */
struct entry {
	const struct opened *of;	/* where it was gathered, or NULL */
	char id[LH_PLAYBOOK_ID_LEN];
	struct lh_err *err;		/* NULL: it is recorded */
	size_t row, n_row;		/* its decision, in rows */
	size_t said, n_said;		/* what its text asks for, in said */
};

struct request {
	size_t first, n;		/* entries */
	bool bulk;
};

struct requests {
	struct lh_tool *tool;
	const struct settings *set;
	unsigned jobs;
	struct lh_index_named in;
	struct opened *opened;		/* the last one used is first */
	struct entry *entry;
	size_t n, cap;
	struct request *request;	/* BATCH of them */
	struct request *at;		/* the one at hand */
	struct lh_record inner;		/* an entry of bulk */
	struct lh_buf text, corpus;
	struct answers answers;		/* its filter: of the request */
	struct lh_decisions *decisions;	/* or NULL */
	struct lh_buf rows, said;	/* decisions of this batch; what its texts ask for */
	char reported[256];		/* the last failure, until a batch without one */
	bool failed;			/* a playbook, in this batch */
};

struct what {
	struct lh_str corpus, trace;	/* without corpus: LH_PLAYBOOK_CORPUS */
	struct lh_value entries;
	struct lh_scope scope;
};
#define CORPUS \
	{ LH_BIND_STRING("corpus", struct what, corpus), LH_INDEX_NAMED, \
	  .about = "the playbook", .usual = "\"" LH_PLAYBOOK_CORPUS "\"" }
#define WHAT \
	CORPUS, LH_TRACE_MEMBER(struct what, trace), LH_SCOPE_MEMBER(struct what, scope)
static const struct lh_bind members[] = { WHAT, LH_BIND_END };

static struct requests *requests_of(const struct lh_call *call)
{
	return ((const struct settings *)call->settings)->requests;
}

/* ---- playbooks ---- */

static void close_one(struct opened *o)
{
	recorder_close(&o->r);
	free(o->path);
	free(o);
}

/* Turn the error of a playbook into one of its entries. */
static int playbook_error(struct requests *q, const char *path, struct lh_err *err)
{
	struct lh_str name = lh_index_name(path);

	if (err->code == LH_EDATA || err->code == LH_ENET || err->code == LH_ENOMEM ||
	    err->code == LH_EINTR)
		return -1;
	if (strncmp(q->reported, err->msg, sizeof q->reported - 1) != 0)
		lh_tool_warn(q->tool, "%s", err->msg);
	snprintf(q->reported, sizeof q->reported, "%.255s", err->msg);
	q->failed = true;
	if (err->code == LH_EUSAGE)
		return lh_err_data(err, 409, "playbook \"%.*s\" has another engine, or none",
				   (int)name.n, name.p);
	return lh_index_named_error(&q->in, path, false, err);
}

static struct opened *open_new(struct requests *q, const char *path, struct lh_err *err)
{
	static const char *const drop[] = { "playbook_id", "op", "corpus", "trace_id", "scope",
					    "least" };
	struct opened *o = lh_calloc(1, sizeof *o);

	o->path = lh_strndup(path, strlen(path));
	o->r = (struct recorder){ .tool = q->tool, .set = q->set, .path = o->path,
				  .answers = &q->answers, .decisions = q->decisions,
				  .jobs = q->jobs, .drop = drop,
				  .n_drop = sizeof drop / sizeof *drop };
	lh_stamp_take(&o->file, o->path);
	if (recorder_start(&o->r, err) == 0) {
		o->next = q->opened;
		return q->opened = o;
	}
	close_one(o);
	return NULL;
}

/* Return the playbook of a name, open and first in the list. */
static struct opened *find_opened(struct requests *q, struct lh_str name, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_index_folder_path(q->in.folder, name);
	struct opened **at, *o;

	for (at = &q->opened; *at && strcmp((*at)->path, path) != 0; at = &(*at)->next)
		;
	o = *at;
	if (o) {
		*at = o->next;
		o->next = q->opened;
		q->opened = o;
	} else {
		o = open_new(q, path, err);
		if (!o)
			playbook_error(q, path, err);
	}
	return o;
}

/* Return whether the file is the one that was opened, or still missing. */
static bool is_current(const struct opened *o)
{
	return o->file.there == (o->r.c != NULL) && lh_stamp_fits(&o->file, o->path);
}

/* Between batches: compact what is due, close what failed, is gone or was replaced, and what
 * was not used for longest. */
static void refresh(struct requests *q)
{
	struct opened **at = &q->opened, *o;
	struct lh_err err;
	size_t n = 0;

	while ((o = *at) != NULL) {
		if (recorder_fold(&o->r, &err) < 0 && lh_index_is_file(o->path))
			lh_tool_warn(q->tool, "%s", err.msg);
		if (!o->failed && n < OPEN_MAX && is_current(o)) {
			o->from = 0;
			at = &o->next;
			n++;
			continue;
		}
		*at = o->next;
		close_one(o);
	}
}

/* ---- entries ---- */

static struct entry *new_entry(struct requests *q)
{
	lh_grow(&q->entry, &q->cap, q->n + 1, sizeof *q->entry);
	q->entry[q->n] = (struct entry){ .of = NULL };
	return &q->entry[q->n++];
}

/* Note why an entry fails.  -1 for what ends the run. */
static int fail(struct entry *e, const struct lh_err *why, struct lh_err *err)
{
	if (why->code == LH_ENOMEM || why->code == LH_EINTR) {
		*err = *why;
		return -1;
	}
	e->err = lh_calloc(1, sizeof *e->err);
	*e->err = *why;
	return 0;
}

static void forget_entries(struct requests *q)
{
	while (q->n)
		free(q->entry[--q->n].err);
}

/* Commit what is gathered for a playbook; if that fails, so do the entries. */
static int commit(struct requests *q, struct opened *o, struct lh_err *err)
{
	struct lh_err why;
	size_t i = o->from;

	o->from = q->n;
	if (recorder_commit(&o->r, &why) == 0)
		return 0;
	playbook_error(q, o->path, &why);
	o->failed = true;
	lh_index_change_discard(o->r.c);
	for (; i < q->n; i++)
		if (q->entry[i].of == o && !q->entry[i].err && fail(&q->entry[i], &why, err) < 0)
			return -1;
	return 0;
}

/* Return a copy of what the indexes of the folder are embedded by: that of the corpus, else of
 * all; NULL if none has an engine. */
static struct lh_index_params *engine_of_corpus(const char *folder, struct lh_str corpus)
{
	struct lh_err unused;
	struct lh_index_params *p = NULL;
	const struct lh_index_params *best;
	struct lh_index_spaces *all;
	char *path = lh_index_name_valid(corpus) ?
		lh_index_folder_path(folder, corpus) : NULL;

	if (path && lh_index_is_file(path))
		p = lh_index_read_params(path, &unused);
	free(path);
	if (p && *p->engine)
		return p;
	free(p);
	p = NULL;
	all = lh_index_spaces_read(folder, NULL, &unused);
	best = all ? lh_index_spaces_best(all, LH_DEFAULT_MODELS) : NULL;
	if (best && (p = lh_calloc(1, sizeof *p)))
		*p = *best;
	lh_index_spaces_free(all);
	return p;
}

/* Return the default of the engine that the environment names, if it is a service. */
static struct lh_index_params *engine_of_environment(void)
{
	const char *name = getenv("LH_EMBED_ENGINE");
	struct lh_index_params *p;

	if (!name || (strcmp(name, lh_engine_name(LH_ENGINE_OLLAMA)) &&
		      strcmp(name, lh_engine_name(LH_ENGINE_OPENAI))))
		return NULL;
	p = lh_calloc(1, sizeof *p);
	snprintf(p->engine, sizeof p->engine, "%s", name);
	return p;
}

/* Let a playbook that is to be created have the engine of its first entry's corpus. */
static int choose_engine(struct requests *q, struct opened *o, const struct lh_record *rec,
			 struct lh_err *err)
{
	const struct lh_index_params *was = o->r.like;
	struct lh_index_params *p;
	struct lh_playbook_entry e;

	if (o->r.c || !q->set->indexes || q->set->engine >= 0 ||
	    lh_playbook_read_key(rec, &o->r.strings, &e, err) < 0)
		return 0;	/* what is wrong with an entry is reported later */
	p = engine_of_corpus(q->set->indexes, e.answer_corpus);
	if (!p)
		p = engine_of_environment();
	if (p ? was && !strcmp(p->engine, was->engine) && !strcmp(p->model, was->model) &&
			!strcmp(p->url, was->url) && p->dimension == was->dimension :
		!was) {
		free(p);
		return 0;
	}
	return recorder_like(&o->r, p, err);
}

/* Keep the row of an entry until it is recorded. */
static void keep_row(struct requests *q, const struct lh_buf *row, struct entry *e)
{
	e->row = q->rows.len;
	e->n_row = row->len;
	lh_buf_add(&q->rows, row->p, row->len);
}

/* Find the record of an answer in its index: 1 if it is in the scope, 0, -1. */
static int sees_answer(struct requests *q, const struct lh_playbook_entry *e,
		       struct lh_err *err)
{
	struct lh_index *ix = answers_index(&q->answers, q->set, e, err);
	struct lh_row row;
	int64_t at;
	int rc = 0;

	if (!ix)
		return 0;
	at = lh_index_find(ix, e->answer_id.p, e->answer_id.n, err);
	if (at >= 0)
		rc = lh_index_row(ix, (uint64_t)at, &row, err);
	if (rc > 0)
		rc = lh_filter_match(q->answers.filter, row.meta.p, row.meta.n, err);
	return at == -2 ? -1 : rc;
}

/* Refuse an entry of a playbook, a corpus or a record beyond the scope, as one of what does not
 * exist. */
static int check_scope(struct requests *q, const struct what *w, struct lh_str playbook,
		       const struct lh_record *rec, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_playbook_entry e;

	q->answers.scope = &w->scope;
	if (lh_scope_compile(&q->answers.filter, &w->scope, err) < 0)
		return -1;
	if (!lh_scope_narrows(&w->scope))
		return 0;
	if (!lh_scope_has(&w->scope, playbook))
		return lh_err_data(err, 404, "there is no playbook \"%.*s\"", (int)playbook.n,
				   playbook.p);
	if (lh_playbook_read_key(rec, &text, &e, err) < 0)
		return -1;
	if (!lh_index_name_valid(e.answer_corpus) || !lh_scope_has(&w->scope, e.answer_corpus))
		return lh_err_data(err, 404, "there is no such corpus");
	if (!q->answers.filter || (q->set->indexes && sees_answer(q, &e, err) > 0))
		return 0;
	return lh_err_data(err, 404, "there is no such record in index \"%.*s\"",
			   (int)e.answer_corpus.n, e.answer_corpus.p);
}

static int gather(struct requests *q, const struct what *w, const struct lh_record *rec,
		  struct entry *e, struct lh_err *err)
{
	const struct lh_str playbook = w->corpus.p ? w->corpus : lh_str_of(LH_PLAYBOOK_CORPUS);
	struct opened *o = check_scope(q, w, playbook, rec, err) < 0 ? NULL
			   : find_opened(q, playbook, err);
	const struct lh_buf *said = &q->answers.sought.members;

	if (!o)
		return -1;
	o->r.outer = w->trace;
	if (choose_engine(q, o, rec, err) < 0 || recorder_put(&o->r, rec, e->id, err) < 0) {
		o->failed = o->failed || (err->code != LH_EDATA && err->code != LH_ENET);
		return playbook_error(q, o->path, err);
	}
	e->of = o;
	e->said = q->said.len;
	e->n_said = said->len;
	lh_buf_add(&q->said, said->p, said->len);
	if (q->decisions)
		keep_row(q, &o->r.row, e);
	return recorder_has_much(&o->r) ? commit(q, o, err) : 0;
}

/* ---- requests ---- */

static const struct lh_bind bulk_members[] = {
	WHAT,
	{ LH_BIND_ARRAY("entries", struct what, entries), .required = true, .filled = true,
	  .person = true },
	LH_BIND_END
};
static const struct lh_bind inner_members[] = { CORPUS, LH_BIND_END };

/* An entry may have the id by which list prints it, which is dropped. */
#define FILLED(name) { LH_BIND_ONLY(name, LH_BIND_TO_STRING), .required = true, .filled = true }
#define FILLED_PERSON(name) \
	{ LH_BIND_ONLY(name, LH_BIND_TO_STRING), .required = true, .filled = true, .person = true }
#define ENTRY \
	FILLED("query_text"), FILLED_PERSON("answer_id"), FILLED("answer_corpus"), \
	{ LH_BIND_ONLY("score", LH_BIND_TO_F64), .above = true, .max = 1, .required = true }, \
	{ LH_BIND_ONLY("tags", LH_BIND_TO_STRINGS) }, { LH_BIND_ONLY("role", LH_BIND_TO_STRING) }
static const struct lh_bind entry[] = { ENTRY, LH_BIND_END };
static const struct lh_bind entry_members[] = {
	WHAT, ENTRY, { LH_BIND_ONLY("playbook_id", LH_BIND_TO_STRING) },
	{ LH_BIND_ONLY("least", LH_BIND_TO_F64), .min = -1e9, .max = 1e9,
	  .about = "refuse the entry if the judge of the service rates its answer lower" },
	LH_BIND_END
};

static int read_inner(struct requests *q, const struct lh_value *v, struct what *w,
		      struct lh_err *err)
{
	static const char *const none[] = { NULL };

	if (v->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "must be an object");
	if (lh_record_parse(&q->inner, v->p, v->n, err) < 0 ||
	    lh_bind_refuse_others(entry_members, none, &q->inner, err) < 0)
		return -1;
	return lh_bind(inner_members, &q->inner, w, &q->corpus, err);
}

/* Gather the entries of bulk; one that is bad fails alone. */
static int gather_bulk(const struct lh_call *call, const void *in, struct lh_buf *out,
		       struct lh_err *err)
{
	struct requests *q = requests_of(call);
	struct lh_iter it;
	struct lh_err why;
	struct entry *e;
	size_t at;

	(void)out;
	q->at->bulk = true;
	for (lh_iter_init(&it, &((const struct what *)in)->entries); lh_iter_next(&it); ) {
		struct what w = *(const struct what *)in;

		at = q->n;
		e = new_entry(q);
		if (read_inner(q, &it.val, &w, &why) == 0 &&
		    gather(q, &w, &q->inner, e, &why) == 0)
			continue;
		if (fail(&q->entry[at], &why, err) < 0)
			return -1;
	}
	return 0;
}

static int gather_entry(const struct lh_call *call, const void *in, struct lh_buf *out,
			struct lh_err *err)
{
	struct requests *q = requests_of(call);
	struct what w = { .corpus = { NULL, 0 } };
	struct entry *e;

	(void)in;
	(void)out;
	if (lh_bind(members, call->rec, &w, &q->text, err) < 0)
		return -1;
	e = new_entry(q);
	return gather(q, &w, call->rec, e, err);
}

/* Gather a request; what is wrong with it as a whole is its one entry. */
static int take(struct lh_call *call, struct lh_record *rec, struct request *r,
		struct lh_err *err)
{
	struct requests *q = requests_of(call);
	struct lh_err why;

	q->at = r;
	*r = (struct request){ .first = q->n };
	if (lh_op_answer(call, rec, NULL, &why) < 0) {
		if (why.code == LH_ENOMEM || why.code == LH_EINTR) {
			*err = why;
			return -1;
		}
		r->bulk = false;
		if ((q->n == r->first && !new_entry(q)) ||
		    fail(&q->entry[r->first], &why, err) < 0)
			return -1;
	}
	r->n = q->n - r->first;
	return 0;
}

static void write_recorded(const struct requests *q, const struct entry *e, struct lh_writer *w)
{
	lh_write_str(w, "playbook_id", (struct lh_str){ e->id, sizeof e->id });
	if (e->n_said)
		lh_write_raw(w, NULL, (struct lh_str){ q->said.p + e->said, e->n_said });
}

static void write_bulk(const struct requests *q, const struct request *r, struct lh_writer *w)
{
	size_t i, failed = 0;

	lh_write_array(w, "results");
	for (i = 0; i < r->n; i++) {
		const struct entry *e = &q->entry[r->first + i];

		lh_write_object(w, NULL);
		lh_write_u64(w, "index", i);
		if (e->err)
			lh_write_text(w, "error", e->err->msg);
		else
			write_recorded(q, e, w);
		lh_write_end(w);
		failed += e->err != NULL;
	}
	lh_write_end(w);
	lh_write_u64(w, "recorded", r->n - failed);
	lh_write_u64(w, "failed", failed);
}

/* Answer a request that is on disk, or has failed. */
static int answer(struct requests *q, const struct request *r, struct lh_batch *b,
		  struct lh_err *err)
{
	const struct entry *e = &q->entry[r->first];
	struct lh_writer w = lh_write_to(b->out);

	if (!r->bulk && e->err) {
		if (!lh_records_rejects(q->tool, e->err)) {
			*err = *e->err;
			return -1;
		}
		lh_batch_reject(b, e->err);
		return 0;
	}
	lh_write_object(&w, NULL);
	if (r->bulk)
		write_bulk(q, r, &w);
	else
		write_recorded(q, e, &w);
	lh_write_end(&w);
	lh_batch_accept(b);
	return 0;
}

/* Append the rows of what is recorded; an entry without its row fails. */
static int write_rows(struct requests *q, struct lh_err *err)
{
	struct lh_err why;
	size_t i;

	for (i = 0; i < q->n; i++) {
		struct entry *e = &q->entry[i];

		if (e->of && !e->err &&
		    lh_decision_append(q->decisions, q->rows.p + e->row, e->n_row, true,
				       &why) < 0 &&
		    fail(e, &why, err) < 0)
			return -1;
	}
	return lh_decisions_sync(q->decisions, err);
}

static int on_batch(struct lh_batch *b, void *call, struct lh_err *err)
{
	struct requests *q = requests_of(call);
	struct opened *o;
	size_t i;

	refresh(q);
	forget_entries(q);
	lh_buf_reset(&q->rows);
	lh_buf_reset(&q->said);
	q->failed = false;
	for (i = 0; i < b->n; i++)
		if (take(call, b->rec[i], &q->request[i], err) < 0)
			return -1;
	for (o = q->opened; o; o = o->next)
		if (commit(q, o, err) < 0)
			return -1;
	if (!q->failed)
		*q->reported = '\0';
	if (q->decisions && write_rows(q, err) < 0)
		return -1;
	for (i = 0; i < b->n; i++)
		if (answer(q, &q->request[i], b, err) < 0)
			return -1;
	return 0;
}

static int answer_requests(struct lh_tool *tool, void *settings)
{
	struct requests q = { .tool = tool, .set = settings, .jobs = (unsigned)tool->jobs,
			      .in = { tool->operands[0], "playbook" } };
	const struct lh_flow flow = { .batch = on_batch, .batch_max = BATCH };
	int rc;

	((struct settings *)settings)->requests = &q;
	if (lh_index_named_check(&q.in, &tool->err) < 0)
		return -1;
	rc = lh_decisions_open(&q.decisions, tool, &q.set->decisions);
	if (!rc) {
		q.request = lh_calloc(BATCH, sizeof *q.request);
		rc = lh_op_flow(tool, settings, &flow);
	}
	if (!rc && lh_stopping())
		rc = lh_err_set(&tool->err, LH_EINTR, "interrupted");
	refresh(&q);
	while (q.opened) {
		struct opened *o = q.opened;

		q.opened = o->next;
		close_one(o);
	}
	forget_entries(&q);
	lh_filter_free(q.answers.filter);
	answers_free(&q.answers);
	free(q.entry);
	free(q.request);
	lh_record_free(&q.inner);
	lh_buf_free(&q.text);
	lh_buf_free(&q.corpus);
	lh_buf_free(&q.rows);
	lh_buf_free(&q.said);
	lh_decisions_close(q.decisions);
	return rc;
}

/* ---- the operations ---- */

static const struct lh_bind listed[] = { LH_OP_TEXT("playbook_id"), ENTRY, LH_BIND_END };
static const struct lh_bind entry_or_hit[] = {
	{ LH_BIND_ONLY("query_text|query", LH_BIND_TO_STRING), .required = true,
	  .about = "of an entry, or of a line of lh-search --flat" },
	LH_BIND_END
};
static const struct lh_bind recorded[] = {
	LH_OP_TEXT("playbook_id"),
	{ LH_BIND_ONLY("index", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "of the entry, from 0; not in answers to requests" },
	LH_SOUGHT_MEMBERS,
	LH_BIND_END
};
static const struct lh_bind bulk_result[] = {
	LH_OP_COUNT("index"),
	{ LH_BIND_ONLY("playbook_id", LH_BIND_TO_STRING) },
	LH_SOUGHT_MEMBERS,
	{ LH_BIND_ONLY("error", LH_BIND_TO_STRING), .about = "in place of the id" },
	LH_BIND_END
};
static const struct lh_bind bulk[] = {
	{ LH_BIND_ONLY("results", LH_BIND_TO_TABLES), .table = bulk_result, .required = true },
	LH_OP_COUNT("recorded"), LH_OP_COUNT("failed"),
	LH_BIND_END
};
static const struct lh_bind removed[] = {
	LH_OP_COUNT("removed"), LH_OP_COUNT("unknown"),
	LH_BIND_END
};

const struct lh_op playbook_ops[] = {
	{ "record", NULL, "store an entry", 0, gather_entry, .in = entry_members,
	  .out = recorded, .writes = true },
	{ "bulk", NULL, "store several entries", 0, gather_bulk,
	  LH_OP_IN(bulk_members, struct what), .out = bulk, .writes = true },
	{ "record", "PLAYBOOK [FILE...]", "store entries", V_RECORD, .in = entry_or_hit,
	  .out = recorded, .command = playbook_record, .writes = true },
	{ "list", "PLAYBOOK", "write every entry with its id", V_LIST, .out = listed,
	  .command = playbook_list },
	{ "remove", "PLAYBOOK [FILE...]", "remove entries", V_REMOVE, .in = remove_members,
	  .out = removed, .command = playbook_remove, .writes = true },
	{ "export", "PLAYBOOK", "write every entry as record reads it", V_EXPORT, .out = entry,
	  .command = playbook_export },
	LH_OP_REQUESTS_BY("FOLDER [FILE...]", V_REQUESTS, answer_requests),
	LH_OP_END
};
