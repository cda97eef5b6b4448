/* lh-relevance: score which chunks belong to the file under review.  See
 * lh-relevance(1). */
#include <stdlib.h>

#include "file/file.h"
#include "base/mem.h"
#include "relevance.h"

enum { V_GATE = 1, V_FILTER = 2 };

static const struct lh_option options[] = {
	{ 0, "focus", "FILE", "JSON of the file under review, for all records",
	  LH_TEXT(struct settings, focus, .verbs = V_FILTER) },
	{ 0, "threshold", "SCORE", "keep chunks with at least this score (default 0.3)",
	  LH_REAL(struct settings, threshold, 0, 10, .verbs = V_FILTER) },
	{ 0, "kept", NULL, "print only the chunks that are kept",
	  LH_FLAG(struct settings, kept, .verbs = V_FILTER) },
	{ 0, "once", NULL, "read --focus only at the start",
	  LH_TOOL_FIELD(FLAG, once, .verbs = V_FILTER) },
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

/* The content of --focus, reread by lh_held. */
struct held {
	const struct settings *s;
	struct lh_stamp stamp;
	struct lh_buf text;
};

struct worker {
	const struct settings *s;
	struct focus given, own;	/* by --focus; by the record */
	struct lh_buf text, chunk_text;	/* strings of the record; of a chunk */
	struct lh_buf chunk;		/* its text */
};

static void worker_free(void *self)
{
	struct worker *w = self;

	focus_free(&w->given);
	focus_free(&w->own);
	lh_buf_free(&w->text);
	lh_buf_free(&w->chunk_text);
	lh_buf_free(&w->chunk);
}

static int take_focus(struct focus *f, const struct held *h, struct lh_err *err)
{
	struct review r = { .path = { "", 0 } };
	LH_SCOPED(lh_record_free) struct lh_record scan = { 0 };
	struct lh_value v;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc = lh_json_parse(&scan, h->text.p, h->text.len, &v, err);

	if (!rc)
		rc = lh_bind_value(review_members, &v, &r, &text, err);
	return rc ? rc : focus_set(f, &r, &v, err);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	const struct held *held = ctx;
	struct worker *w = context;

	w->s = held->s;
	/* Each thread makes its own sets from the content of --focus. */
	return w->s->focus ? take_focus(&w->given, held, err) : 0;
}

struct chunk {
	struct lh_value text;
	struct lh_str path;
};
static const struct lh_bind chunk_members[] = {
	{ LH_BIND_VALUE("text", struct chunk, text, LH_BIND_IS(LH_STRING)), .required = true,
	  .null = true },
	{ LH_BIND_STRING("path", struct chunk, path) },
	LH_BIND_END
};

/* A record: a chunk, or with "chunks" a list of them. */
struct request {
	struct lh_value focus_json;
	struct review focus;
	struct chunk *chunk;
	size_t chunks;
	bool list;
	struct lh_value text;
};
#define CHUNKS \
	{ LH_BIND_TABLES("chunks", struct request, chunk, chunks, chunk_members), \
	  .given = LH_BIND_FIELD(struct request, list), .either = 1, \
	  .about = "chunks to score; without it the record is one" }, \
	{ LH_BIND_SOME("text", struct request, text), .null = true, .either = 1, \
	  .about = "without chunks: the text of the record, which is one" }
static const struct lh_bind members[] = {
	{ LH_BIND_TABLE("focus", struct request, focus, review_members), .required = true,
	  .as_written = LH_BIND_FIELD(struct request, focus_json),
	  .about = "the file under review" },
	CHUNKS,
	LH_BIND_END
};
static const struct lh_bind members_beside_focus[] = {
	{ LH_BIND_TABLE("focus", struct request, focus, review_members),
	  .as_written = LH_BIND_FIELD(struct request, focus_json),
	  .about = "the file under review, in place of --focus" },
	CHUNKS,
	LH_BIND_END
};

static int judge(struct worker *w, const struct focus *focus, const struct chunk *chunk,
		 struct verdict *verdict, struct lh_err *err)
{
	struct lh_str text = { "", 0 };

	lh_buf_reset(&w->chunk);
	if (chunk->text.type == LH_STRING)
		lh_value_str(&chunk->text, &w->chunk, &text);
	if (path_check(chunk->path, "path", err) < 0)
		return -1;
	return score_chunk(focus, path_plain(chunk->path), text, verdict, err);
}

static void write_verdict(struct lh_writer *json, const char *name, const struct verdict *v,
			  double threshold)
{
	lh_write_object(json, name);
	lh_write_f64(json, "score", v->score);
	lh_write_f64(json, "threshold", threshold);
	lh_write_bool(json, "kept", v->score >= threshold);
	score_put_signals(v, json);
	lh_write_end(json);
}

/* Begin the line of a chunk that is not to be printed: its id alone. */
static struct lh_writer open_verdict(struct lh_buf *out, const struct lh_record *rec)
{
	const struct lh_value *id = lh_record_get(rec, "id");
	struct lh_writer w = lh_write_to(out);

	lh_write_object(&w, NULL);
	if (id)
		lh_write_value(&w, "id", id);
	return w;
}

/* Score all chunks of a record. */
static int on_list(struct worker *w, const struct lh_record *rec, const struct request *q,
		   const struct focus *focus, struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer json = lh_write_record(
		out, rec, (const char *const[]){ "relevance", "focus", "chunks" }, 3);
	struct verdict v;
	size_t i;

	lh_write_array(&json, "relevance");
	for (i = 0; i < q->chunks; i++) {
		if (judge(w, focus, &q->chunk[i], &v, err) < 0)
			return lh_err_prefix(err, "chunks[%zu]", i);
		write_verdict(&json, NULL, &v, w->s->threshold);
	}
	lh_write_end(&json);
	lh_write_end(&json);
	return 0;
}

/* Score the record, which is a chunk. */
static int on_one(struct worker *w, const struct lh_record *rec, const struct focus *focus,
		  struct lh_buf *out, struct lh_err *err)
{
	struct chunk chunk = { .path = { "", 0 } };
	struct lh_writer json;
	struct verdict v;
	bool kept;

	if (lh_bind(chunk_members, rec, &chunk, &w->chunk_text, err) < 0 ||
	    judge(w, focus, &chunk, &v, err) < 0)
		return -1;
	kept = v.score >= w->s->threshold;
	if (!kept && w->s->kept && !w->s->each)
		return 0;
	if (!kept && w->s->kept)
		json = open_verdict(out, rec);
	else
		json = lh_write_record(out, rec, (const char *const[]){ "relevance" }, 1);
	write_verdict(&json, "relevance", &v, w->s->threshold);
	lh_write_end(&json);
	return 0;
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	struct worker *w = worker;
	const struct focus *focus = &w->given;
	struct request q = { .chunks = 0 };

	if (lh_bind(members_beside_focus, rec, &q, &w->text, err) < 0)
		return -1;
	if (!q.focus_json.p && !w->s->focus)
		return lh_err_set(err, LH_EDATA, "missing \"focus\" (object) or --focus");
	if (q.focus_json.p) {
		if (focus_set(&w->own, &q.focus, &q.focus_json, err) < 0)
			return -1;
		focus = &w->own;
	}
	return q.list ? on_list(w, rec, &q, focus, out, err) : on_one(w, rec, focus, out, err);
}

/* Read and check the file of --focus. */
static int read_focus(struct held *h, struct lh_err *err)
{
	const char *path = h->s->focus;
	struct lh_mapped m;
	LH_SCOPED(focus_free) struct focus f = { .path = { NULL, 0 } };
	int rc;

	lh_stamp_take(&h->stamp, path);
	if (lh_mapped_open(&m, path, err) < 0)
		return -1;
	lh_buf_add(&h->text, m.p, m.n);
	lh_mapped_close(&m);
	lh_buf_room(&h->text, 1);
	rc = take_focus(&f, h, err);
	return rc < 0 ? lh_err_prefix(err, "--focus %s", path) : 0;
}

static void held_close(void *state)
{
	struct held *h = state;

	lh_buf_free(&h->text);
	free(h);
}

static void *held_open(void *settings, const void *before, struct lh_err *err)
{
	struct held *h = lh_calloc(1, sizeof *h);

	(void)before;
	h->s = settings;
	if (!h->s->focus || read_focus(h, err) == 0)
		return h;
	held_close(h);
	return NULL;
}

static bool held_stale(void *settings, const void *state)
{
	const struct settings *s = settings;

	return s->focus && !lh_stamp_fits(&((const struct held *)state)->stamp, s->focus);
}

static int filter(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct lh_held_how how = {
		.open = held_open, .stale = held_stale, .close = held_close, .ctx = s
	};
	struct lh_held *held;
	int rc;

	s->each = tool->on_error == LH_ON_ERROR_EMIT;
	held = lh_held_open(&how, &tool->err);
	rc = held ? lh_records_run(tool, &(struct lh_flow){
		.map = on_record, .held = held,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free }) : -1;

	lh_held_close(held);
	return rc;
}

static const struct lh_bind judged[] = {
	{ LH_BIND_ONLY("relevance", LH_BIND_TO_VALUE), .required = true,
	  .types = LH_BIND_IS(LH_ARRAY) | LH_BIND_IS(LH_OBJECT),
	  .about = "of each chunk: score, threshold, kept, signals" },
	LH_BIND_END
};

static const struct lh_op ops[] = {
	{ "", "[FILE...]", "score chunks", V_FILTER, .in = members, .out = judged,
	  .command = filter },
	{ "", .about = "score chunks", .in = members_beside_focus, .out = judged },
	{ "gate", "[FILE...]", "the mode that a model is given", V_GATE, .in = gate_members,
	  .out = gate_answer, .command = gate_run },
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	return &ops[((const struct settings *)settings)->focus != NULL];
}

int main(int argc, char **argv)
{
	struct settings s = { .threshold = 0.3 };
	static const struct lh_tool_spec spec = {
		.name = "lh-relevance",
		.synopsis = "[gate] [OPTION]... [FILE]...",
		.summary = "score which chunks belong to a file under review",
		.example = "lh-relevance --focus focus.json --kept | jq -r .path",
		.options = options,
		.ops = ops,
		.mode = mode,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
