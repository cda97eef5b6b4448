/*
 * encoder.c - open and close a model.  See encoder.h.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "encoder_parts.h"

static int read_compiled(struct lh_encoder *e, const struct lh_compiled *c, struct lh_err *err)
{
	const char *what;

	e->s = lh_compiled_header(c)->encoder;
	what = lh_shape_wrong(&e->s);
	if (!what && !e->s.labels != !e->how.pairs)
		what = e->s.labels ? "a cross-encoder, which makes scores, not vectors"
				   : "not a cross-encoder";
	return what ? lh_compiled_wrong(c, what, err) : 0;
}

void lh_encoder_compile(const struct lh_encoder *e, struct lh_compiling *m)
{
	m->h.encoder = e->s;
	lh_weights_compile(e, m);
}

/* ---- both ---- */

const struct lh_product *lh_encoder_product(const struct lh_encoder *e, uint32_t type,
					    enum lh_rounding rounding)
{
	if (e->how.pairs && !e->how.fast)
		return lh_product_of_floats(type);
	return lh_product(type, e->how.fast && !e->how.pairs ? rounding : LH_EXACT);
}

static struct lh_encoder *encoder_new(const struct lh_encoder_how *how)
{
	struct lh_encoder *e = lh_calloc(1, sizeof *e);

	e->how = *how;
	e->kernels = lh_kernels();
	e->floats = lh_encoder_product(e, LH_GGUF_F32, LH_EXACT);
	return e;
}

struct lh_encoder *lh_encoder_new(struct lh_gguf *g, const struct lh_encoder_how *how,
				  struct lh_err *err)
{
	struct lh_encoder *e = encoder_new(how);

	if (lh_shape_read(&e->s, g, how->pairs, err) == 0 && lh_weights_load(e, g, err) == 0)
		return e;
	lh_encoder_free(e);
	return NULL;
}

struct lh_encoder *lh_encoder_mapped(const struct lh_compiled *c, const struct lh_encoder_how *how,
				     struct lh_err *err)
{
	struct lh_encoder *e = encoder_new(how);

	if (read_compiled(e, c, err) == 0 && lh_weights_map(e, c, err) == 0)
		return e;
	lh_encoder_free(e);
	return NULL;
}

void lh_encoder_free(struct lh_encoder *e)
{
	if (!e)
		return;
	for (uint64_t i = 0; e->layer && i < e->s.layers; i++) {
		free(e->layer[i].up_of);
		free(e->layer[i].down_of);
	}
	free(e->layer);
	free(e->packing);
	free(e->memory);
	free(e);
}

void lh_encoder_info(const struct lh_encoder *e, struct lh_encoder_info *info)
{
	static const char *const pooling[] = { "none", "mean", "cls", "last" };
	const struct lh_shape *s = &e->s;

	*info = (struct lh_encoder_info){
		.architecture = lh_design(s->architecture)->name, .layers = s->layers,
		.width = s->width, .context = s->context, .heads = s->heads,
		.feed_forward = s->feed_forward, .experts = s->experts,
		.pooling = pooling[s->pooling], .each = s->pooling == LH_POOL_NONE,
	};
}
