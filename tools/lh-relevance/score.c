/*
 * score.c - the file under review, the signals of a chunk's relevance, and the gate.  See
 * relevance.h.
 */
#include <stdlib.h>

#include "crypto/digest.h"
#include "base/num.h"
#include "base/utf8.h"
#include "json/bind.h"
#include "json/write.h"
#include "relevance.h"

/* ---- import statements ---- */

static bool starts(struct lh_str s, const char *with)
{
	return s.n >= strlen(with) && memcmp(s.p, with, strlen(with)) == 0;
}

static bool has(struct lh_str s, const char *what)
{
	return memmem(s.p, s.n, what, strlen(what)) != NULL;
}

static char last(struct lh_str s)
{
	return s.n ? s.p[s.n - 1] : '\0';
}

/* Return whether s is the keyword and, after optional blanks, a quote or bracket. */
static bool calls(struct lh_str s, const char *keyword)
{
	size_t i = strlen(keyword);

	if (!starts(s, keyword))
		return false;
	while (i < s.n && lh_is_blank(s.p[i]))
		i++;
	return i < s.n && (s.p[i] == '"' || s.p[i] == '\'' || s.p[i] == '(');
}

static bool is_comment(struct lh_str s)
{
	if (starts(s, "//") || starts(s, "/*") || starts(s, "*"))
		return true;
	return starts(s, "#") &&
		(s.n == 1 || lh_is_blank(s.p[1]) || s.p[1] == '#' || s.p[1] == '!');
}

/* Return whether a line imports in C, Go, Java, JavaScript, PHP, Python, Ruby, Rust or
 * TypeScript.  Keywords that prose may begin with must end or continue as in a
 * statement. */
static bool is_import(struct lh_str s)
{
	if (starts(s, "#include") || starts(s, "#import") || starts(s, "import ") ||
	    starts(s, "import{") || starts(s, "import("))
		return true;
	if (calls(s, "import") || calls(s, "require") || calls(s, "require_relative") ||
	    calls(s, "include"))
		return true;
	if (starts(s, "from ") && has(s, " import "))
		return true;
	if (starts(s, "use ") || starts(s, "pub use ") || starts(s, "using ") ||
	    starts(s, "extern crate "))
		return last(s) == ';' || last(s) == '{';
	if (starts(s, "package "))
		return !memchr(s.p + 8, ' ', s.n - 8);
	if (starts(s, "export "))
		return has(s, " from '") || has(s, " from \"");
	return (starts(s, "const ") || starts(s, "let ") || starts(s, "var ")) &&
		has(s, "= require(");
}

/* Count the brackets that the line leaves open. */
static long open_after(struct lh_str s)
{
	long open = 0;
	size_t i;

	for (i = 0; i < s.n; i++) {
		open += s.p[i] == '(' || s.p[i] == '{' || s.p[i] == '[';
		open -= s.p[i] == ')' || s.p[i] == '}' || s.p[i] == ']';
	}
	return open;
}

/* Return whether the text consists of import statements, blank lines and comments only. */
static bool imports_only(struct lh_str text)
{
	struct lh_str line;
	bool some = false;
	long open = 0;

	while (lh_next_line(&text, &line)) {
		line = lh_trim(line.p, line.n);
		if (open > 0) {
			open += open_after(line);
			continue;
		}
		if (!line.n || is_comment(line))
			continue;
		if (!is_import(line))
			return false;
		some = true;
		open = open_after(line);
	}
	return some;
}

/* ---- the file under review ---- */

static bool in_word(char c)
{
	return (c >= '0' && c <= '9') || (lh_fold(c) >= 'a' && lh_fold(c) <= 'z') || c == '_' ||
		(unsigned char)c > 0x7f;
}

static bool words_next(struct words *w, struct lh_str *word)
{
	const char *p = w->at;

	while (p < w->end && !in_word(*p))
		p++;
	word->p = p;
	while (p < w->end && in_word(*p))
		p++;
	word->n = (size_t)(p - word->p);
	w->at = p;
	return word->n != 0;
}

/* Make the key of a word: a short word itself, with its length at the end; the hash of
 * a longer one. */
static struct lh_key key_of(struct lh_str word)
{
	unsigned char bytes[32] = { 0 };
	struct lh_key k;

