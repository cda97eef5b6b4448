/* lh-trace: where a record comes from, and what became of it.  See lh-trace(1). */
#include <unistd.h>

#include "audit/chain.h"
#include "file/file.h"
#include "json/json.h"
#include "lineage/lineage.h"
#include "term/term.h"
#include "text/escape.h"
#include "tlog/log.h"
#include "tool/op.h"
#include "tool/records.h"

/* ---- members of a step ---- */

#define BRIEF 12	/* digits of a hash */
#define BRIEF_TEXT 160	/* bytes of a text */

static bool is_one_of(const struct lh_value *name, const char *const *names)
{
	for (; *names; names++)
		if (lh_value_is(name, *names, strlen(*names)))
			return true;
	return false;
}

/* Return whether a member of a step is shown as one of its fields; if brief, without those
 * that its file or its record has, too. */
static bool is_field(const struct lh_value *step, const struct lh_value *name, bool brief)
{
	static const char *const others[] = { "step", "file", "line", "steps", "record", NULL };
	/* those that a step has in common with its file, or with its record */
	static const char *const of_receipt[] = { "stage", "run_id", "git_commit", "bytes", NULL };
	static const char *const of_evidence[] = { "run_id", NULL };
	struct lh_value of;

	if (is_one_of(name, others))
		return false;
	if (!brief || !lh_value_get(step, "step", &of))
		return true;
	if (lh_value_is(&of, "receipt", 7))
		return !is_one_of(name, of_receipt);
	return !lh_value_is(&of, "evidence", 8) || !is_one_of(name, of_evidence);
}

static bool is_hash(const struct lh_value *name)
{
	static const char *const hashes[] = { "sig_hash", "sha256", "git_commit",
					      "audit_log_chain_root", NULL };

	return is_one_of(name, hashes);
}

static void add_string(struct lh_buf *out, const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	struct lh_str s;

	lh_value_str(v, &scratch, &s);
	lh_buf_add(out, s.p, s.n);
}

/* Append the text of a value: strings unescaped, arrays with ", " between the elements,
 * hashes shortened to 12 digits if brief. */
static void value_text(struct lh_buf *out, const struct lh_value *name, const struct lh_value *v,
		       bool brief)
{
	size_t at = out->len;
	struct lh_iter it;
	size_t n = 0;

	if (v->type == LH_STRING) {
		add_string(out, v);
		if (brief && is_hash(name) && out->len > at + BRIEF)
			out->len = at + BRIEF;
		if (brief && lh_value_is(name, "text", 4)) {
			/* Make one short line of the text from at on. */
			size_t i;

			if (out->len > at + BRIEF_TEXT) {
				for (i = at + BRIEF_TEXT; (out->p[i] & 0xc0) == 0x80;)
					i--;
				out->len = i;
				lh_buf_puts(out, "…");
			}
			for (i = at; i < out->len; i++)
				if (out->p[i] == '\n')
					out->p[i] = ' ';
		}
		return;
	}
	if (v->type != LH_ARRAY) {
		lh_buf_add(out, v->p, v->n);
		return;
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it); n++) {
		if (n)
			lh_buf_puts(out, ", ");
		if (it.val.type == LH_ARRAY)
			lh_buf_add(out, it.val.p, it.val.n);
		else
			value_text(out, name, &it.val, brief);
	}
}

/* Return what a field says: good, a warning, bad. */
static enum lh_style value_style(const struct lh_value *name, const struct lh_value *v)
{
	static const struct {
		const char *name, *value;
		enum lh_style style;
	} styles[] = {
		{ "state", "intact", LH_STYLE_GOOD }, { "state", "anchored", LH_STYLE_GOOD },
		{ "state", "not verified", LH_STYLE_WARN },
		{ "state", "not collected", LH_STYLE_WARN }, { "state", NULL, LH_STYLE_BAD },
		{ "category", "accepted", LH_STYLE_GOOD },
		{ "category", "rejected", LH_STYLE_BAD }, { "category", NULL, LH_STYLE_WARN },
		{ "reason", NULL, LH_STYLE_WARN }, { "errors", NULL, LH_STYLE_BAD },
		{ "error", NULL, LH_STYLE_BAD }, { "result", "success", LH_STYLE_GOOD },
		{ "result", NULL, LH_STYLE_WARN },
	};
	size_t i;

