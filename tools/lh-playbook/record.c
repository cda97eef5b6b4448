/* record.c - lh-playbook record: store entries, print their ids. */
#include "json/bind.h"
#include "json/write.h"
#include "recorder.h"
#include "text/escape.h"

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
