/* lineage_origin.c - from an operand to the records that it means, and the runs that wrote them. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/digest.h"
#include "base/time.h"
#include "base/mem.h"
#include "distill/receipt.h"
#include "lineage_parts.h"

/* ---- which run of a distillation wrote a row ---- */

struct side {
	struct lh_listed_text *file;
	size_t n;
};
struct receipt {
	struct lh_str run_id, stage, timestamp, git_commit;
	struct side outputs;
};

static const struct lh_bind side_members[] = {
	{ LH_BIND_TABLES("files", struct side, file, n, lh_listed_members), .lax = true },
	LH_BIND_END
};
static const struct lh_bind receipt_members[] = {
	{ LH_BIND_STRING("run_id", struct receipt, run_id), .required = true },
	{ LH_BIND_STRING("stage", struct receipt, stage), .required = true },
	{ LH_BIND_STRING("timestamp", struct receipt, timestamp), .required = true },
	{ LH_BIND_STRING("git_commit", struct receipt, git_commit), .lax = true },
	{ LH_BIND_TABLE("outputs", struct receipt, outputs, side_members), .lax = true },
	LH_BIND_END
};

struct search {
	struct lh_lineage *l;
	struct lh_receipt_of *of;
	size_t n;
	struct lh_report report;
	struct receipt receipt;
};

static void search_free(struct search *s)
{
	lh_report_free(&s->report);
}

/* Read the receipt of a stage of a run: 1, 0 if it does not exist or is damaged, which is
 * reported, -1. */
static int read_receipt(struct search *s, const char *id, enum lh_stage stage, struct lh_err *err)
{
	struct lh_lineage *l = s->l;
	int rc;

	s->receipt = (struct receipt){ .run_id = { NULL, 0 } };
	rc = lh_report_read(&s->report, l->root, id, lh_stage_name(stage), NULL, receipt_members,
			    &s->receipt, err);
	if (rc >= 0)
		return rc;
	if (err->code == LH_ECORRUPT)
		lh_err_prefix(err, "%s", s->report.relpath);
	l->how.warn(l->how.ctx, true, err->msg);
	return 0;
}

/* Add the receipts of a run. */
static int count_run(void *ctx, const char *id, struct lh_err *err)
{
	struct search *s = ctx;
	int stage;

	for (stage = 0; stage < LH_STAGES; stage++) {
		int rc = read_receipt(s, id, (enum lh_stage)stage, err);

		if (rc < 0)
			return -1;
		s->n += (size_t)rc;
	}
	return 0;
}

/* Write where the receipt is in the transparency log, if one is asked. */
static int write_index(const struct search *s, struct lh_writer *w, struct lh_err *err)
{
	const struct lh_lineage_how *how = &s->l->how;
	unsigned char sum[32];
	uint64_t index;
	int rc;

	if (!how->committed)
		return 0;
	lh_sha256(s->report.file.p, s->report.file.len, sum);
	rc = how->committed(how->ctx, sum, &index, err);
	if (rc > 0)
		lh_write_u64(w, "tlog_index", index);
	else
		lh_write_null(w, "tlog_index");
	return rc < 0 ? -1 : 0;
}

/* Write the step of a receipt, but for its end. */
static int write_receipt(const struct search *s, const struct lh_listed_text *f,
			 struct lh_writer *w, struct lh_err *err)
{
	const struct receipt *r = &s->receipt;

	lh_write_object(w, NULL);
	lh_write_text(w, "step", "receipt");
	lh_write_text(w, "file", s->report.relpath);
	lh_write_u64(w, "line", 1);
	lh_write_str(w, "stage", r->stage);
	lh_write_str(w, "run_id", r->run_id);
	lh_write_str(w, "timestamp", r->timestamp);
	if (r->git_commit.p)
		lh_write_str(w, "git_commit", r->git_commit);
	if (write_index(s, w, err) < 0)
		return -1;
	if (!f)
		return 0;
	lh_write_str(w, "sha256", f->sha256);
	lh_write_u64(w, "bytes", f->bytes);
	lh_write_u64(w, "record_count", f->records);
	return 0;
}

