/*
 * pgcopy.c - rows as COPY ... WITH (FORMAT binary) of PostgreSQL has them, with the types of
 * the extension pgvector.  See formats.h.
 *
 * From the manual of PostgreSQL, COPY, "Binary Format", and pgvector's vector_send and
 * halfvec_send; all numbers are big-endian:
 *
 *     file     "PGCOPY\n\377\r\n\0", i32 flags, i32 length of the extension, extension,
 *              tuples, i16 -1
 *     tuple    i16 number of fields; each field: i32 length (-1: NULL), bytes
 *     text     its bytes; int4 and int8: 4 and 8 bytes
 *     vector   u16 dimension, u16 0, the values as f32; halfvec the same with f16
 *     jsonb    the version, 1, then JSON as text
 *
 * Bit 16 of the flags says that tuples have OIDs, which no PostgreSQL from 12 on writes; bits
 * from 16 on that a reader does not know are errors.
 */
#include "formats.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "vector/quantize.h"

#define JSONB 1			/* its version */
#define NONE (-1)		/* the length of NULL */

static const char signature[11] = "PGCOPY\n\377\r\n";	/* with its NUL */

static uint16_t get16(const char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return be16toh(v);
}

static uint32_t get32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return be32toh(v);
}

static void put16(struct lh_buf *out, uint16_t v)
{
	v = htobe16(v);
	lh_buf_add(out, &v, sizeof v);
}

static void put32(struct lh_buf *out, uint32_t v)
{
	v = htobe32(v);
	lh_buf_add(out, &v, sizeof v);
}

/* ---- reading ---- */

static int begin(struct row_reader *r, struct lh_err *err)
{
	uint32_t flags;
	const char *p;

	if (bytes_need(&r->in, sizeof signature, &p, err) < 0)
		return -1;
	if (memcmp(p, signature, sizeof signature)) {
		r->in.offset = 0;
		return bytes_wrong(&r->in, err, "not a file of COPY in binary format");
	}
	if (bytes_need(&r->in, 4, &p, err) < 0)
		return -1;
	flags = get32(p);
	if (flags >> 16)
		return bytes_wrong(&r->in, err, flags >> 16 == 1 ?
				   "the tuples have OIDs" : "unknown flags %08" PRIx32, flags);
	if (bytes_need(&r->in, 4, &p, err) < 0)
		return -1;
	if ((int32_t)get32(p) < 0)
		return bytes_wrong(&r->in, err, "the header's extension has a negative length");
	return bytes_skip(&r->in, get32(p), err);
}

/* Read the length of a field, which is NONE or at most max. */
static int field_length(struct row_reader *r, const char *what, uint64_t max, int64_t *n,
			struct lh_err *err)
{
	const char *p;

	if (bytes_need(&r->in, 4, &p, err) < 0)
		return -1;
	*n = (int32_t)get32(p);
	if (*n < NONE)
		return bytes_wrong(&r->in, err, "the %s has the length %" PRId64, what, *n);
	if (*n > 0 && (uint64_t)*n > max)
		return bytes_wrong(&r->in, err, "the %s has %" PRId64 " bytes, at most %" PRIu64,
				   what, *n, max);
	return 0;
}

static int read_id(struct row_reader *r, struct lh_err *err)
{
	static const int64_t size[] = { [ID_INT4] = 4, [ID_INT8] = 8 };
	int64_t n;
	uint64_t v;
	const char *p;

	lh_buf_reset(&r->id);
	if (field_length(r, "id", LH_ID_MAX, &n, err) < 0)
		return -1;
	if (n == NONE)
		return bytes_wrong(&r->in, err, "the id is NULL");
	if (r->id_type != ID_TEXT && n != size[r->id_type])
		return bytes_wrong(&r->in, err, "an id of %s has %" PRId64 " bytes, not %" PRId64,
				   r->id_type == ID_INT4 ? "int4" : "int8", size[r->id_type], n);
	if (bytes_need(&r->in, (size_t)n, &p, err) < 0)
		return -1;
	if (r->id_type == ID_TEXT && memchr(p, 0, (size_t)n))
		return bytes_wrong(&r->in, err, "the id has a NUL, which text cannot: if it is a "
				   "number, give --id-type");
	if (r->id_type == ID_TEXT) {
		lh_buf_add(&r->id, p, (size_t)n);
	} else if (r->id_type == ID_INT4) {
		lh_buf_printf(&r->id, "%" PRId32, (int32_t)get32(p));
	} else {
		v = (uint64_t)get32(p) << 32 | get32(p + 4);
		lh_buf_printf(&r->id, "%" PRId64, (int64_t)v);
	}
	return lh_buf_check(&r->id, err);
}

