/*
 * gguf.c - open a GGUF file and check all of its header; the values of its keys.  See gguf.h.
 *
 * The header is read by one cursor that knows how many bytes are left; every length is compared
 * with what is left before it is used, and nothing is allocated for a count before it.
 */
#include "gguf.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/table.h"
#include "base/xxh3.h"
#include "file/file.h"
#include "folder.h"

/* ---- an open file ---- */

enum {				/* types of keys: the numbers of the format */
	KEY_U8, KEY_I8, KEY_U16, KEY_I16, KEY_U32, KEY_I32, KEY_F32, KEY_BOOL, KEY_STRING,
	KEY_ARRAY, KEY_U64, KEY_I64, KEY_F64, KEY_TYPES
};

struct lh_gguf_key {
	struct lh_str name;
	uint32_t type;			/* KEY_ARRAY: the elements are in array */
	struct lh_gguf_array value;	/* of one element, unless an array */
	uint64_t *offset;		/* of strings */
};

struct lh_gguf_place {
	struct lh_gguf_tensor tensor;
	uint64_t offset;		/* from the start of the data */
};

struct lh_gguf {
	char *path;
	struct lh_mapped map;		/* of a file; n 0: of a folder */
	struct lh_folder folder;
	struct lh_gguf_key *key;
	struct lh_gguf_place *place;
	size_t keys, keys_cap, places, places_cap;
	struct lh_table by_key, by_tensor;
};

static int lh_gguf_whole(const struct lh_gguf *g, const char *key, uint64_t least, uint64_t most,
			 uint64_t *to, struct lh_err *err);
static lh_key_fn lh_gguf_key_name;

/* ---- opening ---- */

#define MAGIC "GGUF"
#define ENTRIES_MAX 65536		/* keys, tensors: a model has some hundreds */
#define TENSOR_NAME_MAX 64			/* of a tensor */
#define KEY_NAME_MAX 65535			/* bytes of a key's name */
#define ALIGNMENT "general.alignment"
#define ALIGNMENT_MIN 8			/* a multiple of 8, says the format */
#define ALIGNMENT_MAX (1 << 20)
#define VALUES_MAX ((uint64_t)1 << 59)	/* of a tensor: their bytes fit in 64 bits */

struct cursor {
	const unsigned char *p;
	size_t left;
	const char *part;		/* which part of the file this is, for errors ... */
	uint64_t number, of;		/* ... and which one of those; 0: the only one */
	struct lh_err *err;
};

/* Report an error in the cursor's part of the file; returns -1. */
static int wrong(const struct cursor *c, const char *what)
{
	if (!c->of)
		return lh_err_set(c->err, LH_ECORRUPT, "%s: %s", c->part, what);
	return lh_err_set(c->err, LH_ECORRUPT, "%s %llu of %llu: %s", c->part,
			  (unsigned long long)c->number, (unsigned long long)c->of, what);
}

/* Report that n elements of some bytes each are not there; returns -1. */
static int too_short(const struct cursor *c, uint64_t n, unsigned bytes)
{
	char each[24] = "", what[128];

	if (bytes > 1)
		snprintf(each, sizeof each, " times %u", bytes);
	snprintf(what, sizeof what, "truncated, or a wrong length: %llu%s bytes, %zu are left",
		 (unsigned long long)n, each, c->left);
	return wrong(c, what);
}

/* Return the next n elements of some bytes each, or NULL. */
static const unsigned char *take(struct cursor *c, uint64_t n, unsigned bytes)
{
	const unsigned char *p = c->p;

	if (n > c->left / bytes) {
		too_short(c, n, bytes);
		return NULL;
	}
	c->p += n * bytes;
	c->left -= n * bytes;
	return p;
}

static int take_u32(struct cursor *c, uint32_t *to)
{
	const unsigned char *p = take(c, 4, 1);

	if (!p)
		return -1;
	memcpy(to, p, 4);
	*to = le32toh(*to);
	return 0;
}

static int take_u64(struct cursor *c, uint64_t *to)
{
	const unsigned char *p = take(c, 8, 1);

	if (!p)
		return -1;
	memcpy(to, p, 8);
	*to = le64toh(*to);
	return 0;
}

static int take_str(struct cursor *c, struct lh_str *to)
{
	const unsigned char *p;
	uint64_t n;

	if (take_u64(c, &n) < 0 || !(p = take(c, n, 1)))
		return -1;
	*to = (struct lh_str){ (const char *)p, n };
	return 0;
}

/* ---- keys ---- */