	for (i = 0; i < sizeof styles / sizeof *styles; i++)
		if (lh_value_is(name, styles[i].name, strlen(styles[i].name)) &&
		    (!styles[i].value ||
		     (v->type == LH_STRING &&
		      lh_value_is(v, styles[i].value, strlen(styles[i].value)))))
			return styles[i].style;
	return LH_STYLE_PLAIN;
}

/* Append a string member of an object, and FILE:LINE of a step; nothing if it has none. */
static void text_of(struct lh_buf *out, const struct lh_value *object, const char *name)
{
	struct lh_value v;

	if (lh_value_get(object, name, &v) && v.type == LH_STRING)
		add_string(out, &v);
}

static void place_of(struct lh_buf *out, const struct lh_value *step)
{
	struct lh_value line;

	text_of(out, step, "file");
	if (lh_value_get(step, "line", &line)) {
		lh_buf_putc(out, ':');
		lh_buf_add(out, line.p, line.n);
	}
}

/* ---- a tree ---- */

struct tree {
	struct lh_buf *out;
	bool colored;
	size_t width;		/* of the terminal; 0: do not wrap */
	struct lh_buf prefix;	/* before the lines of the present step's children */
	struct lh_buf text, shown;
	size_t cells;		/* of the present line */
	size_t indent;		/* of its continuations, after the prefix */
};

/* Escape what could move or hide text. */
static void make_shown(struct tree *t)
{
	size_t i, n;

	lh_buf_reset(&t->shown);
	for (i = 0; i < t->text.len; i += n ? n : 1) {
		n = lh_escape_char_len(t->text.p + i, t->text.len - i);
		if (n)
			lh_buf_add(&t->shown, t->text.p + i, n);
		else
			lh_buf_printf(&t->shown, "\\x%02x", (unsigned char)t->text.p[i]);
	}
}

/* Begin a continuation line. */
static void wrap(struct tree *t)
{
	size_t i;

	lh_buf_putc(t->out, '\n');
	lh_buf_add(t->out, t->prefix.p, t->prefix.len);
	for (i = 0; i < t->indent; i++)
		lh_buf_putc(t->out, ' ');
	t->cells = lh_term_cells(t->prefix.p, t->prefix.len) + t->indent;
}

/* Put text, cut where the line ends. */
static void put(struct tree *t, enum lh_style style, const char *p, size_t n)
{
	size_t room, piece;

	while (n) {
		room = t->width > t->cells ? t->width - t->cells : 0;
		piece = t->width ? lh_term_fit(p, n, room) : n;
		if (!piece && t->cells > lh_term_cells(t->prefix.p, t->prefix.len) + t->indent) {
			wrap(t);
			continue;
		}
		piece = piece ? piece : n;	/* no room for one character: let it overflow */
		lh_term_put(t->out, t->colored, style, p, piece);
		t->cells += lh_term_cells(p, piece);
		p += piece;
		n -= piece;
	}
}

/* Put two spaces, or begin a new line if what follows does not fit. */
static void part(struct tree *t, size_t cells)
{
	if (t->width && t->cells + 2 + cells > t->width) {
		wrap(t);
		return;
	}
	lh_buf_puts(t->out, "  ");
	t->cells += 2;
}

