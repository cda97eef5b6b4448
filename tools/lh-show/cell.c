/*
 * cell.c - values as text for people: which members show a record, and words that are marked.  See
 * show.h.
 */
#include <ctype.h>

#include "validate/validation_error.h"
#include "show.h"
#include "text/escape.h"
#include "text/tokens.h"

/* ---- marks ---- */

#define SHORT 2			/* letters of words that stand in every text */

/* Return the length of a folded word without its English ending; 0: it is not marked. */
static size_t fold(struct lh_token *t)
{
	unsigned i = 0;

	if (t->chars <= SHORT && !t->solo && !lh_token_is_number(t))
		return 0;
	while (i < t->len && t->s[i] >= 'a' && t->s[i] <= 'z')
		i++;
	return i == t->len ? lh_token_stem(t->s, t->len) : t->len;
}

void marks_read(struct show *w)
{
	struct lh_tokens in;
	struct lh_token t;
	struct lh_err unused;
	uint32_t number;
	size_t n;

	lh_tokens_init(&in, w->s->mark, strlen(w->s->mark));
	while (lh_tokens_next(&in, &t))
		if ((n = fold(&t)))
			lh_intern_add(&w->marked, (const char *)t.s, n, &number, &unused);
}

/* Return whether a word in a text is one of them. */
static bool is_marked(const struct show *w, const char *p, size_t n)
{
	struct lh_tokens in;
	struct lh_token t;
	size_t len;

	lh_tokens_init(&in, p, n);
	while (lh_tokens_next(&in, &t))
		if ((len = fold(&t)) && lh_intern_find(&w->marked, (const char *)t.s, len) >= 0)
			return true;
	return false;
}

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

void marks_put(struct show *w, enum lh_style style, const char *p, size_t n)
{
	size_t at = 0, from = 0, end;

	for (; w->marked.n && at < n; at = end) {
		end = at + 1;
		while (end < n && in_word(p[at]) && in_word(p[end]))
			end++;
		if (!in_word(p[at]) || !is_marked(w, p + at, end - at))
			continue;
		if (at > from)
			lh_term_put(&w->out, w->colored, style, p + from, at - from);
		lh_term_put(&w->out, w->colored, LH_STYLE_WARN, p + at, end - at);
		from = end;
	}
	if (n > from || !n)
		lh_term_put(&w->out, w->colored, style, p + from, n - from);
}

/* ---- members of a kind ---- */

const struct kind kinds[KIND_COUNT] = {
	{ KIND_HITS, "results.0.distance", "rank distance score corpus id metadata.*" },
	{ KIND_HITS, "query results", "rank distance score corpus id metadata.*" },
	{ KIND_HITS, "query_text results", "rank distance score corpus id metadata.*" },
	{ KIND_HITS, "query_text rank distance id",
	  "query_text rank distance score corpus id metadata.*" },
	{ KIND_HITS, "rank distance id", "query rank distance score corpus id metadata.*" },
	{ KIND_VERDICTS, "verdict.status",
	  "id kind to verdict.status verdict.error verdict.report.findings" },
	{ KIND_VERDICTS, "status findings", "status error findings" },
	{ KIND_VERDICTS, "status Schema.reason", "status error findings" },
	{ KIND_VERDICTS, "status Completeness.reason", "status error findings" },
	{ KIND_VERDICTS, "status Consistency.reason", "status error findings" },
	{ KIND_VERDICTS, "status Policy.reason", "status error findings" },
	{ KIND_SCORES, "evidence_run_id category",
	  "evidence_run_id evidence_task_id category reasons scored_at" },
	{ KIND_EVIDENCE, "run_id task_id provenance",
	  "timestamp run_id task_id model_name observer_verdict text" },
	{ KIND_SAMPLES, "source_run_id quality_score", "id quality_score instruction response" },
	{ KIND_SAMPLES, "source_run_id success_score", "id success_score title tags content" },
	{ KIND_SAMPLES, "chosen rejected prompt", "id prompt chosen rejected reason" },
	{ KIND_CHAIN, "prev_chain_hash row_hmac",
	  "ts candidate_id accessor.daemon accessor.kind accessor.purpose fields_accessed result" },
	{ KIND_SESSIONS, "session_id final_verdict",
	  "timestamp session_id kind model iterations final_verdict grounded_in_roster "
	  "duration_ms prompt" },
	{ KIND_OPERATIONS, "source endpoint success",
	  "timestamp source endpoint success duration_ms input_summary output_summary error" },
	{ KIND_WORKERS, "name role",
	  "candidate_id name role city state status skills certifications" },
	{ KIND_ERRORS, "error.message", "id error.file error.line error.code error.message" },
	{ KIND_PLAIN, "", "*" },
};

