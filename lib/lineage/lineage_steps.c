/* lineage_steps.c - the steps of one record, from its source to audits and decisions. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/time.h"
#include "base/mem.h"
#include "distill/sample.h"
#include "file/file.h"
#include "lineage_parts.h"
#include "observe/observe.h"

/* ---- the steps of one record, from its source to its audits ---- */

#define ALL ((1u << LH_PLACES) - 1)
#define VALUE_MAX ((size_t)64 << 10)	/* bytes of a member that is part of an answer */

/* The members of a row that its step has, as they are written. */
static const char *const members_shown[LH_PLACES][8] = {
	[LH_PLACE_SKIP] = { "errors", "recorded_at" },
	[LH_PLACE_EVIDENCE] = { "run_id", "task_id", "timestamp", "model_role", "model_name",
				"text" },
	[LH_PLACE_SCORED] = { "category", "reasons", "scorer_version", "scored_at" },
	[LH_PLACE_RAG] = { "id", "title", "success_score", "created_at" },
	[LH_PLACE_SFT] = { "id", "instruction", "quality_score", "created_at" },
	[LH_PLACE_PREFERENCE] = { "id", "reason", "chosen_run_id", "rejected_run_id",
				  "created_at" },
	[LH_PLACE_QUARANTINE] = { "exporter", "reason", "errors", "recorded_at" },
	[LH_PLACE_REPLAY] = { "recorded_run_id", "task", "model_used", "dry_run", "recorded_at" },
	[LH_PLACE_BASELINE] = { "recorded_at", "git_commit" },
};

/* Write a member of a row as it is written; of a large one only its size. */
static void lh_lineage_member(struct lh_writer *w, const struct lh_record *rec, const char *name)
{
	const struct lh_value *v = lh_record_get(rec, name);
	char bytes[64];

	if (!v)
		return;
	if (v->n <= VALUE_MAX) {
		lh_write_value(w, name, v);
	} else {
		snprintf(bytes, sizeof bytes, "%s_bytes", name);
		lh_write_u64(w, bytes, v->n);
	}
}

/* Begin the step of the row read last: its file, its line and members of it. */
static void begin_step(struct lh_lineage *l, struct lh_writer *w, const char *step,
		     const struct lh_lineage_hit *hit)
{
	const struct lh_lineage_file *f = &l->file[hit->file];
	size_t i;

	lh_write_object(w, NULL);
	lh_write_text(w, "step", step);
	lh_write_text(w, "file", f->path);
	lh_write_u64(w, "line", hit->line);
	for (i = 0; i < 8 && members_shown[f->place][i]; i++)
		lh_lineage_member(w, &l->rec, members_shown[f->place][i]);
	if (l->how.records && f->place != LH_PLACE_SOURCE)
		lh_lineage_record(l, w);
}

int lh_lineage_alone(struct lh_lineage *l, struct lh_writer *w, const struct lh_lineage_hit *hit,
		     struct lh_err *err)
{
	const struct lh_lineage_file *f = &l->file[hit->file];
	int rc = lh_lineage_row(l, hit, err);

	if (rc > 0) {
		begin_step(l, w, lh_place_step(f->place), hit);
	} else if (!rc) {
		lh_write_object(w, NULL);
		lh_write_text(w, "step", lh_place_step(f->place));
		lh_write_text(w, "file", f->path);
		lh_write_u64(w, "line", hit->line);
		lh_write_text(w, "state", "not a record");
	}
	if (rc >= 0)
		lh_write_end(w);
	return rc < 0 ? -1 : 0;
}

/* A record whose steps are written. */
struct walk {
	struct lh_lineage *l;
	struct lh_writer *w;
	const struct lh_origin *o;
	struct lh_hits hits;
	struct lh_receipt_of *receipt;	/* of each hit, by its number */
	int64_t recorded_at;		/* ms; of the first evidence; INT64_MAX: none */
};

