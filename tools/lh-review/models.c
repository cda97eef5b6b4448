/* models.c - the models and their lineages.  See review.h. */
#include "review.h"

#include "base/utf8.h"

/* Words for sizes and for the newest version. */
static const char *const sizes[] = { "nano",   "micro", "tiny", "mini",	 "small",
				     "medium", "large", "huge", "latest" };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool has_digit(struct lh_str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (is_digit(s.p[i]))
			return true;
	return false;
}

static bool is_size(struct lh_str s)
{
	size_t i;

	for (i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if (lh_fold_equal(s.p, s.n, sizes[i], strlen(sizes[i])))
			return true;
	return false;
}

/* Return the name without providers before it and the tag after it. */
static struct lh_str bare_name(struct lh_str s)
{
	const char *slash = s.n ? memrchr(s.p, '/', s.n) : NULL, *colon;

	if (slash)
		s = (struct lh_str){ slash + 1, (size_t)(s.p + s.n - slash) - 1 };
	colon = s.n ? memchr(s.p, ':', s.n) : NULL;
	if (colon)
		s.n = (size_t)(colon - s.p);
	return s;
}

static size_t word_len(struct lh_str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != '-' && s.p[n] != '_')
		n++;
	return n;
}

/* Append the lineage that a model's name tells.
 * The words before the first one with a digit or of a size are the family; of the first word
 * what is before its digits. */
static void lineage_of(struct lh_str model, struct lh_buf *out)
{
	struct lh_str name = bare_name(model), word;
	size_t n = word_len(name), i;

	for (i = 0; i < n; i++)
		if (is_digit(name.p[i]))
			n = i;
	while (n < name.n && !is_digit(name.p[n])) {
		word = (struct lh_str){ name.p + n + 1, name.n - n - 1 };
		word.n = word_len(word);
		if (!word.n || has_digit(word) || is_size(word))
			break;
		n += word.n + 1;
	}
	if (!n)
		n = name.n;
	for (i = 0; i < n; i++)
		lh_buf_putc(out, lh_fold(name.p[i]));
	if (!n)
		lh_buf_add(out, model.p, model.n);
}

/* Return the lineage that --lineage gives a model; p NULL: none. */
static struct lh_str given_lineage(const struct review *r, struct lh_str model)
{
	size_t i;

	for (i = r->lineages.n; i--; ) {
		const char *s = r->lineages.v[i], *eq = strchr(s, '=');

		if (lh_str_is(model, s, (size_t)(eq - s)))
			return lh_str_of(eq + 1);
	}
	return (struct lh_str){ NULL, 0 };
}

static int check_lineages(struct review *r)
{
	size_t i, m;

	for (i = 0; i < r->lineages.n; i++) {
		const char *s = r->lineages.v[i], *eq = strchr(s, '=');

		if (!lh_utf8_valid(s, strlen(s)))
			return lh_tool_usage(r->tool, "--lineage is not UTF-8");
		if (!eq || !eq[1])
			return lh_tool_usage(r->tool, "--lineage: \"%s\" is not MODEL=NAME", s);
		for (m = 0; m < r->models.n; m++)
			if (lh_str_is(lh_str_of(r->models.v[m]), s, (size_t)(eq - s)))
				break;
		if (m == r->models.n)
			return lh_tool_usage(r->tool, "--lineage: %.*s is not a model of --model",
					     (int)(eq - s), s);
	}
	return 0;
}

static int check_models(struct review *r)
{
	size_t i;

	if (!r->models.n)
		return lh_tool_usage(r->tool, "missing --model");
	if (r->models.n > MODELS_MOST)
		return lh_tool_usage(r->tool, "--model: at most %d", MODELS_MOST);
	for (i = 0; i < r->models.n; i++) {
		if (!*r->models.v[i])
			return lh_tool_usage(r->tool, "--model is empty");
		if (!lh_utf8_valid(r->models.v[i], strlen(r->models.v[i])))
			return lh_tool_usage(r->tool, "--model is not UTF-8");
	}
	return 0;
}

int models_settle(struct review *r)
{
	size_t at[MODELS_MOST + 1], i;

	if (check_models(r) < 0 || check_lineages(r) < 0)
		return -1;
	r->n_models = r->models.n;
	for (i = 0; i < r->n_models; i++) {
		struct model *m = &r->model[i];

		m->name = lh_str_of(r->models.v[i]);
		for (m->counted = 0; !lh_str_is(r->model[m->counted].name, m->name.p, m->name.n); )
			m->counted++;
		at[i] = r->names.len;
		lineage_of(m->name, &r->names);
		at[i + 1] = r->names.len;
	}
	if (lh_buf_check(&r->names, &r->tool->err) < 0)
		return -1;
	for (i = 0; i < r->n_models; i++) {
		struct model *m = &r->model[i];

		m->lineage = given_lineage(r, m->name);
		if (!m->lineage.p)
			m->lineage = (struct lh_str){ r->names.p + at[i], at[i + 1] - at[i] };
	}
	return 0;
}