	if (word.n < 16) {
		memcpy(bytes, word.p, word.n);
		bytes[15] = (unsigned char)word.n;
	} else {
		lh_sha256(word.p, word.n, bytes);
		bytes[15] = 0xff;
	}
	memcpy(&k, bytes, sizeof k);
	return k;
}

static int add(struct lh_map *set, const struct lh_key *k, struct lh_err *err)
{
	uint64_t *bits = lh_keymap_at(set, k, err);

	if (!bits)
		return -1;
	*bits = 1;
	return 0;
}

static int add_folded(struct lh_map *set, struct lh_str word, struct lh_err *err)
{
	char small[256];
	struct lh_key k;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	size_t i;

	if (word.n <= sizeof small) {
		for (i = 0; i < word.n; i++)
			small[i] = lh_fold(word.p[i]);
		k = key_of((struct lh_str){ small, word.n });
		return add(set, &k, err);
	}
	for (i = 0; i < word.n; i++)
		lh_buf_putc(&b, lh_fold(word.p[i]));
	return words_add(set, (struct lh_str){ b.p, b.len }, false, err);
}

int words_add(struct lh_map *set, struct lh_str word, bool fold, struct lh_err *err)
{
	struct lh_key k;

	if (fold)
		return add_folded(set, word, err);
	k = key_of(word);
	return add(set, &k, err);
}

static bool words_has(const struct lh_map *set, struct lh_str word)
{
	struct lh_key k = key_of(word);

	return lh_keymap_get(set, &k) != 0;
}

/* Count the words in both sets. */
static size_t words_shared(const struct lh_map *these, const struct lh_map *those)
{
	size_t i, n = 0;

	for (i = 0; i < these->n; i++)
		n += lh_keymap_get(those, &lh_keymap_entry(these, i)->key) != 0;
	return n;
}

struct lh_str path_plain(struct lh_str path)
{
	while (path.n > 2 && path.p[0] == '.' && path.p[1] == '/') {
		path.p += 2;
		path.n -= 2;
	}
	return path;
}

int path_check(struct lh_str path, const char *name, struct lh_err *err)
{
	return path.n <= PATH_LONGEST
		? 0
		: lh_err_data(err, 413, "\"%s\" is longer than %d bytes", name, PATH_LONGEST);
}

/* Return what follows the last slash. */
static struct lh_str path_name(struct lh_str path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

	return slash ? (struct lh_str){ slash + 1, (size_t)(path.p + path.n - slash - 1) } : path;
}

static void forget(struct focus *f)
{
	lh_map_free(&f->tokens);
	lh_map_free(&f->defined);
	lh_map_free(&f->imported);
	memset(&f->tokens, 0, sizeof f->tokens);
	memset(&f->defined, 0, sizeof f->defined);
	memset(&f->imported, 0, sizeof f->imported);
	f->path = f->folder = f->name = (struct lh_str){ "", 0 };
	lh_buf_reset(&f->text);
	lh_buf_reset(&f->from);
}

void focus_free(struct focus *f)
{
	forget(f);
	lh_buf_free(&f->text);
	lh_buf_free(&f->from);
}

const struct lh_bind review_members[] = {
	{ LH_BIND_STRING("path", struct review, path) },
	{ LH_BIND_STRING("text", struct review, text) },
	{ LH_BIND_STRINGS("defined_symbols", struct review, defined, n_defined) },
	{ LH_BIND_STRINGS("imported_symbols", struct review, imported, n_imported) },
	LH_BIND_END
};

/* Add symbols.  Of one like Log::open or log.open the last word counts. */
static int add_symbols(struct lh_map *to, const struct lh_str *symbol, size_t n,
		       struct lh_err *err)
{
	struct lh_str word, last;
	struct words w;
	size_t i;

	for (i = 0; i < n; i++) {
		w = (struct words){ symbol[i].p, symbol[i].p + symbol[i].n };
		for (last.n = 0; words_next(&w, &word); last = word)
			;
		if (last.n && words_add(to, last, false, err) < 0)
			return -1;
	}
	return 0;
}

