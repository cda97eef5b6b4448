/* bundle.c - the artifacts that the model is shown.  See replay.h. */
#include "replay.h"

#include "base/utf8.h"
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
	if (i < s.n &&
	    (i ? s.p[i] == '.' || s.p[i] == ')' : s.p[i] == '-' || s.p[i] == '*' || s.p[i] == '+'))
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
	for (i = 0; i < b->n_success; i++) {
		struct lh_str rest = b->success[i]->content, line;

		while (b->n_steps < STEPS && lh_next_line(&rest, &line)) {
			line = drop_bullet(lh_trim(line.p, line.n));
			if (is_step(&line) && !has_step(b, &line))
				b->step[b->n_steps++] = line;
		}
	}
	b->tokens = estimate(b);
}

static void write_artifact(struct lh_writer *w, const struct artifact *a)
{
	struct lh_iter it;

	lh_write_object(w, NULL);
	lh_write_str(w, "rag_id", a->rag_id);
	lh_write_str(w, "source_run_id", a->source_run_id);
	lh_write_str(w, "title", a->title);
	lh_write_str(w, "content_preview", a->preview);
	lh_write_str(w, "success_score", a->success_score);
	lh_write_array(w, "tags");	/* as they are in the sample */
	for (lh_iter_init(&it, &a->tags); lh_iter_next(&it); )
		lh_write_value(w, NULL, &it.val);
	lh_write_end(w);
	lh_write_f64(w, "score", a->score);
	lh_write_end(w);
}

static void write_chosen(struct lh_writer *w, const char *name, const struct artifact *const *v,
			 size_t n)
{
	size_t i;

	lh_write_array(w, name);
	for (i = 0; i < n; i++)
		write_artifact(w, v[i]);
	lh_write_end(w);
}

void bundle_write(struct lh_writer *w, const char *name, const struct bundle *b)
{
	size_t i;

	lh_write_object(w, name);
	lh_write_array(w, "retrieved_playbooks");
	for (i = 0; i < b->n; i++)
		write_artifact(w, &b->all[i]);
	lh_write_end(w);
	write_chosen(w, "prior_successful_outputs", b->success, b->n_success);
	write_chosen(w, "failure_patterns", b->failure, b->n_failure);
	lh_write_array(w, "validation_steps");
	for (i = 0; i < b->n_steps; i++)
		lh_write_str(w, NULL, b->step[i]);
	lh_write_end(w);
	lh_write_u64(w, "bundle_token_estimate", b->tokens);
	lh_write_end(w);
}
