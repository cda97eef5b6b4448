/* check.c - the checks: what each looks at and means, and how a phase sets one.  See audit.h. */
#include "audit.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "audit/subject.h"

#define TEXT 1000	/* bytes of the text of one call */

#define RERUN "Run lh-distill run to its end, then audit again."
#define RESTORE \
	"Put back a copy of the file that the note names. Do not run lh-distill before that: " \
	"its receipts would be made for the file as it is now."
#define FIREWALL \
	"Train on nothing from this root. Find out how the row came in (lh-trace ID), and put " \
	"back a copy of the file from before that."

static const struct {
	int phase;
	const char *name;
	bool required, observed;	/* live, with --observer */
	struct check_words words;
} table[CHECKS] = {
	[CHECK_RECON] = { 0, "recon document present", true, true, {
		"the file " AUDIT_RECON,
		"The sources of this root are described.",
		"Write the document, or put it back."
	} },
	[CHECK_STREAMS] = { 0, "tier-1 streams present", false, false, {
		"the names of the first eight sources in data/_kb",
		"There is something to distill.",
		"Check that --root is the right folder, and that the sources are delivered."
	} },
	[CHECK_VALIDATORS] = { 1, "schema validators pass", true, false, {
		"known samples, valid and invalid, of each schema; no file of the root",
		"The rules that decide what a valid record is are those that were agreed.",
		"Do not trust the verdicts of this installation: install it again."
	} },
	[CHECK_SAMPLES] = { 1, "schema sample count ≥ 51", false, false, {
		"the number of those samples",
		"The rules are tried often enough.",
		"Add samples to the folder of --samples."
	} },
	[CHECK_DRY_RUN] = { 2, "materializer dry run completes", true, true, {
		"every row of the sources, of data/evidence and of the skips",
		"The sources can be read, and every row of evidence is whole.",
		"Mend the line that the note names. " RESTORE,
		"every row of data/evidence and of the skips; not the sources"
	} },
	[CHECK_TIER1] = { 2, "tier-1 hits in evidence", false, false, {
		"the number of rows of the first eight sources in data/evidence",
		"The best sources have become evidence.",
		"See why they are skipped: data/_kb/distillation_skips.jsonl."
	} },
	[CHECK_SCORED] = { 3, "scored distribution on disk", true, false, {
		"every row of data/scored-runs; the scores are not computed again",
		"Every score is one of the four, and there is accepted work.",
		"Compare the scores with the rules: lh-score --check-drift. " RESTORE
	} },
	[CHECK_SFT] = { 4, "no contaminated sft row", true, true, {
		"quality_score of every row of exports/sft",
		"Nothing that was rejected is in the samples for fine-tuning.",
		FIREWALL
	} },
	[CHECK_RAG] = { 4, "no rejected rag row", true, true, {
		"success_score and source_category of every row of exports/rag",
		"Nothing that was rejected is in the samples for retrieval.",
		FIREWALL
	} },
	[CHECK_SELF_PAIR] = { 4, "no preference self-pair", true, true, {
		"the run ids of every pair in exports/preference",
		"No pair compares a run with itself.",
		FIREWALL
	} },
	[CHECK_SAME_TEXT] = { 4, "no identical preference text", true, true, {
		"the texts of every pair in exports/preference",
		"No pair prefers a text to itself.",
		FIREWALL
	} },
	[CHECK_PROVENANCE] = { 4, "no missing provenance", true, true, {
		"provenance.sig_hash of every row of the three exports",
		"Every sample says from which row of a source it comes.",
		FIREWALL
	} },
	[CHECK_QUARANTINE] = { 4, "quarantine observable", false, false, {
		"the number of lines in exports/quarantine",
		"What was refused can be looked at.",
		"Nothing, if nothing was refused; else put the files back."
	} },
	[CHECK_FIVE] = { 5, "five stage receipts present", true, true, {
		"the names of the receipts of the newest run",
		"Every stage of that run has said what it did.",
		RERUN
	} },
	[CHECK_RECEIPTS] = { 5, "receipts valid", true, true, {
		"size and SHA-256 of every file that the newest receipts name: sources as far as "
		"they were read, evidence, skips, scored runs, exports, quarantine; and the "
		"receipts themselves, which are not signed",
		"No file was forged, cut, removed or added since its receipt was written.",
		"A file that has grown or that no receipt names may be of a run that was killed: "
		"run lh-distill run to its end. For a file that was cut, changed or is gone: "
		RESTORE
	} },
	[CHECK_SUMMARY] = { 5, "summary valid", true, true, {
		"summary.json of the newest run; not summary.md",
		"The sums of that run are those of its stages.",
		"Put back a copy of the summary that the note names; or: " RERUN
	} },
	[CHECK_RUN_HASH] = { 5, "run_hash is a sha256", true, true, {
		"run_hash in that summary",
		"It is the SHA-256 over what the five stages wrote.",
		"Put back a copy of the summary; or: " RERUN
	} },
	[CHECK_DRIFT] = { 5, "drift.json present", false, false, {
		"whether drift.json of the newest run parses; its numbers are not compared",
		"That run was compared with the one before.",
		RERUN
	} },
	[CHECK_ACCEPTANCE] = { 6, "acceptance 22/22", true, false, {
		"a small root made for it, distilled twice; no file of this root",
		"This installation distills as was agreed.",
		"Do not trust what this installation makes: install it again."
	} },
	[CHECK_REPLAYS] = { 7, "three dry-run replays pass", true, true, {
		"three tasks answered from exports/rag, without a model",
		"What was learned can be used.",
		"The note has the reason; see lh-replay.",
		"the last 50 rows of " AUDIT_REPLAYS "; nothing was replayed"
	} },
	[CHECK_GUARD] = { 7, "escalation guard holds", true, false, {
		"a task that may not leave the machine, with a model that does not answer",
		"No other model is asked then.",
		"Send nothing confidential to lh-replay until this passes."
	} },
	[CHECK_TAIL] = { 7, "replay log tail parses", false, false, {
		"the last 50 rows of " AUDIT_REPLAYS,
		"The log of replays can be read.",
		"Mend the row that the note names, or put back a copy."
	} },
};

