/*
 * scan - measure parts of the record layer over a file in memory.
 *
 *     scan record|vectors|f32|canon|mac FILE [ROUNDS]
 *
 * Prints the best round, in processor time: MB/s, and ns per number or record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "json/canon.h"
#include "crypto/digest.h"
#include "base/num.h"

struct work {
	struct lh_record rec;
	struct lh_buf out;
	struct lh_hmac *key;
	float v[65536];
	size_t count;
};

typedef int work_fn(struct work *w, const char *p, size_t n, struct lh_err *err);

static int record(struct work *w, const char *p, size_t n, struct lh_err *err)
{
	w->count++;
	return lh_record_parse(&w->rec, p, n, err);
}

static int vectors(struct work *w, const char *p, size_t n, struct lh_err *err)
{
	const struct lh_value *v;
	long got;

	if (lh_record_parse(&w->rec, p, n, err) < 0)
		return -1;
	v = lh_record_get(&w->rec, "vector");
	if (!v)
		return lh_err_set(err, LH_EDATA, "no vector");
	got = lh_f32s_read(v->p, v->p + v->n, w->v, 65536, err);
	w->count += got > 0 ? (size_t)got : 0;
	return got < 0 ? -1 : 0;
}

#define ROW 768
#define ROWS 80

/* Enough rows that no branch predictor learns them. */
static int f32(struct work *w, const char *p, size_t n, struct lh_err *err)
{
	static float rows[ROWS][ROW];
	static size_t have;
	size_t before = w->count;

	if (have < ROWS) {
		if (vectors(w, p, n, err) < 0)
			return -1;
		memcpy(rows[have++], w->v, sizeof *rows);
	}
	w->count = before + ROW;
	lh_buf_reset(&w->out);
	lh_buf_f32s(&w->out, rows[before / ROW % have], ROW);
	return 0;
}

static int canon(struct work *w, const char *p, size_t n, struct lh_err *err)
{
	struct lh_value v;

	w->count++;
	lh_buf_reset(&w->out);
	if (lh_record_parse(&w->rec, p, n, err) < 0)
		return -1;
	v = (struct lh_value){ w->rec.line, w->rec.len, LH_OBJECT, false };
	return lh_canon_audit(&w->out, &v, (const char *[]){ "mac" }, 1, err);
}

static int mac(struct work *w, const char *p, size_t n, struct lh_err *err)
{
	unsigned char sum[32];

	if (canon(w, p, n, err) < 0)
		return -1;
	lh_hmac(w->key, sum, 32, w->out.p, w->out.len, sum);
	return 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int round_over(struct work *w, work_fn *fn, const struct lh_buf *in, struct lh_err *err)
{
	const char *p = in->p, *end = in->p + in->len, *lf;

	w->count = 0;
	for (; (lf = memchr(p, '\n', (size_t)(end - p))); p = lf + 1)
		if (fn(w, p, (size_t)(lf - p), err) < 0)
			return -1;
	return 0;
}

static work_fn *pick(const char *name)
{
	static const struct {
		const char *name;
		work_fn *fn;
	} table[] = {
		{ "record", record }, { "vectors", vectors }, { "f32", f32 },
		{ "canon", canon }, { "mac", mac },
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof *table; i++)
		if (!strcmp(name, table[i].name))
			return table[i].fn;
	return NULL;
}

int main(int argc, char **argv)
{
	work_fn *fn = argc > 2 ? pick(argv[1]) : NULL;
	int rounds = argc > 3 ? atoi(argv[3]) : 5, i;
	static struct work w;
	struct lh_err err = { 0 };
	double best = 1e9, t;
	struct lh_buf in = { 0 };
	FILE *f = fn ? fopen(argv[2], "r") : NULL;

	if (!f)
		return 2;
	w.out = (struct lh_buf){ 0 };
	w.key = lh_hmac_new("key", 3);
	while (lh_buf_room(&in, 1 << 20) && !feof(f))
		lh_buf_took(&in, fread(in.p + in.len, 1, 1 << 20, f));
	fclose(f);
	for (i = 0; i < rounds; i++) {
		t = now();
		if (round_over(&w, fn, &in, &err) < 0) {
			fprintf(stderr, "scan: %s (column %zu)\n", err.msg, err.column);
			return 1;
		}
		t = now() - t;
		best = t < best ? t : best;
	}
	printf("%s: %.0f MB/s, %.2f ns each of %zu\n", argv[1], (double)in.len / best / 1e6,
	       best * 1e9 / (double)w.count, w.count);
	lh_record_free(&w.rec);
	lh_buf_free(&w.out);
	lh_buf_free(&in);
	lh_hmac_free(w.key);
	return 0;
}
