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

static bool is_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool is_scheme(struct lh_str s)
{
	size_t i;
	char c;

	for (i = 0; i < s.n; i++) {
		c = s.p[i];
		if (!is_letter(c) && !(i && ((c >= '0' && c <= '9') || memchr("+-.", c, 3))))
			return false;
	}
	return s.n;
}

static struct uri split(struct lh_str s)
{
	struct lh_str rest = s, part;
	struct uri u = { .scheme = { 0 } };

	part = take(&rest, ":/?#");
	if (is_scheme(part) && rest.n && *rest.p == ':') {
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

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f'
		? (c | 32) - 'a' + 10 : -1;
}

/* Return the byte that an escape at the beginning of s stands for, or -1. */
static int escaped(struct lh_str s)
{
	if (s.n < 3 || *s.p != '%' || hex(s.p[1]) < 0 || hex(s.p[2]) < 0)
		return -1;
	return hex(s.p[1]) << 4 | hex(s.p[2]);
}

/* Take an escape that stands for a byte, or a byte; *as_escape: which. */
static unsigned char take_byte(struct lh_str *s, bool *as_escape)
{
	int c = escaped(*s);

	*as_escape = c >= 0;
	if (c < 0)
		c = (unsigned char)*s->p;
	skip(s, *as_escape ? 3 : 1);
	return (unsigned char)c;
}

/* Append the character beyond ASCII that the escapes at the beginning of s stand for, and skip
 * them; false if they are not UTF-8. */
static bool put_escaped_character(struct lh_buf *out, struct lh_str *s)
{
	unsigned first = (unsigned)escaped(*s);
	size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2, i;
	struct lh_str rest = *s;
	char c[4];

	for (i = 0; i < n; i++) {
		if (escaped(rest) < 0)
			return false;
		c[i] = (char)escaped(rest);
		skip(&rest, 3);
	}
	if (!lh_utf8_valid(c, n))
		return false;
	lh_buf_add(out, c, n);
	*s = rest;
	return true;
}

/* Append a path without its "." and ".." parts.  A ".." that has nothing to remove is kept if
 * keep is set, and dropped otherwise. */
static void put_parts(struct lh_buf *out, struct lh_str path, bool keep)
{
	struct lh_str part;
	size_t from;

	if (path.n && *path.p == '/') {
		lh_buf_putc(out, '/');
		skip(&path, 1);
	}
	from = out->len;
	while (path.n && !out->failed) {
		part = take(&path, "/");
		if (lh_str_is(part, "..", 2)) {
			if (out->len > from) {
				/* Remove the last part of a path that ends with a slash,
				 * but none before `from`. */
				do
					out->len--;
				while (out->len > from && out->p[out->len - 1] != '/');
			} else if (keep) {
				lh_buf_puts(out, "../");
				from = out->len;
			}
		} else if (!lh_str_is(part, ".", 1)) {
			lh_buf_add(out, part.p, part.n);
			if (path.n)
				lh_buf_putc(out, '/');
		}
		if (path.n)
			skip(&path, 1);
	}
}

/* Return what a path must begin with, so that it is read as a path again: its first part is no
 * scheme and no authority, and it is neither empty nor suddenly absolute. */
static const char *guard(const char *path, size_t n, bool relative)
{
	const char *slash = n ? memchr(path, '/', n) : NULL;

	if (!relative)
		return n > 1 && *path == '/' && path[1] == '/' ? "/." : "";
	return !n || *path == '/' || memchr(path, ':', slash ? (size_t)(slash - path) : n)
		? "./" : "";
}

/* Append a path that is not empty, of a URI with this scheme and authority. */
static void put_path(struct lh_buf *out, const struct uri *of, struct lh_str path)
{
	bool relative = !of->scheme.p && !of->authority.p && *path.p != '/';
	LH_SCOPED(lh_buf_free) struct lh_buf spelling = { 0 }, parts = { 0 };
	bool as_escape;
	unsigned char c;

	/* Spell equal paths in equal bytes: escaped are a slash, ?, # and % that are part of a
	 * name, controls, and what is not UTF-8; nothing else is. */
	while (path.n) {
		if (escaped(path) >= 0x80 && put_escaped_character(&spelling, &path))
			continue;
		c = take_byte(&path, &as_escape);
		if (c < ' ' || c == 0x7f || c == '%' ||
		    (as_escape && (c >= 0x80 || memchr("/?#", c, 3))))
			lh_buf_printf(&spelling, "%%%02X", c);
		else
			lh_buf_putc(&spelling, (char)c);
	}
	put_parts(&parts, (struct lh_str){ spelling.p, spelling.len }, relative);
	if (!of->authority.p)
		lh_buf_puts(out, guard(parts.p, parts.len, relative));
	lh_buf_add(out, parts.p, parts.len);
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
	if (r.path.n && (own || *r.path.p == '/')) {
		put_path(out, own ? &r : &b, r.path);
	} else if (r.path.n) {
		LH_SCOPED(lh_buf_free) struct lh_buf merged = { 0 };
		size_t n = b.path.n;

		if (b.authority.p && !n)
			lh_buf_putc(&merged, '/');
		while (n && b.path.p[n - 1] != '/')
			n--;
		lh_buf_add(&merged, b.path.p, n);
		lh_buf_add(&merged, r.path.p, r.path.n);
		if (merged.failed)
			out->failed = merged.failed;
		else
			put_path(out, &b, (struct lh_str){ merged.p, merged.len });
	}
	put_part(out, "?", r.query, "");
	return r.fragment;
}

/* Append the folder that a URI is in, "" for that of a name alone; false if it is in none. */
static bool put_folder(struct lh_buf *out, struct lh_str uri)
{
	lh_uri_resolve(out, uri, lh_str_of("."));
	if (out->len == 2 && !memcmp(out->p, "./", 2))
		out->len = 0;
	return !out->len || out->p[out->len - 1] == '/';
}

/* Append the path of a file in its one spelling: false if it is none. */
static bool put_file(struct lh_buf *out, struct lh_str path)
{
	unsigned char c, before = 0;
	bool as_escape;

	if (path.n >= 2 && !memcmp(path.p, "./", 2))
		skip(&path, 2);
	if (!path.n || *path.p == '/' || lh_uri_climbs(path) || memchr(path.p, '?', path.n))
		return false;
	while (path.n) {
		c = take_byte(&path, &as_escape);
		if (!c || (as_escape && c == '/'))
			return false;
		if (c != '/' || before != '/')	/* as the system reads it */
			lh_buf_putc(out, (char)c);
		before = c;
	}
	return true;
}

bool lh_uri_file(struct lh_buf *out, struct lh_str root, struct lh_str uri)
{
	LH_SCOPED(lh_buf_free) struct lh_buf folder = { 0 };
	bool found;

	found = put_folder(&folder, root) && !folder.failed && uri.n > folder.len &&
		(folder.len ? !memcmp(uri.p, folder.p, folder.len) : !split(uri).scheme.p);
	if (found)
		found = put_file(out, (struct lh_str){ uri.p + folder.len, uri.n - folder.len });
	if (folder.failed)
		out->failed = folder.failed;
	return found;
}

bool lh_uri_climbs(struct lh_str uri)
{
	return uri.n >= 3 && !memcmp(uri.p, "../", 3);
}

int lh_uri_unescape(struct lh_buf *out, struct lh_str text)
{
	size_t from = out->len;
	bool as_escape;

	while (text.n)
		lh_buf_putc(out, (char)take_byte(&text, &as_escape));
	return out->failed || lh_utf8_valid(out->p + from, out->len - from) ? 0 : -1;
}