static void put_field(struct tree *t, const struct lh_value *name, const struct lh_value *v)
{
	enum lh_style style = value_style(name, v);
	size_t n = name->n - 2;

	lh_buf_reset(&t->text);
	value_text(&t->text, name, v, true);
	if (!t->text.len)
		return;
	make_shown(t);
	part(t, n + 1 + lh_term_cells(t->shown.p, t->shown.len));
	put(t, LH_STYLE_DIM, name->p + 1, n);
	put(t, LH_STYLE_PLAIN, " ", 1);
	put(t, style, t->shown.p, t->shown.len);
}

/* Put the line of a step: its name, its place, its fields. */
static void put_step(struct tree *t, const struct lh_value *step)
{
	struct lh_iter it;

	t->indent = 4;
	lh_buf_reset(&t->text);
	text_of(&t->text, step, "step");
	make_shown(t);
	put(t, LH_STYLE_KEY, t->shown.p, t->shown.len);
	lh_buf_reset(&t->text);
	place_of(&t->text, step);
	make_shown(t);
	if (t->shown.len) {
		part(t, lh_term_cells(t->shown.p, t->shown.len));
		put(t, LH_STYLE_HEADING, t->shown.p, t->shown.len);
	}
	for (lh_iter_init(&it, step); lh_iter_next(&it); )
		if (is_field(step, &it.key, true))
			put_field(t, &it.key, &it.val);
	lh_buf_putc(t->out, '\n');
}

static void put_steps(struct tree *t, const struct lh_value *of);

/* Put a step and what is below it. */
static void put_branch(struct tree *t, const struct lh_value *step, bool last)
{
	size_t n = t->prefix.len;

	lh_buf_add(t->out, t->prefix.p, n);
	lh_buf_puts(t->out, last ? "└─ " : "├─ ");
	lh_buf_puts(&t->prefix, last ? "   " : "│  ");
	t->cells = lh_term_cells(t->prefix.p, t->prefix.len);
	put_step(t, step);
	put_steps(t, step);
	t->prefix.len = n;
}

static void put_steps(struct tree *t, const struct lh_value *of)
{
	struct lh_value steps, step;
	struct lh_iter it;
	bool more;

	if (!lh_value_get(of, "steps", &steps) || steps.type != LH_ARRAY)
		return;
	lh_iter_init(&it, &steps);
	more = lh_iter_next(&it);
	while (more) {
		step = it.val;
		more = lh_iter_next(&it);
		put_branch(t, &step, !more);
	}
}

/* Put the elements of a list, one a line, without a tree. */
static void put_list(struct tree *t, const struct lh_value *answer, const char *name)
{
	struct lh_value list;
	struct lh_iter of, it;

	if (!lh_value_get(answer, name, &list) || list.type != LH_ARRAY)
		return;
	for (lh_iter_init(&of, &list); lh_iter_next(&of); ) {
		t->indent = 4;
		t->cells = strlen(name) + 2;
		lh_buf_puts(t->out, "  ");
		lh_term_put(t->out, t->colored, LH_STYLE_DIM, name, strlen(name));
		for (lh_iter_init(&it, &of.val); lh_iter_next(&it); )
			put_field(t, &it.key, &it.val);
		lh_buf_putc(t->out, '\n');
	}
}

/* Put the operand, and what it is. */
static void put_head(struct tree *t, const struct lh_value *answer)
{
	struct lh_value v;
	const char *what = "nowhere";

	lh_buf_reset(&t->text);
	text_of(&t->text, answer, "operand");
	make_shown(t);
	put(t, LH_STYLE_HEADING, t->shown.p, t->shown.len);
	lh_buf_reset(&t->text);
	text_of(&t->text, answer, "as");
	if (t->text.len)
		what = NULL;
	else if (lh_value_get(answer, "candidates", &v))
		what = "ambiguous";
	lh_buf_puts(&t->text, what ? what : "");
	make_shown(t);
	part(t, t->shown.len);
	put(t, what ? LH_STYLE_BAD : LH_STYLE_DIM, t->shown.p, t->shown.len);
	if (lh_value_get(answer, "more", &v)) {
		lh_buf_puts(t->out, "  more ");
		lh_buf_add(t->out, v.p, v.n);
	}
	lh_buf_putc(t->out, '\n');
}