static int take_strings(struct cursor *c, struct lh_gguf_key *k)
{
	uint64_t n = k->value.n;
	struct lh_str s;

	if (n > c->left / 8)		/* the length of each */
		return too_short(c, n, 8);
	k->value.offset = k->offset = lh_calloc(n + 1, sizeof *k->offset);
	for (uint64_t i = 0; i < n; i++) {
		if (take_str(c, &s) < 0)
			return -1;
		k->offset[i + 1] = (uint64_t)(c->p - k->value.data);
	}
	return 0;
}

/* Take the n elements of a value; a value that is not an array has one. */
static int take_elements(struct cursor *c, struct lh_gguf_key *k)
{
	static const unsigned char bytes[KEY_TYPES] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };
	struct lh_gguf_array *v = &k->value;

	v->data = c->p;
	if (v->type >= KEY_TYPES)
		return wrong(c, "unknown type of value");
	if (v->type == KEY_ARRAY)
		return wrong(c, "an array of arrays");
	if (v->type == KEY_STRING)
		return take_strings(c, k);
	if (!take(c, v->n, bytes[v->type]))
		return -1;
	for (uint64_t i = 0; v->type == KEY_BOOL && i < v->n; i++)
		if (v->data[i] > 1)
			return wrong(c, "a boolean that is neither 0 nor 1");
	return 0;
}

static int take_key(struct cursor *c, struct lh_gguf_key *k)
{
	if (take_str(c, &k->name) < 0)
		return -1;
	if (k->name.n > KEY_NAME_MAX || !lh_utf8_valid(k->name.p, k->name.n))
		return wrong(c, "its name is longer than 65535 bytes, or not UTF-8");
	if (take_u32(c, &k->type) < 0)
		return -1;
	k->value.type = k->type;
	k->value.n = 1;
	if (k->type == KEY_ARRAY &&
	    (take_u32(c, &k->value.type) < 0 || take_u64(c, &k->value.n) < 0))
		return -1;
	return take_elements(c, k);
}

static int twice(const struct cursor *c, struct lh_str name)
{
	return lh_err_set(c->err, LH_ECORRUPT, "two %ss \"%.*s\"", c->part,
			  name.n < 100 ? (int)name.n : 100, name.p);
}

static int read_keys(struct lh_gguf *g, struct cursor *c, uint64_t n)
{
	c->part = "key";
	c->of = n;
	for (c->number = 1; c->number <= n; c->number++) {
		struct lh_gguf_key *k;

		lh_grow(&g->key, &g->keys_cap, g->keys + 1, sizeof *g->key);
		k = &g->key[g->keys];
		memset(k, 0, sizeof *k);
		g->keys++;		/* from here on lh_gguf_close frees it */
		if (take_key(c, k) < 0)
			return -1;
		if (lh_table_find(&g->by_key, k->name, lh_gguf_key_name, g) >= 0)
			return twice(c, k->name);
		lh_table_set(&g->by_key, k->name, (uint32_t)g->keys - 1, lh_gguf_key_name, g);
	}
	return 0;
}

/* ---- tensors ---- */

static struct lh_str tensor_name(const void *ctx, uint32_t number)
{
	return ((const struct lh_gguf *)ctx)->place[number].tensor.name;
}

/* Multiply *values by each dimension. */
static int take_dims(struct cursor *c, struct lh_gguf_tensor *t, uint64_t *values)
{
	uint32_t n;

	if (take_u32(c, &n) < 0)
		return -1;
	if (n < 1 || n > 4)
		return wrong(c, "not 1 to 4 dimensions");
	t->dims = n;
	for (unsigned i = 0; i < 4; i++) {
		t->dim[i] = 1;
		if (i < n && take_u64(c, &t->dim[i]) < 0)
			return -1;
		if (!t->dim[i])
			return wrong(c, "a dimension of 0");
		if (t->dim[i] > VALUES_MAX / *values)
			return wrong(c, "too many values");
		*values *= t->dim[i];
	}
	return 0;
}

static int take_tensor(struct cursor *c, struct lh_gguf_place *p)
{
	struct lh_gguf_tensor *t = &p->tensor;
	const struct lh_gguf_layout *l;
	uint64_t values = 1;
	uint32_t type;

	if (take_str(c, &t->name) < 0)
		return -1;
	if (t->name.n > TENSOR_NAME_MAX || !lh_utf8_valid(t->name.p, t->name.n))
		return wrong(c, "its name is longer than 64 bytes, or not UTF-8");
	if (take_dims(c, t, &values) < 0 || take_u32(c, &type) < 0)
		return -1;
	l = lh_gguf_layout(type);
	if (!l)
		return wrong(c, "unknown type of tensor");
	if (t->dim[0] % l->values)
		return wrong(c, "its rows are not whole blocks of its type");
	t->type = (enum lh_gguf_type)type;
	t->bytes = values / l->values * l->bytes;
	return take_u64(c, &p->offset);
}