/* Turn n values of 4 or 2 bytes around, and append them as floats. */
static int add_values(struct row_reader *r, const char *p, size_t n, unsigned width,
		      struct lh_err *err)
{
	float *to = (float *)(void *)lh_buf_room(&r->vector, n * sizeof *to);
	uint16_t half;
	uint32_t bits;
	size_t i;

	if (!to)
		return lh_buf_check(&r->vector, err);
	for (i = 0; i < n && width == 4; i++) {
		bits = get32(p + 4 * i);
		memcpy(&to[i], &bits, sizeof bits);
	}
	for (i = 0; i < n && width == 2; i++) {
		half = get16(p + 2 * i);
		lh_quantize_decode(LH_F16, &half, 1, &to[i]);
	}
	lh_buf_took(&r->vector, n * sizeof *to);
	return 0;
}

/* Read a vector or halfvec: which one, its length says. */
static int read_vector(struct row_reader *r, struct lh_err *err)
{
	size_t dimension;
	const char *p;
	int64_t n;

	lh_buf_reset(&r->vector);
	if (field_length(r, "vector", 4 + 4 * PGCOPY_DIMENSION_MAX, &n, err) < 0)
		return -1;
	if (n == NONE)
		return bytes_wrong(&r->in, err, "the vector is NULL");
	if (n < 4)
		return bytes_wrong(&r->in, err, "a vector has 4 bytes or more, not %" PRId64, n);
	if (bytes_need(&r->in, (size_t)n, &p, err) < 0)
		return -1;
	dimension = get16(p);
	if (get16(p + 2))
		return bytes_wrong(&r->in, err, "not a vector or halfvec: its third byte and "
						"fourth are not 0");
	if (!dimension || dimension > PGCOPY_DIMENSION_MAX)
		return bytes_wrong(&r->in, err, "a vector of dimension %zu: from 1 to %d",
				   dimension, PGCOPY_DIMENSION_MAX);
	if ((size_t)n == 4 + 4 * dimension)
		return add_values(r, p + 4, dimension, 4, err);
	if ((size_t)n == 4 + 2 * dimension)
		return add_values(r, p + 4, dimension, 2, err);
	return bytes_wrong(&r->in, err, "a vector of dimension %zu in %" PRId64 " bytes",
			   dimension, n);
}

static int read_meta(struct row_reader *r, struct lh_err *err)
{
	const char *p;
	int64_t n;

	if (field_length(r, "metadata", 1 + r->meta_max, &n, err) < 0)
		return -1;
	if (n == NONE)
		return 0;
	if (bytes_need(&r->in, (size_t)n, &p, err) < 0)
		return -1;
	if (!n || *p != JSONB)
		return bytes_wrong(&r->in, err, "the metadata is not jsonb of version 1");
	if (n == 1)
		return bytes_wrong(&r->in, err, "the metadata is jsonb without any JSON");
	lh_buf_add(&r->meta, p + 1, (size_t)n - 1);
	return lh_buf_check(&r->meta, err);
}

static int next_tuple(struct row_reader *r, struct lh_err *err)
{
	const char *p;
	int fields;

	if (bytes_need(&r->in, 2, &p, err) < 0)
		return -1;
	fields = (int16_t)get16(p);
	if (fields == -1)
		return bytes_end(&r->in, err);
	if (fields != 2 && fields != 3)
		return bytes_wrong(&r->in, err,
				   "%d fields: an id, a vector and perhaps metadata are wanted",
				   fields);
	if (r->rows && fields != r->fields)
		return bytes_wrong(&r->in, err, "%d fields, and %d before", fields, r->fields);
	r->fields = fields;
	lh_buf_reset(&r->meta);
	if (read_id(r, err) < 0 || read_vector(r, err) < 0 ||
	    (fields == 3 && read_meta(r, err) < 0))
		return -1;
	return 1;
}

static int next(struct row_reader *r, struct format_row *row, struct lh_err *err)
{
	int rc = next_tuple(r, err);

	if (rc < 0)
		return lh_err_prefix(err, "tuple %llu", (unsigned long long)r->rows + 1);
	if (!rc)
		return 0;
	r->rows++;
	row->id = (struct lh_str){ r->id.p ? r->id.p : "", r->id.len };
	row->meta = (struct lh_str){ r->meta.p, r->meta.len };
	row->vector = (const float *)(const void *)r->vector.p;
	row->n = r->vector.len / sizeof(float);
	return 1;
}