/* Append an answer, which is JSON, as a tree.  Lines are wrapped at width, 0: not. */
static void tree_print(struct lh_buf *out, const struct lh_value *answer, bool colored,
		       size_t width)
{
	struct tree t = { .out = out, .colored = colored, .width = width };

	put_head(&t, answer);
	put_steps(&t, answer);
	put_list(&t, answer, "candidates");
	put_list(&t, answer, "searched");
	lh_buf_free(&t.prefix);
	lh_buf_free(&t.text);
	lh_buf_free(&t.shown);
}

/* ---- a page ---- */

static const char style[] =
	"ul{list-style:none;padding-left:1.2rem;border-left:2px solid var(--line)}\n"
	"li{margin:.35rem 0;overflow-wrap:break-word}\n"
	"b{margin-right:.6rem}code{margin-right:.6rem}\n"
	"i{font-style:normal;color:var(--dim);margin-left:.6rem;margin-right:.25rem}\n"
	".good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}\n";

static void page_open(struct lh_buf *out)
{
	lh_html_open(out, "Trace", style);
	lh_buf_puts(out, "<h1>Trace</h1>\n");
}

static void page_close(struct lh_buf *out)
{
	lh_html_close(out);
}

static const char *class_of(enum lh_style of)
{
	return of == LH_STYLE_GOOD ? "good" : of == LH_STYLE_BAD ? "bad"
		: of == LH_STYLE_WARN ? "warn" : "plain";
}

static void put_fields(struct lh_buf *out, const struct lh_value *object)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_iter it;

	for (lh_iter_init(&it, object); lh_iter_next(&it); ) {
		if (!is_field(object, &it.key, false))
			continue;
		lh_buf_reset(&text);
		value_text(&text, &it.key, &it.val, false);
		lh_escape_printf(out, lh_html_text, "<i>%.*s</i><span class=\"%s\">",
				 (int)it.key.n - 2, it.key.p + 1,
				 class_of(value_style(&it.key, &it.val)));
		lh_escape_printf(out, lh_html_data, "%.*s</span>", (int)text.len, text.p);
	}
}

static void put_text(struct lh_buf *out, const char *element, const struct lh_value *of,
		     const char *name)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	if (name)
		text_of(&text, of, name);
	else
		place_of(&text, of);
	if (text.len) {
		lh_buf_printf(out, "<%s>", element);
		lh_html_data(out, text.p, text.len);
		lh_buf_printf(out, "</%s>", element);
	}
}

static void put_html_steps(struct lh_buf *out, const struct lh_value *of)
{
	struct lh_value steps;
	struct lh_iter it;

	if (!lh_value_get(of, "steps", &steps) || steps.type != LH_ARRAY || steps.n == 2)
		return;
	lh_buf_puts(out, "<ul>\n");
	for (lh_iter_init(&it, &steps); lh_iter_next(&it); ) {
		lh_buf_puts(out, "<li>");
		put_text(out, "b", &it.val, "step");
		put_text(out, "code", &it.val, NULL);
		put_fields(out, &it.val);
		put_html_steps(out, &it.val);
		lh_buf_puts(out, "</li>\n");
	}
	lh_buf_puts(out, "</ul>\n");
}

static void put_html_list(struct lh_buf *out, const struct lh_value *answer, const char *name,
			  const char *head)
{
	struct lh_value list;
	struct lh_iter it;

	if (!lh_value_get(answer, name, &list) || list.type != LH_ARRAY)
		return;
	lh_buf_printf(out, "<p class=\"bad\">%s</p>\n<ul>\n", head);
	for (lh_iter_init(&it, &list); lh_iter_next(&it); ) {
		lh_buf_puts(out, "<li>");
		put_fields(out, &it.val);
		put_text(out, "code", &it.val, NULL);
		lh_buf_puts(out, "</li>\n");
	}
	lh_buf_puts(out, "</ul>\n");
}

