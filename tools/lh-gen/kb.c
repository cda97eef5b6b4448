/* kb.c - lh-gen kb: the rows of each stream, and their files.  See gen.h. */
#include "gen.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/signal.h"
#include "distill/root.h"
#include "file/file.h"

/* ---- faults ---- */

#define DEEP 512	/* arrays; with the row around them one more than the parser accepts */

/* Insert n bytes of text after the brace that the row starts with. */
static void put_first(struct lh_buf *out, size_t start, const char *text, size_t n)
{
	size_t rest = out->len - start - 1;

	lh_buf_room(out, n);
	memmove(out->p + start + 1 + n, out->p + start + 1, rest);
	memcpy(out->p + start + 1, text, n);
	lh_buf_took(out, n);
}

#define PUT_FIRST(text) put_first(row->out, start, text, sizeof(text) - 1)

/* Apply the row's fault to the finished row, which starts at out->p + start. */
static void kb_spoil(struct kb_row *row, size_t start)
{
	struct lh_buf *out = row->out;
	struct lh_writer json;

	switch (row->fault) {
	case KB_CUT:
		out->len = start + 1 + kb_pick(row, (unsigned)(out->len - start - 1));
		break;
	case KB_LIST:
		put_first(out, start, "{", 1);
		out->p[start] = '[';
		lh_buf_putc(out, ']');
		break;
	case KB_REPEAT:
		PUT_FIRST(LH_JSON("fault":1,"\u0066ault":2,));
		break;
	case KB_HUGE:
		PUT_FIRST(LH_JSON("fault":-1e400,));
		break;
	case KB_LONE:
		PUT_FIRST(LH_JSON("fault":"\ud83d!",));
		break;
	case KB_BYTES:
		PUT_FIRST(LH_JSON("fault":) "\"\xc3\x28\",");
		break;
	case KB_DEEP:
		json = lh_write_in_object(out);
		out->len--;
		lh_write_key(&json, "fault");
		for (int i = 0; i < DEEP; i++)
			lh_buf_putc(out, '[');
		for (int i = 0; i < DEEP; i++)
			lh_buf_putc(out, ']');
		lh_buf_putc(out, '}');
		break;
	default:
		break;
	}
}

/* ---- rows and their categories ---- */

/* A maker returns one of these. */
static const char accepted[] = "accepted", partial[] = "partially_accepted",
	rejected[] = "rejected", human[] = "needs_human_review";

static void put_distilled(struct kb_row *row, unsigned sentences)
{
	kb_identity(row, "run_id", kb_name(row, "distill-", kb_pick(row, kb_subjects(row, 5, 60))));
	kb_time(row, "created_at");
	kb_text(row, "extractor", kb_model(row));
	kb_text(row, "verifier", kb_model(row));
	if (kb_one_in(row, 2))
		kb_text(row, "categorizer", kb_model(row));
	kb_json(row, "confidence", kb_one_in(row, 2) ? "0.90" : "7.5e-1");
	kb_body(row, "text", kb_remarks(row, sentences));
}

static const char *make_fact(struct kb_row *row)
{
	put_distilled(row, 1 + kb_pick(row, 2));
	kb_number(row, "fact_no", row->i);
	return human;
}

static const char *make_procedure(struct kb_row *row)
{
	put_distilled(row, 3 + kb_pick(row, 3));
	kb_number(row, "procedure_no", row->i);
	return human;
}

static const char *make_config_hint(struct kb_row *row)
{
	put_distilled(row, 1);
	kb_number(row, "hint_no", row->i);
	return human;
}

static void put_context(struct kb_row *row)
{
	static const char *const corpora[] = { "workers_500k_v8", "chicago_permits_v1",
					       "entity_brief_v1", "lakehouse_arch_v1",
					       "lakehouse_symbols_v1" };
	unsigned first = kb_pick(row, 5), n = 1 + kb_pick(row, 3);

	kb_json(row, "retrieved_context", "{");
	row->first = true;
	kb_list(row, "matrix_corpora");
	for (unsigned i = 0; i < n; i++)
		kb_item(row, corpora[(first + i) % 5]);
	kb_list_end(row);
	kb_number(row, "matrix_hits", n * kb_pick(row, 6));
	if (kb_one_in(row, 3)) {
		kb_list(row, "pathway_fingerprints");
		kb_item(row, kb_name(row, "fp-", 10000 + kb_pick(row, 90000)));
		kb_list_end(row);
	}
	lh_buf_putc(row->out, '}');
}

