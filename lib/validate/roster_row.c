/*
 * roster_row.c - pack and unpack a worker; the table of workers.  See
 * roster_parts.h.
 */
#include <string.h>

#include "base/utf8.h"
#include "json/bind.h"
#include "roster_parts.h"

/* in the order in which they are packed, after the id */
enum { NAME, STATUS, CITY, STATE, ROLE };

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

static void append_length(struct lh_buf *out, size_t n)
{
	for (; n >= 0x80; n >>= 7)
		lh_buf_putc(out, (char)(n | 0x80));
	lh_buf_putc(out, (char)n);
}

static void append_string(struct lh_buf *out, struct lh_str s)
{
	append_length(out, s.n);
	lh_buf_add(out, s.p, s.n);
}

/* The members of a roster's row; n = 0: absent. */
struct row {
	struct lh_str id, place[ROLE + 1];
	struct lh_value clients;
};

#define PLACE(name, i) { LH_BIND_STRING(name, struct row, place[i]) }
static const struct lh_bind members[] = {
	{ LH_BIND_STRING("candidate_id", struct row, id) },
	PLACE("name", NAME),
	PLACE("status", STATUS),
	PLACE("city", CITY),
	PLACE("state", STATE),
	PLACE("role", ROLE),
	{ LH_BIND_ARRAY("blacklisted_clients", struct row, clients),
	  .each = LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NULL) },
	LH_BIND_END
};

static bool is_blank(struct lh_str s)
{
	return !lh_trim(s.p, s.n).n;
}

static int append_id(struct lh_str own, struct lh_str row_id, struct lh_buf *out,
		     struct lh_err *err)
{
	struct lh_str id = is_blank(own) ? lh_trim(row_id.p, row_id.n) : lh_trim(own.p, own.n);
	char *to;

	if (!id.n)
		return lh_err_set(err, LH_EDATA, "missing \"candidate_id\" (string)");
	if (id.n > LH_ID_MAX)
		return lh_err_set(err, LH_EDATA, "\"candidate_id\" must be at most %d bytes",
				  LH_ID_MAX);
	append_length(out, id.n);
	to = lh_buf_room(out, id.n);
	if (to) {
		lh_roster_key(id.p, id.n, to);
		lh_buf_took(out, id.n);
	}
	append_string(out, id);
	return 0;
}

static void append_clients(struct lh_roster_reader *rd, const struct lh_value *v,
			   struct lh_buf *out)
{
	struct lh_iter it;
	struct lh_str s;
	size_t n = 0;

	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		n++;
	append_length(out, n);
	for (lh_iter_init(&it, v); n--; ) {
		lh_iter_next(&it);
		s = (struct lh_str){ "", 0 };
		lh_buf_reset(&rd->plain);
		if (it.val.type == LH_STRING)
			lh_value_str(&it.val, &rd->plain, &s);
		append_string(out, lh_trim(s.p, s.n));
	}
}

static int pack_worker(struct lh_roster_reader *rd, const struct lh_record *rec,
		       struct lh_str row_id, struct lh_buf *out, struct lh_err *err)
{
	struct row row = { .id = { "", 0 }, .clients = { .p = "[]", .n = 2, .type = LH_ARRAY } };
	size_t i, start = out->len;

	if (lh_bind(members, rec, &row, &rd->plain, err) < 0 ||
	    append_id(row.id, row_id, out, err) < 0)
		return -1;
	if (is_blank(row.place[NAME]))
		return lh_err_set(err, LH_EDATA,
				  row.place[NAME].p ? "\"name\" must not be empty"
						    : "missing \"name\" (string)");
	for (i = NAME; i <= ROLE; i++)
		append_string(out, is_blank(row.place[i]) ? (struct lh_str){ "", 0 }
			      : row.place[i]);
	append_clients(rd, &row.clients, out);
	while ((out->len - start) % LH_ROSTER_ALIGN && !out->failed)
		lh_buf_putc(out, '\0');
	return 0;
}

int lh_roster_pack(struct lh_roster_reader *rd, const struct lh_record *rec, struct lh_str row_id,
		   struct lh_buf *out, struct lh_err *err)
{
	size_t start = out->len;

	if (pack_worker(rd, rec, row_id, out, err) == 0)
		return 0;
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

static inline struct lh_str unpack_string(const char **p)
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

	unpack_string(&p);
	w->candidate_id = unpack_string(&p);
	w->name = unpack_string(&p);
	w->status = unpack_string(&p);
	w->city = unpack_string(&p);
	w->state = unpack_string(&p);
	w->role = unpack_string(&p);
	w->blacklist_n = get_length(&p);
	w->blacklist = p;
	for (i = 0; i < w->blacklist_n; i++)
		unpack_string(&p);
	return from + ((size_t)(p - from) + LH_ROSTER_ALIGN - 1) / LH_ROSTER_ALIGN *
		LH_ROSTER_ALIGN;
}

bool lh_worker_blacklisted(const struct lh_worker *w, const char *client, size_t n)
{
	struct lh_str want = lh_trim(client, n), is;
	const char *p = w->blacklist;
	size_t i;

	for (i = 0; want.n && i < w->blacklist_n; i++) {
		is = unpack_string(&p);
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

	return unpack_string(&p);
}

int lh_roster_add(struct lh_roster_table *t, const char *p, size_t n, struct lh_err *err)
{
	size_t at = t->packed.n;
	struct lh_worker w;
	struct lh_str key;

	if ((at + n) / LH_ROSTER_ALIGN >= UINT32_MAX)
		return lh_err_set(err, LH_EDATA, "more than 32 GiB of workers");
	lh_growable_add(&t->packed, p, n);
	t->packed.huge = true;
	while (at < t->packed.n) {
		key = key_at(t, (uint32_t)(at / LH_ROSTER_ALIGN));
		lh_table_set(&t->ids, key, (uint32_t)(at / LH_ROSTER_ALIGN), key_at, t);
		at = (size_t)(lh_roster_unpack(t->packed.p + at, &w) - t->packed.p);
	}
	return 0;
}

bool lh_roster_get(const struct lh_roster_table *t, struct lh_str key, struct lh_worker *w)
{
	int64_t i = lh_table_find(&t->ids, key, key_at, t);

	if (i < 0)
		return false;
	lh_roster_unpack(t->packed.p + (size_t)i * LH_ROSTER_ALIGN, w);
	return true;
}

void lh_roster_table_free(struct lh_roster_table *t)
{
	lh_growable_free(&t->packed);
	lh_table_free(&t->ids);
}
