/* judge.c - decide whether a model's text is an answer.  See replay.h. */
#include "replay.h"

#include "base/utf8.h"
#include "text/escape.h"
#include "validate/validate_parts.h"

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

bool judge_hedges(const struct lh_str *s)
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
