/* json.c - parse records, find members, copy records.  See lh/json.h. */
#include <lh/json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cpu.h"
#include "base/utf8.h"
#include "json_scanner.h"
#include "base/mem.h"

size_t lh_json_members = LH_JSON_MEMBERS;

static lh_scan_fn *scan_fn(void)
{
#ifdef __x86_64__
	if (likely(lh_cpu() == LH_CPU_AVX2))
		return lh_scan_avx2;
#endif
	return lh_scan_portable;
}

void lh_record_init(struct lh_record *r)
{
	memset(r, 0, sizeof *r);
}

void lh_record_free(struct lh_record *r)
{
	if (r->scan) {
		free(r->scan->key);
		free(r->scan->hash);
		free(r->scan->slot);
		lh_buf_free(&r->scan->text);
		free(r->scan);
	}
	free(r->member);
	lh_record_init(r);
}

void lh_record_grow(struct lh_record *r)
{
	r->cap = r->cap ? r->cap * 2 : 32;
	r->member = lh_realloc(r->member, r->cap, sizeof *r->member);
}

static struct lh_scan *scan_new(void)
{
	struct lh_scan *s = lh_calloc(1, sizeof *s);

	if (getrandom(&s->seed, sizeof s->seed, GRND_NONBLOCK) != sizeof s->seed)
		s->seed = (uintptr_t)s * 0x9e3779b97f4a7c15ull;
	return s;
}

int lh_json_room(size_t n, size_t open, struct lh_err *err)
{
	if (n >= lh_json_members)
		return lh_err_data(err, 413, "an object of more than %zu members (--max-members)",
				   lh_json_members);
	if (open >= LH_MEMBERS_OPEN * lh_json_members)
		return lh_err_data(err, 413,
				   "objects inside each other of more than %zu members (four times "
				   "--max-members)",
				   LH_MEMBERS_OPEN * lh_json_members);
	return 0;
}

static int fill_error(const struct lh_scan *s, const char *p, size_t n, struct lh_err *err)
{
	struct lh_value key = { s->at, 0, LH_STRING, false };
	const char *q;

	if (s->full) {
		lh_json_room(s->n - s->top->keys, s->n, err);
	} else if (s->why) {
		lh_err_set(err, LH_EDATA, "%s%s", s->why,
			   strcmp(s->why, "invalid UTF-8") ? "" : lh_utf8_advice(p, p + n));
	} else {
		for (q = s->at + 1; *q != '"'; q++)
			q += *q == '\\';
		key.n = (size_t)(q - s->at) + 1;
		lh_err_set(err, LH_EDATA, "duplicate key %.*s", key.n > 200 ? 200 : (int)key.n,
			   key.p);
	}
	err->column = (size_t)(s->at - p) + 1;
	return -1;
}

int lh_scan_by(lh_scan_fn *fn, struct lh_record *r, bool members, const char *p, size_t n,
	       struct lh_value *v, struct lh_err *err)
{
	static const char nothing[LH_PAD];
	struct lh_scan *s = r->scan;

	if (!n)
		p = nothing;
	r->n = 0;
	if (!s) {
		s = scan_new();
		r->scan = s;
	}
	if (n > UINT32_MAX)
		return lh_err_data(err, 413, "longer than 4 GiB");
	if (unlikely(s->used)) {
		memset(s->slot, 0, s->slots * sizeof *s->slot);
		s->used = 0;
	}
	s->n = 0;
	s->full = false;
	if (fn(s, p, p + n, members ? r : NULL, v) < 0) {
		r->n = 0;
		return fill_error(s, p, n, err);
	}
	return 0;
}

int lh_record_parse(struct lh_record *r, const char *p, size_t n, struct lh_err *err)
{
	struct lh_value v;

	r->line = p;
	r->len = 0;
	if (lh_scan_by(scan_fn(), r, true, p, n, &v, err) < 0)
		return -1;
	if (v.type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "not a JSON object");
	r->line = v.p;
	r->len = v.n;
	return 0;
}

int lh_json_parse(struct lh_record *r, const char *p, size_t n, struct lh_value *v,
		  struct lh_err *err)
{
	r->len = 0;
	return lh_scan_by(scan_fn(), r, false, p, n, v, err);
}

static inline bool has_name(const struct lh_member *m, const char *name, size_t n)
{
	if (likely(!m->key.escaped))
		return m->key.n == n + 2 && (!n || (m->key.p[1] == *name &&
						    !memcmp(m->key.p + 1, name, n)));
	return lh_value_is(&m->key, name, n);
}

const struct lh_value *lh_record_get(const struct lh_record *r, const char *name)
{
	const struct lh_member *m = r->member;
	size_t n = strlen(name), i;

	for (i = 0; i < r->n; i++, m++)
		if ((m->key.n == n + 2 || m->key.escaped) && has_name(m, name, n))
			return &m->val;
	return NULL;
}

static bool is_dropped(const struct lh_member *m, const char *const *drop, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (has_name(m, drop[i], strlen(drop[i])))
			return true;
	return false;
}

static const char *value_end(const struct lh_member *m)
{
	return m->val.p + m->val.n;
}

/* A run of kept members is copied from the end of the member before it, with the
 * white space in front of each.  A dropped member goes together with everything
 * since the member before it, its comma included. */
void lh_record_open(struct lh_buf *out, const struct lh_record *r, const char *const *drop,
		    size_t n)
{
	const char *from = r->line, *sep;
	size_t i, kept = 0;

	for (i = 0; i < r->n; i++) {
		const struct lh_member *m = &r->member[i];

		if (!n || !is_dropped(m, drop, n)) {
			kept++;
			continue;
		}
		if (kept || !i) {
			sep = i ? value_end(m - 1) : r->line + 1;
			lh_buf_add(out, from, (size_t)(sep - from));
		}
		from = value_end(m);
		if (!kept && i + 1 < r->n)
			from = (const char *)memchr(from, ',', (size_t)(m[1].key.p - from)) + 1;
	}
	lh_buf_add(out, from, (size_t)(r->line + r->len - 1 - from));
	if (kept)
		lh_buf_putc(out, ',');
}

void lh_record_close(struct lh_buf *out, const struct lh_record *r)
{
	(void)r;
	lh_buf_putc(out, '}');
}