static int read_tensors(struct lh_gguf *g, struct cursor *c, uint64_t n)
{
	c->part = "tensor";
	c->of = n;
	for (c->number = 1; c->number <= n; c->number++) {
		struct lh_gguf_place *p;

		lh_grow(&g->place, &g->places_cap, g->places + 1, sizeof *p);
		p = &g->place[g->places];
		memset(p, 0, sizeof *p);
		if (take_tensor(c, p) < 0)
			return -1;
		g->places++;
		if (lh_table_find(&g->by_tensor, p->tensor.name, tensor_name, g) >= 0)
			return twice(c, p->tensor.name);
		lh_table_set(&g->by_tensor, p->tensor.name, (uint32_t)g->places - 1, tensor_name,
			     g);
	}
	return 0;
}

/* Return how many bytes follow n until the next multiple of the alignment. */
static uint64_t padding(uint64_t n, uint64_t alignment)
{
	return -n & (alignment - 1);
}

static int misplaced(const struct lh_gguf_place *p, uint64_t expected, struct lh_err *err)
{
	return lh_err_set(err, LH_ECORRUPT, "tensor \"%.*s\": its offset is %llu, not %llu",
			  (int)p->tensor.name.n, p->tensor.name.p, (unsigned long long)p->offset,
			  (unsigned long long)expected);
}

/* Find the data of each tensor.  Tensors follow each other: none overlaps another. */
static int place_tensors(struct lh_gguf *g, struct cursor *c, uint64_t alignment)
{
	uint64_t pad = padding(g->map.n - c->left, alignment), at = 0;
	const unsigned char *data;
	size_t left;

	if (!g->places)
		return 0;
	if (pad >= c->left)
		return lh_err_set(c->err, LH_ECORRUPT, "truncated: the file ends with its header");
	data = c->p + pad;
	left = c->left - pad;
	for (size_t i = 0; i < g->places; i++) {
		struct lh_gguf_place *p = &g->place[i];

		if (p->offset != at)
			return misplaced(p, at, c->err);
		if (at > left || p->tensor.bytes > left - at)
			return lh_err_set(c->err, LH_ECORRUPT,
					  "truncated: tensor \"%.*s\" (%zu bytes at %llu) ends "
					  "after the file, whose data has %zu bytes",
					  (int)p->tensor.name.n, p->tensor.name.p, p->tensor.bytes,
					  (unsigned long long)at, left);
		p->tensor.data = data + at;
		at += p->tensor.bytes;
		at += padding(at, alignment);
	}
	return 0;
}

/* ---- the file ---- */

static int check_version(uint32_t version, struct lh_err *err)
{
	if (version == 2 || version == 3)
		return 0;
	if (version && !(version & 0xffff))
		return lh_err_set(err, LH_ECORRUPT, "a GGUF file in the other byte order");
	return lh_err_set(err, LH_ECORRUPT, "GGUF version %u: 2 and 3 are supported", version);
}

static int read_head(struct cursor *c, uint64_t *tensors, uint64_t *keys)
{
	uint32_t version;

	c->part = "header";
	if (c->left < 4 || memcmp(c->p, MAGIC, 4) != 0)
		return lh_err_set(c->err, LH_ECORRUPT, "not a GGUF file");
	take(c, 4, 1);
	if (take_u32(c, &version) < 0 || check_version(version, c->err) < 0 ||
	    take_u64(c, tensors) < 0 || take_u64(c, keys) < 0)
		return -1;
	if (*tensors > ENTRIES_MAX || *keys > ENTRIES_MAX)
		return lh_err_set(c->err, LH_ECORRUPT,
				  "header: %llu tensors and %llu keys, where %d are the most",
				  (unsigned long long)*tensors, (unsigned long long)*keys,
				  ENTRIES_MAX);
	return 0;
}

static int read_alignment(const struct lh_gguf *g, uint64_t *to, struct lh_err *err)
{
	*to = 32;
	if (!lh_gguf_has(g, ALIGNMENT))
		return 0;
	if (lh_gguf_whole(g, ALIGNMENT, ALIGNMENT_MIN, ALIGNMENT_MAX, to, err) < 0)
		return -1;
	if (*to & (*to - 1))
		return lh_err_set(err, LH_ECORRUPT, "key \"%s\" is %llu, not a power of 2",
				  ALIGNMENT, (unsigned long long)*to);
	return 0;
}

/* The tensors of a folder are where its weights have them. */
static int place_folder(struct lh_gguf *g)
{
	for (size_t i = 0; i < g->places; i++)
		g->place[i].tensor.data = g->folder.tensor[i].data;
	return 0;
}

