/* json.c - parse records, find and walk members, compare and copy values.  See json.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "json/json.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "json_scanner.h"
#include "value.h"

/* ---- keys that occur twice ---- */

int lh_json_keys_dup(struct lh_scan *s, const char *p)
{
	s->at = p - 1;
	s->why = NULL;
	return -1;
}

/* A text of 4 GiB has fewer than 2^30 different keys: the numbers take 32 bits. */
static void grow(struct lh_scan *s)
{
	size_t cap = s->cap ? s->cap * 2 : 256;
	struct lh_scan_key *key;
	uint32_t *hash;

	key = lh_realloc(s->key, cap, sizeof *key);
	s->key = key;
	hash = lh_realloc(s->hash, cap + LH_KEYS_STEP, sizeof *hash);
	memset(hash + s->cap, 0, (cap - s->cap + LH_KEYS_STEP) * sizeof *hash);
	s->hash = hash;
	s->cap = cap;
}

static size_t slot_of(const struct lh_scan *s, uint32_t h, size_t depth)
{
	return (h + depth * 0x9e3779b1u) & (s->slots - 1);
}

/* Linear probing.  Slots are filled in the order of the keys, so the last key's
 * slot is the end of every probe sequence it is in. */
static void insert_key(struct lh_scan *s, size_t i, size_t depth)
{
	size_t at = slot_of(s, s->hash[i], depth);

	while (s->slot[at])
		at = (at + 1) & (s->slots - 1);
	s->slot[at] = (uint32_t)i + 1;
	s->used++;
}

static void insert_level(struct lh_scan *s, const struct lh_level *lv)
{
	size_t end = lv == s->top ? s->n : lv[1].keys, i;

	for (i = lv->keys; i < end; i++)
		insert_key(s, i, (size_t)(lv - s->level));
}

/* Double the slots and insert the keys of every open object that is hashed. */
static void rehash(struct lh_scan *s)
{
	size_t slots = s->slots ? s->slots * 2 : 1024;
	const struct lh_level *lv;
	uint32_t *slot = lh_calloc(slots, sizeof *slot);

	free(s->slot);
	s->slot = slot;
	s->slots = slots;
	s->used = 0;
	for (lv = s->level + 1; lv <= s->top; lv++)
		if (lv->hashed)
			insert_level(s, lv);
}

static struct lh_value quoted(const char *p, size_t n, bool escaped)
{
	return (struct lh_value){ p - 1, n + 2, LH_STRING, escaped };
}

static bool equals_key(const struct lh_scan_key *k, const char *p, size_t n, bool escaped)
{
	struct lh_value a = quoted(k->p, k->n, k->escaped), b = quoted(p, n, escaped);

	if (!escaped && !k->escaped)
		return k->n == n && !memcmp(k->p, p, n);
	return lh_string_cmp(&a, &b) == 0;
}

bool lh_json_keys_has(struct lh_scan *s, const struct lh_level *lv, const char *p, size_t n,
		      bool escaped, uint32_t h)
{
	size_t at, i;

	if (!lv->hashed) {
		for (i = lv->keys; i < s->n; i++)
			if (s->hash[i] == h && equals_key(&s->key[i], p, n, escaped))
				return true;
		return false;
	}
	for (at = slot_of(s, h, (size_t)(lv - s->level)); s->slot[at];
	     at = (at + 1) & (s->slots - 1)) {
		i = s->slot[at] - 1;
		if (i >= lv->keys && s->hash[i] == h && equals_key(&s->key[i], p, n, escaped))
			return true;
	}
	return false;
}

int lh_json_keys_add(struct lh_scan *s, struct lh_level *lv, const char *p, size_t n, bool escaped)
{
	struct lh_value v = quoted(p, n, escaped);
	struct lh_str str = { p, n };
	uint32_t h;

	s->top = lv;
	if (unlikely(s->n - lv->keys >= lh_json_members ||
		     s->n >= LH_MEMBERS_OPEN * lh_json_members)) {
		lh_scan_fail(s, p - 1, NULL);
		s->full = true;
		return -1;
	}
	if (s->n == s->cap)
		grow(s);
	lh_buf_reset(&s->text);
	if (escaped)
		lh_value_str(&v, &s->text, &str);
	h = lh_key_hash(str.p, str.n, s->seed);
	if (s->n - lv->keys >= LH_KEYS_LINEAR && !lv->hashed) {
		lv->hashed = true;
		if (!s->slots) {
			rehash(s);
		} else {
			insert_level(s, lv);
		}
	}
	if (lh_json_keys_has(s, lv, p, n, escaped, h))
		return lh_json_keys_dup(s, p);
	s->key[s->n] = (struct lh_scan_key){ p, (uint32_t)n, escaped };
	s->hash[s->n++] = h;
	if (!lv->hashed)
		return 0;
	if (s->used + LH_KEYS_LINEAR + 1 > s->slots / 2) {
		rehash(s);
		return 0;
	}
	insert_key(s, s->n - 1, (size_t)(lv - s->level));
	return 0;
}

void lh_json_keys_drop(struct lh_scan *s, const struct lh_level *lv)
{
	size_t depth = (size_t)(lv - s->level), i, at;

	for (i = s->n; i-- > lv->keys; s->used--) {
		at = slot_of(s, s->hash[i], depth);
		while (s->slot[at] != i + 1)
			at = (at + 1) & (s->slots - 1);
		s->slot[at] = 0;
	}
}

/* ---- records ---- */

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

/* ---- the children of a value ---- */

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

