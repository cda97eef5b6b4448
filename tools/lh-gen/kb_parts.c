/* lh-gen kb: the members of a row, and its texts. */
#include "gen.h"
#include "base/time.h"

#include <stdio.h>

#define START INT64_C(1767225600000)	/* 2026-01-01 */
#define STEP 97000			/* milliseconds from one row to the next */
#define ROWS UINT64_C(2600000000)	/* until the years have five digits */

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const char *const models[] = {
	"qwen3.5:latest", "gpt-oss:120b", "kimi-k2:1t", "deepseek-v3.1:671b", "qwen3-coder:480b",
	"gemma3:27b",
};

/* %f the file, %y something in it, %n a number; no sentence ends in a space. */
static const char *const remarks[] = {
	"%y in %f is called before its input is checked.",
	"The error of %y is dropped on line %n; the caller believes it worked.",
	"Good: %f has a test for the empty input and one for the largest.",
	"%y copies %n bytes on every call, which shows in the profile.",
	"Please name the unit: is %n milliseconds or seconds?",
	"The lock around %y is held while the disk is waited for.",
	"%f follows the pattern of its neighbours and needs no change.",
	"Two branches of %y differ in nothing but a comment — one can go.",
	"The comment says \"never null\", but %y returns null on line %n.",
	"A retry without a limit: %y will spin when the service is down.",
	"The patch keeps the public interface of %f as it is.",
	"Consider moving %y out of %f; %n other modules use it.",
	"The new test fails without the fix and passes with it.",
	"Line %n: the path is built by hand (C:\\temp\\%y), which breaks elsewhere.",
	"%y reads the clock, so its result cannot be reproduced.",
	"Naïve quoting in %y: a café with an apostrophe breaks the query.",
	"All %n callers of %y were changed in the same commit.",
	"An index on the column would turn the scan in %y into a look-up.",
	"The timeout of %n s is longer than the one around it → it never fires.",
	"%f compiles without warnings and the suite is green.",
	"The loop in %y is quadratic in the number of rows.",
	"Nothing is logged when %y gives up after %n attempts.",
	"The migration in %f can be run twice without harm.",
	"An unchecked index on line %n is reachable from outside.",
};

static const char *const symbols[] = {
	"parse_row", "flush", "open_store", "Session::resume", "merge_tables",
	"retry_with_backoff", "load_config", "hash_block", "to_utc", "spawn_worker",
	"render_report", "evict", "JournalWriter", "check_permit", "rank", "split_chunks",
};
static const struct {
	const char *path, *ending;
} areas[] = {
	{ "crates/queryd/src/", "rs" }, { "crates/gateway/src/", "rs" },
	{ "crates/journald/src/", "rs" }, { "crates/storaged/src/", "rs" },
	{ "crates/vectord/src/", "rs" }, { "crates/ingestd/src/", "rs" },
	{ "crates/aibridge/src/", "rs" }, { "crates/catalogd/src/", "rs" },
	{ "crates/validator/src/", "rs" }, { "sidecar/routes/", "py" }, { "scripts/", "sh" },
	{ "mcp-server/", "ts" },
	{ "auditor/kinds/", "ts" }, { "tests/real-world/", "ts" }, { "docs/runbooks/", "md" },
	{ "ui/src/views/", "tsx" },
};
static const char *const names[] = {
	"main", "service", "config", "delta", "context", "playbook", "refresh", "schema",
	"errors", "lance_store", "pathway_memory", "workspace", "agent", "embed", "harness",
	"trial", "autotune", "router", "tree_split", "iterate", "observer", "export",
	"überblick", "kb_index", "rag", "sweep", "tools", "budget", "provider", "journal",
	"tombstone", "promotion",
};
static const char *const demands[] = {
	"%c takes %n %R on in %t, %s from %h, which the permit makes likely.",
	"The permit names %c; %n %R in %t, %s would be short within %m miles.",
	"Two of the subcontractors asked for %R before; %c is new to us.",
	"The site in %t opens at %h and needs %a with %y behind them.",
	"History: %c filled %n of its orders in %t late.",
	"The value of the permit speaks for a crew of %n; %c’s last one was smaller.",
	"No safety violations of %c are on file in %s.",
	"Offer %c the %R of the last job in %t first.",
	"%c pays within 30 days, says the \"credit\" table; no invoice is open.",
	"The crew can be had: %n %R live within %m miles of %t.",
};

