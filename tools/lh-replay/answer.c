/* answer.c - the prompt for a model, and whether its text is an answer.  See replay.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "replay.h"
#include "text/escape.h"
#include "validate/validate_parts.h"

/* ---- words ---- */

#define SHORTEST_WORD 3
#define KEEP ((size_t)4096)	/* slots that are cleared rather than freed */

/* The folded byte of a word, 0 for a byte that is not part of one. */
#define UPPER(c) ((c) >= 'A' && (c) <= 'Z')
#define OTHER(c) (((c) >= 'a' && (c) <= 'z') || ((c) >= '0' && (c) <= '9') || (c) == '_')
#define F1(c) (UPPER(c) ? (c) | 0x20 : OTHER(c) ? (c) : 0)
#define F4(c) F1(c), F1((c) + 1), F1((c) + 2), F1((c) + 3)
#define F16(c) F4(c), F4((c) + 4), F4((c) + 8), F4((c) + 12)
#define F64(c) F16(c), F16((c) + 16), F16((c) + 32), F16((c) + 48)
static const unsigned char fold[256] = { F64(0), F64(64) };

void word_iter_init(struct word_iter *it, const char *p, size_t n)
{
	it->p = (const unsigned char *)p;
	it->end = it->p + n;
}

bool word_next(struct word_iter *it)
{
	const unsigned char *p = it->p, *start;
	uint32_t hash;

	for (;;) {
		while (p < it->end && !fold[*p])
			p++;
		if (p == it->end)
			return false;
		for (start = p, hash = 0; p < it->end && fold[*p]; p++)
			hash = hash * 31 + fold[*p];
		if (p - start >= SHORTEST_WORD)
			break;
	}
	it->word = (struct lh_str){ (const char *)start, (size_t)(p - start) };
	it->hash = hash;
	it->p = p;
	return true;
}

static struct lh_str word_at(const void *ctx, uint32_t i)
{
	const struct words *w = ctx;

	return (struct lh_str){ w->text.p + w->word[i].at, w->word[i].n };
}

void words_free(struct words *w)
{
	lh_buf_free(&w->text);
	lh_table_free(&w->map);
	free(w->word);
}

void words_reset(struct words *w)
{
	lh_buf_reset(&w->text);
	if (w->map.slots > KEEP)
		lh_table_free(&w->map);
	else
		lh_table_clear(&w->map);
	w->n = 0;
	memset(w->filter, 0, sizeof w->filter);
}

/* Find the word at the end of text, folded: its number, or -1. */
static int64_t lookup(struct words *w, const struct lh_str *word)
{
	char *to = lh_buf_room(&w->text, word->n);
	size_t i;

	for (i = 0; i < word->n; i++)
		to[i] = lh_fold(word->p[i]);
	return lh_table_find(&w->map, (struct lh_str){ to, word->n }, word_at, w);
}

static uint64_t *filter_of(struct words *w, uint32_t hash, uint64_t *bit)
{
	*bit = UINT64_C(1) << (hash & 63);
	return &w->filter[hash >> 6 & 1023];
}

static int add(struct words *w, const struct word_iter *it, uint64_t mask, struct lh_err *err)
{
	int64_t at = lookup(w, &it->word);
	uint64_t bit;

	if (at < 0) {
		at = (int64_t)w->n;
		if (w->n >= UINT32_MAX - 1)
			return lh_err_nomem(err);
		lh_grow(&w->word, &w->cap, w->n + 1, sizeof *w->word);
		w->word[at] = (struct word){ .at = w->text.len, .n = it->word.n };
		lh_buf_took(&w->text, it->word.n);
		lh_table_set(&w->map, word_at(w, (uint32_t)at), (uint32_t)at, word_at, w);
		w->n++;
		*filter_of(w, it->hash, &bit) |= bit;
	}
	w->word[at].mask |= mask;
	return 0;
}

int words_add(struct words *w, const char *p, size_t n, uint64_t mask, struct lh_err *err)
{
	struct word_iter it;

	for (word_iter_init(&it, p, n); word_next(&it); )
		if (add(w, &it, mask, err) < 0)
			return -1;
	return 0;
}

struct word *words_find(struct words *w, const struct word_iter *it)
{
	uint64_t bit;
	int64_t at;

	if (!(*filter_of(w, it->hash, &bit) & bit))
		return NULL;
	at = lookup(w, &it->word);
	return at < 0 ? NULL : &w->word[at];
}

/* ---- whether a text is an answer ---- */

static const char *const hedge[] = { "as an ai", "i cannot", "i can't", "i'm unable",
				     "i'm sorry, but", "i don't have access" };

static void against(struct lh_buf *reasons, const char *reason)
{
	if (reasons->len)
		lh_buf_putc(reasons, ',');
	lh_buf_json(reasons, reason, strlen(reason));
}

