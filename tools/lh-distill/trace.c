/* trace.c - lh-distill trace: where exported samples came from, down to the source lines. */
#include <stdlib.h>
#include <string.h>

#include <lh/digest.h>

#include "distill.h"
#include "base/mem.h"
#include "distill/evidence.h"
#include "distill/sample.h"
#include "file/rows.h"
#include "json/bind.h"
#include "json/write.h"
#include "lineage/lineage.h"
#include "tool/records.h"

#define RECORD_MAX ((size_t)1 << 20)	/* bytes of a row that is part of an answer */

/* The row that is searched. */
struct wanted {
	enum lh_place place;		/* scored runs or evidence */
	struct lh_buf run_id, quoted;	/* the same as JSON text */
	bool any;			/* of any source and hash; else: */
	enum lh_stream stream;
	unsigned char sig[32];
	uint64_t line;			/* of the source, from 1 */
};

struct trace {
	struct lh_tool *tool;
	struct lh_root *root;
	struct lh_rows *rows;
	struct lh_record rec;
	struct lh_row_ids ids;		/* of rec */
	struct lh_buf scratch;
	struct wanted want;
	struct lh_writer *w;		/* of the answer ... */
	const char *name;		/* ... and the member that the row becomes */
	struct report report;
	struct run {
		struct lh_buf id;	/* with its NUL; empty: not known */
		int64_t created_at;	/* of the sample */
		int64_t ended_at;
	} run;
};

struct request {
	struct lh_str id;
};
const struct lh_bind trace_members[] = {
	{ LH_BIND_STRING("id", struct request, id), .required = true, .filled = true,
	  .longest = 1024, .about = "an id of a sample, of evidence or of a run" },
	LH_BIND_END
};

const struct lh_bind trace_out[] = {
	LH_OP_TEXT("id"),
	{ LH_BIND_ONLY("exporter", LH_BIND_TO_STRING), .null = true },
	{ LH_BIND_ONLY("sample", LH_BIND_TO_VALUE), .types = LH_BIND_ANY, .null = true,
	  .person = true, .about = "where it is: file, line, record" },
	{ LH_BIND_ONLY("run", LH_BIND_TO_STRING), .null = true, .about = "id of the run" },
	{ LH_BIND_ONLY("from", LH_BIND_TO_VALUE), .required = true,
	  .types = LH_BIND_IS(LH_ARRAY), .person = true,
	  .about = "of each record it is of: scored, evidence, source" },
	LH_BIND_END
};

/* ---- rows ---- */

static int open_rows(struct trace *t, const char *relpath, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(t->root, relpath, err);

	return path ? lh_rows_open(t->rows, path, err) : -1;
}

/* Parse a row into t->rec: 1, 0 if it is not a record, -1. */
static int parse(struct trace *t, const struct lh_file_row *row, struct lh_err *err)
{
	size_t bom = row->line == 1 ? lh_mark_len(row->p, row->n) : 0;

	if (lh_record_parse(&t->rec, row->p + bom, row->n - bom, err) == 0)
		return 1;
	return err->code == LH_EDATA ? 0 : -1;
}

/* Write where the row in t->rec is, and the row itself; the caller ends the object. */
static void write_row(struct trace *t, const char *name, const char *relpath, uint64_t line)
{
	lh_write_object(t->w, name);
	lh_write_text(t->w, "file", relpath);
	lh_write_u64(t->w, "line", line);
	if (t->rec.len <= RECORD_MAX)
		lh_write_raw(t->w, "record", (struct lh_str){ t->rec.line, t->rec.len });
	else
		lh_write_u64(t->w, "bytes", t->rec.len);
}

static int keep(struct lh_buf *to, struct lh_str s, struct lh_err *err)
{
	lh_buf_reset(to);
	lh_buf_add(to, s.p, s.n);
	return lh_buf_check(to, err);
}

static bool holds(const struct lh_file_row *row, const struct lh_buf *text)
{
	return memmem(row->p, row->n, text->p, text->len) != NULL;
}