static bool has_all(const struct lh_value *v, const char *tells)
{
	struct lh_value found;
	size_t n;

	for (; *tells; tells += n + strspn(tells + n, " ")) {
		n = strcspn(tells, " ");
		if (!lh_value_at(v, tells, n, &found))
			return false;
	}
	return true;
}

const struct kind *kind_of(const struct lh_value *v, enum kind_name name)
{
	const struct kind *k, *first = NULL;

	for (k = kinds; *k->tells; k++)
		if (name == KIND_ANY || k->name == name) {
			first = first ? first : k;
			if (v->type == LH_OBJECT && has_all(v, k->tells))
				return k;
		}
	return name == KIND_ANY || !first ? k : first;
}

/* ---- values ---- */

void cell_clean(struct lh_buf *out, const char *p, size_t n)
{
	size_t at, run = 0, len;

	for (at = 0; at < n; at += len) {
		len = lh_escape_char_len(p + at, n - at);
		if (len)
			continue;
		lh_buf_add(out, p + run, at - run);
		if (p[at] == '\n' || p[at] == '\t')
			lh_buf_puts(out, p[at] == '\n' ? "\\n" : "\\t");
		else
			lh_buf_printf(out, "\\x%02x", (unsigned char)p[at]);
		run = at + (len = 1);
	}
	lh_buf_add(out, p + run, n - run);
}

static void put_limited(struct lh_buf *out, const char *p, size_t n)
{
	size_t len = n;

	if (n > CELL_MAX)
		for (len = CELL_MAX; (p[len] & 0xc0) == 0x80 && len > CELL_MAX - 4;)
			len--;
	cell_clean(out, p, len);
	if (len < n)
		lh_buf_puts(out, CELL_MORE);
}

static void put_scalar(struct lh_buf *out, const struct lh_value *v, struct lh_buf *scratch)
{
	struct lh_str s = { v->p, v->n };

	lh_buf_reset(scratch);
	if (v->type == LH_STRING && v->n > 2)
		lh_value_str(v, scratch, &s);
	put_limited(out, s.p, s.n);
}

bool cell_error(struct lh_buf *out, const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf strings = { 0 }, text = { 0 };
	struct lh_validation_error e;
	struct lh_err not_one;

	if (v->type != LH_OBJECT || lh_validation_error_read(v, &strings, &e, &not_one) < 0)
		return false;
	lh_validation_error_text(&text, &e);
	put_limited(out, text.p, text.len);
	return true;
}

#define NUMBERS_SHOWN 32	/* of one array, which is a vector if it has more */

/* Return of how many numbers an array is, if it is a vector, else 0. */
static size_t vector_of(const struct lh_value *v)
{
	struct lh_iter it;
	size_t n = 0;

	if (v->type != LH_ARRAY)
		return 0;
	for (lh_iter_init(&it, v); lh_iter_next(&it); n++)
		if (it.val.type != LH_NUMBER)
			return 0;
	return n > NUMBERS_SHOWN ? n : 0;
}

bool cell_is_list(const struct lh_value *v)
{
	struct lh_iter it;
	bool any = false;

	if (vector_of(v))
		return true;
	if (v->type != LH_ARRAY || v->n > CELL_MAX)
		return false;
	for (lh_iter_init(&it, v); lh_iter_next(&it); any = true)
		if (it.val.type >= LH_ARRAY)
			return false;
	return any;
}

void cell_value(struct lh_buf *out, const struct lh_value *v, struct lh_buf *scratch)
{
	size_t start = out->len, n = vector_of(v);
	struct lh_iter it;

	if (n)
		lh_buf_printf(out, "%zu numbers", n);
	if (n || cell_error(out, v))
		return;
	if (!cell_is_list(v)) {
		put_scalar(out, v, scratch);
		return;
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it);) {
		if (out->len > start)
			lh_buf_puts(out, ", ");
		put_scalar(out, &it.val, scratch);
	}
}

enum lh_style cell_style(const struct lh_value *v)
{
	return v->type == LH_NULL ? LH_STYLE_DIM : v->type == LH_NUMBER ? LH_STYLE_NUMBER :
	       v->type == LH_TRUE || v->type == LH_FALSE ? LH_STYLE_LITERAL : LH_STYLE_PLAIN;
}
