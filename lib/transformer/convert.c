/* convert.c - a folder as the GGUF file that llama.cpp's converter writes.  See model_file.h. */
#include <endian.h>
#include <math.h>

#include "base/mem.h"
#include "folder.h"
#include "gguf.h"
#include "model_file.h"
#include "vector/quantize.h"

#define ALIGNMENT 32		/* bytes, of the data of each tensor */
#define BLOCK 32		/* values of a block of Q8_0 */
#define PIECE 1048576		/* bytes that are written at once */

static void add_half(struct lh_buf *b, float v)
{
	uint16_t half;

	lh_quantize_encode(LH_F16, LH_COSINE, &v, 1, &half);
	half = htole16(half);
	lh_buf_add(b, &half, sizeof half);
}

static void add_f16(struct lh_buf *b, const float *v, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		add_half(b, v[i]);
}

static void add_f32(struct lh_buf *b, const float *v, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		uint32_t bits;

		memcpy(&bits, &v[i], sizeof bits);
		bits = htole32(bits);
		lh_buf_add(b, &bits, sizeof bits);
	}
}

/* The arithmetic is that of ggml: the step is rounded after it was used, halves away from 0. */
static void add_q8_0(struct lh_buf *b, const float *v, uint64_t n)
{
	for (; n; n -= BLOCK, v += BLOCK) {
		float most = 0, step, per;

		for (int i = 0; i < BLOCK; i++)
			most = fmaxf(most, fabsf(v[i]));
		step = most / 127;
		per = step > 0 ? 1 / step : 0;
		add_half(b, step);
		for (int i = 0; i < BLOCK; i++)
			lh_buf_putc(b, (char)(int8_t)roundf(v[i] * per));
	}
}

/* Return whether the type can hold all values: F16 goes up to 65504. */
static bool holds(uint32_t type, const float *v, uint64_t n)
{
	float most = 0;

	for (uint64_t i = 0; i < n; i++)
		most = fmaxf(most, fabsf(v[i]));
	return type == LH_GGUF_F32 || most <= (type == LH_GGUF_F16 ? 65504.0f : 127 * 65504.0f);
}

static int write_out(struct lh_atomic *out, struct lh_buf *b, struct lh_err *err)
{
	int rc = lh_atomic_write(out, b->p, b->len, err);

	lh_buf_reset(b);
	return rc;
}

static int write_tensor(struct lh_atomic *out, const struct lh_folder_tensor *t,
			struct lh_err *err)
{
	const struct lh_gguf_layout *from = lh_gguf_layout(t->from);
	LH_SCOPED(lh_free_local) float *row = lh_calloc(t->width, sizeof *row);
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	const struct lh_gguf_layout *to = lh_gguf_layout(t->to);
	uint64_t bytes = t->rows * t->width / to->values * to->bytes;

	for (uint64_t i = 0; i < t->rows; i++) {
		from->decode(t->data + i * t->width * from->bytes, t->width, row);
		if (!holds(t->to, row, t->width))
			return lh_err_set(err, LH_ECORRUPT, "a weight is too large for type %s",
					  lh_gguf_type_name(t->to));
		if (t->to == LH_GGUF_F32)
			add_f32(&b, row, t->width);
		else if (t->to == LH_GGUF_F16)
			add_f16(&b, row, t->width);
		else
			add_q8_0(&b, row, t->width);
		if (b.len >= PIECE && write_out(out, &b, err) < 0)
			return -1;
	}
	for (; bytes % ALIGNMENT; bytes++)
		lh_buf_putc(&b, 0);
	return write_out(out, &b, err);
}

static int write_file(struct lh_atomic *out, struct lh_folder *f, bool replaces,
		      struct lh_err *err)
{
	int rc;

	while (f->head.len % ALIGNMENT)
		lh_buf_putc(&f->head, 0);
	if (lh_atomic_write(out, f->head.p, f->head.len, err) < 0)
		return -1;
	for (size_t i = 0; i < f->tensors; i++)
		if (write_tensor(out, &f->tensor[i], err) < 0)
			return lh_err_prefix(err, "%s", f->path);
	rc = replaces ? lh_atomic_commit(out, err) : lh_atomic_commit_new(out, err);
	return rc > 0 ? lh_err_set(err, LH_EUSAGE, "%s: is there already: give another name, or "
				   "--force", out->path) : rc;
}

int lh_model_convert(const char *folder, const char *path, enum lh_model_type type, bool replaces,
		     struct lh_err *err)
{
	static const uint32_t types[] = { LH_GGUF_F16, LH_GGUF_Q8_0, LH_GGUF_F32 };
	struct lh_folder f = { .path = folder, .converts = true, .type = types[type] };
	struct lh_atomic out;
	int rc = lh_folder_read(&f, err);

	if (!rc && lh_atomic_open(&out, path, 0666, err) < 0)
		rc = -1;
	else if (!rc) {
		rc = write_file(&out, &f, replaces, err);
		lh_atomic_close(&out);
	}
	lh_folder_free(&f);
	return rc;
}