/* Set the source that is searched to that of the row in t->rec: 1, 0 if it names none. */
static int follow(struct trace *t)
{
	struct lh_provenance from = t->ids.side[0].from;
	const char *source;

	if (!t->ids.n_sides || !from.source_file.p || !from.sig_hash.p || from.line < 0)
		return 0;
	t->want.stream = lh_stream_of(from.source_file.p, from.source_file.n);
	if (t->want.stream == LH_STREAM_NONE)
		return 0;
	source = lh_stream_source(t->want.stream);
	t->want.line = (uint64_t)from.line + 1;
	return lh_str_is(from.source_file, source, strlen(source)) &&
	       lh_unhex(from.sig_hash.p, from.sig_hash.n, t->want.sig);
}

/* ---- scored runs and evidence ---- */

/* Return whether the row in t->rec is the wanted one: 1, 0, -1. */
static int fits(struct trace *t, struct lh_err *err)
{
	struct wanted was = t->want;
	int rc;

	if (lh_row_ids_read(&t->ids, t->want.place, &t->rec, err) < 0)
		return -1;
	if (!t->ids.n_sides || !lh_str_is(t->ids.side[0].run, was.run_id.p, was.run_id.len))
		return 0;
	rc = follow(t);
	if (rc > 0 && !was.any)
		rc = t->want.stream == was.stream && !memcmp(t->want.sig, was.sig, sizeof was.sig);
	if (rc <= 0)
		t->want = was;
	return rc;
}

static int on_file(void *ctx, const char *relpath, struct lh_err *err)
{
	struct trace *t = ctx;
	struct lh_file_row row;
	int rc;

	if (!t->want.any && lh_stream_of(relpath, strlen(relpath)) != t->want.stream)
		return 0;
	rc = open_rows(t, relpath, err);
	while (rc > 0 && (rc = lh_rows_next(t->rows, &row, err)) > 0) {
		if (!holds(&row, &t->want.quoted))
			continue;
		rc = parse(t, &row, err);
		if (rc > 0)
			rc = fits(t, err);
		if (rc > 0) {
			write_row(t, t->name, relpath, row.line);
			lh_write_end(t->w);
			return 1;
		}
		if (rc < 0)
			return -1;
		rc = 1;
	}
	return rc;
}

/* Search the files below a folder for the row of the run id, and write it: 1, 0 with null, -1. */
static int search(struct trace *t, const char *name, const char *below, enum lh_place place,
		  struct lh_err *err)
{
	int rc;

	t->want.place = place;
	t->name = name;
	rc = lh_root_each(t->root, below, on_file, t, err);
	if (!rc)
		lh_write_null(t->w, name);
	return rc;
}

/* ---- source lines ---- */

static int write_source(struct trace *t, struct lh_err *err)
{
	const char *relpath = lh_stream_source(t->want.stream);
	unsigned char hash[32];
	struct lh_file_row row;
	int rc = open_rows(t, relpath, err);

	while (rc > 0 && (rc = lh_rows_next(t->rows, &row, err)) > 0 && row.line < t->want.line)
		;
	if (rc > 0)
		rc = row.line == t->want.line ? parse(t, &row, err) : 0;
	if (rc < 0)
		return -1;
	if (!rc) {
		lh_write_null(t->w, "source");
		return 0;
	}
	if (lh_sig_hash(&t->rec, &t->scratch, hash, err) < 0) {
		if (err->code != LH_EDATA)
			return -1;
		memset(hash, 0, sizeof hash);
	}
	write_row(t, "source", relpath, row.line);
	lh_write_bool(t->w, "intact", !memcmp(hash, t->want.sig, sizeof hash));
	lh_write_end(t->w);
	return 0;
}

/* Write what one record of a sample came from.  any: only the run id is known. */
static int write_side(struct trace *t, const char *side, struct lh_str run_id, bool any,
		      struct lh_err *err)
{
	int rc;