/* Compare by time, then by the number of records, then by id. */
static int cmp_at(const struct lh_receipt_at *a, const struct lh_receipt_at *b)
{
	if (a->ms != b->ms)
		return a->ms < b->ms ? -1 : 1;
	if (a->records != b->records)
		return a->records < b->records ? -1 : 1;
	return strcmp(a->id, b->id);
}

/* Keep a receipt that lists the file of a row, if it is the first with that row, or the last. */
static int keep(struct search *s, struct lh_receipt_of *of, const char *id,
		const struct lh_listed_text *f, struct lh_err *err)
{
	struct lh_receipt_at at = { .records = f->records };
	struct lh_buf *to[2] = { NULL };
	size_t i;

	snprintf(at.id, sizeof at.id, "%s", id);
	if (lh_time_read(s->receipt.timestamp.p, s->receipt.timestamp.n, &at.ms) < 0)
		return 0;
	if (!of->wrote.len || cmp_at(&at, &of->wrote_at) < 0) {
		of->wrote_at = at;
		to[0] = &of->wrote;
	}
	if (!of->newest.len || cmp_at(&at, &of->newest_at) > 0) {
		of->newest_at = at;
		to[1] = &of->newest;
	}
	for (i = 0; i < 2; i++) {
		struct lh_writer w;

		if (!to[i])
			continue;
		lh_buf_reset(to[i]);
		w = lh_write_to(to[i]);
		if (write_receipt(s, f, &w, err) < 0)
			return -1;
		lh_write_bool(&w, "wrote", i == 0);
		lh_write_end(&w);
	}
	return 0;
}

static int on_receipt(struct search *s, const char *id, enum lh_stage stage, struct lh_err *err)
{
	const struct side *out = &s->receipt.outputs;
	size_t i, j;

	for (i = 0; i < s->n; i++) {
		struct lh_receipt_of *of = &s->of[i];
		const char *path = s->l->file[of->row.file].path;

		for (j = 0; of->any && of->stage == stage && j < out->n; j++)
			if (out->file[j].records >= of->row.line &&
			    lh_str_is(out->file[j].path, path, strlen(path)) &&
			    keep(s, of, id, &out->file[j], err) < 0)
				return -1;
	}
	return 0;
}

static int on_run(void *ctx, const char *id, struct lh_err *err)
{
	struct search *s = ctx;
	unsigned stages = 0;
	int stage, rc = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		stages |= s->of[i].any ? 1u << s->of[i].stage : 0;
	for (stage = 0; stage < LH_STAGES && rc >= 0; stage++) {
		if (!(stages & 1u << stage))
			continue;
		rc = read_receipt(s, id, (enum lh_stage)stage, err);
		if (rc > 0)
			rc = on_receipt(s, id, (enum lh_stage)stage, err);
	}
	return rc < 0 ? -1 : 0;
}

static void search_init(struct search *s, struct lh_lineage *l)
{
	*s = (struct search){ .l = l };
	lh_report_init(&s->report);
}

/* Call fn for each run; a folder of runs that cannot be read is reported. */
static int each_run(struct search *s, lh_run_fn *fn, struct lh_err *err)
{
	int rc = lh_run_each(s->l->root, fn, s, err);

	return rc < 0 && err->code == LH_EIO ? lh_lineage_left_out(s->l, err) : rc;
}

int lh_lineage_count_receipts(struct lh_lineage *l, uint64_t *n, struct lh_err *err)
{
	struct search s;
	int rc;

	search_init(&s, l);
	rc = each_run(&s, count_run, err);
	*n = s.n;
	search_free(&s);
	return rc;
}

int lh_lineage_receipts(struct lh_lineage *l, struct lh_receipt_of *of, size_t n,
			struct lh_err *err)
{
	LH_SCOPED(search_free) struct search s;
	size_t i;
	int rc;

	search_init(&s, l);
	s.of = of;
	s.n = n;
	rc = each_run(&s, on_run, err);
	for (i = 0; i < n; i++)
		if (!strcmp(of[i].wrote_at.id, of[i].newest_at.id))
			lh_buf_free(&of[i].newest);
	return rc;
}

