/* kernels.c - choose the kernel, and multiply by it.  See kernels.h. */
#include "kernels.h"

#include <stdlib.h>
#include <string.h>

#include "vector/distance.h"

/* ---- which kernel ---- */

const struct lh_kernels *lh_kernels(void)
{
#ifdef __x86_64__
	if (lh_vec_isa() == LH_AVX512)
		return &lh_kernels_avx512;
	if (lh_vec_isa() == LH_AVX2)
		return &lh_kernels_avx2;
#endif
	return &lh_kernels_portable;
}

const char *lh_packing(const struct lh_product *p)
{
	return p->packing ? p->packing : p->name;
}

#ifdef __x86_64__
/* Return whether LH_KERNEL names this product, or none. */
static bool may_be(const char *name)
{
	const char *force = getenv("LH_KERNEL");

	return (!force || !*force || !strcmp(force, name)) && lh_vec_isa() == LH_AVX512;
}

static bool has_vnni(void)
{
	return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl");
}
#endif

const struct lh_product *lh_product_of_floats(uint32_t type)
{
	const struct lh_kernels *k = lh_kernels();

	return type == LH_GGUF_F16 ? &k->f16 : type == LH_GGUF_Q8_0 ? &k->q8 : &k->f32;
}

const struct lh_product *lh_product(uint32_t type, enum lh_rounding rounding)
{
#ifdef __x86_64__
	if (may_be("amx") && lh_amx())
		return rounding == LH_EXACT
			? type == LH_GGUF_F16 ? &lh_product_amx_f16
			: type == LH_GGUF_Q8_0 ? &lh_product_amx_q8_exact : &lh_product_amx
			: type == LH_GGUF_Q8_0 ? &lh_product_amx_q8 : &lh_product_amx_bf16;
	if (rounding != LH_EXACT && type == LH_GGUF_Q8_0 && may_be("vnni") && has_vnni())
		return rounding == LH_FINE ? &lh_product_vnni_fine : &lh_product_vnni;
#endif
	return lh_product_of_floats(type);
}

/* ---- products of rows and a matrix of weights ---- */

/*
 * A part of a panel that fits in the first cache is multiplied by all rows before the next one,
 * which is fetched meanwhile.  The sums continue from one part to the next in the same order.
 */

struct blocks {
	size_t n, rows, more;	/* the first `more` have a tile more; the last, what is left */
};

/* Divide rows into blocks of about equal size. */
static struct blocks blocks_of(const struct lh_product *p, size_t rows)
{
	size_t n = (rows + p->rows - 1) / p->rows, tiles = (rows + p->tile - 1) / p->tile;

	return (struct blocks){ n, tiles / n * p->tile, tiles % n };
}

/* Rows of block at. */
static size_t rows_at(const struct lh_product *p, struct blocks b, size_t at, size_t left)
{
	size_t h = b.rows + (at < b.more ? p->tile : 0);

	return h < left ? h : left;
}

/* Pack n inputs of rows, from one on that begins a unit. */
static void pack_inputs(const struct lh_panels *m, const float *x, size_t stride, size_t rows,
			size_t from, size_t n, char *to)
{
	const struct lh_product *p = m->product;
	struct blocks b = blocks_of(p, rows);

	for (size_t at = 0, h; at < b.n; at++, rows -= h) {
		h = rows_at(p, b, at, rows);
		p->pack(x, stride, (unsigned)h, n, to + lh_packed_bytes(p, from, h));
		to += lh_packed_bytes(p, m->in, h);
		x += h * stride;
	}
}

void lh_matmul_pack(const struct lh_panels *m, const float *x, size_t stride, size_t rows,
		    void *packed)
{
	pack_inputs(m, x, stride, rows, 0, m->in, packed);
}

/* Multiply all rows by the units from..from+n of a panel. */
static void part_of_panel(const struct lh_panels *m, const char *packed, size_t rows, size_t from,
			  size_t n, const char *w, const float *bias, float *y, size_t stride)
{
	const struct lh_product *p = m->product;
	struct blocks b = blocks_of(p, rows);
	struct lh_ahead ahead = { w + n * p->w_bytes, p->w_bytes / p->unit / b.n + 1 };
	char tiles[LH_SPREAD] __attribute__((aligned(64)));

	if (p->spread) {
		p->spread(w, n * p->unit, tiles);
		w = tiles;
	}
	for (size_t at = 0, h; at < b.n; at++, rows -= h) {
		h = rows_at(p, b, at, rows);
		p->block(packed + lh_packed_bytes(p, from * p->unit, h), (unsigned)h, w,
			 n * p->unit, bias, y, stride, ahead);
		ahead.from += n * p->unit * ahead.step;
		packed += lh_packed_bytes(p, m->in, h);
		y += h * stride;
	}
}

/* Multiply all rows by the panel of the outputs from c on. */
static void one_panel(const struct lh_panels *m, const char *packed, size_t rows, size_t c,
		      float *y, size_t stride)
{
	static const float zeros[LH_PANEL];
	const struct lh_product *p = m->product;
	const float *bias = m->bias ? m->bias + c : zeros;
	size_t units = lh_panels_units(p, m->in), part = p->part / p->unit, n;
	const char *w = (const char *)m->w + c / LH_PANEL * units * p->w_bytes;

	for (size_t i = 0; i < units; i += n, w += n * p->w_bytes) {
		n = units - i < part ? units - i : part;
		part_of_panel(m, packed, rows, i, n, w, i ? NULL : bias, y, stride);
	}
}

void lh_matmul(const struct lh_panels *m, const void *packed, size_t rows, float *y,
	       size_t stride)
{
	if (m->product->begin)
		m->product->begin();
	for (size_t c = 0; c < m->out; c += LH_PANEL)
		one_panel(m, packed, rows, c, y + c, stride);
	if (m->product->end)
		m->product->end();
}

void lh_matmul_next(const struct lh_panels *m, const void *packed, size_t rows, float *hidden,
		    void (*activate)(float *v, const float *up, size_t n),
		    const struct lh_panels *next, void *to)
{
	const size_t stride = 2 * LH_PANEL;

	if (m->product->begin)
		m->product->begin();
	for (size_t c = 0, at = 0, n; c < next->in; c += n, at += LH_PANEL) {
		n = next->in - c < LH_PANEL ? next->in - c : LH_PANEL;
		one_panel(m, packed, rows, at, hidden, stride);
		if (m->gated)
			one_panel(m, packed, rows, at += LH_PANEL, hidden + LH_PANEL, stride);
		for (float *v = hidden; v < hidden + rows * stride; v += stride)
			activate(v, m->gated ? v + LH_PANEL : NULL, n);
		pack_inputs(next, hidden, stride, rows, c, n, to);
	}
	if (m->product->end)
		m->product->end();
}
