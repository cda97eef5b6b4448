/* commands.c - lh-playbook record, list, export and remove.  See playbook.h. */
#include "base/signal.h"
#include "index/index_tools.h"
#include "json/bind.h"
#include "json/write.h"
#include "playbook.h"
#include "text/escape.h"

/* Run the input files after PLAYBOOK through a flow. */
static int playbook_flow(struct lh_tool *tool, struct lh_flow *flow)
{
	flow->files = tool->operands + 1;
	flow->n_files = tool->n_operands - 1;
	if (lh_records_run(tool, flow) < 0)
		return -1;
	return lh_stopping() ? lh_err_set(&tool->err, LH_EINTR, "interrupted") : 0;
}

struct run {
	struct recorder r;
	struct answers answers;
	struct lh_record entry;		/* made of a hit */
	struct lh_buf line, strings;	/* of it */
	uint64_t next, recorded;	/* entries answered; entries stored */
	struct lh_buf rows;		/* decisions since the last output, ended by LF */
};

/* ---- hits ---- */

struct hit {
	struct lh_str query, id, corpus;
};
static const struct lh_bind hit_members[] = {
	{ LH_BIND_STRING("query_text|query", struct hit, query), .required = true },
	{ LH_BIND_STRING("id", struct hit, id), .required = true },
	{ LH_BIND_STRING("corpus", struct hit, corpus), .required = true },
	LH_BIND_END
};

/* Return whether a record is a line of lh-search --flat, and not an entry. */
static bool is_hit(const struct lh_record *rec)
{
	return lh_record_get(rec, "rank") && lh_record_get(rec, "distance") &&
	       !lh_record_get(rec, "answer_id");
}

/* Make run->entry of a hit: an answer that was as good as can be.  Its score, of --hybrid, says
 * how it ranked. */
static int entry_of_hit(struct run *run, const struct lh_record *rec, struct lh_err *err)
{
	static const char *const drop[] = { "query_text", "query", "rank", "id", "distance",
		"score", "corpus", "metadata", "playbook", "partial", "truncated", "skipped" };
	struct hit hit;
	struct lh_writer w;

	if (lh_bind(hit_members, rec, &hit, &run->strings, err) < 0)
		return -1;
	lh_buf_reset(&run->line);
	w = lh_write_record(&run->line, rec, drop, sizeof drop / sizeof *drop);
	lh_write_str(&w, "query_text", hit.query);
	lh_write_str(&w, "answer_id", hit.id);
	lh_write_str(&w, "answer_corpus", hit.corpus);
	lh_write_u64(&w, "score", 1);
	lh_write_end(&w);
	return lh_record_parse(&run->entry, run->line.p, run->line.len, err);
}

/* ---- entries ---- */

static int on_record(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct run *run = arg;
	struct recorder *r = &run->r;
	char id[LH_PLAYBOOK_ID_LEN];
	struct lh_writer w = lh_write_to(out);

	if (recorder_fold(r, err) < 0)
		return -1;
	if (is_hit(rec)) {
		if (entry_of_hit(run, rec, err) < 0)
			return -1;
		rec = &run->entry;
	}
	if (recorder_put(r, rec, id, err) < 0)
		return -1;
	lh_write_object(&w, NULL);
	lh_write_u64(&w, "index", run->next++);
	lh_write_str(&w, "playbook_id", (struct lh_str){ id, sizeof id });
	lh_sought_write(&run->answers.sought, &w);
	lh_write_end(&w);
	run->recorded++;
	if (r->decisions) {
		lh_buf_add(&run->rows, r->row.p, r->row.len);
		lh_buf_putc(&run->rows, '\n');
	}
	return recorder_has_much(r) ? recorder_commit(r, err) : 0;
}

static void refusal(const struct lh_rejection *of, const struct lh_record *rec, struct lh_buf *out,
		    void *arg)
{
	struct run *run = arg;
	struct lh_writer w = lh_write_to(out);

	(void)rec;
	lh_write_object(&w, NULL);
	lh_write_u64(&w, "index", run->next++);
	lh_write_key(&w, "error");
	lh_escape_json(out, of->why);
	lh_write_u64(&w, "code", of->status);
	lh_write_end(&w);
}