/* ---- members ---- */

static unsigned code_point(const unsigned char **p)
{
	unsigned c = *(*p)++, n = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (n)
		c &= 0x3fu >> n;
	while (n--)
		c = c << 6 | (*(*p)++ & 0x3f);
	return c;
}

static void put_string(struct kb_row *row, const char *text)
{
	if (row->spaced) {
		/* Append a string as json.dumps writes it; no word has characters beyond U+FFFF. */
		const unsigned char *p = (const unsigned char *)text, *from;

		lh_buf_putc(row->out, '"');
		while (*p) {
			for (from = p; *p && *p < 0x80 && *p != '"' && *p != '\\' && *p != '\n'; )
				p++;
			lh_buf_add(row->out, from, (size_t)(p - from));
			if (*p >= 0x80)
				lh_buf_printf(row->out, "\\u%04x", code_point(&p));
			else if (*p)
				lh_buf_printf(row->out, "\\%c", *p == '\n' ? 'n' : *p), p++;
		}
		lh_buf_putc(row->out, '"');
	} else {
		lh_buf_json(row->out, text, strlen(text));
	}
}

static void put_key(struct kb_row *row, const char *name)
{
	if (!row->first)
		lh_buf_puts(row->out, row->spaced ? ", " : ",");
	row->first = false;
	lh_buf_json(row->out, name, strlen(name));
	lh_buf_puts(row->out, row->spaced ? ": " : ":");
}

void kb_json(struct kb_row *row, const char *name, const char *json)
{
	put_key(row, name);
	lh_buf_puts(row->out, json);
}

void kb_text(struct kb_row *row, const char *name, const char *text)
{
	put_key(row, name);
	put_string(row, text);
}

void kb_number(struct kb_row *row, const char *name, uint64_t n)
{
	put_key(row, name);
	lh_buf_u64(row->out, n);
}

void kb_list(struct kb_row *row, const char *name)
{
	put_key(row, name);
	lh_buf_putc(row->out, '[');
	row->first = true;
}

void kb_item(struct kb_row *row, const char *text)
{
	if (!row->first)
		lh_buf_puts(row->out, row->spaced ? ", " : ",");
	row->first = false;
	put_string(row, text);
}

void kb_list_end(struct kb_row *row)
{
	lh_buf_putc(row->out, ']');
	row->first = false;
}

void kb_body_list(struct kb_row *row, const char *name, unsigned n)
{
	kb_list(row, name);
	for (unsigned i = 0; i < n; i++)
		kb_item(row, kb_remarks(row, 1));
	if (row->fault == KB_ODD_KIND)
		lh_buf_puts(row->out, n ? ",17" : "17");
	kb_list_end(row);
}

void kb_time(struct kb_row *row, const char *name)
{
	static const char *const none[] = { "yesterday", "2026-02-30T08:00:00Z",
					    "2026-05-03 12:00:00", "2026-05-03T12:00:00" };
	int64_t ms = START + (int64_t)(row->i % ROWS) * STEP + kb_pick(row, 1000);
	char text[LH_TIME_LEN + 1];

	if (row->fault == KB_NO_TIME) {
		if (kb_one_in(row, 3))
			kb_json(row, name, kb_one_in(row, 2) ? "null" : "\"\"");
		return;
	}
	if (row->fault == KB_NO_SUCH_TIME) {
		kb_text(row, name, KB_ONE_OF(row, none));
		return;
	}
	lh_time_print(ms, text);
	put_key(row, name);
	if (row->spaced)
		lh_buf_printf(row->out, "\"%.*s%03u+00:00\"", LH_TIME_LEN - 1, text,
			      kb_pick(row, 1000));
	else if (kb_one_in(row, 8))
		lh_buf_printf(row->out, "\"%.19s-05:00\"", text);
	else
		put_string(row, text);
}