/* ---- the rows of a record ---- */

/* Return whether the row in l->ids is of the record. */
static bool is_of(const struct lh_lineage *l, const struct lh_origin *o)
{
	size_t s = 0;

	while (s < l->ids.n_sides && !lh_origin_is(o, &l->ids.side[s]))
		s++;
	return s < l->ids.n_sides;
}

int lh_lineage_gather(struct lh_lineage *l, const struct lh_origin *o, struct lh_hits *hits,
		      struct lh_err *err)
{
	size_t i, n = 0;
	int rc = 0;

	if (o->sig.p)
		rc = lh_lineage_find(l, ALL, &(struct lh_wanted){ .kind = LH_KEY_SIG,
				     .text = o->sig, .source = o->source }, hits, err);
	if (!rc && o->run.p)
		rc = lh_lineage_find(l, ALL, &(struct lh_wanted){ .kind = LH_KEY_RUN,
				     .text = o->run }, hits, err);
	if (!rc && o->source.p && o->line >= 0)
		rc = lh_lineage_find(l, 1u << LH_PLACE_SKIP, &(struct lh_wanted){
				     .kind = LH_KEY_LINE, .text = o->source, .line = o->line },
				     hits, err);
	for (i = 0; i < hits->n && rc >= 0; i++) {
		rc = lh_lineage_row(l, &hits->hit[i], err);
		if (rc > 0 && is_of(l, o))
			hits->hit[n++] = hits->hit[i];
	}
	hits->n = n;
	return rc < 0 ? -1 : 0;
}

/* ---- receipts ---- */

bool lh_lineage_stage_of(const struct lh_lineage_file *f, enum lh_stage *stage)
{
	int x;

	switch (f->place) {
	case LH_PLACE_SKIP:
	case LH_PLACE_EVIDENCE:
		*stage = LH_STAGE_COLLECT;
		return true;
	case LH_PLACE_SCORED:
		*stage = LH_STAGE_SCORE;
		return true;
	case LH_PLACE_QUARANTINE:
		for (x = 0; x < LH_EXPORTERS; x++)
			if (!strcmp(f->path, lh_exporter_quarantine((enum lh_exporter)x)))
				*stage = (enum lh_stage)(LH_STAGE_RAG + x);
		return true;
	case LH_PLACE_RAG:
	case LH_PLACE_SFT:
	case LH_PLACE_PREFERENCE:
		*stage = (enum lh_stage)(LH_STAGE_RAG + (f->place - LH_PLACE_RAG));
		return true;
	default:
		return false;
	}
}

static int find_receipts(struct walk *k, struct lh_err *err)
{
	size_t i;

	k->receipt = lh_calloc(k->hits.n + 1, sizeof *k->receipt);
	for (i = 0; i < k->hits.n; i++) {
		struct lh_receipt_of *r = &k->receipt[i];

		r->row = k->hits.hit[i];
		r->any = lh_lineage_stage_of(&k->l->file[r->row.file], &r->stage);
	}
	return lh_lineage_receipts(k->l, k->receipt, k->hits.n, err);
}

/* ---- sources ---- */

/* Return whether a row other than a line of a source is of the record. */
static bool is_collected(const struct walk *k)
{
	size_t i;

	for (i = 0; i < k->hits.n; i++)
		if (k->l->file[k->hits.hit[i].file].place != LH_PLACE_SOURCE)
			return true;
	return false;
}