/* Return the first quote or backslash from p on; end, or what is after it, if there is none. */
static inline const char *string_stop(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
	unsigned hit;
	__m128i v;

	for (; end - p >= 16; p += 16) {
		v = _mm_loadu_si128((const __m128i *)p);
		hit = (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, quote),
							       _mm_cmpeq_epi8(v, slash)));
		if (hit)
			return p + __builtin_ctz(hit);
	}
#endif
	while (p < end && *p != '"' && *p != '\\')
		p++;
	return p;
}

const char *lh_skip_string(const char *p, const char *end, bool *escaped)
{
	*escaped = false;
	for (p = string_stop(p + 1, end); p < end && *p != '"'; p = string_stop(p + 2, end))
		*escaped = true;
	return p < end ? p + 1 : NULL;
}

static const char *skip_container(const char *p, const char *end, bool *escaped)
{
	size_t depth = 0;

	do {
		if (*p == '"') {
			p = lh_skip_string(p, end, escaped);
			continue;
		}
		depth += *p == '{' || *p == '[';
		depth -= *p == '}' || *p == ']';
		p++;
	} while (depth);
	return p;
}

static const char *take_value(struct lh_value *v, const char *p, const char *end)
{
	v->p = p;
	v->escaped = false;
	switch (*p) {
	case '"':
		v->type = LH_STRING;
		p = lh_skip_string(p, end, &v->escaped);
		break;
	case '{':
	case '[':
		v->type = *p == '{' ? LH_OBJECT : LH_ARRAY;
		p = skip_container(p, end, &v->escaped);
		v->escaped = false;	/* it is said of strings only */
		break;
	case 't':
		v->type = LH_TRUE;
		p += 4;
		break;
	case 'f':
		v->type = LH_FALSE;
		p += 5;
		break;
	case 'n':
		v->type = LH_NULL;
		p += 4;
		break;
	default:
		v->type = LH_NUMBER;
		while ((unsigned char)*p > ' ' && *p != ',' && *p != ']' && *p != '}')
			p++;
	}
	v->n = (size_t)(p - v->p);
	return p;
}

__attribute__((noinline))	/* it is called at many places here */
void lh_iter_init(struct lh_iter *it, const struct lh_value *v)
{
	it->object = v->type == LH_OBJECT;
	it->at = it->end = v->p;
	if (v->type == LH_OBJECT || v->type == LH_ARRAY) {
		it->at++;
		it->end += v->n - 1;
	}
}

bool lh_iter_next(struct lh_iter *it)
{
	const char *p = it->at < it->end ? skip_space(it->at) : it->end;

	if (p >= it->end)
		return false;
	if (*p == ',')
		p = skip_space(p + 1);
	if (it->object) {
		p = skip_space(take_value(&it->key, p, it->end));
		p = skip_space(p + 1);
	}
	it->at = take_value(&it->val, p, it->end);
	return true;
}

bool lh_value_get(const struct lh_value *v, const char *name, struct lh_value *out)
{
	size_t n = strlen(name);
	struct lh_iter it;

	if (v->type != LH_OBJECT)
		return false;
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		if (lh_value_is(&it.key, name, n)) {
			*out = it.val;
			return true;
		}
	}
	return false;
}

/* ---- two values ---- */

/* Objects with more members than this are sorted before they are compared. */
#define NESTED 16

static bool arrays_equal(const struct lh_value *a, const struct lh_value *b)
{
	struct lh_iter x, y;
	bool more;

	lh_iter_init(&x, a);
	lh_iter_init(&y, b);
	while ((more = lh_iter_next(&x)) == lh_iter_next(&y))
		if (!more)
			return true;
		else if (!lh_value_equal(&x.val, &y.val))
			return false;
	return false;
}

static bool all_found(const struct lh_value *a, const struct lh_value *b)
{
	struct lh_iter x, y;
	bool found;

	for (lh_iter_init(&x, a); lh_iter_next(&x); ) {
		found = false;
		for (lh_iter_init(&y, b); !found && lh_iter_next(&y); )
			found = lh_string_cmp(&x.key, &y.key) == 0;
		if (!found || !lh_value_equal(&x.val, &y.val))
			return false;
	}
	return true;
}

static int by_key(const void *a, const void *b)
{
	return lh_string_cmp(&((const struct lh_member *)a)->key,
			     &((const struct lh_member *)b)->key);
}

static void fill_sorted(struct lh_member *m, const struct lh_value *v, size_t n)
{
	struct lh_member *at = m;
	struct lh_iter it;

	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		*at++ = (struct lh_member){ it.key, it.val };
	qsort(m, n, sizeof *m, by_key);
}

static bool objects_equal(const struct lh_value *a, const struct lh_value *b)
{
	size_t n = lh_value_count(a), i;
	LH_SCOPED(lh_free_local) struct lh_member *x = NULL;
	struct lh_member *y;

	if (n != lh_value_count(b))
		return false;
	x = n > NESTED ? lh_calloc(n, 2 * sizeof *x) : NULL;
	if (!x)
		return all_found(a, b);
	y = x + n;
	fill_sorted(x, a, n);
	fill_sorted(y, b, n);
	for (i = 0; i < n; i++)
		if (by_key(&x[i], &y[i]) || !lh_value_equal(&x[i].val, &y[i].val))
			break;
	return i == n;
}

bool lh_value_equal(const struct lh_value *a, const struct lh_value *b)
{
	if (a->type != b->type)
		return false;
	if (a->n == b->n && !memcmp(a->p, b->p, a->n))
		return true;
	switch (a->type) {
	case LH_NUMBER:
		return lh_number_equal(a, b);
	case LH_STRING:
		return lh_string_cmp(a, b) == 0;
	case LH_ARRAY:
		return arrays_equal(a, b);
	case LH_OBJECT:
		return objects_equal(a, b);
	default:
		return true;
	}
}