int lh_lineage_run(struct lh_lineage *l, struct lh_writer *w, struct lh_str id,
		   struct lh_err *err)
{
	LH_SCOPED(search_free) struct search s;
	LH_SCOPED(lh_free_local) char *name = lh_strndup(id.p, id.n);
	int stage, rc = 0, found = 0;

	search_init(&s, l);
	for (stage = 0; lh_run_id_valid(name) && stage < LH_STAGES && rc >= 0; stage++) {
		rc = read_receipt(&s, name, (enum lh_stage)stage, err);
		if (rc > 0) {
			rc = write_receipt(&s, NULL, w, err);
			lh_write_u64(w, "outputs", s.receipt.outputs.n);
			lh_write_end(w);
			found = 1;
		}
	}
	return rc < 0 ? -1 : found;
}

/* ---- from an operand to the records that it means ---- */

#define ALL ((1u << LH_PLACES) - 1)
#define SIG_LEAST 8	/* digits of a sig_hash */

/* ---- records ---- */

static bool is_same(struct lh_str a, struct lh_str b)
{
	return lh_str_is(a, b.p, b.n);
}

bool lh_origin_is(const struct lh_origin *o, const struct lh_row_side *side)
{
	const struct lh_provenance *from = &side->from;

	if (o->source.p && from->source_file.p && !is_same(o->source, from->source_file))
		return false;
	if (!o->run.p && !o->sig.p)
		return o->source.p && from->source_file.p && o->line == from->line;
	if (o->run.p && side->run.p && !is_same(o->run, side->run))
		return false;
	if (o->sig.p && from->sig_hash.p)
		return is_same(o->sig, from->sig_hash);
	return o->run.p && side->run.p;
}

/* Copy the texts of *o into memory of its own. */
static void own(struct lh_origin *o)
{
	struct lh_str *part[] = { &o->run, &o->sig, &o->source };
	char *old = o->text, *to;
	size_t i;

	to = o->text = lh_calloc(o->run.n + o->sig.n + o->source.n + 1, 1);
	for (i = 0; i < 3; i++) {
		if (!part[i]->p)
			continue;
		memcpy(to, part[i]->p, part[i]->n);
		part[i]->p = to;
		to += part[i]->n;
	}
	free(old);
}

/* Add the record of a side, or what it adds to one that is there. */
static void add(struct lh_origins *o, const struct lh_row_side *side)
{
	const struct lh_provenance *from = &side->from;
	struct lh_origin *of;
	size_t i;

	if (!side->run.p && !from->sig_hash.p && !from->source_file.p)
		return;
	for (i = 0; i < o->n; i++) {
		of = &o->of[i];
		if (!lh_origin_is(of, side))
			continue;
		of->run = of->run.p ? of->run : side->run;
		of->sig = of->sig.p ? of->sig : from->sig_hash;
		of->source = of->source.p ? of->source : from->source_file;
		of->line = of->line >= 0 ? of->line : from->line;
		own(of);
		return;
	}
	if (o->n == LH_LINEAGE_CANDIDATES) {
		o->more++;
		return;
	}
	lh_grow(&o->of, &o->cap, o->n + 1, sizeof *of);
	o->of[o->n] = (struct lh_origin){ .run = side->run, .sig = from->sig_hash,
					  .source = from->source_file, .line = from->line };
	own(&o->of[o->n]);
	o->n++;
}

/* ---- rows with a text ---- */

/* A sig_hash that is asked for may be the beginning of one. */
static bool side_has(const struct lh_row_side *side, const struct lh_wanted *a)
{
	struct lh_str sig = side->from.sig_hash;

	if (a->kind == LH_KEY_RUN)
		return side->run.p && is_same(side->run, a->text);
	return sig.p && a->text.n <= sig.n && !memcmp(sig.p, a->text.p, a->text.n);
}

typedef int found_fn(struct lh_lineage *l, void *ctx, const struct lh_lineage_hit *hit,
		     const struct lh_wanted *a, struct lh_err *err);