static int add_review(struct focus *f, const struct review *r, struct lh_err *err)
{
	struct lh_str word;
	struct words w;

	if (add_symbols(&f->defined, r->defined, r->n_defined, err) < 0 ||
	    add_symbols(&f->imported, r->imported, r->n_imported, err) < 0 ||
	    path_check(r->path, "focus.path", err) < 0)
		return -1;
	lh_buf_add(&f->text, r->path.p, r->path.n);
	f->path = path_plain((struct lh_str){ r->path.n ? f->text.p : "", r->path.n });
	f->name = path_name(f->path);
	f->folder = (struct lh_str){ f->path.p, f->path.n - f->name.n };
	for (w = (struct words){ r->text.p, r->text.p + r->text.n }; words_next(&w, &word); )
		if (word.n >= WORD_MIN && words_add(&f->tokens, word, true, err) < 0)
			return -1;
	return 0;
}

int focus_set(struct focus *f, const struct review *r, const struct lh_value *from,
	      struct lh_err *err)
{
	if (f->from.len == from->n && !memcmp(f->from.p, from->p, from->n))
		return 0;
	forget(f);
	lh_buf_add(&f->from, from->p, from->n);
	if (add_review(f, r, err) == 0)
		return 0;
	forget(f);
	return -1;
}

/* ---- signals ---- */

/* In tenths, so that sums are exact; that of the overlap is the maximum. */
static const struct {
	const char *name;
	int tenths;
} signals[SIGNALS] = {
	[PATH_MATCH] = { "path_match", 10 },
	[FILENAME_MATCH] = { "filename_match", 6 },
	[DEFINED_SYMBOL] = { "defined_symbol_match", 6 },
	[TOKEN_OVERLAP] = { "token_overlap", 4 },
	[PATH_PREFIX] = { "path_prefix_match", 3 },
	[IMPORT_ONLY] = { "import_only", -5 },
};

