/* gguf_keys.c - the values of keys.  See gguf.h. */
#include <endian.h>
#include <math.h>

#include "gguf_file.h"

struct lh_str lh_gguf_key_name(const void *ctx, uint32_t number)
{
	return ((const struct lh_gguf *)ctx)->key[number].name;
}

static const struct lh_gguf_key *find_key(const struct lh_gguf *g, const char *name)
{
	int64_t i = lh_table_find(&g->by_key, lh_str_of(name), lh_gguf_key_name, g);

	return i < 0 ? NULL : &g->key[i];
}

bool lh_gguf_has(const struct lh_gguf *g, const char *key)
{
	return find_key(g, key);
}

static const struct lh_gguf_key *need(const struct lh_gguf *g, const char *name,
				      struct lh_err *err)
{
	const struct lh_gguf_key *k = find_key(g, name);

	if (!k)
		lh_err_set(err, LH_ECORRUPT, "no key \"%s\"", name);
	return k;
}

static uint64_t load(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	return le64toh(v);
}

/* Read element i of an integer type as two's complement of 64 bits; false if it is of another
 * type. */
static bool integer(const struct lh_gguf_array *a, uint64_t i, uint64_t *to)
{
	switch (a->type) {
	case KEY_U8: *to = a->data[i]; return true;
	case KEY_I8: *to = (uint64_t)(int8_t)a->data[i]; return true;
	case KEY_U16: *to = load(a->data + 2 * i, 2); return true;
	case KEY_I16: *to = (uint64_t)(int16_t)load(a->data + 2 * i, 2); return true;
	case KEY_U32: *to = load(a->data + 4 * i, 4); return true;
	case KEY_I32: *to = (uint64_t)(int32_t)load(a->data + 4 * i, 4); return true;
	case KEY_U64: case KEY_I64: *to = load(a->data + 8 * i, 8); return true;
	default: return false;
	}
}

static bool is_signed(uint32_t type)
{
	return type == KEY_I8 || type == KEY_I16 || type == KEY_I32 || type == KEY_I64;
}

static bool number(const struct lh_gguf_array *a, uint64_t i, double *to)
{
	uint64_t bits;
	float f;

	if (a->type == KEY_F32) {
		bits = load(a->data + 4 * i, 4);
		memcpy(&f, &(uint32_t){ (uint32_t)bits }, sizeof f);
		*to = (double)f;
		return true;
	}
	if (a->type != KEY_F64)
		return false;
	bits = load(a->data + 8 * i, 8);
	memcpy(to, &bits, sizeof *to);
	return true;
}

/* ---- one value ---- */

int lh_gguf_whole(const struct lh_gguf *g, const char *key, uint64_t least, uint64_t most,
		  uint64_t *to, struct lh_err *err)
{
	const struct lh_gguf_key *k = need(g, key, err);
	bool negative;

	if (!k)
		return -1;
	if (k->type == KEY_ARRAY || !integer(&k->value, 0, to))
		return lh_err_set(err, LH_ECORRUPT, "key \"%s\" is not a whole number", key);
	negative = is_signed(k->type) && *to >> 63;
	if (!negative && *to >= least && *to <= most)
		return 0;
	return lh_err_set(err, LH_ECORRUPT, "key \"%s\" is %s%llu, not from %llu to %llu", key,
			  negative ? "-" : "", (unsigned long long)(negative ? 0 - *to : *to),
			  (unsigned long long)least, (unsigned long long)most);
}

int lh_gguf_u64(const struct lh_gguf *g, const char *key, uint64_t least, uint64_t most,
		uint64_t *to, struct lh_err *err)
{
	if (lh_gguf_whole(g, key, least, most, to, err) < 0)
		return lh_err_prefix(err, "%s", g->path);
	return 0;
}

static int get_f64(const struct lh_gguf *g, const char *key, double *to, struct lh_err *err)
{
	const struct lh_gguf_key *k = need(g, key, err);

	if (!k)
		return -1;
	if (k->type == KEY_ARRAY || !number(&k->value, 0, to))
		return lh_err_set(err, LH_ECORRUPT, "key \"%s\" is not a floating-point number",
				  key);
	if (!isfinite(*to))
		return lh_err_set(err, LH_ECORRUPT, "key \"%s\" is not finite", key);
	return 0;
}

int lh_gguf_f64(const struct lh_gguf *g, const char *key, double *to, struct lh_err *err)
{
	return get_f64(g, key, to, err) < 0 ? lh_err_prefix(err, "%s", g->path) : 0;
}

static int get_bool(const struct lh_gguf *g, const char *key, bool *to, struct lh_err *err)
{
	const struct lh_gguf_key *k = need(g, key, err);

	if (!k)
		return -1;
	if (k->type != KEY_BOOL)
		return lh_err_set(err, LH_ECORRUPT, "key \"%s\" is not a boolean", key);
	*to = *k->value.data;
	return 0;
}

int lh_gguf_bool(const struct lh_gguf *g, const char *key, bool *to, struct lh_err *err)
{
	return get_bool(g, key, to, err) < 0 ? lh_err_prefix(err, "%s", g->path) : 0;
}

static int get_str(const struct lh_gguf *g, const char *key, struct lh_str *to,
		   struct lh_err *err)
{
	const struct lh_gguf_key *k = need(g, key, err);

	if (!k)
		return -1;
	if (k->type != KEY_STRING)
		return lh_err_set(err, LH_ECORRUPT, "key \"%s\" is not a string", key);
	*to = lh_gguf_array_str(&k->value, 0);
	if (!lh_utf8_valid(to->p, to->n))
		return lh_err_set(err, LH_ECORRUPT, "key \"%s\" is not UTF-8", key);
	return 0;
}

int lh_gguf_str(const struct lh_gguf *g, const char *key, struct lh_str *to, struct lh_err *err)
{
	return get_str(g, key, to, err) < 0 ? lh_err_prefix(err, "%s", g->path) : 0;
}

/* ---- arrays ---- */

static int get_array(const struct lh_gguf *g, const char *key, uint32_t type,
		     struct lh_gguf_array *to, struct lh_err *err)
{
	static const char *const name[KEY_TYPES] = {
		"u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "array", "u64",
		"i64", "f64"
	};
	const struct lh_gguf_key *k = need(g, key, err);

	if (!k)
		return -1;
	if (k->type != KEY_ARRAY || k->value.type != type)
		return lh_err_set(err, LH_ECORRUPT, "key \"%s\" is not an array of type %s", key,
				  name[type]);
	*to = k->value;
	return 0;
}

int lh_gguf_array(const struct lh_gguf *g, const char *key, uint32_t type,
		  struct lh_gguf_array *to, struct lh_err *err)
{
	return get_array(g, key, type, to, err) < 0 ? lh_err_prefix(err, "%s", g->path) : 0;
}

struct lh_str lh_gguf_array_str(const struct lh_gguf_array *a, uint64_t i)
{
	uint64_t at = a->offset[i] + 8;

	return (struct lh_str){ (const char *)a->data + at, a->offset[i + 1] - at };
}

int64_t lh_gguf_array_i64(const struct lh_gguf_array *a, uint64_t i)
{
	uint64_t v = 0;

	integer(a, i, &v);
	return (int64_t)v;
}

double lh_gguf_array_f64(const struct lh_gguf_array *a, uint64_t i)
{
	double v = 0;

	number(a, i, &v);
	return v;
}
