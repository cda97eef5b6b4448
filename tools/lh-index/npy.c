/* npy.c - rows as NumPy's .npy has them, from bytes and to them.  See formats.h. */
#include <endian.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "formats.h"
#include "vector/quantize.h"

/* ---- bytes ---- */

#define BLOCK ((size_t)64 << 10)	/* memory is taken for what has come, and so much more */

/* Report a wrong file at the byte that follows what was read. */
static int LH_PRINTF(3, 4) wrong(const struct row_reader *r, struct lh_err *err,
				 const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return lh_err_set(err, LH_ECORRUPT, "byte %llu: %s", (unsigned long long)r->offset, text);
}

/* Set *p to the next n bytes, which stay there until the next call: 0, or -1, also where the input
 * ends before. */
static int take(struct row_reader *r, size_t n, const char **p, struct lh_err *err)
{
	ssize_t got = 1;

	lh_buf_reset(&r->bytes);
	while (got > 0 && r->bytes.len < n) {
		const size_t left = n - r->bytes.len, most = left < BLOCK ? left : BLOCK;

		got = r->read(r->ctx, lh_buf_room(&r->bytes, most), most, err);
		if (got > 0)
			lh_buf_took(&r->bytes, (size_t)got);
	}
	if (got < 0)
		return -1;
	r->offset += r->bytes.len;
	*p = n ? r->bytes.p : "";
	return r->bytes.len == n ? 0 : wrong(r, err, "the file is cut off: %zu bytes are missing",
					     n - r->bytes.len);
}

void row_reader_free(struct row_reader *r)
{
	lh_buf_free(&r->bytes);
	lh_buf_free(&r->vector);
}

/* ---- rows ---- */

/*
 * From "NEP 1" and numpy.lib.format: "\x93NUMPY", u8 major, u8 minor, the length of the header
 * (u16 in version 1, u32 in 2 and 3, little-endian), the header, and the values row by row.
 * The header is a literal of Python, padded with spaces so that the values begin at a multiple
 * of 64:
 *
 *     {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 *
 * f2, f4 and f8 are read, in either order of bytes; f4 is written, little-endian.
 */

#define HEADER_MAX ((size_t)64 << 10)
#define ALIGN 64
#define SHAPE_MAX 8		/* values of a shape that are read, to say how many there are */

static const char magic[6] = { '\x93', 'N', 'U', 'M', 'P', 'Y' };

/* ---- the header ---- */

struct header {
	const char *p, *end;
	struct lh_str descr;
	bool has_order, fortran, has_shape;
	uint64_t shape[SHAPE_MAX];
	size_t n_shape;
};

/* Go past a word, with white space before it. */
static bool have(struct header *h, const char *word)
{
	size_t n = strlen(word);

	while (h->p < h->end && *h->p && strchr(" \t\r\n", *h->p))
		h->p++;
	if ((size_t)(h->end - h->p) < n || memcmp(h->p, word, n))
		return false;
	h->p += n;
	return true;
}

/* Read a string without escapes. */
static bool have_string(struct header *h, struct lh_str *s)
{
	const char quote = have(h, "'") ? '\'' : have(h, "\"") ? '"' : '\0';
	const char *close = quote ? memchr(h->p, quote, (size_t)(h->end - h->p)) : NULL;

	if (!close)
		return false;
	*s = (struct lh_str){ h->p, (size_t)(close - h->p) };
	h->p = close + 1;
	return true;
}

static bool have_number(struct header *h, uint64_t *v)
{
	const char *from;

	have(h, "");
	for (from = h->p, *v = 0; h->p < h->end && *h->p >= '0' && *h->p <= '9'; h->p++)
		if (__builtin_mul_overflow(*v, 10, v) ||
		    __builtin_add_overflow(*v, (uint64_t)(*h->p - '0'), v))
			return false;
	return h->p > from && (have(h, "L") || true);	/* as Python 2 wrote them */
}

/* Read "(3, 4)", "(3,)" or "()". */
static bool have_shape(struct header *h)
{
	if (h->has_shape || !have(h, "("))
		return false;
	h->has_shape = true;
	while (!have(h, ")")) {
		if (h->n_shape == SHAPE_MAX || !have_number(h, &h->shape[h->n_shape++]))
			return false;
		if (!have(h, ","))
			return have(h, ")");
	}
	return true;
}

static bool is(struct lh_str s, const char *word)
{
	return lh_str_is(s, word, strlen(word));
}

static bool have_member(struct header *h)
{
	struct lh_str key;

	if (!have_string(h, &key) || !have(h, ":"))
		return false;
	if (is(key, "descr"))
		return !h->descr.p && have_string(h, &h->descr);
	if (is(key, "shape"))
		return have_shape(h);
	if (!is(key, "fortran_order") || h->has_order)
		return false;
	h->has_order = true;
	h->fortran = have(h, "True");
	return h->fortran || have(h, "False");
}

static bool read_header(struct header *h)
{
	bool more = true;

	if (!have(h, "{"))
		return false;
	while (!have(h, "}")) {
		if (!more || !have_member(h))
			return false;
		more = have(h, ",");
	}
	have(h, "");
	return h->p == h->end && h->descr.p && h->has_order && h->has_shape;
}