/* Write the step of a line of the source: what it is now. */
static int write_source(struct walk *k, size_t file, uint64_t line, struct lh_err *err)
{
	struct lh_lineage *l = k->l;
	const struct lh_lineage_hit hit = { file, line };
	const char *state = "missing";
	int rc = file < l->n_files ? lh_lineage_line(l, &hit, err) : 0;

	if (rc > 0) {
		rc = lh_lineage_row(l, &hit, err);
		state = "changed";
		if (!rc || !l->ids.n_sides)
			state = k->o->sig.p ? "changed" : "not a record";
		else if (k->o->sig.p && lh_str_is(l->ids.side[0].from.sig_hash, k->o->sig.p,
						  k->o->sig.n))
			state = is_collected(k) ? "intact" : "not collected";
	}
	if (rc < 0)
		return -1;
	lh_write_object(k->w, NULL);
	lh_write_text(k->w, "step", "source");
	lh_write_str(k->w, "file", k->o->source);
	lh_write_u64(k->w, "line", line);
	lh_write_text(k->w, "state", state);
	if (l->how.records && rc > 0)
		lh_lineage_record(l, k->w);
	lh_write_end(k->w);
	return 0;
}

/* Write the line that provenance names, and the other lines of the source with its hash. */
static int write_sources(struct walk *k, struct lh_err *err)
{
	struct lh_lineage *l = k->l;
	uint64_t line = k->o->line >= 0 ? (uint64_t)k->o->line + 1 : 0;
	size_t file, i;
	int rc = 0;

	if (!k->o->source.p)
		return 0;
	file = lh_lineage_file_of(l, k->o->source);
	if (line)
		rc = write_source(k, file, line, err);
	for (i = 0; i < k->hits.n && !rc; i++)
		if (k->hits.hit[i].file == file && k->hits.hit[i].line != line)
			rc = write_source(k, file, k->hits.hit[i].line, err);
	return rc;
}

/* ---- replays ---- */

static bool retrieved(const struct lh_row_ids *ids, const struct lh_buf *id)
{
	size_t i;

	for (i = 0; i < ids->n_retrieved; i++)
		if (ids->retrieved[i].p && lh_str_is(ids->retrieved[i], id->p, id->len))
			return true;
	return false;
}

int lh_lineage_replays(struct lh_lineage *l, struct lh_hits *hits, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf id = { 0 };
	struct lh_wanted want = { .kind = LH_KEY_RETRIEVED };
	size_t i, n = 0;
	int rc;

	lh_buf_add(&id, l->ids.id.p, l->ids.id.n);
	want.text = (struct lh_str){ id.p, id.len };
	rc = lh_lineage_find(l, 1u << LH_PLACE_REPLAY, &want, hits, err);
	for (i = 0; i < hits->n && rc >= 0; i++) {
		rc = lh_lineage_row(l, &hits->hit[i], err);
		if (rc > 0 && retrieved(&l->ids, &id))
			hits->hit[n++] = hits->hit[i];
	}
	hits->n = n;
	return rc < 0 ? -1 : 0;
}

/* Write the replays that retrieved the sample in l->ids. */
static int write_replays(struct walk *k, struct lh_err *err)
{
	struct lh_lineage *l = k->l;
	struct lh_hits hits = { 0 };
	size_t i;
	int rc = lh_lineage_replays(l, &hits, err);

	for (i = 0; i < hits.n && rc >= 0 && i < l->how.most; i++) {
		rc = lh_lineage_row(l, &hits.hit[i], err);
		if (rc > 0) {
			begin_step(l, k->w, lh_place_step(LH_PLACE_REPLAY), &hits.hit[i]);
			lh_write_end(k->w);
		}
	}
	free(hits.hit);
	return rc < 0 ? -1 : 0;
}

/* ---- audits ---- */

static int64_t time_of(const struct lh_value *v)
{
	int64_t ms;

	return v && v->type == LH_STRING && v->n >= 2 &&
	       lh_time_read(v->p + 1, v->n - 2, &ms) == 0 ? ms : INT64_MAX;
}