/* A failure decides, whatever the verdict next to it. */
static const char *make_contract(struct kb_row *row)
{
	static const char *const failures[] = { "contractor_unknown", "hallucinated_worker",
						"count_mismatch", "model_timeout" };
	unsigned roll = kb_pick(row, 100);
	unsigned failed = kb_one_in(row, 7) ? 1 + kb_pick(row, 2) : 0;
	bool spoken = roll < 84;
	const char *verdict = roll < 48 ? "accept" : roll < 66 ? "reject" : "cycle";

	kb_identity(row, "permit_id", kb_name(row, "1007",
					      10000 + kb_pick(row, kb_subjects(row, 6, 60))));
	kb_time(row, "ts");
	kb_text(row, "contractor", gen_clients[kb_pick(row, gen_n_clients)]);
	if (spoken)
		kb_text(row, "observer_verdict", verdict);
	else if (kb_one_in(row, 2))
		kb_json(row, "observer_verdict", "null");
	kb_list(row, "observer_notes");
	if (spoken)
		kb_item(row, kb_remarks(row, 1));
	kb_list_end(row);
	if (failed || kb_one_in(row, 2)) {
		kb_list(row, "failure_markers");
		for (unsigned i = 0; i < failed; i++)
			kb_item(row, KB_ONE_OF(row, failures));
		kb_list_end(row);
	}
	put_context(row);
	kb_json(row, "cost_usd", kb_name(row, "0.0", 10 + kb_pick(row, 90)));
	kb_number(row, "duration_ms", 800 + kb_pick(row, 90000));
	kb_body(row, "analysis", kb_demand(row, 2 + kb_pick(row, 4)));
	if (failed)
		return rejected;
	return !spoken ? human : *verdict == 'a' ? accepted : *verdict == 'r' ? rejected : partial;
}

/* Without an answer: no text, an empty one, or white space. */
static const char *make_experiment(struct kb_row *row)
{
	static const char *const classes[] = { "scrum_review", "pr_audit", "contract_analysis",
					       "fact_extract", "doc_drift_check" };
	static const char *const modes[] = { "codereview_lakehouse", "codereview_null",
					     "codereview_isolation", "codereview_matrix_only",
					     "staffing_inference" };
	static const char *const blank[] = { "", " ", "\n\n", "\t \n" };
	bool answered = !kb_one_in(row, 9), slow = kb_one_in(row, 11);

	kb_time(row, "ts");
	kb_text(row, "task_class", KB_ONE_OF(row, classes));
	kb_text(row, "mode", KB_ONE_OF(row, modes));
	kb_text(row, "model", kb_model(row));
	kb_file(row);
	if (kb_one_in(row, 2))
		put_context(row);
	kb_json(row, "temperature", kb_one_in(row, 2) ? "0.20" : "1E-1");
	if (answered)
		kb_body(row, "response", kb_remarks(row, 2 + kb_pick(row, 5)));
	else if (!kb_one_in(row, 4) || row->fault == KB_ODD_KIND)
		kb_body(row, "response", KB_ONE_OF(row, blank));
	kb_number(row, "latency_ms", slow ? 120001 + kb_pick(row, 200000) : kb_one_in(row, 20)
		  ? 120000 : 900 + kb_pick(row, 60000));
	kb_number(row, "prompt_tokens", 500 + kb_pick(row, 9000));
	kb_number(row, "completion_tokens", kb_pick(row, 2000));
	return !answered ? rejected : slow ? partial : human;
}

static const char *make_scrum(struct kb_row *row)
{
	unsigned roll = kb_pick(row, 100), where = kb_pick(row, 8);
	unsigned attempt = roll < 52 ? 1 : roll < 67 ? 2 : roll < 76 ? 3 : roll < 84
		? 4 + kb_pick(row, 6) : 0;
	bool split = kb_one_in(row, 5);
	const char *text;

	kb_file(row);
	kb_time(row, "reviewed_at");
	kb_text(row, "accepted_model", kb_model(row));
	if (attempt)
		kb_number(row, "accepted_on_attempt", attempt);
	else if (kb_one_in(row, 2))
		kb_json(row, "accepted_on_attempt", "null");
	if (split || kb_one_in(row, 2))
		kb_json(row, "tree_split_fired", split ? "true" : "false");
	kb_number(row, "suggestions_count", kb_pick(row, 12));
	if (where == 0)
		kb_text(row, "suggestions_preview", "");
	text = kb_remarks(row, split ? 8 + kb_pick(row, 8) : 2 + kb_pick(row, 4));
	kb_body(row, where < 2 ? "text" : "suggestions_preview", text);
	return attempt == 1 ? accepted : attempt ? partial : human;
}