const struct format_reader pgcopy_reader = { begin, next };

/* ---- writing ---- */

static int write_begin(const struct row_writing *w, struct lh_buf *out, struct lh_err *err)
{
	if (w->dimension > PGCOPY_DIMENSION_MAX)
		return lh_err_set(err, LH_EUSAGE, "dimension %" PRIu32 ": pgvector has at most %d",
				  w->dimension, PGCOPY_DIMENSION_MAX);
	lh_buf_add(out, signature, sizeof signature);
	put32(out, 0);
	put32(out, 0);
	return lh_buf_check(out, err);
}

/* Read an id that is written as PostgreSQL writes a number. */
static bool whole_number(struct lh_str id, int64_t *v)
{
	char text[24], again[24];

	if (!id.n || id.n >= sizeof text)
		return false;
	memcpy(text, id.p, id.n);
	text[id.n] = '\0';
	*v = strtoll(text, NULL, 10);
	snprintf(again, sizeof again, "%" PRId64, *v);
	return strlen(again) == id.n && memcmp(again, id.p, id.n) == 0;
}

static int put_id(const struct row_writing *w, struct lh_str id, struct lh_buf *out,
		  struct lh_err *err)
{
	int64_t v;

	if (w->id_type == ID_TEXT) {
		if (memchr(id.p, 0, id.n))
			return lh_err_set(err, LH_EDATA, "the id has a NUL, which text cannot");
		put32(out, (uint32_t)id.n);
		lh_buf_add(out, id.p, id.n);
		return 0;
	}
	if (!whole_number(id, &v) || (w->id_type == ID_INT4 && v != (int32_t)v))
		return lh_err_set(err, LH_EDATA, "the id is not a number of type %s",
				  w->id_type == ID_INT4 ? "int4" : "int8");
	put32(out, w->id_type == ID_INT4 ? 4 : 8);
	if (w->id_type == ID_INT8)
		put32(out, (uint32_t)((uint64_t)v >> 32));
	put32(out, (uint32_t)v);
	return 0;
}

/* Return whether JSON has an escaped NUL, which jsonb cannot hold. */
static bool has_nul(struct lh_str json)
{
	const char *p = json.p, *end = json.p + json.n;

	while ((p = memchr(p, '\\', (size_t)(end - p)))) {
		if (end - p >= 6 && memcmp(p, "\\u0000", 6) == 0)
			return true;
		p += end - p > 1 ? 2 : 1;
	}
	return false;
}

static int write_row(const struct row_writing *w, const struct format_row *row,
		     struct lh_buf *out, struct lh_err *err)
{
	size_t bytes = w->half ? 2 : 4, i;
	uint32_t bits;
	uint16_t half;
	char *to;

	put16(out, 3);
	if (put_id(w, row->id, out, err) < 0)
		return -1;
	if (w->half && lh_quantize_check(LH_F16, row->vector, (uint32_t)row->n, err) < 0)
		return -1;
	put32(out, (uint32_t)(4 + bytes * row->n));
	put16(out, (uint16_t)row->n);
	put16(out, 0);
	to = lh_buf_room(out, bytes * row->n);
	if (to && w->half)
		lh_quantize_encode(LH_F16, LH_L2, row->vector, (uint32_t)row->n, to);
	for (i = 0; to && i < row->n; i++) {
		if (w->half) {
			memcpy(&half, to + 2 * i, sizeof half);
			half = htobe16(half);
			memcpy(to + 2 * i, &half, sizeof half);
		} else {
			memcpy(&bits, &row->vector[i], sizeof bits);
			bits = htobe32(bits);
			memcpy(to + 4 * i, &bits, sizeof bits);
		}
	}
	if (to)
		lh_buf_took(out, bytes * row->n);
	if (!row->meta.n) {
		put32(out, (uint32_t)NONE);
		return lh_buf_check(out, err);
	}
	if (has_nul(row->meta))
		return lh_err_set(err, LH_EDATA, "the metadata has a NUL, which jsonb cannot");
	if (row->meta.n >= INT32_MAX)
		return lh_err_set(err, LH_EDATA, "the metadata has 2 GiB or more");
	put32(out, (uint32_t)row->meta.n + 1);
	lh_buf_putc(out, JSONB);
	lh_buf_add(out, row->meta.p, row->meta.n);
	return lh_buf_check(out, err);
}

static void write_end(struct lh_buf *out)
{
	put16(out, (uint16_t)-1);
}

const struct format_writer pgcopy_writer = { write_begin, write_row, write_end };
