/*
 * score_drift.c - compare categories on file with those of today.  See
 * score.h.
 */
#include "score.h"

#include <stdlib.h>

#include "base/mem.h"
#include "json/write.h"

struct pair {
	unsigned char key[32];
	unsigned char on_file, now;	/* a category + 1; 0: not seen */
};

static struct pair *pair_of(const struct lh_drift *d, size_t i)
{
	return &((struct pair *)(void *)d->pairs.entry)[i];
}

static struct pair *find_pair(struct lh_drift *d, const unsigned char sig[32],
			      enum lh_stream stream, struct lh_err *err)
{
	unsigned char key[32];
	int64_t i;

	memcpy(key, sig, sizeof key);
	key[0] ^= (unsigned char)(stream + 1);
	i = lh_map_add(&d->pairs, key, sizeof key, sizeof(struct pair), NULL, err);
	return i < 0 ? NULL : pair_of(d, (size_t)i);
}

int lh_drift_scored(struct lh_drift *d, const unsigned char sig[32], enum lh_stream stream,
		    enum lh_category category, struct lh_err *err)
{
	struct pair *p = find_pair(d, sig, stream, err);

	if (!p)
		return -1;
	p->on_file = (unsigned char)(category + 1);
	return 0;
}

int lh_drift_classified(struct lh_drift *d, const unsigned char sig[32], enum lh_stream stream,
		    enum lh_category category, struct lh_err *err)
{
	struct pair *p = find_pair(d, sig, stream, err);

	if (!p)
		return -1;
	p->now = (unsigned char)(category + 1);
	return 0;
}

void lh_drift_finish(struct lh_drift *d)
{
	const struct pair *p;
	size_t i;

	for (i = 0; i < d->pairs.n; i++) {
		p = pair_of(d, i);
		if (!p->on_file)
			d->unscored++;
		else if (!p->now)
			d->orphans++;
		else
			d->count[p->on_file - 1][p->now - 1]++;
	}
	lh_map_free(&d->pairs);
}

uint64_t lh_drift_total(const struct lh_drift *d)
{
	uint64_t total = 0;
	size_t i, j;

	for (i = 0; i < LH_CATEGORIES; i++)
		for (j = 0; j < LH_CATEGORIES; j++)
			total += d->count[i][j];
	return total;
}

uint64_t lh_drift_matched(const struct lh_drift *d)
{
	uint64_t matched = 0;
	size_t i;

	for (i = 0; i < LH_CATEGORIES; i++)
		matched += d->count[i][i];
	return matched;
}

struct shift {
	const char *from, *to;
	uint64_t count;
};

static int by_count(const void *a, const void *b)
{
	const struct shift *x = a, *y = b;
	int from = strcmp(x->from, y->from);

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return from ? from : strcmp(x->to, y->to);
}

static size_t find_shifts(const struct lh_drift *d, struct shift *out)
{
	size_t n = 0;
	int i, j;

	for (i = 0; i < LH_CATEGORIES; i++)
		for (j = 0; j < LH_CATEGORIES; j++)
			if (i != j && d->count[i][j])
				out[n++] = (struct shift){ lh_category_name((enum lh_category)i),
							   lh_category_name((enum lh_category)j),
							   d->count[i][j] };
	qsort(out, n, sizeof *out, by_count);
	return n;
}

void lh_drift_json(struct lh_buf *out, const struct lh_drift *d)
{
	uint64_t total = lh_drift_total(d), matched = lh_drift_matched(d);
	struct shift shift[LH_CATEGORIES * LH_CATEGORIES];
	size_t n = find_shifts(d, shift), i;
	struct lh_writer json = lh_write_to(out);

	lh_write_object(&json, NULL);
	lh_write_u64(&json, "total", total);
	lh_write_u64(&json, "matched", matched);
	lh_write_u64(&json, "mismatched", total - matched);
	lh_write_f64(&json, "drift_rate", total ? (double)(total - matched) / (double)total : 0);
	lh_write_text(&json, "scorer_version", LH_SCORER_VERSION);
	lh_write_array(&json, "shifts");
	for (i = 0; i < n; i++) {
		lh_write_object(&json, NULL);
		lh_write_text(&json, "from", shift[i].from);
		lh_write_text(&json, "to", shift[i].to);
		lh_write_u64(&json, "count", shift[i].count);
		lh_write_end(&json);
	}
	lh_write_end(&json);
	lh_write_end(&json);
}

void lh_drift_free(struct lh_drift *d)
{
	lh_map_free(&d->pairs);
	*d = (struct lh_drift){ 0 };
}
