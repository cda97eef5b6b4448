/*
 * requests.c - lh-playbook requests: record entries in the playbooks of a folder.
 *
 * The requests at hand are one batch: their entries are gathered, each playbook is
 * committed once, and then they are answered.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "file/held.h"
#include "index/index_tools.h"
#include "json/bind.h"
#include "json/write.h"
#include "recorder.h"

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
	struct lh_record inner;		/* an entry of bulk */
	struct lh_buf text, corpus;
	char reported[256];		/* the last failure, until a batch without one */
	bool failed;			/* a playbook, in this batch */
};

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
	static const char *const drop[] = { "playbook_id", "op", "corpus", "trace_id" };
	struct opened *o = lh_calloc(1, sizeof *o, err);

	if (!o)
		return NULL;
	o->path = lh_strndup(path, strlen(path), err);
	o->r = (struct recorder){ .tool = q->tool, .set = q->set, .path = o->path,
				  .jobs = q->jobs, .drop = drop,
				  .n_drop = sizeof drop / sizeof *drop };
	if (o->path)
		lh_stamp_take(&o->file, o->path);
	if (o->path && recorder_start(&o->r, err) == 0) {
		o->next = q->opened;
		return q->opened = o;
	}
	close_one(o);
	return NULL;
}

/* Return the playbook of a name, open and first in the list. */
static struct opened *find(struct requests *q, struct lh_str name, struct lh_err *err)
{
	char *path = lh_index_folder_path(q->in.folder, name, err);
	struct opened **at, *o;

	if (!path)
		return NULL;
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
	free(path);
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

static struct entry *new_entry(struct requests *q, struct lh_err *err)
{
	if (lh_grow(&q->entry, &q->cap, q->n + 1, sizeof *q->entry, err) < 0)
		return NULL;
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
	e->err = lh_calloc(1, sizeof *e->err, err);
	if (!e->err)
		return -1;
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

static int gather(struct requests *q, struct lh_str corpus, const struct lh_record *rec,
		  struct entry *e, struct lh_err *err)
{
	struct opened *o = find(q, corpus, err);

	if (!o)
		return -1;
	if (recorder_put(&o->r, rec, e->id, err) < 0) {
		o->failed = o->failed || (err->code != LH_EDATA && err->code != LH_ENET);
		return playbook_error(q, o->path, err);
	}
	e->of = o;
	return recorder_has_much(&o->r) ? commit(q, o, err) : 0;
}

/* ---- requests ---- */

static const char *const ops[] = { "record", "bulk", NULL };
enum op { RECORD, BULK };

struct what {
	enum op op;
	struct lh_str corpus;
};
#define CORPUS(s) { LH_BIND_STRING("corpus", struct s, corpus), LH_INDEX_NAME }
static const struct lh_bind members[] = {
	{ LH_BIND_INDEX("op", struct what, op, ops), .required = true },
	CORPUS(what),
	LH_BIND_END
};

struct bulk {
	struct lh_value entries;
};
static const struct lh_bind bulk_members[] = {
	{ LH_BIND_ARRAY("entries", struct bulk, entries), .required = true, .filled = true },
	LH_BIND_END
};
static const struct lh_bind inner_members[] = {
	CORPUS(what),
	LH_BIND_END
};

static int read_inner(struct requests *q, const struct lh_value *v, struct what *w,
		      struct lh_err *err)
{
	if (v->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "must be an object");
	if (lh_record_parse(&q->inner, v->p, v->n, err) < 0)
		return -1;
	return lh_bind(inner_members, &q->inner, w, &q->corpus, err);
}

/* Gather the entries of bulk; one that is bad fails alone. */
static int gather_bulk(struct requests *q, const struct lh_record *rec, struct lh_str corpus,
		       struct lh_err *err)
{
	struct bulk b;
	struct lh_iter it;
	struct lh_err why;
	struct entry *e;
	size_t at;

	if (lh_bind(bulk_members, rec, &b, NULL, err) < 0)
		return -1;
	for (lh_iter_init(&it, &b.entries); lh_iter_next(&it); ) {
		struct what w = { .corpus = corpus };

		at = q->n;
		e = new_entry(q, err);
		if (!e)
			return -1;
		if (read_inner(q, &it.val, &w, &why) == 0 &&
		    gather(q, w.corpus, &q->inner, e, &why) == 0)
			continue;
		if (fail(&q->entry[at], &why, err) < 0)
			return -1;
	}
	return 0;
}

static int gather_request(struct requests *q, const struct lh_record *rec, struct request *r,
			  struct lh_err *err)
{
	struct what w = { .corpus = { LH_PLAYBOOK_CORPUS, sizeof LH_PLAYBOOK_CORPUS - 1 } };
	struct entry *e;

	if (lh_bind(members, rec, &w, &q->text, err) < 0)
		return -1;
	r->bulk = w.op == BULK;
	if (r->bulk)
		return gather_bulk(q, rec, w.corpus, err);
	e = new_entry(q, err);
	return e ? gather(q, w.corpus, rec, e, err) : -1;
}

/* Gather a request; what is wrong with it as a whole is its one entry. */
static int take(struct requests *q, const struct lh_record *rec, struct request *r,
		struct lh_err *err)
{
	struct lh_err why;

	*r = (struct request){ .first = q->n };
	if (gather_request(q, rec, r, &why) < 0) {
		if (why.code == LH_ENOMEM || why.code == LH_EINTR) {
			*err = why;
			return -1;
		}
		r->bulk = false;
		if ((q->n == r->first && !new_entry(q, err)) ||
		    fail(&q->entry[r->first], &why, err) < 0)
			return -1;
	}
	r->n = q->n - r->first;
	return 0;
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
			lh_write_str(w, "playbook_id", (struct lh_str){ e->id, sizeof e->id });
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
		lh_write_str(&w, "playbook_id", (struct lh_str){ e->id, sizeof e->id });
	lh_write_end(&w);
	lh_batch_accept(b);
	return 0;
}

static int on_batch(struct lh_batch *b, void *arg, struct lh_err *err)
{
	struct requests *q = arg;
	struct opened *o;
	size_t i;

	refresh(q);
	forget_entries(q);
	q->failed = false;
	for (i = 0; i < b->n; i++)
		if (take(q, b->rec[i], &q->request[i], err) < 0)
			return -1;
	for (o = q->opened; o; o = o->next)
		if (commit(q, o, err) < 0)
			return -1;
	if (!q->failed)
		*q->reported = '\0';
	for (i = 0; i < b->n; i++)
		if (answer(q, &q->request[i], b, err) < 0)
			return -1;
	return 0;
}

int playbook_requests(struct lh_tool *tool, void *settings)
{
	struct requests q = { .tool = tool, .set = settings, .jobs = (unsigned)tool->jobs,
			      .in = { tool->operands[0], "playbook" } };
	struct lh_flow flow = { .batch = on_batch, .batch_max = BATCH, .shared = &q };
	int rc;

	tool->jobs = 1;
	if (lh_index_named_check(&q.in, &tool->err) < 0)
		return -1;
	lh_record_init(&q.inner);
	q.request = lh_calloc(BATCH, sizeof *q.request, &tool->err);
	rc = q.request ? playbook_flow(tool, &flow) : -1;
	refresh(&q);
	while (q.opened) {
		struct opened *o = q.opened;

		q.opened = o->next;
		close_one(o);
	}
	forget_entries(&q);
	free(q.entry);
	free(q.request);
	lh_record_free(&q.inner);
	lh_buf_free(&q.text);
	lh_buf_free(&q.corpus);
	return rc;
}