/* Append an answer as a part of a page. */
static void page_print(struct lh_buf *out, const struct lh_value *answer)
{
	put_text(out, "h2", answer, "operand");
	put_text(out, "p", answer, "as");
	put_html_steps(out, answer);
	put_html_list(out, answer, "candidates", "ambiguous: several hashes begin so");
	put_html_list(out, answer, "searched", "nowhere: these places were searched");
}

struct settings {
	struct lh_lineage_how how;
	struct lh_list subject, decisions, key_file;
	const char *html;	/* the file of the page; "-": stdout; NULL: none */
	const char *tlog;	/* the folder of a transparency log, or NULL */
	bool json, requests, insecure_key;
};

static const struct lh_option options[] = {
	{ 0, "root", "DIR", "the root (default: the working directory)",
	  LH_TEXT(struct settings, how.root, .env = "LH_DISTILL_ROOT") },
	{ 0, "subject", "ID", "trace a worker or candidate (repeatable)",
	  LH_TEXTS(struct settings, subject) },
	{ 0, "subjects", "DIR", "folder of subjects (default: below the root)",
	  LH_TEXT(struct settings, how.subjects) },
	{ 0, "decisions", "FILE", "log of decisions (default: log/decisions.jsonl)",
	  LH_TEXTS(struct settings, decisions) },
	{ 0, "key-file", "FILE", "verify chains with this key (repeatable)",
	  LH_TEXTS(struct settings, key_file, .env = "LH_SUBJECT_AUDIT_KEY") },
	{ 0, "insecure-key", NULL, "accept a key file that others can read",
	  LH_FLAG(struct settings, insecure_key) },
	{ 0, "tlog", "DIR", "show where receipts are in this transparency log",
	  LH_TEXT(struct settings, tlog) },
	{ 0, "limit", "N", "records per operand, and rows per list (default 20)",
	  LH_UINT(struct settings, how.most, 1, 1000000) },
	{ 0, "records", NULL, "also print the rows; with --json",
	  LH_FLAG(struct settings, how.records) },
	{ 0, "json", NULL, "print JSON Lines, an object for each operand",
	  LH_FLAG(struct settings, json) },
	{ 0, "html", "FILE", "write a page; -: on standard output",
	  LH_TEXT(struct settings, html, .makes = &lh_made_page) },
	{ 0, "requests", NULL, "answer requests for samples, read from FILE",
	  LH_FLAG(struct settings, requests) },
	LH_FORCE_OPTION(0),
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

struct run {
	struct lh_tool *tool;
	struct settings *s;
	struct lh_lineage *lineage;
	struct lh_record rec;
	struct lh_tlog_finder finder;	/* with --tlog */
	struct lh_buf json, out;
	struct lh_atomic page;		/* with --html FILE */
	bool to_file, colored;
	size_t width;
};

static void on_warn(void *ctx, bool unreadable, const char *text)
{
	struct lh_tool *tool = ((struct run *)ctx)->tool;

	lh_tool_warn(tool, "%s", text);
	if (unreadable)
		lh_tool_failed(tool);
}

/* Find the entry of a receipt. */
static int find_committed(void *ctx, const uint8_t sha256[32], uint64_t *index, struct lh_err *err)
{
	char entry[LH_RECEIPT_ENTRY];
	uint8_t leaf[LH_TLOG_HASH];

	lh_receipt_entry(sha256, entry);
	lh_tlog_leaf(entry, sizeof entry, leaf);
	return lh_tlog_look_up(&((struct run *)ctx)->finder, leaf, index, err);
}

/* Append the answer in r->json in the form asked for. */
static int print(struct run *r, struct lh_err *err)
{
	struct lh_value answer;

	if (r->s->json) {
		lh_buf_add(&r->out, r->json.p, r->json.len);
		lh_buf_putc(&r->out, '\n');
		return 0;
	}
	lh_buf_room(&r->json, LH_PAD);
	if (lh_json_parse(&r->rec, r->json.p, r->json.len, &answer, err) < 0)
		return -1;
	if (r->s->html)
		page_print(&r->out, &answer);
	else
		tree_print(&r->out, &answer, r->colored, r->width);
	return 0;
}

static int put_out(struct run *r)
{
	return r->to_file ? lh_atomic_write(&r->page, r->out.p, r->out.len, &r->tool->err)
			  : lh_tool_out(r->tool, r->out.p, r->out.len);
}

static int one(struct run *r, const char *operand, bool subject)
{
	struct lh_tool *tool = r->tool;
	int rc;

	lh_buf_reset(&r->json);
	lh_buf_reset(&r->out);
	if (!lh_utf8_valid(operand, strlen(operand)))
		return lh_tool_usage(tool, "an operand is not valid UTF-8");
	rc = lh_lineage_trace(r->lineage, lh_str_of(operand), subject, &r->json, &tool->err);
	if (rc < 0)
		return -1;
	if (rc != LH_LINEAGE_FOUND)
		lh_tool_verdict_bad(tool);
	if (rc != LH_LINEAGE_FOUND && !r->s->how.root && access("data", F_OK) < 0)
		lh_tool_warn(tool, "the working directory is not a root, it has no folder data; "
			     "--root DIR names one");
	if (print(r, &tool->err) < 0)
		return -1;
	return put_out(r);
}

static int page_part(struct run *r, void (*append)(struct lh_buf *out))
{
	if (!r->s->html)
		return 0;
	lh_buf_reset(&r->out);
	append(&r->out);
	return put_out(r);
}

static int each(struct run *r)
{
	size_t i;

	if (page_part(r, page_open) < 0)
		return -1;
	for (i = 0; i < r->tool->n_operands; i++)
		if (one(r, r->tool->operands[i], false) < 0)
			return -1;
	for (i = 0; i < r->s->subject.n; i++)
		if (one(r, r->s->subject.v[i], true) < 0)
			return -1;
	return page_part(r, page_close);
}

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;

	if (s->requests)
		return s->json || s->html || s->subject.n
			? lh_tool_usage(tool, "--requests excludes --json, --html and --subject")
			: 0;
	if (tool->rejects || tool->on_error != LH_ON_ERROR_SKIP)
		return lh_tool_usage(tool, "--rejects and --on-error go with --requests");
	if (!tool->n_operands && !s->subject.n)
		return lh_tool_usage(tool, "missing operand: an id, a run id, a sig_hash or "
					   "FILE:LINE, or --subject ID");
	if (s->json && s->html)
		return lh_tool_usage(tool, "--json and --html exclude each other");
	if (s->how.records && !s->json)
		return lh_tool_usage(tool, "--records needs --json");
	return 0;
}

