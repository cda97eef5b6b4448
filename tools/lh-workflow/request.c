/* request.c - the request of a node, with its references replaced.  See workflow.h. */

#include "workflow.h"

#define SHOWN 100		/* bytes of a reference in a message */

struct filling {
	const struct lh_workflow *w;
	size_t node;
	const struct lh_workflow_values *values;
	struct lh_buf *out, text, scratch;	/* text: a string that is being put together */
	struct lh_err *err;
};

struct ref {
	size_t n;		/* bytes, with its "$" */
	bool input;
	uint32_t node;
	struct lh_str path;	/* ".output.a", may be empty */
};

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

/* Return the bytes of the name at p: words joined by "-". */
static size_t name_length(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && (is_word(p[i]) || p[i] == '-'))
		i++;
	while (i && p[i - 1] == '-')
		i--;
	return i;
}

/* Read the reference at s, which begins with "$": the longest id that ends at the end of a
 * word.  False if it is text. */
static bool read_ref(const struct lh_workflow *w, struct lh_str s, struct ref *ref)
{
	size_t n = name_length(s.p + 1, s.n - 1), k;
	int64_t node = -1;

	for (;;) {
		const struct lh_str id = { s.p + 1, n };

		if (!n)
			return false;
		ref->input = lh_str_is(id, "input", 5);
		node = ref->input ? 0 : lh_table_find(&w->ids, id, lh_workflow_id, w);
		if (node >= 0)
			break;
		for (n--; n && s.p[1 + n] != '-'; n--)
			;
		while (n && s.p[n] == '-')
			n--;
	}
	ref->node = (uint32_t)node;
	ref->n = n + 1;
	while (ref->n < s.n && s.p[ref->n] == '.' &&
	       (k = name_length(s.p + ref->n + 1, s.n - ref->n - 1)))
		ref->n += k + 1;
	ref->path = (struct lh_str){ s.p + n + 1, ref->n - n - 1 };
	return true;
}

/* ---- the value of a reference ---- */

static bool element(const struct lh_value *array, struct lh_str number, struct lh_value *out)
{
	struct lh_iter it;
	size_t i, at = 0;

	if (number.n > 9 || (number.n > 1 && *number.p == '0'))
		return false;
	for (i = 0; i < number.n; i++) {
		if (number.p[i] < '0' || number.p[i] > '9')
			return false;
		at = at * 10 + (size_t)(number.p[i] - '0');
	}
	for (lh_iter_init(&it, array); lh_iter_next(&it); )
		if (!at--) {
			*out = it.val;
			return true;
		}
	return false;
}

static bool member(const struct lh_value *object, struct lh_str name, struct lh_value *out)
{
	struct lh_iter it;

	for (lh_iter_init(&it, object); lh_iter_next(&it); )
		if (lh_value_is(&it.key, name.p, name.n)) {
			*out = it.val;
			return true;
		}
	return false;
}

/* Follow ".a.0.b" from *v. */
static bool follow(struct lh_str path, struct lh_value *v)
{
	while (path.n) {
		const char *end = memchr(path.p + 1, '.', path.n - 1);
		const size_t n = end ? (size_t)(end - path.p) : path.n;
		const struct lh_str step = { path.p + 1, n - 1 };
		const struct lh_value in = *v;

		if (in.type == LH_OBJECT ? !member(&in, step, v)
		    : in.type != LH_ARRAY || !element(&in, step, v))
			return false;
		path = (struct lh_str){ path.p + n, path.n - n };
	}
	return true;
}

static bool is_above(const struct filling *f, uint32_t node)
{
	const size_t words = (f->w->n + 63) / 64;

	return f->w->above[f->node * words + node / 64] >> node % 64 & 1;
}

static int find_value(const struct filling *f, const char *at, const struct ref *ref,
		      struct lh_value *v)
{
	static const char output[] = ".output";
	struct lh_str path = ref->path;
	const size_t n = sizeof output - 1;
	const int shown = ref->n > SHOWN ? SHOWN : (int)ref->n;
	bool found;

	if (!ref->input && !is_above(f, ref->node))
		return lh_err_set(f->err, LH_EDATA,
				  "unresolved %.*s: \"%.*s\" does not depend on it", shown, at,
				  (int)f->w->node[f->node].id.n, f->w->node[f->node].id.p);
	*v = ref->input ? f->values->input : f->values->output[ref->node];
	found = v->p != NULL;
	if (!ref->input && path.n) {
		found = path.n >= n && !memcmp(path.p, output, n) &&
			(path.n == n || path.p[n] == '.');
		path = (struct lh_str){ path.p + n, found ? path.n - n : 0 };
	}
	if (!found || !follow(path, v))
		return lh_err_set(f->err, LH_EDATA, "unresolved %.*s", shown, at);
	return 0;
}

