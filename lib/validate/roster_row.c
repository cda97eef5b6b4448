/*
 * roster_row.c - pack and unpack a worker; the table of workers.  See
 * roster_parts.h.
 */
#include <string.h>

#include "base/ascii.h"
#include "roster_parts.h"

#define CLIENTS "blacklisted_clients"

void lh_roster_reader_init(struct lh_roster_reader *rd)
{
	lh_record_init(&rd->rec);
	lh_buf_init(&rd->plain, LH_BUF_NOMAX);
	lh_buf_init(&rd->text, LH_BUF_NOMAX);
}

void lh_roster_reader_free(struct lh_roster_reader *rd)
{
	lh_record_free(&rd->rec);
	lh_buf_free(&rd->plain);
	lh_buf_free(&rd->text);
}

void lh_roster_key(const char *id, size_t n, char *to)
{
	size_t i;

	for (i = 0; i < n; i++)
		to[i] = lh_fold(id[i]);
}

/* ---- packing ---- */

static void put_length(struct lh_buf *out, size_t n)
{
	for (; n >= 0x80; n >>= 7)
		lh_buf_putc(out, (char)(n | 0x80));
	lh_buf_putc(out, (char)n);
}

static void put_str(struct lh_buf *out, struct lh_str s)
{
	put_length(out, s.n);
	lh_buf_add(out, s.p, s.n);
}

/* Return the text of a string; empty if it is blank. */
static int text_of(struct lh_roster_reader *rd, const struct lh_value *v, struct lh_str *s,
		   struct lh_err *err)
{
	lh_buf_reset(&rd->plain);
	if (lh_value_str(v, &rd->plain, s, err) < 0)
		return -1;
	if (!lh_trim(s->p, s->n).n)
		s->n = 0;
	return 0;
}

static int wrong_type(struct lh_err *err, const struct lh_record *rec, const struct lh_value *v,
		      const char *name, const char *what)
{
	lh_err_set(err, LH_EDATA, "field \"%s\" is not %s", name, what);
	err->column = (size_t)(v->p - rec->line) + 1;
	return -1;
}

/* Return the text of a member, valid until the next call. */
static int field(struct lh_roster_reader *rd, const char *name, struct lh_str *s,
		 struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(&rd->rec, name);

	*s = (struct lh_str){ "", 0 };
	if (!v || v->type == LH_NULL)
		return 0;
	if (v->type != LH_STRING)
		return wrong_type(err, &rd->rec, v, name, "a string");
	return text_of(rd, v, s, err);
}

static int missing(struct lh_err *err, const char *name)
{
	return lh_err_set(err, LH_EDATA, "missing string field \"%s\"", name);
}

static int put_id(struct lh_roster_reader *rd, struct lh_str row_id, struct lh_buf *out,
		  struct lh_err *err)
{
	struct lh_str id;
	char *to;

	if (field(rd, "candidate_id", &id, err) < 0)
		return -1;
	id = id.n ? lh_trim(id.p, id.n) : lh_trim(row_id.p, row_id.n);
	if (!id.n)
		return missing(err, "candidate_id");
	if (id.n > LH_ID_MAX)
		return lh_err_set(err, LH_EDATA, "candidate_id of %zu bytes: at most %d", id.n,
				  LH_ID_MAX);
	put_length(out, id.n);
	to = lh_buf_room(out, id.n);
	if (to) {
		lh_roster_key(id.p, id.n, to);
		lh_buf_took(out, id.n);
	}
	put_str(out, id);
	return 0;
}

static int put_clients(struct lh_roster_reader *rd, struct lh_buf *out, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(&rd->rec, CLIENTS);
	struct lh_iter it;
	struct lh_str s;
	size_t n = 0;

	if (!v || v->type == LH_NULL) {
		put_length(out, 0);
		return 0;
	}
	if (v->type != LH_ARRAY)
		return wrong_type(err, &rd->rec, v, CLIENTS, "an array of strings");
	for (lh_iter_init(&it, v); lh_iter_next(&it); n++)
		if (it.val.type != LH_STRING && it.val.type != LH_NULL)
			return wrong_type(err, &rd->rec, &it.val, CLIENTS, "an array of strings");
	put_length(out, n);
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		s = (struct lh_str){ "", 0 };
		if (it.val.type == LH_STRING && text_of(rd, &it.val, &s, err) < 0)
			return -1;
		put_str(out, lh_trim(s.p, s.n));
	}
	return 0;
}