/* Write the first audit at or after the time of the evidence, and the newest. */
static int write_audits(struct walk *k, struct lh_err *err)
{
	struct lh_lineage *l = k->l;
	struct lh_lineage_hit hit = { 0, 1 }, covers[2];
	size_t n = 0, i;
	int rc;

	hit.file = lh_lineage_file_of(l, lh_str_of(lh_place_name(LH_PLACE_BASELINE)));
	if (hit.file == l->n_files || k->recorded_at == INT64_MAX)
		return 0;
	if (lh_lineage_count(l, hit.file, err) < 0)
		return -1;
	for (; hit.line <= l->file[hit.file].lines; hit.line++) {
		int64_t at;

		rc = lh_lineage_row(l, &hit, err);
		if (rc < 0)
			return -1;
		at = rc ? time_of(lh_record_get(&l->rec, "recorded_at")) : INT64_MAX;
		if (at != INT64_MAX && at >= k->recorded_at)
			covers[n ? 1 : 0] = hit, n = n ? 2 : 1;
	}
	for (i = 0; i < n; i++) {
		if (lh_lineage_row(l, &covers[i], err) < 0)
			return -1;
		begin_step(l, k->w, lh_place_step(LH_PLACE_BASELINE), &covers[i]);
		lh_write_end(k->w);
	}
	return 0;
}

/* ---- steps ---- */

static int write_row(struct walk *k, size_t i, struct lh_err *err)
{
	struct lh_lineage *l = k->l;
	const struct lh_lineage_hit *hit = &k->hits.hit[i];
	enum lh_place place = l->file[hit->file].place;
	int rc = lh_lineage_row(l, hit, err);
	const struct lh_receipt_of *r;
	const struct lh_row_side *side;
	struct lh_str stream;

	if (rc <= 0)
		return rc;
	begin_step(l, k->w, lh_place_step(place), hit);
	/* Write what only rows of this place have. */
	side = l->ids.side;
	if (place == LH_PLACE_EVIDENCE && side->from.source_file.p) {
		stream = lh_stream_text(side->from.source_file.p, side->from.source_file.n);
		lh_write_str(k->w, "transform", stream);
		if (side->from.recorded_at.p)
			lh_write_str(k->w, "recorded_at", side->from.recorded_at);
	}
	if (place == LH_PLACE_PREFERENCE)
		lh_write_text(k->w, "side", lh_origin_is(k->o, side) ? "chosen" : "rejected");
	if (place == LH_PLACE_EVIDENCE) {
		/* Keep the time of the first evidence, by which audits cover the record. */
		const struct lh_str at = side->from.recorded_at;
		int64_t ms;

		if (at.p && lh_time_read(at.p, at.n, &ms) == 0 && ms < k->recorded_at)
			k->recorded_at = ms;
	}
	lh_write_array(k->w, "steps");
	r = &k->receipt[i];
	if (r->wrote.len)
		lh_write_raw(k->w, NULL, (struct lh_str){ r->wrote.p, r->wrote.len });
	if (r->newest.len)
		lh_write_raw(k->w, NULL, (struct lh_str){ r->newest.p, r->newest.len });
	rc = place == LH_PLACE_RAG ? write_replays(k, err) : 0;
	lh_write_end(k->w);
	lh_write_end(k->w);
	return rc;
}

static int write_steps(struct walk *k, struct lh_err *err)
{
	size_t i;

	if (write_sources(k, err) < 0)
		return -1;
	for (i = 0; i < k->hits.n; i++)
		if (k->l->file[k->hits.hit[i].file].place != LH_PLACE_SOURCE &&
		    write_row(k, i, err) < 0)
			return -1;
	return write_audits(k, err);
}

int lh_lineage_steps(struct lh_lineage *l, struct lh_writer *w, const struct lh_origin *o,
		     struct lh_err *err)
{
	struct walk k = { .l = l, .w = w, .o = o, .recorded_at = INT64_MAX };
	size_t i;
	int rc;