/* Call fn for each row that has the text: the number of rows, or -1. */
static int64_t each_row(struct lh_lineage *l, unsigned places, const struct lh_wanted *a,
			found_fn *fn, void *ctx, struct lh_err *err)
{
	struct lh_hits hits = { 0 };
	int64_t n = 0;
	size_t i, s;
	int rc = lh_lineage_find(l, places, a, &hits, err);
	bool has;

	for (i = 0; i < hits.n && rc >= 0; i++) {
		rc = lh_lineage_row(l, &hits.hit[i], err);
		if (rc <= 0)
			continue;
		has = a->kind == LH_KEY_ID && l->ids.id.p && is_same(l->ids.id, a->text);
		for (s = 0; s < l->ids.n_sides && a->kind != LH_KEY_ID; s++)
			has |= side_has(&l->ids.side[s], a);
		if (has) {
			rc = fn(l, ctx, &hits.hit[i], a, err);
			n++;
		}
	}
	if (hits.more && !n && rc >= 0) {
		/* A text may be in rows that were not compared, so that it is not just absent. */
		struct lh_err why;

		lh_err_set(&why, LH_EDATA,
			   "over %d rows may have \"%.*s\", and not all were compared",
			   LH_LINEAGE_CANDIDATES, (int)(a->text.n < 200 ? a->text.n : 200),
			   a->text.p);
		l->how.warn(l->how.ctx, true, why.msg);
	}
	free(hits.hit);
	return rc < 0 ? -1 : n;
}

/* Add the sides of a row that have the text; of a row found by its id all. */
static int add_sides(struct lh_lineage *l, void *ctx, const struct lh_lineage_hit *hit,
		     const struct lh_wanted *a, struct lh_err *err)
{
	size_t s;

	(void)hit, (void)err;
	for (s = 0; s < l->ids.n_sides; s++)
		if (a->kind == LH_KEY_ID || side_has(&l->ids.side[s], a))
			add(ctx, &l->ids.side[s]);
	return 0;
}

/* Add the records of the samples that the replay in l->ids retrieved. */
static int add_retrieved(struct lh_lineage *l, struct lh_origins *o, struct lh_err *err)
{
	size_t n = l->ids.n_retrieved, i;
	LH_SCOPED(lh_buf_free) struct lh_buf ids = { 0 };
	struct lh_wanted a = { .kind = LH_KEY_ID };
	const char *p;

	for (i = 0; i < n; i++) {
		lh_buf_add(&ids, l->ids.retrieved[i].p, l->ids.retrieved[i].n);
		lh_buf_putc(&ids, '\0');
	}
	for (p = ids.p, i = 0; i < n; i++, p += a.text.n + 1) {
		a.text = lh_str_of(p);
		if (a.text.n && each_row(l, 1u << LH_PLACE_RAG, &a, add_sides, o, err) < 0)
			return -1;
	}
	return 0;
}

struct by_id {
	struct lh_meant *m;
	struct lh_lineage_hit replay;
	bool is_replay;
};

static int on_id(struct lh_lineage *l, void *ctx, const struct lh_lineage_hit *hit,
		 const struct lh_wanted *a, struct lh_err *err)
{
	struct by_id *by = ctx;

	lh_hit_add(&by->m->rows, hit->file, hit->line);
	if (l->file[hit->file].place != LH_PLACE_REPLAY)
		return add_sides(l, &by->m->records, hit, a, err);
	by->is_replay = true;
	by->replay = *hit;
	return 0;
}

/* Complete records of which only some names are known, by the rows that have them.  Further
 * records that this finds are added. */
static int complete(struct lh_lineage *l, struct lh_origins *o, struct lh_err *err)
{
	const unsigned places = 1u << LH_PLACE_EVIDENCE | 1u << LH_PLACE_SCORED;
	size_t i;

	for (i = 0; i < o->n; i++) {
		struct lh_wanted a = { .kind = LH_KEY_RUN };
		char *text;

		if ((o->of[i].run.p && o->of[i].sig.p) || (!o->of[i].run.p && !o->of[i].sig.p))
			continue;
		if (o->of[i].sig.p)
			a.kind = LH_KEY_SIG;
		a.text = o->of[i].sig.p ? o->of[i].sig : o->of[i].run;
		text = lh_strndup(a.text.p, a.text.n);
		a.text.p = text;
		if (each_row(l, places, &a, add_sides, o, err) < 0 ||
		    (a.kind == LH_KEY_SIG && !o->of[i].run.p &&
		     each_row(l, ALL & ~1u, &a, add_sides, o, err) < 0)) {
			free(text);
			return -1;
		}
		free(text);
	}
	return 0;
}