static int run(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct run r = { .tool = tool, .s = s };
	LH_SCOPED(lh_chain_keys_free) struct lh_chain_keys keys = { .n = 0 };
	int rc = 0;

	if (s->key_file.n) {
		rc = lh_chain_keys_read(&keys, s->key_file.v, s->key_file.n, s->insecure_key,
					&tool->err);
		s->how.keys = &keys;
	}
	s->how.decisions = &s->decisions;
	s->how.jobs = tool->jobs;
	s->how.warn = on_warn;
	s->how.ctx = &r;
	if (!rc && s->tlog) {
		r.finder.log = lh_tlog_open(s->tlog, &tool->err);
		s->how.committed = find_committed;
		rc = r.finder.log ? 0 : -1;
	}
	r.colored = lh_term_colored(STDOUT_FILENO, tool->color);
	r.width = isatty(STDOUT_FILENO) ? (size_t)lh_term_columns(STDOUT_FILENO) : 0;
	if (!rc && !(r.lineage = lh_lineage_open(&s->how, &tool->err)))
		rc = -1;
	r.to_file = !rc && s->html && strcmp(s->html, "-");
	if (r.to_file)
		rc = lh_atomic_open(&r.page, s->html, 0666, &tool->err);
	if (!rc)
		rc = each(&r);
	if (r.to_file && !rc)
		rc = lh_atomic_commit(&r.page, &tool->err);
	if (r.to_file)
		lh_atomic_close(&r.page);
	lh_lineage_close(r.lineage);
	lh_tlog_close(r.finder.log);
	lh_map_free(&r.finder.map);
	lh_record_free(&r.rec);
	lh_buf_free(&r.json);
	lh_buf_free(&r.out);
	return rc;
}