static const char *make_escalation(struct kb_row *row)
{
	static const char *const triggers[] = { "signal_cluster", "repeat_failure", "cost_spike",
						"verdict_cycle" };

	kb_time(row, "ts");
	kb_text(row, "trigger", KB_ONE_OF(row, triggers));
	kb_text(row, "model", kb_model(row));
	kb_number(row, "prompt_tokens", 900 + kb_pick(row, 4000));
	kb_number(row, "completion_tokens", 100 + kb_pick(row, 900));
	kb_body(row, "analysis", kb_remarks(row, 2 + kb_pick(row, 4)));
	return human;
}

static void put_things(struct kb_row *row, const char *name)
{
	unsigned n = kb_pick(row, 6);

	kb_list(row, name);
	for (unsigned i = 0; i < n; i++)
		kb_item(row, kb_name(row, i % 2 ? "Fn:" : "File:", kb_pick(row, 500)));
	kb_list_end(row);
}

static const char *make_audit_fact(struct kb_row *row)
{
	bool old = kb_one_in(row, 4);
	unsigned pr = 1 + kb_pick(row, kb_subjects(row, 12, 70));

	kb_identity(row, "llm_team_run_id", kb_name(row, "team-run-", row->i));
	if (row->fault == KB_NO_IDENTITY)
		kb_json(row, "pr_number", "null");
	else
		kb_number(row, "pr_number", pr);
	kb_time(row, old ? "ts" : "extracted_at");
	kb_text(row, "source", old ? "audit_prose" : "llm_team");
	if (kb_one_in(row, 6))
		kb_body(row, "facts", kb_remarks(row, 2));
	else
		kb_body_list(row, "facts", kb_pick(row, 5));
	put_things(row, "entities");
	if (!old)
		put_things(row, "relationships");
	return human;
}

static const char *make_application(struct kb_row *row)
{
	static const char *const reverts[] = { "build_red_reverted", "build_red_reverted",
					       "test_red_reverted", "warnings_reverted" };
	static const char *const others[] = { "no_patches", "dry_run", "rejected_by_hand",
					      "build_red" };
	unsigned roll = kb_pick(row, 100);

	/* a time is optional, so only a wrong one is a fault */
	if (row->fault == KB_NO_TIME)
		row->fault = KB_NO_SUCH_TIME;
	kb_file(row);
	if (row->fault == KB_NO_SUCH_TIME || !kb_one_in(row, 6))
		kb_time(row, "ts");
	kb_number(row, "patch_no", row->i);
	if (roll < 94 || row->fault == KB_ODD_KIND)
		kb_body(row, "action", roll < 55 ? "committed" : roll < 77
			? KB_ONE_OF(row, reverts) : KB_ONE_OF(row, others));
	return roll < 55 ? accepted : roll < 77 ? rejected : human;
}

static const char *make_observation(struct kb_row *row)
{
	unsigned roll = kb_pick(row, 100), form = kb_pick(row, 6);
	const char *verdict = roll < 50 ? "accept" : roll < 74 ? "reject" : roll < 88 ? "cycle"
		: NULL;

	kb_time(row, "ts");
	kb_file(row);
	if (verdict)
		kb_text(row, "verdict", verdict);
	if (kb_one_in(row, 3))
		kb_json(row, "confidence", kb_name(row, "", kb_pick(row, 101)));
	else
		kb_json(row, "confidence", kb_name(row, "87.", kb_pick(row, 100)));
	kb_number(row, "attempt", 1 + kb_pick(row, 4));
	if (form < 4) {
		kb_body_list(row, "notes", 1 + kb_pick(row, 4));
	} else if (form == 4) {
		kb_body(row, "notes", kb_remarks(row, 1 + kb_pick(row, 3)));
	} else {
		kb_list(row, "notes");
		kb_list_end(row);
		kb_body(row, "review", kb_remarks(row, 2 + kb_pick(row, 3)));
	}
	return !verdict ? human : *verdict == 'a' ? accepted : *verdict == 'r' ? rejected : partial;
}

