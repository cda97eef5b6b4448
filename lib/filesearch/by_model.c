/* by_model.c - how long a model reads, by a sample of the texts.  See filesearch_parts.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/time.h"
#include "base/utf8.h"
#include "embed/embedder.h"
#include "embed/hashv1.h"
#include "filesearch_parts.h"
#include "transformer/model_file.h"

char *lh_filesearch_model(const char *given)
{
	const char *named = given ? given : getenv("LH_MODEL");

	if (named && *named)
		return lh_hash_knows(named) ? NULL : lh_strndup(named, strlen(named));
	return lh_model_installed(LH_FILESEARCH_MODEL);
}

const char *lh_filesearch_hash(const char *given)
{
	const char *named = given ? given : getenv("LH_MODEL");

	return named && lh_hash_knows(named) ? named : NULL;
}

void lh_sample_add(struct sample *s, struct lh_str text)
{
	const size_t most = 4 * SAMPLE_BYTES;

	s->bytes += text.n < SAMPLE_BYTES ? text.n : SAMPLE_BYTES;
	if (s->seen++ % s->stride || text.n == 0)
		return;
	if (s->n == SAMPLE_TEXTS) {	/* keep every second of what is there */
		for (s->n = 0; s->n < SAMPLE_TEXTS / 2; s->n++) {
			struct lh_buf odd = s->text[s->n];

			s->text[s->n] = s->text[2 * s->n];
			s->text[2 * s->n] = odd;
		}
		s->stride *= 2;
		if ((s->seen - 1) % s->stride)
			return;
	}
	lh_buf_reset(&s->text[s->n]);
	text = lh_utf8_head(text, most);
	lh_buf_add(&s->text[s->n++], text.p, text.n);
}

void lh_sample_free(struct sample *s)
{
	size_t i;

	for (i = 0; i < SAMPLE_TEXTS; i++)
		lh_buf_free(&s->text[i]);
}

static void skip(void *ctx, size_t i, const struct lh_err *why)
{
	(void)ctx;
	(void)i;
	(void)why;
}

int lh_sample_seconds(const struct sample *s, const struct lh_filesearch_how *how, double *seconds,
		      struct lh_err *err)
{
	const struct lh_embedder_options options = { .engine = "gguf", .url = how->model,
						     .truncate = true };
	struct lh_embedder *model = s->seen <= SAMPLE_TEXTS ? NULL :
				    lh_embedder_new(&options, err);
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	struct lh_str text[SAMPLE_TEXTS];
	struct lh_embedder_ask ask = { .text = text, .n = 1, .bad = skip };
	uint32_t dimension;
	double began;
	size_t i, bytes = 0;
	int rc = model ? 0 : -1;

	*seconds = 0;			/* a few take less than the sample would */
	if (s->seen <= SAMPLE_TEXTS)
		return 0;
	for (i = 0; i < s->n; i++) {
		text[i] = (struct lh_str){ s->text[i].p, s->text[i].len };
		bytes += text[i].n < SAMPLE_BYTES ? text[i].n : SAMPLE_BYTES;
	}
	if (!rc && s->n)		/* the first answer includes the start of the model */
		rc = lh_embedder_ask(model, &ask, &out, &dimension, err);
	began = lh_time_monotonic();
	ask.n = s->n;
	if (!rc && s->n)
		rc = lh_embedder_ask(model, &ask, &out, &dimension, err);
	*seconds = bytes ? (lh_time_monotonic() - began) * (double)s->bytes / (double)bytes : 0;
	lh_embedder_free(model);
	return rc;
}