	lh_write_object(w, NULL);
	lh_write_text(w, "step", "record");
	if (o->run.p)
		lh_write_str(w, "run_id", o->run);
	if (o->sig.p)
		lh_write_str(w, "sig_hash", o->sig);
	rc = lh_lineage_gather(l, o, &k.hits, err);
	if (k.hits.more)
		lh_write_bool(w, "more", true);
	lh_write_array(w, "steps");
	if (!rc)
		rc = find_receipts(&k, err);
	if (!rc)
		rc = write_steps(&k, err);
	lh_write_end(w);
	lh_write_end(w);
	for (i = 0; k.receipt && i < k.hits.n; i++) {
		lh_buf_free(&k.receipt[i].wrote);
		lh_buf_free(&k.receipt[i].newest);
	}
	free(k.receipt);
	free(k.hits.hit);
	return rc < 0 ? -1 : 0;
}

/* ---- the decisions that name an id, or were made for a request ---- */

#define LONGEST ((size_t)256 << 20)

struct search {
	struct lh_lineage *l;
	struct lh_str operand;
	bool subject;		/* it is the id of a subject and nothing else */
	const char *shown;	/* the path of the log in answers */
	uint64_t line, asked;	/* asked: the line that the operand names; 0: none */
	struct lh_buf text;
	/* the newest steps: step[found % n] is the oldest if more were found */
	char **step;
	size_t n, cap;
	uint64_t found;
};

/* Return the line of this log that an operand FILE:LINE names, or 0. */
static uint64_t line_of(const struct search *s, const char *path)
{
	uint64_t line;
	const char *end = s->subject ? NULL : lh_operand_line(s->operand, &line);
	const char *from = s->operand.p;

	return end && lh_str_is((struct lh_str){ from, (size_t)(end - from) }, path, strlen(path))
		? line : 0;
}

/* Return whether a member of an object, a string, is the operand. */
static bool has(const struct search *s, const struct lh_value *object, const char *name)
{
	struct lh_value v;

	return lh_value_get(object, name, &v) && v.type == LH_STRING &&
	       lh_value_is(&v, s->operand.p, s->operand.n);
}

static bool names_id(const struct search *s, const struct lh_value *ids)
{
	struct lh_iter it;

	if (!ids->p)
		return false;
	for (lh_iter_init(&it, ids); lh_iter_next(&it); )
		if (it.val.type == LH_OBJECT &&
		    (has(s, &it.val, "id") ||
		     (!s->subject && (has(s, &it.val, "boosted_by") ||
				      has(s, &it.val, "injected_by")))))
			return true;
	return false;
}

/* Return whether the decision in l->rec is one that is asked for. */
static bool is_asked(const struct search *s, const struct lh_decision_row *row)
{
	const struct lh_value *entry = lh_record_get(&s->l->rec, "entry");

	if (s->line == s->asked || names_id(s, &row->ids))
		return true;
	return !s->subject &&
	       (lh_str_is(row->trace, s->operand.p, s->operand.n) ||
		(entry && entry->type == LH_STRING &&
		 lh_value_is(entry, s->operand.p, s->operand.n)));
}

/* Make the step of the decision in l->rec in s->text. */
static void write_step(struct search *s)
{
	static const char *const members[] = { "ts", "tool", "verdict", "trace_id", "rules",
					       "playbook", "indexes", "text" };
	struct lh_record *rec = &s->l->rec;
	const struct lh_value *v;
	struct lh_writer w;
	size_t i;

	lh_buf_reset(&s->text);
	w = lh_write_to(&s->text);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "step", "decision");
	lh_write_bytes(&w, "file", s->shown);
	lh_write_u64(&w, "line", s->line);
	for (i = 0; i < sizeof members / sizeof *members; i++) {
		v = lh_record_get(rec, members[i]);
		if (v && v->type != LH_NULL)
			lh_lineage_member(&w, rec, members[i]);
	}
	if (s->l->how.records)
		lh_lineage_record(s->l, &w);
	lh_write_end(&w);
}

