/* check.c - the checks, and how a phase sets one.  See audit.h. */
#include "audit.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

#define TEXT 1000	/* bytes of the text of one call */

static const struct {
	int phase;
	const char *name;
	bool required, observed;	/* live, with --observer */
} table[CHECKS] = {
	[CHECK_RECON] = { 0, "recon document present", true, true },
	[CHECK_STREAMS] = { 0, "tier-1 streams present", false, false },
	[CHECK_VALIDATORS] = { 1, "schema validators pass", true, false },
	[CHECK_SAMPLES] = { 1, "schema sample count ≥ 51", false, false },
	[CHECK_DRY_RUN] = { 2, "materializer dry run completes", true, true },
	[CHECK_TIER1] = { 2, "tier-1 hits in evidence", false, false },
	[CHECK_SCORED] = { 3, "scored distribution on disk", true, false },
	[CHECK_SFT] = { 4, "no contaminated sft row", true, true },
	[CHECK_RAG] = { 4, "no rejected rag row", true, true },
	[CHECK_SELF_PAIR] = { 4, "no preference self-pair", true, true },
	[CHECK_SAME_TEXT] = { 4, "no identical preference text", true, true },
	[CHECK_PROVENANCE] = { 4, "no missing provenance", true, true },
	[CHECK_QUARANTINE] = { 4, "quarantine observable", false, false },
	[CHECK_FIVE] = { 5, "five stage receipts present", true, true },
	[CHECK_RECEIPTS] = { 5, "receipts valid", true, true },
	[CHECK_SUMMARY] = { 5, "summary valid", true, true },
	[CHECK_RUN_HASH] = { 5, "run_hash is a sha256", true, true },
	[CHECK_DRIFT] = { 5, "drift.json present", false, false },
	[CHECK_ACCEPTANCE] = { 6, "acceptance 22/22", true, false },
	[CHECK_REPLAYS] = { 7, "three dry-run replays pass", true, true },
	[CHECK_GUARD] = { 7, "escalation guard holds", true, false },
	[CHECK_TAIL] = { 7, "replay log tail parses", false, false },
};

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
	return err->code != LH_ENOMEM && err->code != LH_EINTR;
}

int checks_end(struct audit *a, struct lh_err *err)
{
	struct check *c;

	for (c = a->check; c < a->check + CHECKS; c++)
		if (lh_buf_check(&c->notes, err) < 0)
			return -1;
	a->required_passed = a->required_total = a->checks_total = 0;
	for (c = a->check; c < a->check + CHECKS; c++) {
		a->checks_total += c->ran;
		if (c->ran && c->required && !c->skipped) {
			a->required_total++;
			a->required_passed += c->passed;
		}
	}
	return 0;
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