static int read_all(struct lh_gguf *g, struct lh_err *err)
{
	struct lh_str all = lh_gguf_bytes(g);
	struct cursor c = { .p = (const unsigned char *)all.p, .left = all.n, .err = err };
	uint64_t tensors, keys, alignment;

	if (read_head(&c, &tensors, &keys) < 0 || read_keys(g, &c, keys) < 0 ||
	    read_alignment(g, &alignment, err) < 0 || read_tensors(g, &c, tensors) < 0)
		return -1;
	return g->folder.path ? place_folder(g) : place_tensors(g, &c, alignment);
}

static int open_either(struct lh_gguf *g, struct lh_err *err)
{
	struct stat st;

	if (stat(g->path, &st) < 0 || !S_ISDIR(st.st_mode))
		return lh_mapped_open(&g->map, g->path, err);
	g->folder.path = g->path;
	return lh_folder_read(&g->folder, err);
}

struct lh_gguf *lh_gguf_open(const char *path, struct lh_err *err)
{
	struct lh_gguf *g = lh_calloc(1, sizeof *g);

	g->path = lh_strndup(path, strlen(path));
	if (open_either(g, err) == 0) {
		if (read_all(g, err) == 0)
			return g;
		lh_err_prefix(err, "%s", path);
	}
	lh_gguf_close(g);
	return NULL;
}

uint64_t lh_gguf_sum(const struct lh_gguf *g)
{
	struct lh_str all = lh_gguf_bytes(g);
	struct lh_xxh3_stream s;

	if (!g->folder.path)
		return lh_xxh3(all.p, all.n);
	lh_xxh3_begin(&s);
	lh_xxh3_add(&s, all.p, all.n);
	lh_xxh3_add(&s, g->folder.weights.map.p, g->folder.weights.map.n);
	return lh_xxh3_end(&s);
}

void lh_gguf_close(struct lh_gguf *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->keys; i++)
		free(g->key[i].offset);
	free(g->key);
	free(g->place);
	lh_table_free(&g->by_key);
	lh_table_free(&g->by_tensor);
	lh_mapped_close(&g->map);
	lh_folder_free(&g->folder);
	free(g->path);
	free(g);
}

struct lh_str lh_gguf_bytes(const struct lh_gguf *g)
{
	return g->folder.path ? (struct lh_str){ g->folder.head.p, g->folder.head.len }
			      : (struct lh_str){ g->map.p, g->map.n };
}

const char *lh_gguf_path(const struct lh_gguf *g)
{
	return g->path;
}

size_t lh_gguf_tensors(const struct lh_gguf *g)
{
	return g->places;
}

const struct lh_gguf_tensor *lh_gguf_tensor_at(const struct lh_gguf *g, size_t i)
{
	return &g->place[i].tensor;
}

const struct lh_gguf_tensor *lh_gguf_tensor(const struct lh_gguf *g, const char *name)
{
	int64_t i = lh_table_find(&g->by_tensor, lh_str_of(name), tensor_name, g);

	return i < 0 ? NULL : &g->place[i].tensor;
}

static const struct lh_gguf_tensor *bad_tensor(const struct lh_gguf *g, const char *name,
					       const char *what, struct lh_err *err)
{
	lh_err_set(err, LH_ECORRUPT, "%s: tensor \"%s\" %s", g->path, name, what);
	return NULL;
}

const struct lh_gguf_tensor *lh_gguf_find(const struct lh_gguf *g, const char *name,
					  const uint64_t dim[3], bool at_least,
					  struct lh_err *err)
{
	const struct lh_gguf_tensor *t = lh_gguf_tensor(g, name);
	char what[192];

	if (!t)
		return bad_tensor(g, name, "is missing", err);
	if (t->dim[0] != dim[0] || (at_least ? t->dim[1] < dim[1] : t->dim[1] != dim[1]) ||
	    t->dim[2] != dim[2] || t->dim[3] != 1) {
		snprintf(what, sizeof what, "is %llu x %llu x %llu x %llu, not %llu x %llu x %llu",
			 (unsigned long long)t->dim[0], (unsigned long long)t->dim[1],
			 (unsigned long long)t->dim[2], (unsigned long long)t->dim[3],
			 (unsigned long long)dim[0], (unsigned long long)dim[1],
			 (unsigned long long)dim[2]);
		return bad_tensor(g, name, what, err);
	}
	if (!lh_gguf_readable(t)) {
		snprintf(what, sizeof what, "is of type %s, which is not read here",
			 lh_gguf_type_name(t->type));
		return bad_tensor(g, name, what, err);
	}
	return t;
}

/* ---- the values of keys ---- */

/* Return the name of the key with that number, for the table. */
static struct lh_str lh_gguf_key_name(const void *ctx, uint32_t number)
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

/* Read a whole number as lh_gguf_u64 does; errors are without the path. */
static int lh_gguf_whole(const struct lh_gguf *g, const char *key, uint64_t least, uint64_t most,
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
