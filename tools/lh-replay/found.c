/* found.c - samples that were found, as artifacts.  See replay.h. */
#include "replay.h"

#include <stdlib.h>

#include "base/mem.h"

struct kept *kept_new(const struct lh_str *id, const char *text, size_t n, struct lh_err *err)
{
	struct kept *k = NULL;

	if (id->n < SIZE_MAX / 4 && n < SIZE_MAX / 4)
		k = lh_calloc(1, sizeof *k + id->n + n + LH_PAD, err);
	else
		lh_err_nomem(err);
	if (!k)
		return NULL;
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
	return score > h->score || (score == h->score && compare(id, n, h->kept->id, h->kept->id_n) < 0);
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

void found_init(struct found *f)
{
	memset(f, 0, sizeof *f);
	lh_record_init(&f->scan);
	lh_buf_init(&f->text, LH_BUF_NOMAX);
}

void found_free(struct found *f)
{
	lh_record_free(&f->scan);
	lh_buf_free(&f->text);
}

int sample_members(const struct lh_record *rec, const struct lh_value *out[SAMPLE_MEMBERS], struct lh_err *err)
{
	static const char *const name[] = { "title", "content", "source_run_id", "success_score", "tags" };
	struct lh_iter it;
	size_t i;

	for (i = 0; i < SAMPLE_MEMBERS; i++) {
		out[i] = lh_record_get(rec, name[i]);
		if (i != SAMPLE_TAGS && (!out[i] || out[i]->type != LH_STRING))
			return lh_err_set(err, LH_EDATA, "missing string field \"%s\"", name[i]);
	}
	if (!out[SAMPLE_TAGS] || out[SAMPLE_TAGS]->type != LH_ARRAY)
		return lh_err_set(err, LH_EDATA, "missing array \"tags\"");
	for (lh_iter_init(&it, out[SAMPLE_TAGS]); lh_iter_next(&it); )
		if (it.val.type != LH_STRING)
			return lh_err_set(err, LH_EDATA, "\"tags\" holds something else than strings");
	return 0;
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
	const struct lh_value *m[SAMPLE_MEMBERS];

	if (lh_record_parse(&f->scan, h->kept->text, h->kept->n, err) < 0 || sample_members(&f->scan, m, err) < 0 ||
	    lh_value_str(m[SAMPLE_TITLE], &f->text, &a->title, err) < 0 ||
	    lh_value_str(m[SAMPLE_CONTENT], &f->text, &a->content, err) < 0 ||
	    lh_value_str(m[SAMPLE_RUN], &f->text, &a->source_run_id, err) < 0 ||
	    lh_value_str(m[SAMPLE_SCORE], &f->text, &a->success_score, err) < 0)
		return -1;
	a->rag_id = (struct lh_str){ h->kept->id, h->kept->id_n };
	a->preview = (struct lh_str){ a->content.p, preview(&a->content) };
	a->tags = *m[SAMPLE_TAGS];
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
	if (lh_buf_check(&f->text, err) < 0)
		return -1;
	for (f->n = 0; f->n < h->n; f->n++)
		if (read_one(f, &h->v[f->n], &f->v[f->n], err) < 0)
			return -1;
	return 0;
}