/* ---- operands ---- */

/* Add the records that were collected from a line of a source, or skipped there; it may be
 * another now, or gone. */
static int add_collected(struct lh_lineage *l, const char *path, uint64_t line,
			 struct lh_origins *o, struct lh_err *err)
{
	const unsigned places = 1u << LH_PLACE_EVIDENCE | 1u << LH_PLACE_SKIP;
	const struct lh_wanted want = { .kind = LH_KEY_LINE, .text = lh_str_of(path),
					.line = (int64_t)line - 1 };
	const struct lh_provenance *from = &l->ids.side[0].from;
	struct lh_hits hits = { 0 };
	size_t i;
	int rc = lh_lineage_find(l, places, &want, &hits, err);

	for (i = 0; i < hits.n && rc >= 0; i++) {
		rc = lh_lineage_row(l, &hits.hit[i], err);
		if (rc > 0 && l->ids.n_sides && from->line == want.line && from->source_file.p &&
		    is_same(from->source_file, want.text))
			add(o, l->ids.side);
	}
	free(hits.hit);
	return rc < 0 ? -1 : 0;
}

/* Add the records of a line of a source, as it is now and as it was. */
static int add_source(struct lh_lineage *l, const struct lh_lineage_hit *hit, const char *path,
		      struct lh_origins *o, struct lh_err *err)
{
	struct lh_row_side side = { .from.source_file = lh_str_of(path),
				    .from.line = (int64_t)hit->line - 1 };
	const struct lh_wanted all = { .kind = LH_KEY_ID };
	int rc = hit->file < l->n_files ? lh_lineage_line(l, hit, err) : 0;

	if (rc > 0) {
		rc = lh_lineage_row(l, hit, err);
		if (rc > 0 && l->ids.n_sides)
			rc = add_sides(l, o, hit, &all, err);
		else if (rc >= 0)
			add(o, &side);
	}
	if (rc < 0 || (hit->line && add_collected(l, path, hit->line, o, err) < 0))
		return -1;
	return o->n > 0;
}

int lh_lineage_records(struct lh_lineage *l, const struct lh_lineage_hit *hit,
		       struct lh_origins *o, struct lh_err *err)
{
	const struct lh_wanted all = { .kind = LH_KEY_ID };
	int rc;

	if (l->file[hit->file].place == LH_PLACE_SOURCE)
		rc = add_source(l, hit, l->file[hit->file].path, o, err);
	else
		rc = lh_lineage_row(l, hit, err);
	if (rc > 0 && l->file[hit->file].place != LH_PLACE_SOURCE && l->ids.n_sides == 1)
		rc = add_sides(l, o, hit, &all, err);
	return rc < 0 ? -1 : complete(l, o, err);
}

/* Add what a line means, an lh_line_fn. */
static int add_line(struct lh_lineage *l, struct lh_meant *m, const struct lh_lineage_hit *hit,
		    const char *path, struct lh_err *err)
{
	const struct lh_wanted all = { .kind = LH_KEY_ID };
	bool known = hit->file < l->n_files;
	enum lh_place place = known ? l->file[hit->file].place : LH_PLACE_SOURCE;
	int rc;

	if (place == LH_PLACE_SOURCE) {
		rc = add_source(l, hit, path, &m->records, err);
		m->as = rc > 0 ? "line" : NULL;
		return rc;
	}
	rc = lh_lineage_line(l, hit, err);
	if (rc <= 0)
		return rc;
	m->as = "line";
	lh_hit_add(&m->rows, hit->file, hit->line);
	rc = lh_lineage_row(l, hit, err);
	if (rc > 0)
		rc = place == LH_PLACE_REPLAY ? add_retrieved(l, &m->records, err)
					      : add_sides(l, &m->records, hit, &all, err);
	return rc < 0 ? -1 : 1;
}

