/* safetensors.c - see safetensors.h. */
#include "safetensors.h"

#include <endian.h>
#include <stdlib.h>

#include "base/mem.h"
#include "json/json.h"

#define HEADER_MAX 100000000u		/* bytes: the limit of the format */
#define METADATA "__metadata__"
#define VALUES_MAX ((uint64_t)1 << 56)	/* of a tensor: its bytes fit in 64 bits */

static int wrong(struct lh_err *err, const struct lh_safetensor *t, const char *what)
{
	return lh_err_set(err, LH_ECORRUPT, "tensor \"%.*s\" %s",
			  t->name.n < 100 ? (int)t->name.n : 100, t->name.p, what);
}

/* Return the bytes of a value of the type, or 0. */
static unsigned bytes_of(struct lh_str dtype)
{
	static const struct {
		const char *name;
		unsigned bytes;
	} types[] = {
		{ "F32", 4 }, { "F16", 2 }, { "BF16", 2 }, { "F64", 8 }, { "I64", 8 },
		{ "I32", 4 }, { "I16", 2 }, { "I8", 1 }, { "U64", 8 }, { "U32", 4 },
		{ "U16", 2 }, { "U8", 1 }, { "BOOL", 1 },
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (lh_str_is(dtype, types[i].name, strlen(types[i].name)))
			return types[i].bytes;
	return 0;
}

/* Read an array of at most `most` whole numbers that are not negative: how many, or -1. */
static int whole_numbers(const struct lh_value *v, uint64_t *to, unsigned most)
{
	struct lh_iter it;
	unsigned n = 0;
	int64_t number;

	if (v->type != LH_ARRAY)
		return -1;
	for (lh_iter_init(&it, v); lh_iter_next(&it); n++) {
		if (n == most || it.val.type != LH_NUMBER || !lh_value_i64(&it.val, &number) ||
		    number < 0)
			return -1;
		to[n] = (uint64_t)number;
	}
	return (int)n;
}

/* Check that the shape and the type are those of the bytes. */
static int check_size(const struct lh_safetensor *t, struct lh_err *err)
{
	unsigned each = bytes_of(t->dtype);
	uint64_t values = 1;

	if (!each)
		return lh_err_set(err, LH_ECORRUPT, "tensor \"%.*s\" is of type %.*s, which is "
				  "not known", t->name.n < 100 ? (int)t->name.n : 100, t->name.p,
				  t->dtype.n < 20 ? (int)t->dtype.n : 20, t->dtype.p);
	for (unsigned i = 0; i < t->dims; i++) {
		if (t->dim[i] && values > VALUES_MAX / t->dim[i])
			return wrong(err, t, "has too many values");
		values *= t->dim[i];
	}
	return values * each == t->bytes ? 0
		: wrong(err, t, "has other data_offsets than its shape needs");
}

static int read_tensor(struct lh_safetensors *s, const struct lh_iter *it, struct lh_err *err)
{
	struct lh_safetensor *t = &s->tensor[s->n];
	struct lh_value dtype, shape, offsets;
	uint64_t at[2];
	int dims;

	*t = (struct lh_safetensor){ .dims = 0 };
	lh_value_str(&it->key, &s->names, &t->name);
	if (it->val.type != LH_OBJECT || !lh_value_get(&it->val, "dtype", &dtype) ||
	    !lh_value_get(&it->val, "shape", &shape) || dtype.type != LH_STRING ||
	    !lh_value_get(&it->val, "data_offsets", &offsets))
		return wrong(err, t, "lacks dtype, shape or data_offsets");
	lh_value_str(&dtype, &s->names, &t->dtype);
	dims = whole_numbers(&shape, t->dim, LH_SAFETENSORS_DIMS);
	if (dims < 0)
		return wrong(err, t, "has a wrong shape (an array of at most 8 sizes)");
	if (whole_numbers(&offsets, at, 2) != 2 || at[0] > at[1])
		return wrong(err, t, "has data_offsets that are not two numbers in order");
	t->dims = (unsigned)dims;
	t->at = at[0];
	t->bytes = at[1] - at[0];
	return check_size(t, err);
}

static int by_place(const void *x, const void *y)
{
	const struct lh_safetensor *a = x, *b = y;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

/* Find the data of each tensor: none overlaps another, and nothing is left between them. */
static int place(struct lh_safetensors *s, uint64_t from, struct lh_err *err)
{
	uint64_t left = s->map.n - from, at = 0;

	if (s->n)
		qsort(s->tensor, s->n, sizeof *s->tensor, by_place);
	for (size_t i = 0; i < s->n; i++) {
		struct lh_safetensor *t = &s->tensor[i];

		if (t->at != at)
			return wrong(err, t, t->at < at ? "overlaps the one before it"
							: "does not follow the one before it");
		if (t->bytes > left - at)
			return wrong(err, t, "ends after the file");
		t->data = (const unsigned char *)s->map.p + from + at;
		at += t->bytes;
	}
	return at == left ? 0 : lh_err_set(err, LH_ECORRUPT, "%llu bytes follow its tensors",
					   (unsigned long long)(left - at));
}

static int read_header(struct lh_safetensors *s, struct lh_record *json, struct lh_err *err)
{
	struct lh_value v;
	struct lh_iter it;
	uint64_t n;

	if (s->map.n < sizeof n)
		return lh_err_set(err, LH_ECORRUPT, "not a file of safetensors: too short");
	memcpy(&n, s->map.p, sizeof n);
	n = le64toh(n);
	if (n > HEADER_MAX || n > s->map.n - sizeof n)
		return lh_err_set(err, LH_ECORRUPT, "not a file of safetensors, or truncated: a "
				  "header of %llu bytes", (unsigned long long)n);
	lh_buf_add(&s->header, s->map.p + sizeof n, n);
	lh_buf_room(&s->names, n);	/* for all that is unescaped: it does not move */
	if (lh_json_parse(json, s->header.p, s->header.len, &v, err) < 0) {
		err->code = LH_ECORRUPT;
		return lh_err_prefix(err, "its header");
	}
	if (v.type != LH_OBJECT)
		return lh_err_set(err, LH_ECORRUPT, "its header is not an object");
	for (lh_iter_init(&it, &v); lh_iter_next(&it); ) {
		if (lh_value_is(&it.key, METADATA, strlen(METADATA)))
			continue;
		lh_grow(&s->tensor, &s->cap, s->n + 1, sizeof *s->tensor);
		if (read_tensor(s, &it, err) < 0)
			return -1;
		s->n++;
	}
	return place(s, sizeof n + n, err);
}

int lh_safetensors_open(struct lh_safetensors *s, const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_record_free) struct lh_record json = { 0 };

	*s = (struct lh_safetensors){ .n = 0 };
	if (lh_mapped_open(&s->map, path, err) < 0)
		return -1;
	return read_header(s, &json, err) < 0 ? lh_err_prefix(err, "%s", path) : 0;
}

void lh_safetensors_close(struct lh_safetensors *s)
{
	lh_mapped_close(&s->map);
	lh_buf_free(&s->header);
	lh_buf_free(&s->names);
	free(s->tensor);
	*s = (struct lh_safetensors){ .n = 0 };
}
