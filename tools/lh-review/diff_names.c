/* diff_names.c - the path of a part, from the lines of its header.  See diff_parts.h. */
#include "diff_parts.h"

static const char escapes[] = "a\ab\bt\tn\nv\vf\fr\r\"\"\\\\";

/* Read what follows a backslash: the byte, and *used characters; 0 if it is wrong. */
static char unescape(struct lh_str s, size_t *used)
{
	size_t i;

	*used = 1;
	for (i = 0; s.n && escapes[i]; i += 2)
		if (escapes[i] == s.p[0])
			return escapes[i + 1];
	*used = 3;
	if (s.n < 3 || s.p[0] < '0' || s.p[0] > '3')
		return 0;
	for (i = 1; i < 3; i++)
		if (s.p[i] < '0' || s.p[i] > '7')
			return 0;
	return (char)((s.p[0] - '0') << 6 | (s.p[1] - '0') << 3 | (s.p[2] - '0'));
}

size_t lh_diff_unquote(struct lh_str s, struct lh_buf *name)
{
	size_t i = 1, was = name->len, used;
	char c;

	while (s.n && s.p[0] == '"' && i < s.n) {
		c = s.p[i++];
		if (c == '"' && name->len > was)
			return i;
		if (c == '"' || !c)
			break;
		if (c == '\\') {
			c = unescape((struct lh_str){ s.p + i, s.n - i }, &used);
			if (!c)
				break;
			i += used;
		}
		lh_buf_putc(name, c);
	}
	name->len = was;
	return 0;
}

void lh_diff_quote(struct lh_str name, struct lh_buf *out)
{
	size_t i, e;

	for (i = 0; i < name.n; i++)
		if (name.p[i] < ' ' || name.p[i] > '~' || name.p[i] == '"' || name.p[i] == '\\')
			break;
	if (i == name.n) {
		lh_buf_add(out, name.p, name.n);
		return;
	}
	lh_buf_putc(out, '"');
	for (i = 0; i < name.n; i++) {
		for (e = 0; escapes[e] && escapes[e + 1] != name.p[i]; e += 2)
			;
		if (escapes[e])
			lh_buf_printf(out, "\\%c", escapes[e]);
		else if (name.p[i] < ' ' || name.p[i] > '~')
			lh_buf_printf(out, "\\%03o", (unsigned char)name.p[i]);
		else
			lh_buf_putc(out, name.p[i]);
	}
	lh_buf_putc(out, '"');
}

static void set(struct lh_buf *to, struct lh_str s)
{
	lh_buf_reset(to);
	lh_buf_add(to, s.p, s.n);
}

/* Set *to to the name in s, which is in quotes or not. */
static void set_name(struct lh_buf *to, struct lh_str s)
{
	lh_buf_reset(to);
	if (!lh_diff_unquote(s, to))
		lh_buf_add(to, s.p, s.n);
}

/* Return s without its first folder; empty if it has none. */
static struct lh_str below(struct lh_str s)
{
	const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
	size_t n = slash ? (size_t)(slash - s.p) + 1 : s.n;

	return (struct lh_str){ s.p + n, s.n - n };
}

/* Set the path if both names are of one file: the same, or the same below their prefixes. */
static bool both(struct lh_diff_names *n, struct lh_str a, struct lh_str b)
{
	struct lh_str p = below(a), q = below(b);

	if (a.n && lh_str_is(a, b.p, b.n))
		set(&n->path, b);
	else if (p.n && lh_str_is(p, q.p, q.n))
		set(&n->path, q);
	else
		return false;
	return n->sure = true;
}

/* Try to split two names without quotes at the space at i. */
static bool split_at(struct lh_diff_names *n, struct lh_str s, size_t i)
{
	return i < s.n && s.p[i] == ' ' &&
		both(n, (struct lh_str){ s.p, i }, (struct lh_str){ s.p + i + 1, s.n - i - 1 });
}