const struct check_words *check_words(enum check_id id)
{
	return &table[id].words;
}

bool phase_asked(const struct settings *s, int phase)
{
	size_t i;

	for (i = 0; i < s->phase.n; i++)
		if (s->phase.v[i][0] == '0' + phase)
			break;
	return !s->phase.n || i < s->phase.n;
}

void checks_begin(struct audit *a)
{
	struct check *c;
	int i;

	for (i = 0; i < CHECKS; i++) {
		c = &a->check[i];
		c->phase = table[i].phase;
		c->name = table[i].name;
		c->required = a->s->observer ? table[i].observed : table[i].required;
		c->expected = (struct lh_buf){ 0 };
		c->actual = (struct lh_buf){ 0 };
		c->notes = (struct lh_buf){ 0 };
	}
}

/* Append text; bytes that are not UTF-8 become U+FFFD. */
static void put_text(struct lh_buf *b, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n = strlen(text), len;

	for (; n; p += len, n -= len) {
		len = *p < 0x80 ? 1 : lh_utf8_len(p, n);
		if (len) {
			lh_buf_add(b, p, len);
		} else {
			lh_buf_puts(b, "\xef\xbf\xbd");
			len = 1;
		}
	}
}

void check_set(struct audit *a, enum check_id id, bool passed, const char *expected,
	       const char *actual, ...)
{
	struct check *c = &a->check[id];
	char text[TEXT];
	va_list ap;

	va_start(ap, actual);
	vsnprintf(text, sizeof text, actual, ap);
	va_end(ap);
	lh_buf_reset(&c->expected);
	lh_buf_reset(&c->actual);
	put_text(&c->expected, expected);
	put_text(&c->actual, text);
	c->ran = true;
	c->passed = passed;
	c->skipped = false;
}

void check_note(struct audit *a, enum check_id id, const char *fmt, ...)
{
	struct check *c = &a->check[id];
	char text[TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (c->notes.len)
		lh_buf_puts(&c->notes, "; ");
	put_text(&c->notes, text);
}

void check_skip(struct audit *a, enum check_id id, const char *why)
{
	check_set(a, id, false, "", "skipped");
	check_note(a, id, "%s", why);
	a->check[id].skipped = true;
}

const char *check_reason(const struct audit *a, const struct lh_err *err)
{
	const char *root = lh_root_path(a->root);
	size_t n = strlen(root);

	return !strncmp(err->msg, root, n) && err->msg[n] == '/' ? err->msg + n + 1 : err->msg;
}

bool check_is_finding(const struct lh_err *err)
{
	return err->code != LH_EINTR;
}

void checks_end(struct audit *a)
{
	struct check *c;

	a->required_passed = a->required_total = a->checks_total = 0;
	for (c = a->check; c < a->check + CHECKS; c++) {
		a->checks_total += c->ran;
		if (c->ran && c->required && !c->skipped) {
			a->required_total++;
			a->required_passed += c->passed;
		}
	}
}

void checks_free(struct audit *a)
{
	struct check *c;

	for (c = a->check; c < a->check + CHECKS; c++) {
		lh_buf_free(&c->expected);
		lh_buf_free(&c->actual);
		lh_buf_free(&c->notes);
	}
}

const char *check_looked(const struct audit *a, enum check_id id)
{
	const struct check_words *w = &table[id].words;

	if (!a->check[id].ran || a->check[id].skipped)
		return "nothing";
	return a->s->observer && w->observed ? w->observed : w->looked;
}

bool audit_is_whole(const struct audit *a)
{
	const struct check *c;

	for (c = a->check; c < a->check + CHECKS; c++)
		if (!c->ran || c->skipped)
			return false;
	return true;
}

bool audit_is_sound(const struct audit *a)
{
	return a->required_passed == a->required_total;
}

/* ---- metrics ---- */

const char *const metric_names[METRICS] = {
	"p2_evidence_rows", "p2_evidence_skips", "p3_accepted", "p3_human", "p3_partial",
	"p3_rejected",
	"p4_pref_pairs", "p4_rag_rows", "p4_sft_rows", "p4_total_quarantined",
};

void metrics_write(struct lh_writer *w, const char *name, const struct audit *a)
{
	int i;

	lh_write_object(w, name);
	for (i = 0; i < METRICS; i++)
		lh_write_u64(w, metric_names[i], a->metric[i]);
	lh_write_end(w);
}

char *audit_subjects(const struct lh_root *root, const struct settings *s)
{
	return s->subjects ? lh_strndup(s->subjects, strlen(s->subjects))
			   : lh_root_join(root, LH_SUBJECT_DIR);
}