/* ---- texts ---- */

static int add_to_text(struct filling *f, const struct lh_value *v)
{
	struct lh_str s = { v->p, v->n };

	lh_buf_reset(&f->scratch);
	if (v->type == LH_STRING && lh_value_str(v, &f->scratch, &s, f->err) < 0)
		return -1;
	lh_buf_add(&f->text, s.p, s.n);
	return 0;
}

/* Write a text that has a "$". */
static int write_text(struct filling *f, struct lh_str s)
{
	struct lh_value v;
	struct ref ref;
	size_t at = 0;

	lh_buf_reset(&f->text);
	f->text.max = f->out->max;
	while (at < s.n) {
		const char *dollar = memchr(s.p + at, '$', s.n - at);
		const size_t n = dollar ? (size_t)(dollar - s.p) - at : s.n - at;
		const struct lh_str rest = { s.p + at + n, s.n - at - n };

		lh_buf_add(&f->text, s.p + at, n);
		at += n;
		if (!dollar)
			break;
		if (!read_ref(f->w, rest, &ref)) {
			lh_buf_putc(&f->text, '$');
			at += 1 + (rest.n > 1 && rest.p[1] == '$');
			continue;
		}
		if (find_value(f, rest.p, &ref, &v) < 0)
			return -1;
		if (ref.n == s.n) {
			lh_buf_add(f->out, v.p, v.n);
			return 0;
		}
		if (add_to_text(f, &v) < 0)
			return -1;
		at += ref.n;
	}
	if (lh_buf_check(&f->text, f->err) < 0)
		return -1;
	lh_buf_json(f->out, f->text.p, f->text.len);
	return 0;
}

static int write_string(struct filling *f, const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf plain = { 0 };
	struct lh_str s = { v->p + 1, v->n - 2 };
	int rc = 0;

	if (v->escaped)
		rc = lh_value_str(v, &plain, &s, f->err);
	if (!rc && s.n && memchr(s.p, '$', s.n))
		rc = write_text(f, s);
	else if (!rc)
		lh_buf_add(f->out, v->p, v->n);
	return rc;
}

/* ---- values ---- */

static int write_value(struct filling *f, const struct lh_value *v)
{
	const bool object = v->type == LH_OBJECT;
	struct lh_iter it;
	char before = object ? '{' : '[';

	if (v->type == LH_STRING)
		return write_string(f, v);
	if (v->type != LH_ARRAY && !object) {
		lh_buf_add(f->out, v->p, v->n);
		return 0;
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it); before = ',') {
		lh_buf_putc(f->out, before);
		if (object) {
			lh_buf_add(f->out, it.key.p, it.key.n);
			lh_buf_putc(f->out, ':');
		}
		if (write_value(f, &it.val) < 0)
			return -1;
	}
	if (before != ',')
		lh_buf_putc(f->out, before);
	lh_buf_putc(f->out, object ? '}' : ']');
	return 0;
}

static int write_request(struct filling *f, const struct lh_workflow_node *node)
{
	struct lh_iter it;
	char before = '{';

	if (node->inputs.p)
		for (lh_iter_init(&it, &node->inputs); lh_iter_next(&it); ) {
			if (node->prompt_at.p && lh_value_is(&it.key, "prompt", 6))
				continue;
			lh_buf_putc(f->out, before);
			before = ',';
			lh_buf_add(f->out, it.key.p, it.key.n);
			lh_buf_putc(f->out, ':');
			if (write_value(f, &it.val) < 0)
				return -1;
		}
	if (node->prompt_at.p) {
		lh_buf_putc(f->out, before);
		before = ',';
		lh_buf_puts(f->out, "\"prompt\":");
		if (write_value(f, &node->prompt_at) < 0)
			return -1;
	}
	if (before == '{')
		lh_buf_putc(f->out, before);
	lh_buf_putc(f->out, '}');
	return lh_buf_check(f->out, f->err);
}

int lh_workflow_request(const struct lh_workflow *w, size_t node,
			const struct lh_workflow_values *values, struct lh_buf *out,
			struct lh_err *err)
{
	struct filling f = { .w = w, .node = node, .values = values, .out = out, .err = err };
	int rc = write_request(&f, &w->node[node]);

	lh_buf_free(&f.text);
	lh_buf_free(&f.scratch);
	return rc;
}