/* Take two names, one or both of them in quotes. */
static bool quoted(struct lh_diff_names *n, struct lh_str s)
{
	struct lh_buf *a = &n->scratch[0], *b = &n->scratch[1];
	size_t i = 0;

	lh_buf_reset(a);
	lh_buf_reset(b);
	if (s.p[0] == '"') {
		i = lh_diff_unquote(s, a);
	} else {
		while (i + 1 < s.n && memcmp(s.p + i, " \"", 2) != 0)
			i++;
		lh_buf_add(a, s.p, i);
	}
	if (!i || i + 1 >= s.n || s.p[i] != ' ')
		return false;
	set_name(b, (struct lh_str){ s.p + i + 1, s.n - i - 1 });
	if (!both(n, text_of(a), text_of(b)))
		set(&n->path, text_of(b));
	return true;
}

/* Without quotes a space in a name looks as the one between the names does.  Two names of one
 * file are mostly of one length; of two files they are given again below. */
bool lh_diff_names_git(struct lh_diff_names *n, struct lh_str s)
{
	const char *space = s.n ? memchr(s.p, ' ', s.n) : NULL;
	size_t i;

	if (!space || memchr(s.p, '\0', s.n))
		return false;
	if (memchr(s.p, '"', s.n) && quoted(n, s))
		return true;
	if (split_at(n, s, s.n / 2))
		return true;
	for (i = (size_t)(space - s.p); i < s.n; i++)
		if (split_at(n, s, i))
			return true;
	space = memrchr(s.p, ' ', s.n);
	i = (size_t)(space - s.p) + 1;
	set(&n->path, (struct lh_str){ s.p + i, s.n - i });
	return n->path.len > 0;
}

bool lh_diff_names_merge(struct lh_diff_names *n, struct lh_str s)
{
	set_name(&n->path, s);
	n->sure = true;
	return s.n && !memchr(s.p, '\0', s.n);
}

void lh_diff_names_moved(struct lh_diff_names *n, struct lh_str s)
{
	if (!s.n || memchr(s.p, '\0', s.n))
		return;
	set_name(&n->path, s);
	n->sure = true;
}

/* Set *to to the name before a tab, after which there may be a time. */
static void set_before_tab(struct lh_buf *to, struct lh_str s)
{
	const char *tab = s.n ? memchr(s.p, '\t', s.n) : NULL;
	const char *nul = s.n ? memchr(s.p, '\0', s.n) : NULL;

	if (tab)
		s.n = (size_t)(tab - s.p);
	if (nul && (size_t)(nul - s.p) < s.n)
		s.n = (size_t)(nul - s.p);
	set_name(to, s);
}

static bool is_null(struct lh_str s)
{
	return lh_str_is(s, "/dev/null", 9);
}

void lh_diff_names_old(struct lh_diff_names *n, struct lh_str s)
{
	set_before_tab(&n->old, s);
}

void lh_diff_names_new(struct lh_diff_names *n, struct lh_str s)
{
	struct lh_str old = text_of(&n->old), in_a = lh_diff_after(old, "a/"), new, in_b;

	if (n->sure)
		return;
	set_before_tab(&n->scratch[0], s);
	new = text_of(&n->scratch[0]);
	in_b = lh_diff_after(new, "b/");
	if (is_null(new))
		new = in_a.n ? in_a : old;
	else if (in_b.n && (in_a.n || is_null(old)))
		new = in_b;
	if (!new.n)
		return;
	set(&n->path, new);
	n->sure = true;
}

void lh_diff_names_reset(struct lh_diff_names *n)
{
	lh_buf_reset(&n->path);
	lh_buf_reset(&n->old);
	n->sure = false;
}

int lh_diff_names_check(const struct lh_diff_names *n, struct lh_err *err)
{
	return lh_buf_check(&n->path, err) < 0 || lh_buf_check(&n->old, err) < 0 ||
			       lh_buf_check(&n->scratch[0], err) < 0 ||
			       lh_buf_check(&n->scratch[1], err) < 0
		       ? -1 : 0;
}

void lh_diff_names_free(struct lh_diff_names *n)
{
	lh_buf_free(&n->path);
	lh_buf_free(&n->old);
	lh_buf_free(&n->scratch[0]);
	lh_buf_free(&n->scratch[1]);
}
