/* markdown.c - a run's summary for people. */
#include "distill.h"

static void put_cell(struct lh_buf *b, uint64_t n)
{
	lh_buf_puts(b, " | ");
	lh_buf_u64(b, n);
}

static void put_row(struct lh_buf *b, const char *name, const struct lh_stage_result *r,
		    uint64_t ms)
{
	lh_buf_printf(b, "| %s", name);
	put_cell(b, r->records_in);
	put_cell(b, r->records_out);
	put_cell(b, r->accepted);
	put_cell(b, r->rejected);
	put_cell(b, r->quarantined);
	put_cell(b, r->skipped);
	lh_buf_puts(b, r->passed ? " | yes" : " | **no**");
	put_cell(b, ms);
	lh_buf_puts(b, " |\n");
}

/* Append the texts of a list of JSON strings, one per line; escapes stay, so that a
 * text cannot begin a line of its own. */
static bool put_texts(struct lh_buf *b, const char *stage, const char *kind,
		      const struct lh_buf *list)
{
	const char *p = list->p, *end = p + list->len, *from;

	while (list->len && p < end) {
		for (from = ++p; *p != '"'; p++)
			p += *p == '\\';
		lh_buf_printf(b, "- %s: %s: ", stage, kind);
		lh_buf_add(b, from, (size_t)(p - from));
		lh_buf_putc(b, '\n');
		p += 2;		/* the quote, and the comma */
	}
	return list->len;
}

void markdown_print(struct lh_buf *b, const struct whole *w)
{
	static const struct { enum lh_stage stage; const char *what, *where; } of[] = {
		{ LH_STAGE_RAG, "retrieval samples", "rag/playbooks.jsonl" },
		{ LH_STAGE_SFT, "fine-tuning samples", "sft/instruction_response.jsonl" },
		{ LH_STAGE_PREFERENCE, "preference pairs", "preference/chosen_rejected.jsonl" },
	};
	const struct lh_summary *s = &w->summary;
	struct lh_stage_result total;
	size_t i;
	bool any = false;

	lh_buf_printf(b, "# Distillation run %s: %s\n\n", s->run_id,
		      s->passed ? "passed" : "NOT passed");
	lh_buf_printf(b, "- started %s, ended %s\n", s->started_at, s->ended_at);
	lh_buf_printf(b, "- recorded at %s\n- commit `%s`%s\n- run hash `%s`\n",
		      w->run->recorded_at, s->git_commit,
		      w->run->no_git ? " (there is none)" : "", s->run_hash);
	if (w->prior)
		lh_buf_printf(b, "- drift: %s, against run %s (drift.json)\n\n## Stages\n\n",
			      w->severity, w->prior);
	else
		lh_buf_puts(b, "- drift: none, this is the first run\n\n## Stages\n\n");
	lh_buf_puts(b,
		    "| stage | in | out | accepted | rejected | quarantined | skipped | passed | "
		    "ms |\n"
		       "|---|---:|---:|---:|---:|---:|---:|:---:|---:|\n");
	for (i = 0; i < LH_STAGES; i++)
		put_row(b, lh_stage_name((enum lh_stage)i), &s->stage[i], s->stage[i].duration_ms);
	lh_summary_total(s, &total);
	put_row(b, "total", &total, s->duration_ms);
	lh_buf_puts(b, "\n## Samples\n\n");
	for (i = 0; i < sizeof of / sizeof *of; i++)
		lh_buf_printf(b, "- %llu %s in `%s/%s`\n",
			      (unsigned long long)s->stage[of[i].stage].accepted, of[i].what,
			      LH_ROOT_EXPORTS, of[i].where);
	lh_buf_puts(b, "\n## Errors and warnings\n\n");
	for (i = 0; i < LH_STAGES; i++) {
		const struct lh_stage_result *r = &s->stage[i];

		any |= put_texts(b, lh_stage_name(r->stage), "error", &r->errors);
		any |= put_texts(b, lh_stage_name(r->stage), "warning", &r->warnings);
	}
	if (!any)
		lh_buf_puts(b, "none\n");
}