static int pack(struct lh_roster_reader *rd, struct lh_str row_id, struct lh_buf *out,
		struct lh_err *err)
{
	static const char *const names[] = { "name", "status", "city", "state", "role" };
	size_t i, start = out->len;
	struct lh_str s;

	if (put_id(rd, row_id, out, err) < 0)
		return -1;
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		if (field(rd, names[i], &s, err) < 0)
			return -1;
		if (!i && !s.n)
			return missing(err, names[i]);
		put_str(out, s);
	}
	if (put_clients(rd, out, err) < 0)
		return -1;
	while ((out->len - start) % LH_ROSTER_ALIGN && !out->failed)
		lh_buf_putc(out, '\0');
	return lh_buf_check(out, err);
}

int lh_roster_pack(struct lh_roster_reader *rd, const char *p, size_t n, struct lh_str row_id,
		   struct lh_buf *out, struct lh_err *err)
{
	size_t start = out->len;

	err->column = 0;
	if (lh_record_parse(&rd->rec, p, n, err) < 0)
		return -1;
	if (pack(rd, row_id, out, err) == 0)
		return 0;
	if (err->column)
		err->column += (size_t)(rd->rec.line - p);
	out->len = start;
	return -1;
}

/* ---- unpacking ---- */

static inline size_t get_length(const char **p)
{
	size_t n = 0;
	unsigned shift;

	for (shift = 0; *(*p)++ & 0x80; shift += 7)
		n |= (size_t)((*p)[-1] & 0x7f) << shift;
	return n | (size_t)(*p)[-1] << shift;
}

static inline struct lh_str get(const char **p)
{
	struct lh_str s;

	s.n = get_length(p);
	s.p = *p;
	*p += s.n;
	return s;
}

const char *lh_roster_unpack(const char *p, struct lh_worker *w)
{
	const char *from = p;
	size_t i;

	get(&p);
	w->candidate_id = get(&p);
	w->name = get(&p);
	w->status = get(&p);
	w->city = get(&p);
	w->state = get(&p);
	w->role = get(&p);
	w->blacklist_n = get_length(&p);
	w->blacklist = p;
	for (i = 0; i < w->blacklist_n; i++)
		get(&p);
	return from + ((size_t)(p - from) + LH_ROSTER_ALIGN - 1) / LH_ROSTER_ALIGN *
		LH_ROSTER_ALIGN;
}

bool lh_worker_blacklisted(const struct lh_worker *w, const char *client, size_t n)
{
	struct lh_str want = lh_trim(client, n), is;
	const char *p = w->blacklist;
	size_t i;

	for (i = 0; want.n && i < w->blacklist_n; i++) {
		is = get(&p);
		if (lh_fold_equal(is.p, is.n, want.p, want.n))
			return true;
	}
	return false;
}

/* ---- the table ---- */

static struct lh_str key_at(const void *ctx, uint32_t i)
{
	const struct lh_roster_table *t = ctx;
	const char *p = t->packed.p + (size_t)i * LH_ROSTER_ALIGN;

	return get(&p);
}

int lh_roster_add(struct lh_roster_table *t, const char *p, size_t n, struct lh_err *err)
{
	size_t at = t->packed.n;
	struct lh_worker w;
	struct lh_str key;

	if ((at + n) / LH_ROSTER_ALIGN >= UINT32_MAX)
		return lh_err_set(err, LH_EDATA, "more than 32 GiB of workers");
	if (lh_growable_add(&t->packed, p, n, err) < 0)
		return -1;
	t->packed.huge = true;
	t->ids.key = key_at;
	t->ids.ctx = t;
	while (at < t->packed.n) {
		key = key_at(t, (uint32_t)(at / LH_ROSTER_ALIGN));
		if (lh_idmap_set(&t->ids, key.p, key.n, (uint32_t)(at / LH_ROSTER_ALIGN), err) < 0)
			return -1;
		at = (size_t)(lh_roster_unpack(t->packed.p + at, &w) - t->packed.p);
	}
	return 0;
}

bool lh_roster_get(const struct lh_roster_table *t, struct lh_str key, struct lh_worker *w)
{
	int64_t i = lh_idmap_find(&t->ids, key.p, key.n);

	if (i < 0)
		return false;
	lh_roster_unpack(t->packed.p + (size_t)i * LH_ROSTER_ALIGN, w);
	return true;
}

void lh_roster_table_free(struct lh_roster_table *t)
{
	lh_growable_free(&t->packed);
	lh_idmap_free(&t->ids);
}