/* Append the rows of entries that are recorded. */
static int write_rows(struct run *run, struct lh_err *err)
{
	struct lh_str rest = { run->rows.p, run->rows.len }, line;

	while (lh_next_line(&rest, &line))
		if (lh_decision_append(run->r.decisions, line.p, line.n, false, err) < 0)
			return -1;
	lh_buf_reset(&run->rows);
	return lh_decisions_sync(run->r.decisions, err);
}

/* Entries are answered when they, and the decisions about them, are on disk. */
static int before_output(void *arg, struct lh_err *err)
{
	struct run *run = arg;

	if (recorder_commit(&run->r, err) < 0)
		return -1;
	return run->r.decisions ? write_rows(run, err) : 0;
}

int playbook_record(struct lh_tool *tool, void *settings)
{
	static const char *const drop[] = { "playbook_id", "least" };
	struct run run = { .r = { .tool = tool,
				  .set = settings,
				  .path = tool->operands[0],
				  .jobs = (unsigned)tool->jobs,
				  .drop = drop,
				  .n_drop = 2 } };
	struct lh_flow flow = {
		.map = on_record, .instead = refusal, .before_output = before_output, .shared = &run
	};
	int rc;

	tool->jobs = 1;
	run.r.answers = &run.answers;
	rc = lh_decisions_open(&run.r.decisions, tool, &run.r.set->decisions);
	if (rc == 0)
		rc = recorder_start(&run.r, &tool->err);
	if (rc == 0)
		rc = playbook_flow(tool, &flow);
	if (rc == 0)
		rc = recorder_fold(&run.r, &tool->err);
	if (rc == 0)
		lh_tool_message(tool, "%llu recorded, %llu not", (unsigned long long)run.recorded,
				(unsigned long long)(run.next - run.recorded));
	recorder_close(&run.r);
	answers_free(&run.answers);
	lh_decisions_close(run.r.decisions);
	lh_buf_free(&run.rows);
	lh_buf_free(&run.line);
	lh_buf_free(&run.strings);
	lh_record_free(&run.entry);
	return rc;
}

/* ---- list and export ---- */

struct list {
	struct lh_tool *tool;
	bool with_id;
	struct lh_record rec;
	struct lh_buf entry, strings, line;
};

/* Rows of another index, or damaged ones, are not printed. */
static int read_entry(struct list *l, const struct lh_row *row, struct lh_err *err)
{
	struct lh_playbook_entry e;

	if (lh_playbook_read_row(row, &l->rec, &l->entry, &l->strings, &e, err) == 0)
		return 0;
	if (err->code != LH_EDATA)
		return -1;
	err->code = LH_ECORRUPT;
	return lh_err_prefix(err, "no entry");
}

static int print_row(struct list *l, const struct lh_row *row, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(&l->line);

	if (read_entry(l, row, err) < 0)
		return -1;
	lh_buf_reset(&l->line);
	if (l->with_id) {
		lh_write_object(&w, NULL);
		lh_write_str(&w, "playbook_id", row->id);
		lh_buf_putc(&l->line, ',');
		lh_buf_add(&l->line, l->rec.line + 1, l->rec.len - 1);
	} else {
		lh_buf_add(&l->line, l->rec.line, l->rec.len);
	}
	lh_buf_putc(&l->line, '\n');
	return 0;
}

static int print_all(struct list *l, const struct lh_index *ix)
{
	uint64_t i, at, n = lh_index_rows(ix);
	struct lh_err *err = &l->tool->err;
	struct lh_row row;
	int live;

	if (lh_index_check_order(ix, err) < 0)
		return lh_err_prefix(err, "%s", l->tool->operands[0]);
	for (i = 0; i < n && !lh_stopping(); i++) {
		live = lh_index_nth_row(ix, i, &at, &row, err);
		if (live < 0 || (live && print_row(l, &row, err) < 0))
			return lh_err_prefix(err, "%s: row %llu", l->tool->operands[0],
					     (unsigned long long)i);
		if (live && lh_tool_out(l->tool, l->line.p, l->line.len) < 0)
			return -1;
	}
	return lh_stopping() ? lh_err_set(err, LH_EINTR, "interrupted") : 0;
}