/* Severities without agreement are for people to decide. */
static const char *make_finding(struct kb_row *row)
{
	static const struct {
		const char *name, *category;
		unsigned below;	/* of 100 */
	} severities[] = {
		{ "info", accepted, 30 }, { "low", accepted, 55 }, { "medium", partial, 75 },
		{ "high", rejected, 87 },
		{ "critical", rejected, 92 }, { "unknown", human, 96 }, { NULL, human, 100 },
	};
	unsigned roll = kb_pick(row, 100), s = 0, form = kb_pick(row, 6);
	unsigned phase = 1 + kb_pick(row, kb_subjects(row, 8, 120));

	while (roll >= severities[s].below)
		s++;
	kb_identity(row, "finding_id", kb_name(row, "F-", row->i + 1));
	if (kb_one_in(row, 3))
		kb_number(row, "phase", phase);
	else
		kb_text(row, "phase", kb_name(row, "", phase));
	kb_time(row, "ts");
	if (severities[s].name)
		kb_text(row, "severity", severities[s].name);
	kb_text(row, "topic", kb_remarks(row, 1));
	if (form == 0 && row->fault != KB_ODD_KIND)
		kb_text(row, "evidence", "");
	else if (form != 1 || row->fault == KB_ODD_KIND)
		kb_body(row, "evidence", kb_remarks(row, 1 + kb_pick(row, 4)));
	if (kb_one_in(row, 2))
		kb_text(row, "resolution", kb_one_in(row, 3) ? "wontfix" : "fixed");
	return severities[s].category;
}

/* A gap decides, whatever went well. */
static const char *make_outcome(struct kb_row *row)
{
	unsigned total = kb_one_in(row, 20) ? 0 : 1 + kb_pick(row, 12),
		gaps = kb_one_in(row, 4) ? 1 + kb_pick(row, 3) : 0;
	unsigned ok = total && kb_one_in(row, 5) ? total - 1 : total;

	if (!kb_one_in(row, 4))
		kb_text(row, "run_id", kb_name(row, "scenario-", row->i));
	kb_time(row, "created_at");
	kb_json(row, "ok", kb_name(row, "", ok));
	if (row->fault == KB_ODD_KIND || row->fault == KB_NO_IDENTITY)
		kb_json(row, "total", "\"12\"");
	else
		kb_number(row, "total", total);
	if (kb_one_in(row, 2)) {
		kb_list(row, "gap_signals");
		for (unsigned i = 0; i < gaps; i++)
			kb_item(row, kb_name(row, "gap-", i + 1));
		kb_list_end(row);
	} else if (gaps || kb_one_in(row, 2)) {
		kb_number(row, "gap_signals", gaps);
	}
	kb_json(row, "elapsed_secs", kb_name(row, "1", kb_pick(row, 900)));
	kb_json(row, "totals", LH_JSON({"z": -0.0, "a": [1.50, 2e3, 1e-7], "\u00e4": null}));
	kb_number(row, "event_no", row->i);
	return gaps ? partial : total && ok == total ? accepted : human;
}

/* The services that write these streams are in Python or in Rust. */
static const struct {
	const char *(*make)(struct kb_row *row);
	bool spaced;
} streams[LH_STREAMS] = {
	[LH_DISTILLED_FACTS] = { make_fact, true },
	[LH_DISTILLED_PROCEDURES] = { make_procedure, true },
	[LH_DISTILLED_CONFIG_HINTS] = { make_config_hint, true },
	[LH_CONTRACT_ANALYSES] = { make_contract, false },
	[LH_MODE_EXPERIMENTS] = { make_experiment, false },
	[LH_SCRUM_REVIEWS] = { make_scrum, false },
	[LH_OBSERVER_ESCALATIONS] = { make_escalation, false },
	[LH_AUDIT_FACTS] = { make_audit_fact, true },
	[LH_AUTO_APPLY] = { make_application, false },
	[LH_OBSERVER_REVIEWS] = { make_observation, false },
	[LH_AUDITS] = { make_finding, false },
	[LH_OUTCOMES] = { make_outcome, true },
};

