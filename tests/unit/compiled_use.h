/*
 * compiled_use.h - wrong compiled models for tests: give changed bytes their checksums again, and
 * use whatever is accepted.
 */
#ifndef COMPILED_USE_H
#define COMPILED_USE_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xxh3.h"
#include "transformer/encoder.h"

/* Repair the checksums of the tables, where they are inside of n bytes, and of the header. */
static inline void compiled_repair(unsigned char *bytes, size_t n)
{
	struct lh_compiled_header h;

	if (n < sizeof h)
		return;
	memcpy(&h, bytes, sizeof h);
	for (size_t i = 0; i < LH_TABLES; i++)
		if (h.part[i].at <= n && h.part[i].bytes <= n - h.part[i].at)
			h.part[i].xxh3 = lh_xxh3(bytes + h.part[i].at, h.part[i].bytes);
	h.xxh3 = lh_xxh3(&h, offsetof(struct lh_compiled_header, xxh3));
	memcpy(bytes, &h, sizeof h);
}

/* Compute vectors of texts, or scores, by a compiled model; -1 if a part of that is refused. */
static inline int compiled_run(const struct lh_tokenizer *t, const struct lh_encoder *e,
			       bool pairs, struct lh_err *err)
{
	static const char *const texts[] = { "a b ab  c", "aab\xc3\xa9 [CLS] b", "b" };
	struct lh_token_list tokens = { 0 };
	struct lh_encoder_info info;
	struct lh_encoder_work *w;
	double *scratch;
	float *v;
	int rc = 0;

	lh_encoder_info(e, &info);
	if (info.context > 4096)	/* takes that much memory */
		return 0;
	w = lh_encoder_work_new(e);
	v = malloc((info.each ? info.context : 1) * info.width * sizeof *v);
	scratch = pairs ? malloc(2 * info.width * sizeof *scratch) : NULL;
	for (size_t i = 0; w && v && !rc && i < sizeof texts / sizeof *texts; i++) {
		rc = lh_tokenizer_run(t, lh_str_of(texts[i]), &tokens, err);
		for (size_t k = 0; !rc && k < tokens.n; k++)
			if (tokens.id[k] >= lh_tokenizer_size(t) ||
			    !lh_tokenizer_text(t, tokens.id[k]).n)
				abort();
		if (!rc)
			rc = lh_encoder_run(w, &tokens, 1, v, err);
		if (!rc && scratch)
			lh_encoder_score(e, v, scratch);
	}
	free(v);
	free(scratch);
	lh_encoder_work_free(w);
	lh_token_list_free(&tokens);
	return rc;
}

/* Use a compiled model as a tool does; it is refused with a reason, or gives vectors. */
static inline int compiled_use(const char *path, struct lh_err *err)
{
	struct lh_compiled *c = lh_compiled_open(path, err);
	struct lh_tokenizer *t = c ? lh_tokenizer_mapped(c, err) : NULL;
	bool pairs = c && lh_compiled_header(c)->encoder.labels;
	struct lh_encoder *e = t ? lh_encoder_mapped(c, &(struct lh_encoder_how){ .pairs = pairs },
						     err) : NULL;
	int rc = e ? compiled_run(t, e, pairs, err) : -1;

	if (!e && (err->code != LH_ECORRUPT || !*err->msg))
		abort();
	lh_encoder_free(e);
	lh_tokenizer_free(t);
	lh_compiled_close(c);
	return rc;
}

#endif
