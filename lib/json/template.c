/* template.c - a text made of several fields of a record.  See value.h. */
#include "value.h"

#include <stdlib.h>

#include "base/mem.h"

struct part {
	const char *p;		/* a field's path ends in NUL */
	size_t n;
	bool field;
	struct lh_path path;
};

struct lh_template {
	char *text;
	struct part *part;
	size_t n;
};

static void add_part(struct lh_template *t, const char *p, size_t n, bool field)
{
	if (n)
		t->part[t->n++] = (struct part){ p, n, field, LH_PATH(p) };
}

/* Parse the brace at c: a doubled one is literal, else "{name}".  Returns the byte
 * after it, or NULL. */
static char *parse_brace(struct lh_template *t, char *c, struct lh_err *err)
{
	size_t at = (size_t)(c - t->text) + 1;
	char *end;

	if (c[1] == c[0]) {
		add_part(t, c, 1, false);
		return c + 2;
	}
	if (*c == '}') {
		lh_err_set(err, LH_EUSAGE,
			   "unmatched \"}\" at byte %zu (a literal one is written \"}}\")", at);
		return NULL;
	}
	end = strpbrk(c + 1, "{}");
	if (!end || *end == '{') {
		lh_err_set(err, LH_EUSAGE,
			   "\"{\" at byte %zu is not closed (a literal one is written \"{{\")", at);
		return NULL;
	}
	if (end == c + 1) {
		lh_err_set(err, LH_EUSAGE, "no field name at byte %zu", at);
		return NULL;
	}
	*end = '\0';
	add_part(t, c + 1, (size_t)(end - c - 1), true);
	return end + 1;
}

static int parse(struct lh_template *t, struct lh_err *err)
{
	char *c = t->text;

	while (*c) {
		size_t n = strcspn(c, "{}");

		add_part(t, c, n, false);
		c += n;
		if (*c && !(c = parse_brace(t, c, err)))
			return -1;
	}
	return 0;
}

struct lh_template *lh_template_new(const char *text, struct lh_err *err)
{
	struct lh_template *t = lh_calloc(1, sizeof *t);
	size_t braces = 0;
	const char *c;

	for (c = text; *c; c++)
		braces += *c == '{' || *c == '}';
	t->text = lh_strndup(text, strlen(text));
	t->part = lh_calloc(2 * braces + 1, sizeof *t->part);
	if (parse(t, err) < 0) {
		lh_template_free(t);
		return NULL;
	}
	return t;
}

void lh_template_free(struct lh_template *t)
{
	if (!t)
		return;
	free(t->text);
	free(t->part);
	free(t);
}

static void string_value(const struct lh_value *v, struct lh_buf *out)
{
	struct lh_str s;

	if (v->escaped)		/* unescaped directly at the end of out */
		lh_value_str(v, out, &s);
	else
		lh_buf_add(out, v->p + 1, v->n - 2);
}

static int append_value(const struct lh_value *v, struct lh_buf *out, struct lh_err *err);

static int array_value(const struct lh_value *v, struct lh_buf *out, struct lh_err *err)
{
	const char *comma = "";
	struct lh_iter it;

	for (lh_iter_init(&it, v); lh_iter_next(&it); comma = ", ") {
		lh_buf_puts(out, comma);
		if (it.val.type == LH_ARRAY)
			lh_buf_add(out, it.val.p, it.val.n);
		else if (append_value(&it.val, out, err) < 0)
			return -1;
	}
	return 0;
}

static int append_value(const struct lh_value *v, struct lh_buf *out, struct lh_err *err)
{
	switch (v->type) {
	case LH_NULL:
		return 0;
	case LH_STRING:
		string_value(v, out);
		return 0;
	case LH_ARRAY:
		return array_value(v, out, err);
	default:
		lh_buf_add(out, v->p, v->n);
		return 0;
	}
}

/* Return the field of a record, or of its metadata, from which the words of a row are taken. */
static const struct lh_value *find_field(struct lh_path *path, const struct lh_record *rec,
					 struct lh_value *inner)
{
	const struct lh_value *v = lh_path_find(path, rec, inner), *in;

	if (v || !(in = lh_record_get(rec, "metadata")) || in->type != LH_OBJECT ||
	    !lh_value_at(in, path->text, strlen(path->text), inner))
		return v;
	atomic_store_explicit(&path->found, true, memory_order_relaxed);
	if (rec->number <= LH_PATH_EARLY)
		atomic_store_explicit(&path->early, true, memory_order_relaxed);
	return inner;
}

int lh_template_render(const struct lh_template *t, const struct lh_record *rec, struct lh_buf *out,
		       struct lh_err *err)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		struct part *part = &t->part[i];
		const struct lh_value *v;
		struct lh_value inner;

		if (!part->field) {
			lh_buf_add(out, part->p, part->n);
			continue;
		}
		v = find_field(&part->path, rec, &inner);
		if (v && append_value(v, out, err) < 0)
			return -1;
	}
	return 0;
}

struct lh_path *lh_template_path(const struct lh_template *t, size_t i)
{
	size_t at;

	for (at = 0; at < t->n; at++)
		if (t->part[at].field && !i--)
			return &t->part[at].path;
	return NULL;
}