void kb_identity(struct kb_row *row, const char *name, const char *text)
{
	static const char *const none[] = { "null", "\"\"", "true", "[]", "{}" };

	if (row->fault != KB_NO_IDENTITY)
		kb_text(row, name, text);
	else if (kb_one_in(row, 2))
		kb_json(row, name, KB_ONE_OF(row, none));
}

void kb_body(struct kb_row *row, const char *name, const char *text)
{
	static const char *const odd[] = { "17", "false", LH_JSON({"text":"none"}) };

	if (row->fault == KB_ODD_KIND)
		kb_json(row, name, KB_ONE_OF(row, odd));
	else
		kb_text(row, name, text);
}

void kb_file(struct kb_row *row)
{
	unsigned roll = kb_pick(row, 20);

	if (row->fault == KB_NO_IDENTITY) {
		kb_identity(row, "file", "");
		return;
	}
	if (roll == 0)
		kb_text(row, "file", "");
	else if (roll == 1)
		kb_json(row, "file", "null");
	if (roll < 4)
		kb_text(row, "path", row->file);
	else
		kb_text(row, roll == 4 ? "source_file" : "file", row->file);
}

/* ---- texts ---- */

unsigned kb_subjects(const struct kb_row *row, unsigned few, unsigned every)
{
	uint64_t n = few + row->i / every;

	return n < 1000000000 ? (unsigned)n : 1000000000;
}

void kb_subject(struct kb_row *row)
{
	unsigned k = kb_pick(row, kb_subjects(row, 24, 20));
	unsigned area = k % COUNT(areas), name = k * 7 / COUNT(areas) % COUNT(names),
		copy = k / (COUNT(areas) * COUNT(names));
	char number[16] = "";

	if (copy)
		snprintf(number, sizeof number, "_%u", copy + 1);
	snprintf(row->file, sizeof row->file, "%s%s%s.%s", areas[area].path, names[name], number,
		 areas[area].ending);
}

/* Append a list one time in several, else sentences in sequence. */
static const char *sentences(struct kb_row *row, unsigned n, bool demand)
{
	struct gen_scene scene;
	bool list = n > 2 && kb_one_in(row, 3);

	lh_buf_reset(&row->text);
	if (demand)
		gen_scene(&row->r, &scene);
	for (unsigned i = 0; i < n; i++) {
		if (list)
			lh_buf_puts(&row->text, i ? "\n- " : "- ");
		else if (i)
			lh_buf_putc(&row->text, ' ');
		if (demand) {
			gen_fill(&row->text, KB_ONE_OF(row, demands), &scene);
		} else {
			const char *sentence = KB_ONE_OF(row, remarks), *hole;
			struct lh_buf *b = &row->text;

			while ((hole = strchr(sentence, '%'))) {
				lh_buf_add(b, sentence, (size_t)(hole - sentence));
				if (hole[1] == 'f')
					lh_buf_puts(b, row->file);
				else if (hole[1] == 'y')
					lh_buf_puts(b, KB_ONE_OF(row, symbols));
				else
					lh_buf_u64(b, 2 + kb_pick(row, 997));
				sentence = hole + 2;
			}
			lh_buf_puts(b, sentence);
		}
	}
	lh_buf_putc(&row->text, '\0');
	return row->text.p;
}

const char *kb_remarks(struct kb_row *row, unsigned n)
{
	return sentences(row, n, false);
}

const char *kb_demand(struct kb_row *row, unsigned n)
{
	return sentences(row, n, true);
}

const char *kb_name(struct kb_row *row, const char *prefix, uint64_t n)
{
	lh_buf_reset(&row->text);
	lh_buf_puts(&row->text, prefix);
	lh_buf_u64(&row->text, n);
	lh_buf_putc(&row->text, '\0');
	return row->text.p;
}

const char *kb_model(struct kb_row *row)
{
	return KB_ONE_OF(row, models);
}
