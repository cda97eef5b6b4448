/* uri.c - resolve references.  See uri.h. */
#include "uri.h"

struct uri {
	struct lh_str scheme, authority, path, query, fragment;	/* p NULL: absent */
};

/* Take what comes before one of the bytes of stop, or all. */
static struct lh_str take(struct lh_str *from, const char *stop)
{
	struct lh_str out = { from->p, 0 };

	while (out.n < from->n && !memchr(stop, from->p[out.n], strlen(stop)))
		out.n++;
	from->p += out.n;
	from->n -= out.n;
	return out;
}

static void skip(struct lh_str *s, size_t n)
{
	s->p += n;
	s->n -= n;
}

static struct uri split(struct lh_str s)
{
	struct lh_str rest = s, part;
	struct uri u = { .scheme = { 0 } };

	part = take(&rest, ":/?#");
	if (part.n && rest.n && *rest.p == ':') {
		u.scheme = part;
		skip(&rest, 1);
	} else {
		rest = s;
	}
	if (rest.n >= 2 && rest.p[0] == '/' && rest.p[1] == '/') {
		skip(&rest, 2);
		u.authority = take(&rest, "/?#");
	}
	u.path = take(&rest, "?#");
	if (rest.n && *rest.p == '?') {
		skip(&rest, 1);
		u.query = take(&rest, "#");
	}
	if (rest.n) {
		skip(&rest, 1);
		u.fragment = rest;
	}
	return u;
}

/* Append a path without its "." and ".." parts. */
static void put_path(struct lh_buf *out, struct lh_str path)
{
	size_t from = out->len, at;
	struct lh_str part;
	bool last;

	while (path.n) {
		at = *path.p == '/';
		part = (struct lh_str){ path.p + at, path.n - at };
		part = take(&part, "/");
		last = at + part.n == path.n;
		if (lh_str_is(part, "..", 2)) {
			while (out->len > from && out->p[--out->len] != '/')
				continue;
			if (last)
				lh_buf_putc(out, '/');
		} else if (lh_str_is(part, ".", 1)) {
			if (last)
				lh_buf_putc(out, '/');
		} else {
			lh_buf_add(out, path.p, at + part.n);
		}
		skip(&path, at + part.n);
	}
}

static void put_merged(struct lh_buf *out, const struct uri *base, struct lh_str path)
{
	struct lh_buf b = { 0 };
	size_t n = base->path.n;

	if (base->authority.p && !n)
		lh_buf_putc(&b, '/');
	while (n && base->path.p[n - 1] != '/')
		n--;
	lh_buf_add(&b, base->path.p, n);
	lh_buf_add(&b, path.p, path.n);
	put_path(out, (struct lh_str){ b.p, b.len });
	if (b.failed)
		out->failed = b.failed;
	lh_buf_free(&b);
}

static void put_part(struct lh_buf *out, const char *before, struct lh_str s, const char *after)
{
	if (!s.p)
		return;
	lh_buf_puts(out, before);
	lh_buf_add(out, s.p, s.n);
	lh_buf_puts(out, after);
}

struct lh_str lh_uri_resolve(struct lh_buf *out, struct lh_str base, struct lh_str ref)
{
	struct uri b = split(base), r = split(ref);
	bool whole = r.scheme.p, own = whole || r.authority.p;

	put_part(out, "", whole ? r.scheme : b.scheme, ":");
	put_part(out, "//", own ? r.authority : b.authority, "");
	if (!own && !r.path.n) {
		lh_buf_add(out, b.path.p, b.path.n);
		put_part(out, "?", r.query.p ? r.query : b.query, "");
		return r.fragment;
	}
	if (whole && r.path.n && *r.path.p != '/')
		lh_buf_add(out, r.path.p, r.path.n);
	else if (own || *r.path.p == '/')
		put_path(out, r.path);
	else
		put_merged(out, &b, r.path);
	put_part(out, "?", r.query, "");
	return r.fragment;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f'
		? (c | 32) - 'a' + 10 : -1;
}

int lh_uri_unescape(struct lh_buf *out, struct lh_str text)
{
	size_t from = out->len, i;

	for (i = 0; i < text.n; i++) {
		if (text.p[i] == '%' && i + 2 < text.n && hex(text.p[i + 1]) >= 0 &&
		    hex(text.p[i + 2]) >= 0) {
			lh_buf_putc(out, (char)(hex(text.p[i + 1]) << 4 | hex(text.p[i + 2])));
			i += 2;
		} else {
			lh_buf_putc(out, text.p[i]);
		}
	}
	return out->failed || lh_utf8_valid(out->p + from, out->len - from) ? 0 : -1;
}