static int print(struct lh_tool *tool, bool with_id)
{
	struct lh_index *ix = lh_index_open(tool->operands[0], &tool->err);
	struct list l = { .tool = tool, .with_id = with_id };
	int rc;

	if (!ix)
		return -1;
	rc = print_all(&l, ix);
	lh_record_free(&l.rec);
	lh_buf_free(&l.entry);
	lh_buf_free(&l.strings);
	lh_buf_free(&l.line);
	lh_index_close(ix);
	return rc;
}

int playbook_list(struct lh_tool *tool, void *settings)
{
	(void)settings;
	return print(tool, true);
}

int playbook_export(struct lh_tool *tool, void *settings)
{
	(void)settings;
	return print(tool, false);
}

/* ---- remove ---- */

struct remover {
	struct lh_index_change *c;
	struct lh_buf strings;
};

struct named {
	struct lh_str id;
};
const struct lh_bind remove_members[] = {
	{ LH_BIND_STRING("playbook_id", struct named, id), .about = "if not of the entry itself" },
	LH_BIND_END
};

/* Read the output of record or list, or an entry as it was recorded. */
static int on_removal(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct remover *r = arg;
	struct lh_playbook_entry e;
	char made[LH_PLAYBOOK_ID_LEN];
	struct named named = { .id = { NULL, 0 } };

	(void)out;
	if (lh_bind(remove_members, rec, &named, &r->strings, err) < 0)
		return -1;
	if (named.id.p)
		return lh_index_change_delete(r->c, named.id.p, named.id.n, err);
	if (lh_playbook_read_key(rec, &r->strings, &e, err) < 0)
		return -1;
	lh_playbook_id(&e, made);
	return lh_index_change_delete(r->c, made, sizeof made, err);
}

static int drop_options(struct remover *r, const struct settings *s, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < s->id.n; i++)
		if (lh_index_change_delete(r->c, s->id.v[i], strlen(s->id.v[i]), err) < 0) {
			if (err->code == LH_EDATA)
				err->code = LH_EUSAGE;
			return lh_err_prefix(err, "--id");
		}
	return 0;
}

static int finish(struct remover *r, struct lh_tool *tool, unsigned jobs)
{
	const struct lh_index_tally *tally = lh_index_change_tally(r->c);
	bool fold;

	if (lh_index_change_commit(r->c, &fold, &tool->err) < 0)
		return -1;
	if (fold &&
	    lh_index_compact_unless_busy(tool->operands[0], jobs, tool->lock_timeout, &tool->err) <
		    0)
		return lh_err_prefix(&tool->err,
				     "the entries are removed, but the compaction failed");
	return lh_tool_out_counts(tool, (const char *const[]){ "removed", "unknown" },
				  (uint64_t[]){ tally->deleted, tally->unknown }, 2);
}

int playbook_remove(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	unsigned jobs = (unsigned)tool->jobs;
	struct remover r = { .c = NULL };
	struct lh_flow flow = { .map = on_removal, .shared = &r };
	int rc;

	tool->jobs = 1;
	r.c = lh_index_change_open(tool->operands[0], tool->lock_timeout, &tool->err);
	rc = r.c ? lh_playbook_check(tool->operands[0], &tool->err) : -1;
	if (rc == 0)
		rc = drop_options(&r, s, &tool->err);
	if (rc == 0 && (!s->id.n || tool->n_operands > 1))
		rc = playbook_flow(tool, &flow);
	if (rc == 0)
		rc = finish(&r, tool, jobs);
	lh_index_change_close(r.c);
	lh_buf_free(&r.strings);
	return rc;
}
