/* tool_brief.c - small answers: what is cut, what is cited, pages of a list.  See tool_parts.h. */
#include "tool_parts.h"

#include <stdio.h>

#include "json/write.h"

/* ---- parts of a list ---- */

bool lh_mcp_is_cursor(const struct lh_value *v, struct lh_str text)
{
	size_t i;

	for (i = 0; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++)
		;
	return text.n && i == text.n && text.n <= 9 && !(v && v->escaped);
}

uint64_t lh_mcp_offset(struct lh_str cursor)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < cursor.n; i++)
		n = 10 * n + (uint64_t)(cursor.p[i] - '0');
	return n;
}

struct lh_mcp_part lh_mcp_part_of(const struct lh_mcp_tool *t, const struct lh_value *args)
{
	struct lh_mcp_part p = { .limit = 20 };
	struct lh_value v;
	int64_t n;

	if (lh_mcp_argument(t, args, "limit", &v) && v.type == LH_NUMBER && lh_value_i64(&v, &n) &&
	    n > 0)
		p.limit = (uint64_t)n;
	if (lh_mcp_argument(t, args, "cursor", &v) && v.type == LH_STRING &&
	    lh_mcp_is_cursor(&v, (struct lh_str){ v.p + 1, v.n - 2 }))
		p.offset = lh_mcp_offset((struct lh_str){ v.p + 1, v.n - 2 });
	if (lh_mcp_argument(t, args, "detail", &v) && v.type == LH_STRING)
		p.detail = lh_value_is(&v, "full", 4) ? LH_MCP_FULL : LH_MCP_BRIEF;
	return p;
}

void lh_mcp_part_end(struct lh_writer *w, const struct lh_mcp_part *p, bool more)
{
	char cursor[24];

	if (!more)
		return;
	snprintf(cursor, sizeof cursor, "%llu", (unsigned long long)(p->offset + p->limit));
	lh_write_text(w, "next_cursor", cursor);
}

int lh_mcp_write_part(struct lh_writer *w, const char *name, const struct lh_value *array,
		      const struct lh_mcp_part *p, lh_mcp_element_fn *fn, void *ctx,
		      struct lh_err *err)
{
	struct lh_iter it;
	uint64_t n = 0;

	lh_write_array(w, name);
	for (lh_iter_init(&it, array); lh_iter_next(&it); n++)
		if (n >= p->offset && n - p->offset < p->limit && fn(ctx, w, &it.val, err) < 0)
			return -1;
	lh_write_end(w);
	lh_mcp_part_end(w, p, n > p->offset + p->limit);
	return 0;
}

/* ---- values ---- */

/* Append a value of at most that many bytes, or what takes its place. */
static void append_cut(struct lh_buf *out, const struct lh_value *v, size_t most)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str s;
	size_t n = most, all;

	if (v->n <= most + 2 * (v->type == LH_STRING)) {
		lh_json_compact(out, v->p, v->n);
	} else if (v->type != LH_STRING) {
		lh_buf_printf(out, "\"[left out: %zu bytes of JSON]\"", v->n);
	} else {
		lh_value_str(v, &text, &s);
		all = s.n;
		if (s.n > most) {
			while (n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
				n--;
			s.n = n;
		}
		lh_buf_json(out, s.p, s.n);
		if (s.n < all) {
			out->len--;
			lh_buf_printf(out, " [cut: the first %zu of %zu bytes]\"", s.n, all);
		}
	}
}

void lh_mcp_write_cut(struct lh_writer *w, const char *name, const struct lh_value *v, size_t most)
{
	lh_write_key(w, name);
	append_cut(w->out, v, most);
}

static bool is_one_of(const struct lh_value *key, const struct lh_str *name, size_t n)
{
	const struct lh_str *end = name + n;

	while (name < end && !lh_value_is(key, name->p, name->n))
		name++;
	return name < end;
}

void lh_mcp_write_members(struct lh_writer *w, const char *name, const struct lh_value *object,
			  const struct lh_str *drop, size_t n_drop, size_t most)
{
	static const struct lh_str vectors[] = { { "vector", 6 }, { "vectors", 7 },
						 { "embedding", 9 }, { "embeddings", 10 } };
	struct lh_iter it;

	lh_write_object(w, name);
	for (lh_iter_init(&it, object); object->type == LH_OBJECT && lh_iter_next(&it); ) {
		if (is_one_of(&it.key, drop, n_drop) || is_one_of(&it.key, vectors, 4))
			continue;
		lh_write_key(w, NULL);
		lh_buf_add(w->out, it.key.p, it.key.n);
		lh_buf_putc(w->out, ':');
		append_cut(w->out, &it.val, most);
	}
	lh_write_end(w);
}

bool lh_mcp_has(const struct lh_value *v, const char *name, struct lh_value *out)
{
	return v->type == LH_OBJECT && lh_value_get(v, name, out);
}

void lh_mcp_copy(struct lh_writer *w, const struct lh_value *object, const char *name,
		 unsigned types)
{
	struct lh_value v;

	if (lh_mcp_has(object, name, &v) && LH_BIND_IS(v.type) & types)
		lh_write_value(w, name, &v);
}

static struct lh_value empty(enum lh_type type)
{
	return (struct lh_value){ .p = type == LH_ARRAY ? "[]" : type == LH_OBJECT ? "{}" : "\"\"",
				  .n = 2, .type = (uint8_t)type };
}

struct lh_value lh_mcp_get_in(const struct lh_value *object, const char *name, enum lh_type type)
{
	struct lh_value v;

	return lh_mcp_has(object, name, &v) && v.type == type ? v : empty(type);
}

struct lh_value lh_mcp_get(const struct lh_record *rec, const char *name, enum lh_type type)
{
	const struct lh_value *v = lh_record_get(rec, name);

	return v && v->type == type ? *v : empty(type);
}

struct lh_value lh_mcp_whole(const struct lh_record *rec)
{
	return (struct lh_value){ .p = rec->line, .n = rec->len, .type = LH_OBJECT };
}

void lh_mcp_percent(struct lh_buf *out, struct lh_str text)
{
	size_t i;

	for (i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    strchr("-._~", c ? c : ' '))
			lh_buf_putc(out, (char)c);
		else
			lh_buf_printf(out, "%%%02X", c);
	}
}

void lh_mcp_uri(struct lh_buf *out, struct lh_str corpus, struct lh_str id)
{
	lh_buf_puts(out, "lh://");
	lh_buf_add(out, corpus.p, corpus.n);
	lh_buf_putc(out, '/');
	lh_mcp_percent(out, id);
}

/* ---- errors ---- */

int lh_mcp_refused(const struct lh_record *rec, unsigned status, struct lh_err *err)
{
	struct lh_value error = lh_mcp_get(rec, "error", LH_OBJECT), whole = lh_mcp_whole(rec), v;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str why = { "the filter gave no reason", 25 };

	if (lh_mcp_has(&error, "message", &v) || lh_mcp_has(&whole, "message", &v))
		if (v.type == LH_STRING)
			lh_value_str(&v, &text, &why);
	lh_err_data(err, status, "%.*s", (int)why.n, why.p);
	return -1;
}