	if (keep(&t->want.run_id, run_id, err) < 0)
		return -1;
	lh_buf_reset(&t->want.quoted);
	lh_buf_json(&t->want.quoted, run_id.p, run_id.n);
	if (lh_buf_check(&t->want.quoted, err) < 0)
		return -1;
	lh_write_object(t->w, NULL);
	lh_write_text(t->w, "side", side);
	lh_write_str(t->w, "run_id", (struct lh_str){ t->want.run_id.p, t->want.run_id.len });
	t->want.any = any;
	rc = search(t, "scored", LH_ROOT_SCORED, LH_PLACE_SCORED, err);
	if (rc > 0)
		t->want.any = false;
	if (rc >= 0)
		rc = search(t, "evidence", LH_ROOT_EVIDENCE, LH_PLACE_EVIDENCE, err);
	if (rc > 0)
		t->want.any = false;
	if (rc >= 0 && !t->want.any)
		rc = write_source(t, err);
	else if (rc >= 0)
		lh_write_null(t->w, "source");
	lh_write_end(t->w);
	return rc < 0 ? -1 : 0;
}

/* ---- the run ---- */

static bool time_of(const struct report *r, const char *name, int64_t *ms)
{
	const struct lh_value *v = lh_record_get(&r->rec, name);

	return v && v->n >= 2 && lh_time_read(v->p + 1, v->n - 2, ms) == 0;
}

/* Keep the run that began when the sample was made; of several the first that ended. */
static int on_run(void *ctx, const char *id, struct lh_err *err)
{
	struct trace *t = ctx;
	struct run *of = &t->run;
	int64_t from, to;
	int rc = report_read(&t->report, t->root, id, "summary.json", "run_summary", err);

	if (rc <= 0)
		return rc < 0 && err->code != LH_ECORRUPT ? -1 : 0;
	if (!time_of(&t->report, "started_at", &from) || !time_of(&t->report, "ended_at", &to) ||
	    of->created_at != from)
		return 0;
	if (of->id.len && (to > of->ended_at || (to == of->ended_at && strcmp(id, of->id.p) > 0)))
		return 0;
	of->ended_at = to;
	return keep(&of->id, (struct lh_str){ id, strlen(id) + 1 }, err);
}

static int write_run(struct trace *t, struct lh_str created_at, struct lh_err *err)
{
	lh_buf_reset(&t->run.id);
	if (created_at.p && lh_time_read(created_at.p, created_at.n, &t->run.created_at) == 0 &&
	    lh_run_each(t->root, on_run, t, err) < 0)
		return -1;
	lh_write_text(t->w, "run", t->run.id.len ? t->run.id.p : NULL);
	return 0;
}

/* ---- the sample ---- */

/* The texts of a sample that are needed after its row is gone. */
struct sample {
	enum lh_exporter of;
	struct lh_str run, rejected, created_at;
	struct lh_buf text;
};

static int keep_sample(struct trace *t, struct sample *s, struct lh_err *err)
{
	const struct lh_value *created_at = lh_record_get(&t->rec, "created_at");
	struct lh_str from[3] = { { NULL, 0 } };
	struct lh_str *to[] = { &s->run, &s->rejected, &s->created_at };
	size_t i, at = 0;

	for (i = 0; i < t->ids.n_sides; i++)
		from[i] = t->ids.side[i].run;
	lh_buf_reset(&t->scratch);
	if (created_at && created_at->type == LH_STRING &&
	    lh_value_str(created_at, &t->scratch, &from[2], err) < 0)
		return -1;
	lh_buf_reset(&s->text);
	for (i = 0; i < 3; i++)
		lh_buf_add(&s->text, from[i].p, from[i].n);
	if (lh_buf_check(&s->text, err) < 0)
		return -1;
	for (i = 0; i < 3; at += from[i++].n)
		*to[i] = (struct lh_str){ from[i].p ? s->text.p + at : NULL, from[i].n };
	return follow(t);
}