static bool equal(struct lh_str a, struct lh_str b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static bool of_name(char c)
{
	return (c >= '0' && c <= '9') || (lh_fold(c) >= 'a' && lh_fold(c) <= 'z') || c == '_' ||
		c == '-' || (unsigned char)c > 0x7f;
}

/* Return whether a name may end before p.  What follows a full stop may be another
 * sentence. */
static bool may_end(const char *p, const char *end)
{
	if (p == end)
		return true;
	if (*p == '.')
		return end - p == 1 || !of_name(p[1]);
	return !of_name(*p) && *p != '/';
}

/* Return whether the text contains that path, other than inside a longer name. */
static bool mentions(struct lh_str text, struct lh_str name)
{
	const char *end = text.p + text.n,
		   *p = name.n ? memmem(text.p, text.n, name.p, name.n) : NULL;

	/* memmem from each place on would be slow where the name almost repeats itself. */
	for (; p && name.n <= (size_t)(end - p); p++)
		if ((p == text.p || !(of_name(p[-1]) || p[-1] == '.')) &&
		    memcmp(p, name.p, name.n) == 0 && may_end(p + name.n, end))
			return true;
	return false;
}

struct found {
	bool defined, imported;
};

/* Compare the words of the chunk, in one pass. */
static int look_at_words(const struct focus *f, struct lh_str text, struct verdict *v,
			 struct found *found, struct lh_err *err)
{
	struct words w = { text.p, text.p + text.n };
	struct lh_map tokens = { 0 };
	struct lh_str word;
	int rc = 0;

	while (!rc && words_next(&w, &word)) {
		found->defined = found->defined || words_has(&f->defined, word);
		found->imported = found->imported || words_has(&f->imported, word);
		if (word.n >= WORD_MIN && f->tokens.n)
			rc = words_add(&tokens, word, true, err);
	}
	if (!rc && f->tokens.n && tokens.n) {
		v->shared = words_shared(&tokens, &f->tokens);
		v->all = tokens.n + f->tokens.n - v->shared;
	}
	lh_map_free(&tokens);
	return rc;
}

/* Compute tenths / 10 + 0.4 * shared / all by one division, so that it is rounded once. */
static double weigh(int64_t tenths, uint64_t shared, uint64_t all)
{
	if (!all)
		all = 1;
	return (double)(tenths * (int64_t)all + 4 * (int64_t)shared) / (double)(10 * all);
}

int score_chunk(const struct focus *f, struct lh_str path, struct lh_str text, struct verdict *v,
		struct lh_err *err)
{
	struct found found = { false, false };
	int64_t tenths = 0;
	int i;

	memset(v, 0, sizeof *v);
	if (look_at_words(f, text, v, &found, err) < 0)
		return -1;
	v->signal[PATH_MATCH] = (f->path.n && equal(path, f->path)) || mentions(text, f->path);
	v->signal[FILENAME_MATCH] =
		(f->name.n && equal(path_name(path), f->name)) || mentions(text, f->name);
	v->signal[DEFINED_SYMBOL] = found.defined;
	v->signal[TOKEN_OVERLAP] = v->shared;
	v->signal[PATH_PREFIX] = f->folder.n && path.n > f->folder.n &&
		memcmp(path.p, f->folder.p, f->folder.n) == 0;
	v->signal[IMPORT_ONLY] = imports_only(text) || (found.imported && !found.defined);
	for (i = 0; i < SIGNALS; i++)
		if (v->signal[i] && i != TOKEN_OVERLAP)
			tenths += signals[i].tenths;
	v->score = weigh(tenths, v->shared, v->all);
	return 0;
}

void score_put_signals(const struct verdict *v, struct lh_writer *json)
{
	int i;

	lh_write_array(json, "signals");
	for (i = 0; i < SIGNALS; i++) {
		if (!v->signal[i])
			continue;
		lh_write_object(json, NULL);
		lh_write_text(json, "signal", signals[i].name);
		lh_write_f64(json, "weight", i == TOKEN_OVERLAP ? weigh(0, v->shared, v->all) :
			     weigh(signals[i].tenths, 0, 1));
		if (i == TOKEN_OVERLAP)
			lh_write_f64(json, "jaccard", (double)v->shared / (double)v->all);
		lh_write_end(json);
	}
	lh_write_end(json);
}

/* ---- the gate ---- */

#define FULL "codereview_lakehouse"
#define DOWNGRADED "codereview_isolation"

static bool is(struct lh_str s, const char *what)
{
	return s.n == strlen(what) && memcmp(s.p, what, s.n) == 0;
}

/* Weak models get all the context available. */
static bool is_weak(struct lh_str model)
{
	static const char suffix[] = ":free";
	size_t n = sizeof suffix - 1;

	if (model.n >= n && memcmp(model.p + model.n - n, suffix, n) == 0)
		return true;
	return memmem(model.p, model.n, ":free/", 6) || is(model, "qwen3.5:latest") ||
		is(model, "qwen3:latest");
}

struct request {
	struct lh_str mode, model;
	struct lh_value mode_json;	/* mode as it is written */
	bool forced;
};

const struct lh_bind gate_members[] = {
	{ LH_BIND_STRING("mode", struct request, mode), .required = true, .filled = true,
	  .as_written = LH_BIND_FIELD(struct request, mode_json),
	  .about = "the mode that was asked for" },
	{ LH_BIND_STRING("model", struct request, model), .required = true,
	  .about = "the model that reviews" },
	{ LH_BIND_BOOL("forced", struct request, forced), .about = "whether the mode stays" },
	LH_BIND_END
};
const struct lh_bind gate_answer[] = {
	LH_OP_TEXT("mode"),
	{ LH_BIND_ONLY("downgraded_from", LH_BIND_TO_STRING), .about = "mode, if it is another" },
	LH_BIND_END
};

static int on_request(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	struct request q = { .forced = false };
	const bool *enrich = worker;
	struct lh_writer json;
	struct lh_buf text = { 0 };
	bool down;

	if (lh_bind(gate_members, rec, &q, &text, err) < 0) {
		lh_buf_free(&text);
		return -1;
	}
	down = is(q.mode, FULL) && !q.forced && !*enrich && !is_weak(q.model);
	lh_buf_free(&text);
	json = lh_write_record(out, rec, (const char *const[]){ "mode", "downgraded_from" }, 2);
	if (down)
		lh_write_text(&json, "mode", DOWNGRADED);
	lh_write_value(&json, down ? "downgraded_from" : "mode", &q.mode_json);
	lh_write_end(&json);
	return 0;
}

int gate_run(struct lh_tool *tool, void *settings)
{
	const char *set = getenv("LH_FORCE_FULL_ENRICHMENT");
	bool enrich = set && *set;

	(void)settings;
	return lh_records_run(tool, &(struct lh_flow){ .map = on_request, .shared = &enrich });
}