/* ---- requests ---- */

struct request {
	struct lh_str id;
};
static const struct lh_bind request[] = {
	{ LH_BIND_STRING("id", struct request, id), .required = true, .filled = true,
	  .longest = 1024, .about = "an id of a sample, of evidence or of a run" },
	LH_BIND_END
};

static const struct lh_bind made_of[] = {
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

/* A file that cannot be read costs its request, not the process. */
static int on_request(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct run *r = arg;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_lineage *lineage;
	struct request q;
	int rc = lh_bind(request, rec, &q, &text, err);

	if (rc < 0)
		return -1;
	lineage = lh_lineage_open(&r->s->how, err);
	rc = lineage ? lh_lineage_sample(lineage, q.id, out, err) : -1;
	lh_lineage_close(lineage);
	if (!rc || (err->code != LH_EIO && err->code != LH_ECORRUPT))
		return rc;
	lh_tool_warn(r->tool, "%s", err->msg);
	return lh_err_data(err, 503, "the files of the root cannot be read");
}

static void on_request_warn(void *ctx, bool unreadable, const char *text)
{
	(void)unreadable;
	lh_tool_warn(((struct run *)ctx)->tool, "%s", text);
}

static int run_requests(struct lh_tool *tool, void *settings)
{
	struct settings s = *(const struct settings *)settings;
	struct run r = { .tool = tool, .s = &s };
	struct lh_root *root = lh_root_open(s.how.root, &tool->err);

	lh_root_close(root);
	s.how.jobs = tool->jobs;
	s.how.warn = on_request_warn;
	s.how.ctx = &r;
	tool->jobs = 1;
	if (!root)
		return -1;
	lh_tool_answer_each(tool);
	return lh_records_run(tool, &(struct lh_flow){ .map = on_request, .shared = &r });
}

static const struct lh_bind answer[] = {
	LH_OP_TEXT("operand"),
	{ LH_BIND_ONLY("as", LH_BIND_TO_VALUE), .required = true,
	  .types = LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NULL), .about = "what the operand is" },
	{ LH_BIND_ONLY("steps", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY),
	  .about = "a step for each record, with those below it in its own steps" },
	{ LH_BIND_ONLY("more", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "records that were left out" },
	{ LH_BIND_ONLY("candidates", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY),
	  .about = "the hashes that begin so" },
	{ LH_BIND_ONLY("searched", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY),
	  .about = "where nothing was found" },
	LH_BIND_END
};

static const struct lh_op ops[] = {
	{ "", .command = run }, { "", .out = answer, .command = run },
	{ "", .in = request, .out = made_of, .command = run_requests }, LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	const struct settings *s = settings;

	return &ops[s->requests ? 2 : s->json];
}

int main(int argc, char **argv)
{
	struct settings s = { .how.most = 20 };
	static const struct lh_tool_spec spec = {
		.name = "lh-trace",
		.synopsis = "[OPTION]... ID|RUN_ID|SIG_HASH|FILE:LINE...",
		.summary = "show where a record comes from, and what became of it",
		.example = "lh-trace --root work work/data/_kb/scrum_reviews.jsonl:3",
		.options = options,
		.ops = ops,
		.mode = mode,
		.check = check,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
