/* bundle.c - the artifacts that the model is shown.  See replay.h. */
#include "replay.h"

#include "base/ascii.h"
#include <lh/num.h>
#include "validate/validate_parts.h"

static bool is_class(const struct artifact *a, const char *name)
{
	size_t n = strlen(name);

	return a->success_score.n == n && !memcmp(a->success_score.p, name, n);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Return the line without its bullet: -, *, + or a number with . or ), and blanks. */
static struct lh_str drop_bullet(struct lh_str s)
{
	size_t i = 0;

	while (i < s.n && is_digit(s.p[i]))
		i++;
	if (i < s.n && (i ? s.p[i] == '.' || s.p[i] == ')' : s.p[i] == '-' || s.p[i] == '*' || s.p[i] == '+'))
		i++;
	else
		return s;
	return i < s.n && lh_is_blank(s.p[i]) ? lh_trim(s.p + i, s.n - i) : s;
}

static bool is_step(const struct lh_str *s)
{
	static const char *const verb[] = { "verify", "check", "assert", "ensure" };
	struct word_iter it;
	size_t i;

	word_iter_init(&it, s->p, s->n);
	if (!word_next(&it) || it.word.p != s->p)
		return false;
	for (i = 0; i < sizeof verb / sizeof *verb; i++)
		if (lh_fold_equal(it.word.p, it.word.n, verb[i], strlen(verb[i])))
			return true;
	return false;
}

static bool has_step(const struct bundle *b, const struct lh_str *s)
{
	size_t i;

	for (i = 0; i < b->n_steps; i++)
		if (b->step[i].n == s->n && !memcmp(b->step[i].p, s->p, s->n))
			return true;
	return false;
}

static void take_steps(struct bundle *b, const struct lh_str *content)
{
	const char *p = content->p, *end = p + content->n, *lf;
	struct lh_str line;

	for (; p < end && b->n_steps < STEPS; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (!lf)
			lf = end;
		line = lh_trim(p, (size_t)(lf - p));
		line = drop_bullet(line);
		if (is_step(&line) && !has_step(b, &line))
			b->step[b->n_steps++] = line;
	}
}

static uint64_t estimate(const struct bundle *b)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < b->n_success; i++)
		n += lh_quantize_points(b->success[i]->preview.p, b->success[i]->preview.n);
	for (i = 0; i < b->n_failure; i++)
		n += lh_quantize_points(b->failure[i]->preview.p, b->failure[i]->preview.n);
	for (i = 0; i < b->n_steps; i++)
		n += lh_quantize_points(b->step[i].p, b->step[i].n);
	return (n + 3) / 4;
}

void bundle_make(struct bundle *b, const struct found *f)
{
	size_t i;

	memset(b, 0, sizeof *b);
	b->all = f->v;
	b->n = f->n;
	for (i = 0; i < f->n; i++) {
		if (is_class(&f->v[i], "accepted") && b->n_success < SUCCESSES)
			b->success[b->n_success++] = &f->v[i];
		if (is_class(&f->v[i], "partially_accepted") && b->n_failure < FAILURES)
			b->failure[b->n_failure++] = &f->v[i];
	}
	for (i = 0; i < b->n_success; i++)
		take_steps(b, &b->success[i]->content);
	b->tokens = estimate(b);
}

static void put_member(struct lh_buf *out, const char *name, const struct lh_str *s)
{
	lh_buf_puts(out, name);
	lh_buf_json(out, s->p, s->n);
}

/* Append strings as they are in the sample, without the white space between them. */
static void put_tags(struct lh_buf *out, const struct lh_value *tags)
{
	struct lh_iter it;
	bool first = true;

	for (lh_iter_init(&it, tags); lh_iter_next(&it); first = false) {
		if (!first)
			lh_buf_putc(out, ',');
		lh_buf_add(out, it.val.p, it.val.n);
	}
}

static void put_artifact(struct lh_buf *out, const struct artifact *a)
{
	char *to;

	put_member(out, "{\"rag_id\":", &a->rag_id);
	put_member(out, ",\"source_run_id\":", &a->source_run_id);
	put_member(out, ",\"title\":", &a->title);
	put_member(out, ",\"content_preview\":", &a->preview);
	put_member(out, ",\"success_score\":", &a->success_score);
	lh_buf_puts(out, ",\"tags\":[");
	put_tags(out, &a->tags);
	lh_buf_puts(out, "],\"score\":");
	to = lh_buf_room(out, LH_F64_MAX);
	if (to)
		lh_buf_took(out, lh_f64_print(to, a->score));
	lh_buf_putc(out, '}');
}

static void put_chosen(struct lh_buf *out, const struct artifact *const *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (i)
			lh_buf_putc(out, ',');
		put_artifact(out, v[i]);
	}
}

void bundle_print(struct lh_buf *out, const struct bundle *b)
{
	size_t i;

	lh_buf_puts(out, "{\"retrieved_playbooks\":[");
	for (i = 0; i < b->n; i++) {
		if (i)
			lh_buf_putc(out, ',');
		put_artifact(out, &b->all[i]);
	}
	lh_buf_puts(out, "],\"prior_successful_outputs\":[");
	put_chosen(out, b->success, b->n_success);
	lh_buf_puts(out, "],\"failure_patterns\":[");
	put_chosen(out, b->failure, b->n_failure);
	lh_buf_puts(out, "],\"validation_steps\":[");
	for (i = 0; i < b->n_steps; i++)
		put_member(out, i ? "," : "", &b->step[i]);
	lh_buf_puts(out, "],\"bundle_token_estimate\":");
	lh_buf_u64(out, b->tokens);
	lh_buf_putc(out, '}');
}