/* Append a row of the stream with its LF; return the category that its evidence gets. */
static const char *kb_make(struct kb_row *row, enum lh_stream stream)
{
	size_t start = row->out->len;
	const char *category;

	row->spaced = streams[stream].spaced;
	row->first = true;
	kb_subject(row);
	/* escalations have no identity but their hash */
	if (stream == LH_OBSERVER_ESCALATIONS && row->fault == KB_NO_IDENTITY)
		row->fault = KB_NO_TIME;
	lh_buf_putc(row->out, '{');
	category = streams[stream].make(row);
	lh_buf_putc(row->out, '}');
	if (row->fault != KB_SOUND)
		kb_spoil(row, start);
	lh_buf_putc(row->out, '\n');
	return row->fault == KB_SOUND ? category : "skipped";
}

/* ---- files ---- */

#define BLOCK (256 << 10)
#define RECON "docs/recon/local-distillation-recon.md"
#define RECON_HEAD "# Sources of the local distillation\n\nMade-up rows, written by `lh-gen kb`"
#define RECON_AT LH_STREAMS
#define EXPECT_AT (LH_STREAMS + 1)
#define FILES (LH_STREAMS + 2)

/* Rows in a thousand. */
static const unsigned share[LH_STREAMS] = {
	[LH_DISTILLED_FACTS] = 90,
	[LH_DISTILLED_PROCEDURES] = 40,
	[LH_DISTILLED_CONFIG_HINTS] = 20,
	[LH_CONTRACT_ANALYSES] = 70,
	[LH_MODE_EXPERIMENTS] = 220,
	[LH_SCRUM_REVIEWS] = 170,
	[LH_OBSERVER_ESCALATIONS] = 40,
	[LH_AUDIT_FACTS] = 80,
	[LH_AUTO_APPLY] = 60,
	[LH_OBSERVER_REVIEWS] = 120,
	[LH_AUDITS] = 50,
	[LH_OUTCOMES] = 40,
};

/* A file that is written under a temporary name until all are complete. */
struct output {
	struct lh_atomic file;
	struct lh_buf buf;
	uint64_t lines, rows;
	bool wanted;
};

static const struct lh_made made_recon = { "a file of lh-gen kb", { RECON_HEAD }, NULL };
/* A stream does not say who made it: the description of the sources does. */
static const struct lh_made made_stream = { "a stream of lh-gen kb", { NULL }, NULL };

struct kb {
	struct lh_tool *tool;
	struct lh_root *root;
	struct output out[FILES];
	struct kb_row row;
	const struct kb_settings *how;
};

static int output_open(struct kb *kb, struct output *o, const char *relpath,
		       const struct lh_made *made, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(kb->root, relpath);
	int rc = lh_root_folders(kb->root, relpath, err);

	if (!rc && made)
		rc = lh_tool_replaces(kb->tool, path, made);
	if (!rc)
		rc = lh_atomic_open(&o->file, path, 0666, err);
	o->wanted = !rc;
	return rc;
}

static int kb_open(struct kb *kb, double lock_timeout, struct lh_err *err)
{
	const struct lh_made *made;
	const char *root = kb->how->root;
	struct stat st;

	for (int i = 0; i < FILES; i++) {
		kb->out[i].buf = (struct lh_buf){ 0 };
		kb->out[i].file = (struct lh_atomic){ .fd = -1, .slot = -1 };
	}
	kb->row.text = (struct lh_buf){ 0 };
	if (root && lh_own_mkdir(root, 0777, err) < 0)
		return -1;
	kb->root = lh_root_open(root, err);
	if (!kb->root || lh_root_lock(kb->root, lock_timeout, err) < 0)
		return -1;
	if (output_open(kb, &kb->out[RECON_AT], RECON, &made_recon, err) < 0)
		return -1;
	made = stat(kb->out[RECON_AT].file.path, &st) == 0 && st.st_size ? NULL : &made_stream;
	for (int s = 0; s < LH_STREAMS; s++)
		if (output_open(kb, &kb->out[s], lh_stream_source(s), made, err) < 0)
			return -1;
	if (!kb->how->expect)
		return 0;
	if (lh_atomic_open(&kb->out[EXPECT_AT].file, kb->how->expect, 0666, err) < 0)
		return -1;
	kb->out[EXPECT_AT].wanted = true;
	return 0;
}