/* Find the sample in the file of an exporter: 1 with its row in t->rec, 0, -1. */
static int find_in(struct trace *t, enum lh_exporter of, struct lh_str id,
		   const struct lh_buf *quoted, uint64_t *line, struct lh_err *err)
{
	const enum lh_place place = (enum lh_place)(LH_PLACE_RAG + of);
	struct lh_file_row row;
	int rc;

	while ((rc = lh_rows_next(t->rows, &row, err)) > 0) {
		if (!holds(&row, quoted))
			continue;
		rc = parse(t, &row, err);
		if (rc > 0 && lh_row_ids_read(&t->ids, place, &t->rec, err) < 0)
			return -1;
		if (rc < 0 || (rc > 0 && lh_str_is(t->ids.id, id.p, id.n))) {
			*line = row.line;
			return rc;
		}
	}
	return rc;
}

/* Find and write a sample: 1 if its source is known by its hash, 0 if not, -1. */
static int write_sample(struct trace *t, struct lh_str id, struct sample *s, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf quoted = { 0 };
	uint64_t line;
	int x, rc = 0;

	lh_buf_json(&quoted, id.p, id.n);
	if (lh_buf_check(&quoted, err) < 0)
		return -1;
	for (x = 0; x < LH_EXPORTERS && !rc; x++) {
		s->of = (enum lh_exporter)x;
		rc = open_rows(t, lh_exporter_output(s->of), err);
		if (rc > 0)
			rc = find_in(t, s->of, id, &quoted, &line, err);
	}
	if (rc <= 0)
		return rc < 0 ? -1 : lh_err_data(err, 404, "there is no such sample");
	lh_write_text(t->w, "exporter", lh_exporter_name(s->of));
	write_row(t, "sample", lh_exporter_output(s->of), line);
	lh_write_end(t->w);
	return keep_sample(t, s, err);
}

static int write_trace(struct trace *t, struct lh_str id, struct sample *s, struct lh_err *err)
{
	int known = write_sample(t, id, s, err), rc = known;

	if (rc >= 0)
		rc = write_run(t, s->created_at, err);
	if (rc < 0)
		return -1;
	lh_write_array(t->w, "from");
	if (s->run.p)
		rc = write_side(t, s->of == LH_PREFERENCE ? "chosen" : "source", s->run, !known,
				err);
	if (!rc && s->rejected.p)
		rc = write_side(t, "rejected", s->rejected, true, err);
	lh_write_end(t->w);
	return rc;
}

/* A file that cannot be read costs its request, not the process. */
static int on_request(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct trace *t = arg;
	struct lh_writer w = lh_write_to(out);
	struct lh_buf text = { 0 };
	struct sample s = { .of = LH_RAG };
	struct request q;
	int rc = lh_bind(trace_members, rec, &q, &text, err);

	t->w = &w;
	if (!rc) {
		lh_write_object(&w, NULL);
		lh_write_str(&w, "id", q.id);
		rc = write_trace(t, q.id, &s, err);
		lh_write_end(&w);
	}
	lh_buf_free(&text);
	lh_buf_free(&s.text);
	if (!rc || (err->code != LH_EIO && err->code != LH_ECORRUPT))
		return rc;
	lh_tool_warn(t->tool, "%s", err->msg);
	return lh_err_data(err, 503, "the files of the root cannot be read");
}

int distill_trace(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_err *err = &tool->err;
	struct trace t = { .tool = tool, .root = lh_root_open(s->run.root, err) };
	struct lh_flow flow = { .map = on_request, .shared = &t };
	int rc = -1;

	tool->jobs = 1;
	report_init(&t.report);
	if (t.root && (t.rows = lh_rows_new(err)))
		rc = lh_records_run(tool, &flow);
	lh_rows_free(t.rows);
	lh_record_free(&t.rec);
	report_free(&t.report);
	lh_row_ids_free(&t.ids);
	lh_buf_free(&t.scratch);
	lh_buf_free(&t.run.id);
	lh_buf_free(&t.want.run_id);
	lh_buf_free(&t.want.quoted);
	lh_root_close(t.root);
	return rc;
}
