/* found.c - samples that were found, as artifacts.  See replay.h. */
#include "replay.h"

#include <stdlib.h>

#include "base/mem.h"
#include "json/bind.h"

struct kept *kept_new(const struct lh_str *id, const char *text, size_t n)
{
	struct kept *k = lh_calloc(1, sizeof *k + id->n + n + LH_PAD);

	k->refs = 1;
	k->id_n = id->n;
	k->n = n;
	k->text = k->id + id->n;
	memcpy(k->id, id->p, id->n);
	memcpy(k->text, text, n);
	return k;
}

void kept_drop(struct kept *k)
{
	if (k && --k->refs == 0)
		free(k);
}

static int compare(const char *a, size_t an, const char *b, size_t bn)
{
	int rc = memcmp(a, b, an < bn ? an : bn);

	return rc ? rc : (an > bn) - (an < bn);
}

static bool before(double score, const char *id, size_t n, const struct hit *h)
{
	return score > h->score ||
		(score == h->score && compare(id, n, h->kept->id, h->kept->id_n) < 0);
}

bool hits_want(const struct hits *h, double score, const struct lh_str *id)
{
	return h->n < HITS || before(score, id->p, id->n, &h->v[h->n - 1]);
}

void hits_put(struct hits *h, double score, struct kept *k)
{
	size_t i;

	if (h->n == HITS)
		kept_drop(h->v[--h->n].kept);
	for (i = h->n; i && before(score, k->id, k->id_n, &h->v[i - 1]); i--)
		h->v[i] = h->v[i - 1];
	h->v[i] = (struct hit){ score, k };
	k->refs++;
	h->n++;
}

void hits_reset(struct hits *h)
{
	while (h->n)
		kept_drop(h->v[--h->n].kept);
}

void found_free(struct found *f)
{
	lh_record_free(&f->scan);
	lh_buf_free(&f->text);
}

#define TEXT(name) \
	{ LH_BIND_VALUE(#name, struct sample, name, LH_BIND_IS(LH_STRING)), .required = true }

static const struct lh_bind members[] = {
	TEXT(id),
	TEXT(title),
	TEXT(content),
	{ LH_BIND_ARRAY("tags", struct sample, tags), .required = true,
	  .each = LH_BIND_IS(LH_STRING) },
	TEXT(source_run_id),
	TEXT(success_score),
	LH_BIND_END
};

int sample_read(struct sample *s, const struct lh_record *rec, bool with_id, struct lh_err *err)
{
	return lh_bind(with_id ? members : members + 1, rec, s, NULL, err);
}

static size_t preview(const struct lh_str *s)
{
	size_t i, points = 0;

	for (i = 0; i < s->n; i++)
		if (((unsigned char)s->p[i] & 0xc0) != 0x80 && points++ == PREVIEW)
			break;
	return i;
}

static int read_one(struct found *f, const struct hit *h, struct artifact *a, struct lh_err *err)
{
	struct sample s;

	if (lh_record_parse(&f->scan, h->kept->text, h->kept->n, err) < 0 ||
	    sample_read(&s, &f->scan, false, err) < 0)
		return -1;
	lh_value_str(&s.title, &f->text, &a->title);
	lh_value_str(&s.content, &f->text, &a->content);
	lh_value_str(&s.source_run_id, &f->text, &a->source_run_id);
	lh_value_str(&s.success_score, &f->text, &a->success_score);
	a->rag_id = (struct lh_str){ h->kept->id, h->kept->id_n };
	a->preview = (struct lh_str){ a->content.p, preview(&a->content) };
	a->tags = s.tags;
	a->score = h->score;
	return 0;
}

int found_read(struct found *f, const struct hits *h, struct lh_err *err)
{
	size_t i, n = 1;

	lh_buf_reset(&f->text);
	for (i = 0; i < h->n; i++)
		n += h->v[i].kept->n;
	lh_buf_room(&f->text, n);	/* so that its contents do not move */
	for (f->n = 0; f->n < h->n; f->n++)
		if (read_one(f, &h->v[f->n], &f->v[f->n], err) < 0)
			return -1;
	return 0;
}