static int output_flush(struct output *o, size_t above, struct lh_err *err)
{
	if (o->buf.len <= above)
		return 0;
	if (lh_atomic_write(&o->file, o->buf.p, o->buf.len, err) < 0)
		return -1;
	lh_buf_reset(&o->buf);
	return 0;
}

/* Choose the stream of a row; the first rows go to one stream each, so that none is
 * empty. */
static enum lh_stream choose_stream(struct kb_row *row)
{
	unsigned roll = kb_pick(row, 1000);
	int s = 0;

	if (row->i < LH_STREAMS)
		return (enum lh_stream)row->i;
	while (roll >= share[s])
		roll -= share[s++];
	return (enum lh_stream)s;
}

static int add_row(struct kb *kb, uint64_t i, struct lh_err *err)
{
	static const char *const blank[] = { "\n", "\r\n", " \t \n" };
	struct kb_row *row = &kb->row;
	struct output *expect = &kb->out[EXPECT_AT], *o;
	const char *category;
	enum lh_stream stream;

	row->r = gen_row(kb->how->seed, GEN_KB, i);
	row->i = i;
	stream = choose_stream(row);
	o = &kb->out[stream];
	row->out = &o->buf;
	row->fault = KB_SOUND;
	if (kb->how->dirty) {
		if (kb_one_in(row, 100)) {	/* a line without a row */
			lh_buf_puts(&o->buf, KB_ONE_OF(row, blank));
			o->lines++;
		}
		if (kb_one_in(row, 50))
			row->fault = (enum kb_fault)(1 + kb_pick(row, KB_FAULTS - 1));
	}
	category = kb_make(row, stream);
	if (expect->wanted) {
		/* Append the category that the evidence of a row must get. */
		uint64_t line = o->lines;
		struct lh_writer json = lh_write_to(&expect->buf);

		lh_write_object(&json, NULL);
		lh_write_text(&json, "source_file", lh_stream_source(stream));
		lh_write_u64(&json, "line_offset", line);
		lh_write_text(&json, "category", category);
		lh_write_end(&json);
		lh_buf_putc(&expect->buf, '\n');
	}
	o->lines++;
	o->rows++;
	if (output_flush(expect, BLOCK, err) < 0)
		return -1;
	return output_flush(o, BLOCK, err);
}

static int kb_commit(struct kb *kb, struct lh_err *err)
{
	struct lh_buf *b = &kb->out[RECON_AT].buf;

	lh_buf_puts(b, RECON_HEAD);
	lh_buf_printf(b, " with seed %ju%s.\n\n| source | rows |\n|---|---:|\n",
		      (uintmax_t)kb->how->seed,
		      kb->how->dirty ? ", some of them broken on purpose" : "");
	for (int s = 0; s < LH_STREAMS; s++)
		lh_buf_printf(b, "| `%s` | %ju |\n", lh_stream_source(s),
			      (uintmax_t)kb->out[s].rows);
	lh_buf_puts(b, "\nThe first eight are tier 1, the last four tier 2.\n");
	for (int i = 0; i < FILES; i++)
		if (kb->out[i].wanted && output_flush(&kb->out[i], 0, err) < 0)
			return -1;
	for (int i = 0; i < FILES; i++)
		if (kb->out[i].wanted && lh_atomic_commit(&kb->out[i].file, err) < 0)
			return -1;
	return 0;
}

int kb_run(struct lh_tool *tool, const struct kb_settings *s)
{
	LH_SCOPED(lh_free_local) struct kb *kb = lh_calloc(1, sizeof(*kb));
	int rc;

	kb->tool = tool;
	kb->how = s;
	rc = kb_open(kb, tool->lock_timeout, &tool->err);
	for (uint64_t i = 0; i < s->n && !rc; i++) {
		rc = add_row(kb, i, &tool->err);
		if (!rc && i % 4096 == 0) {
			lh_tool_progress(tool, i);
			if (lh_stopping())
				rc = lh_err_set(&tool->err, LH_EINTR, "interrupted");
		}
	}
	if (!rc)
		rc = kb_commit(kb, &tool->err);
	for (int i = 0; i < FILES; i++) {
		lh_atomic_close(&kb->out[i].file);
		lh_buf_free(&kb->out[i].buf);
	}
	lh_buf_free(&kb->row.text);
	lh_root_close(kb->root);
	return rc;
}