/* Set the reader to what the header says. */
static int use_header(struct row_reader *r, const struct header *h, struct lh_err *err)
{
	static const char *const orders = "<>";
	const char *d = h->descr.p;

	if (h->descr.n != 3 || !strchr(orders, d[0]) || !d[0] || d[1] != 'f' ||
	    (d[2] != '2' && d[2] != '4' && d[2] != '8'))
		return wrong(r, err, "values of type %.*s: f2, f4 or f8 are read, as '<f4'",
			     (int)(h->descr.n < 64 ? h->descr.n : 64), d);
	if (h->fortran)
		return wrong(r, err, "it is in Fortran order: np.ascontiguousarray turns it "
			     "around");
	if (h->n_shape != 2)
		return wrong(r, err, "it has %zu axes: rows of values have 2", h->n_shape);
	if (!h->shape[1] || h->shape[1] > LH_DIM_MAX)
		return wrong(r, err, "rows of %" PRIu64 " values: from 1 to %d", h->shape[1],
			     LH_DIM_MAX);
	r->left = h->shape[0];
	r->dimension = (uint32_t)h->shape[1];
	r->width = (unsigned)(d[2] - '0');
	r->big_endian = d[0] == '>';
	return 0;
}

int npy_begin(struct row_reader *r, struct lh_err *err)
{
	struct header h = { .n_shape = 0 };
	unsigned char major;
	const char *p;
	size_t n;

	if (take(r, sizeof magic + 2, &p, err) < 0)
		return -1;
	if (memcmp(p, magic, sizeof magic)) {
		r->offset = 0;
		return wrong(r, err, "not a file of NumPy (.npy)");
	}
	major = (unsigned char)p[6];
	if (major < 1 || major > 3 || p[7])
		return wrong(r, err, "version %d.%d: 1.0, 2.0 and 3.0 are read", major,
			     (unsigned char)p[7]);
	if (take(r, major == 1 ? 2 : 4, &p, err) < 0)
		return -1;
	n = (unsigned char)p[0] | (size_t)(unsigned char)p[1] << 8;
	if (major > 1)
		n |= (size_t)(unsigned char)p[2] << 16 | (size_t)(unsigned char)p[3] << 24;
	if (n > HEADER_MAX)
		return wrong(r, err, "the header has %zu bytes, at most %zu", n, HEADER_MAX);
	if (take(r, n, &p, err) < 0)
		return -1;
	h.p = p;
	h.end = p + n;
	if (!read_header(&h))
		return wrong(r, err, "its header cannot be read");
	return use_header(r, &h, err);
}

/* ---- the values ---- */

static uint64_t bits_of(const unsigned char *p, unsigned width, bool big_endian)
{
	uint64_t v = 0;
	unsigned i;

	for (i = 0; i < width; i++)
		v |= (uint64_t)p[big_endian ? width - 1 - i : i] << 8 * i;
	return v;
}

static float value_of(const unsigned char *p, unsigned width, bool big_endian)
{
	uint64_t bits = bits_of(p, width, big_endian);
	uint32_t bits32 = (uint32_t)bits;
	uint16_t bits16 = (uint16_t)bits;
	double d;
	float f;

	if (width == 8) {
		memcpy(&d, &bits, sizeof d);
		return (float)d;
	}
	if (width == 4)
		memcpy(&f, &bits32, sizeof f);
	else
		lh_quantize_decode(LH_F16, &bits16, 1, &f);
	return f;
}

static int read_values(struct row_reader *r, struct lh_err *err)
{
	size_t i, n = r->dimension;
	const char *p;
	float *to;

	if (take(r, n * r->width, &p, err) < 0)
		return -1;
	lh_buf_reset(&r->vector);
	to = (float *)(void *)lh_buf_room(&r->vector, n * sizeof *to);
	if (r->width == 4 && !r->big_endian) {
		memcpy(to, p, n * sizeof *to);
		return 0;
	}
	for (i = 0; i < n; i++)
		to[i] = value_of((const unsigned char *)p + i * r->width, r->width, r->big_endian);
	return 0;
}

int npy_next(struct row_reader *r, struct lh_err *err)
{
	char more;
	ssize_t n;

	if (!r->left) {
		n = r->read(r->ctx, &more, 1, err);
		return n > 0 ? wrong(r, err, "bytes after the end") : (int)n;
	}
	if (read_values(r, err) < 0)
		return lh_err_prefix(err, "row %llu", (unsigned long long)r->rows + 1);
	r->left--;
	r->rows++;
	return 1;
}

/* ---- writing ---- */

void npy_write_begin(uint64_t rows, uint32_t dimension, struct lh_buf *out)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	uint16_t n;

	lh_buf_printf(&text, "{'descr': '<f4', 'fortran_order': False, 'shape': (%" PRIu64 ", %"
		      PRIu32 "), }", rows, dimension);
	while ((sizeof magic + 2 + sizeof n + text.len + 1) % ALIGN)
		lh_buf_putc(&text, ' ');
	lh_buf_putc(&text, '\n');
	n = htole16((uint16_t)text.len);
	lh_buf_add(out, magic, sizeof magic);
	lh_buf_add(out, "\1", 2);
	lh_buf_add(out, &n, sizeof n);
	lh_buf_add(out, text.p, text.len);
}