static bool in_word(char c)
{
	c = lh_fold(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Return the length of the text at p..end that matches the character c of a hedge:
 * any blanks match one, and an apostrophe may be a typographic one.  0 if it does
 * not match. */
static size_t stands_for(const char *p, const char *end, char c)
{
	const char *q = p;

	if (c == ' ') {
		while (q < end && lh_is_blank(*q))
			q++;
		return (size_t)(q - p);
	}
	if (c == '\'' && end - p >= 3 && !memcmp(p, "\xe2\x80\x99", 3))
		return 3;
	return p < end && lh_fold(*p) == c;
}

static bool hedges_at(const char *p, const char *end, const char *words)
{
	size_t n;

	for (; *words; words++, p += n) {
		n = stands_for(p, end, *words);
		if (!n)
			return false;
	}
	return p == end || !in_word(*p);
}

static bool hedges(const struct lh_str *s, const char *words)
{
	const char *p = s->p, *end = p + s->n;

	for (; p < end; p++)
		if (lh_fold(*p) == *words && (p == s->p || !in_word(p[-1])) &&
		    hedges_at(p, end, words))
			return true;
	return false;
}

/* Return whether this text would count against an answer. */
static bool judge_hedges(const struct lh_str *s)
{
	size_t i;

	for (i = 0; i < sizeof hedge / sizeof *hedge; i++)
		if (hedges(s, hedge[i]))
			return true;
	return false;
}

/* Determine whether the answer uses a word of the steps. */
static int meets(const struct lh_str *s, const struct bundle *b, struct words *steps, bool *yes,
		 struct lh_err *err)
{
	struct word_iter it;
	size_t i;

	words_reset(steps);
	for (i = 0; i < b->n_steps; i++)
		if (words_add(steps, b->step[i].p, b->step[i].n, 0, err) < 0)
			return -1;
	*yes = false;
	for (word_iter_init(&it, s->p, s->n); !*yes && word_next(&it); )
		*yes = words_find(steps, &it) != NULL;
	return 0;
}

int judge(const struct lh_str *answer, const struct bundle *b, struct words *steps,
	  struct lh_buf *reasons, struct lh_err *err)
{
	struct lh_str s = lh_trim(answer->p, answer->n);
	size_t points = lh_quantize_points(s.p, s.n), i;
	char reason[80];
	bool met = true;

	if (!s.n) {
		against(reasons, "empty answer");
		return 0;
	}
	if (points < SHORTEST) {
		snprintf(reason, sizeof reason, "short answer: %zu of %d characters", points,
			 SHORTEST);
		against(reasons, reason);
	}
	for (i = 0; i < sizeof hedge / sizeof *hedge; i++)
		if (hedges(&s, hedge[i])) {
			snprintf(reason, sizeof reason, "hedge: %s", hedge[i]);
			against(reasons, reason);
		}
	if (b && b->n_steps && meets(&s, b, steps, &met, err) < 0)
		return -1;
	if (!met)
		against(reasons, "no word of the validation steps");
	return 0;
}

void judge_failed(struct lh_buf *reasons, const char *what, const struct lh_err *why)
{
	char text[sizeof why->msg + 64];

	snprintf(text, sizeof text, "%s: %s", what, why->msg);
	if (reasons->len)
		lh_buf_putc(reasons, ',');
	lh_escape_json(reasons, text);
}

/* ---- the prompt, and the answer of a dry run ---- */

const char prompt_preface[] =
	"You are given a task and what earlier runs of similar tasks left behind. "
	"Build on the prior successful outputs, avoid the failure patterns, "
	"and say for each validation step how your answer meets it. "
	"Answer the task itself, completely and concretely.";

static void put_str(struct lh_buf *out, const struct lh_str *s)
{
	lh_buf_add(out, s->p, s->n);
}

static void put_artifacts(struct lh_buf *out, const char *heading, const struct artifact *const *v,
			  size_t n)
{
	size_t i;

	if (n)
		lh_buf_puts(out, heading);
	for (i = 0; i < n; i++) {
		lh_buf_puts(out, "- ");
		put_str(out, &v[i]->title);
		lh_buf_putc(out, '\n');
		put_str(out, &v[i]->preview);
		lh_buf_putc(out, '\n');
	}
}

/* As an answer, a step that would count against it is shown by its verb alone. */
static void put_steps(struct lh_buf *out, const char *heading, const struct bundle *b,
		      bool as_answer)
{
	struct word_iter it;
	size_t i;

	if (b->n_steps)
		lh_buf_puts(out, heading);
	for (i = 0; i < b->n_steps; i++) {
		lh_buf_puts(out, "- ");
		word_iter_init(&it, b->step[i].p, b->step[i].n);
		put_str(out, as_answer && judge_hedges(&b->step[i]) && word_next(&it) ? &it.word
			: &b->step[i]);
		lh_buf_putc(out, '\n');
	}
}

void prompt_print(struct lh_buf *out, const struct lh_str *task, const struct bundle *b)
{
	lh_buf_puts(out, "Task:\n");
	put_str(out, task);
	lh_buf_putc(out, '\n');
	if (!b)
		return;
	put_artifacts(out, "\nPrior successful outputs:\n", b->success, b->n_success);
	put_artifacts(out, "\nFailure patterns to avoid:\n", b->failure, b->n_failure);
	put_steps(out, "\nValidation steps:\n", b, false);
}

static void put_ids(struct lh_buf *out, const struct artifact *const *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		lh_buf_puts(out, i ? ", " : " (");
		put_str(out, &v[i]->rag_id);
	}
	lh_buf_puts(out, n ? ")" : "");
}

void dry_answer(struct lh_buf *out, const struct bundle *b)
{
	static const struct bundle none;

	if (!b)
		b = &none;
	lh_buf_printf(out,
		      "Dry run: no model was asked. This answer was made of %zu retrieved "
		      "playbooks, of which %zu succeeded",
		      b->n, b->n_success);
	put_ids(out, b->success, b->n_success);
	lh_buf_printf(out, " and %zu failed in part", b->n_failure);
	put_ids(out, b->failure, b->n_failure);
	lh_buf_puts(out, ".\n");
	put_steps(out, "Validation steps:\n", b, true);
}
