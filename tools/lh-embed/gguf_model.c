/* gguf_model.c - the model of engine gguf. */
#include "gguf.h"

#include <stdlib.h>

#include "base/mem.h"

void gguf_free(struct gguf *g)
{
	if (g)
		lh_loaded_close(&g->model);
	free(g);
}

bool gguf_stale(const struct gguf *g)
{
	return lh_model_stale(&g->model.found);
}

static struct lh_encoder_how how_of(const struct embed *e)
{
	return (struct lh_encoder_how){ .raw = true, .fast = e->fast,
					.threads = (unsigned)e->threads };
}

static int identify(struct gguf *g, struct lh_err *err)
{
	return lh_model_identify(g->model.source.name, g->model.source.xxh3, g->id, err);
}

int gguf_open(struct gguf *g, const struct embed *e, struct lh_err *err)
{
	struct lh_encoder_how how = how_of(e);
	struct lh_err unused;
	int rc = lh_loaded_open(&g->model, e->operand, &how, &unused, err);

	if (unused.code)
		lh_tool_message(e->tool, "%s: not used (--compile makes it again)", unused.msg);
	if (rc < 0)
		return -1;
	lh_encoder_info(g->model.encoder, &g->info);
	return identify(g, err);
}

int gguf_open_source(struct gguf *g, const struct embed *e, struct lh_err *err)
{
	struct lh_encoder_how how = how_of(e);

	return lh_loaded_source(&g->model, e->operand, &how, err) < 0 ? -1 : identify(g, err);
}