/* Return whether the operand may be the beginning of a sig_hash, and its text in small
 * letters. */
static bool is_sig(struct lh_str operand, char sig[64])
{
	size_t i;

	if (operand.n < SIG_LEAST || operand.n > 64)
		return false;
	for (i = 0; i < operand.n; i++) {
		char c = operand.p[i];

		sig[i] = (char)(c >= 'A' && c <= 'F' ? c | 32 : c);
		if (!((c >= '0' && c <= '9') || (sig[i] >= 'a' && sig[i] <= 'f')))
			return false;
	}
	return true;
}

/* Write the different hashes among the records as candidates; return their number. */
static size_t list_hashes(const struct lh_origins *o, struct lh_buf *out)
{
	struct lh_writer w = lh_write_to(out);
	size_t i, j, n = 0;

	lh_write_array(&w, NULL);
	for (i = 0; i < o->n; i++) {
		for (j = 0; j < i && !is_same(o->of[j].sig, o->of[i].sig); j++)
			;
		if (j < i)
			continue;
		n++;
		lh_write_object(&w, NULL);
		lh_write_str(&w, "sig_hash", o->of[i].sig);
		if (o->of[i].run.p)
			lh_write_str(&w, "run_id", o->of[i].run);
		if (o->of[i].source.p)
			lh_write_str(&w, "file", o->of[i].source);
		if (o->of[i].source.p && o->of[i].line >= 0)
			lh_write_u64(&w, "line", (uint64_t)o->of[i].line + 1);
		lh_write_end(&w);
	}
	lh_write_end(&w);
	return n;
}

static int resolve_text(struct lh_lineage *l, struct lh_str operand, struct lh_meant *m,
			struct lh_err *err)
{
	struct lh_wanted a = { .kind = LH_KEY_ID, .text = operand };
	struct by_id by = { .m = m };
	int64_t n = each_row(l, ALL, &a, on_id, &by, err);
	int rc;

	if (n > 0)
		m->as = by.is_replay ? "replay" : "sample";
	if (n > 0 && by.is_replay) {
		rc = lh_lineage_row(l, &by.replay, err);
		return rc < 0 || (rc && add_retrieved(l, &m->records, err) < 0) ? -1 : 0;
	}
	if (n)
		return n < 0 ? -1 : 0;
	a.kind = LH_KEY_RUN;
	n = each_row(l, ALL, &a, add_sides, &m->records, err);
	if (n > 0)
		m->as = "run_id";
	return n < 0 ? -1 : 0;
}

static int resolve_sig(struct lh_lineage *l, struct lh_str operand, struct lh_meant *m,
		       struct lh_err *err)
{
	char sig[64];
	const struct lh_wanted a = { .kind = LH_KEY_SIG, .text = { sig, operand.n } };
	int64_t n;

	if (!is_sig(operand, sig))
		return 0;
	n = each_row(l, ALL, &a, add_sides, &m->records, err);
	if (n > 0)
		m->as = "sig_hash";
	if (n > 0 && list_hashes(&m->records, &m->candidates) < 2)
		lh_buf_reset(&m->candidates);
	return n < 0 ? -1 : 0;
}

int lh_lineage_resolve(struct lh_lineage *l, struct lh_str operand, struct lh_meant *m,
		       struct lh_err *err)
{
	int rc = lh_lineage_place(l, operand, m, add_line, err);

	if (!rc) {
		rc = resolve_text(l, operand, m, err);
		if (!rc && !m->as)
			rc = resolve_sig(l, operand, m, err);
	}
	if (rc < 0 || m->candidates.len)
		return rc < 0 ? -1 : 0;
	rc = complete(l, &m->records, err);
	for (; m->records.n > l->how.most; m->records.more++)
		free(m->records.of[--m->records.n].text);
	return rc;
}

void lh_meant_free(struct lh_meant *m)
{
	size_t i;

	for (i = 0; i < m->records.n; i++)
		free(m->records.of[i].text);
	free(m->records.of);
	free(m->rows.hit);
	lh_buf_free(&m->candidates);
	lh_buf_free(&m->run);
	lh_buf_free(&m->subject);
	*m = (struct lh_meant){ .as = NULL };
}