/* Keep the step in s->text, in place of the oldest if there are enough. */
static void keep(struct search *s)
{
	char **to;

	if (s->n < s->l->how.most) {
		lh_grow(&s->step, &s->cap, s->n + 1, sizeof *s->step);
		to = &s->step[s->n++];
	} else {
		to = &s->step[s->found % s->n];
		free(*to);
	}
	*to = lh_strndup(s->text.p, s->text.len);
	s->found++;
}

/* Take a line of the log: a row without escapes that does not have the bytes of the operand
 * does not name it. */
static int take(struct search *s, const struct lh_log_line *line, struct lh_err *err)
{
	struct lh_decision_row row;

	if (!line->p || (s->line != s->asked && !memchr(line->p, '\\', line->n) &&
			 !memmem(line->p, line->n, s->operand.p, s->operand.n)))
		return 0;
	lh_buf_reset(&s->text);
	if (lh_record_parse(&s->l->rec, line->p, line->n, err) < 0 ||
	    lh_decision_read(&s->l->rec, &row, &s->text, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	if (!is_asked(s, &row))
		return 0;
	write_step(s);
	keep(s);
	return 0;
}

/* Search a log; absent: it need not exist. */
static int search_log(struct search *s, const char *path, const char *shown, bool absent,
		      struct lh_err *err)
{
	struct lh_log_lines lines;
	struct lh_log_line line;
	int fd = lh_open_regular(path, O_RDONLY, 0, err), rc;

	if (fd < 0)
		return absent && errno == ENOENT ? 0 : -1;
	s->shown = shown;
	s->line = 0;
	s->asked = line_of(s, shown);
	if (!s->asked)
		s->asked = line_of(s, path);
	lh_log_lines_open(&lines, fd, path, 0, LONGEST);
	while ((rc = lh_log_lines_next(&lines, &line, err)) > 0) {
		s->line++;
		if (take(s, &line, err) < 0) {
			rc = -1;
			break;
		}
	}
	s->l->decisions.files++;
	s->l->decisions.rows += s->line;
	lh_log_lines_close(&lines);
	close(fd);
	return rc;
}

static int search_logs(struct search *s, struct lh_err *err)
{
	const struct lh_list *logs = s->l->how.decisions;
	LH_SCOPED(lh_free_local) char *path = NULL;
	size_t i;
	int rc = 0;

	for (i = 0; logs && i < logs->n && !rc; i++)
		rc = search_log(s, logs->v[i], logs->v[i], false, err);
	if (logs && logs->n)
		return rc;
	path = lh_root_join(s->l->root, LH_DECISIONS_LOG);
	rc = search_log(s, path, LH_DECISIONS_LOG, true, err);
	return rc < 0 && err->code == LH_EIO ? lh_lineage_left_out(s->l, err) : rc;
}

int lh_lineage_decisions(struct lh_lineage *l, struct lh_writer *w, struct lh_str operand,
			 bool subject, struct lh_err *err)
{
	struct search s = { .l = l, .operand = operand, .subject = subject };
	size_t i, first;
	int rc;

	l->decisions.files = l->decisions.rows = 0;
	rc = operand.n ? search_logs(&s, err) : 0;
	first = s.found > s.n ? s.found % s.n : 0;
	if (!rc && s.n) {
		lh_write_object(w, NULL);
		lh_write_text(w, "step", "decisions");
		lh_write_u64(w, "rows", s.found);
		if (s.found > s.n)
			lh_write_u64(w, "more", s.found - s.n);
		lh_write_array(w, "steps");
		for (i = 0; i < s.n; i++)
			lh_write_raw(w, NULL, lh_str_of(s.step[(first + i) % s.n]));
		lh_write_end(w);
		lh_write_end(w);
		rc = 1;
	}
	for (i = 0; i < s.n; i++)
		free(s.step[i]);
	free(s.step);
	lh_buf_free(&s.text);
	return rc;
}
