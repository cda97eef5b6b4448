/*
 * ann_vectors - make vectors like those of words, and write vectors as lh-index reads them.
 *
 *     ann_vectors words DIM SEED ROWS FILE [ROWS FILE]...
 *     ann_vectors jsonl DIM <FILE
 *
 * words makes raw f32 of unit length.  A row is a mean that all rows share, plus the
 * centre of its cluster, plus noise of its own; the sizes of clusters follow Zipf's law, the
 * lengths of the noise are lognormal, and a few directions have most of the variance.  All
 * files of a call have the same clusters.  In jsonl the id of a row is its number.
 */
#include <math.h>
#include <string.h>

#include "ann_data.h"
#include <lh/buf.h>
#include <lh/num.h>

#define CLUSTERS 2000
#define DECAY 0.3	/* of the deviation along direction i: (i + 1)^-DECAY */
#define MEAN 0.6	/* length of the mean, of CENTRE and of the median noise to each other */
#define CENTRE 0.9
#define SPREAD 0.45	/* of the logarithm of the noise's length */

struct words {
	size_t dim;
	double *axis;		/* dim x dim: the directions, each of its deviation */
	double *centre;		/* CLUSTERS x dim, the mean included */
	double share[CLUSTERS];	/* of rows in this cluster and those before */
};

static uint64_t state;

/* splitmix64 */
static double uniform(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return ((double)((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
}

static double normal(void)
{
	double r = sqrt(-2 * log(uniform()));

	return r * cos(2 * 3.14159265358979323846 * uniform());
}

/* Add a random vector of the given length, on average, to v. */
static void add_random(const struct words *w, double length, double *v)
{
	for (size_t i = 0; i < w->dim; i++) {
		double along = length * normal();

		for (size_t j = 0; j < w->dim; j++)
			v[j] += along * w->axis[i * w->dim + j];
	}
}

static void *zeros(size_t n)
{
	void *p = calloc(n, sizeof(double));

	if (!p)
		die("memory");
	return p;
}

static void words_init(struct words *w, size_t dim)
{
	double *mean = zeros(dim), sum = 0, variance = 0;

	w->dim = dim;
	w->axis = zeros(dim * dim);
	w->centre = zeros(CLUSTERS * dim);
	for (size_t i = 0; i < dim; i++)
		variance += pow((double)i + 1, -2 * DECAY);
	for (size_t i = 0; i < dim * dim; i++)
		w->axis[i] = normal() * pow((double)(i / dim) + 1, -DECAY) / sqrt(variance * (double)dim);
	add_random(w, MEAN, mean);
	for (size_t c = 0; c < CLUSTERS; c++) {
		memcpy(w->centre + c * dim, mean, dim * sizeof *mean);
		add_random(w, CENTRE, w->centre + c * dim);
		sum += w->share[c] = 1 / ((double)c + 10);
	}
	for (size_t c = 0; c < CLUSTERS; c++)
		w->share[c] = w->share[c] / sum + (c ? w->share[c - 1] : 0);
	free(mean);
}

static void write_words(const struct words *w, size_t rows, const char *path)
{
	double *v = zeros(w->dim);
	float *out = zeros(w->dim);
	FILE *f = fopen(path, "wb");

	if (!f)
		die(path);
	while (rows-- > 0) {
		double where = uniform(), norm = 0;
		size_t c = 0;

		while (c + 1 < CLUSTERS && w->share[c] < where)
			c++;
		memcpy(v, w->centre + c * w->dim, w->dim * sizeof *v);
		add_random(w, exp(SPREAD * normal()), v);
		for (size_t i = 0; i < w->dim; i++)
			norm += v[i] * v[i];
		for (size_t i = 0; i < w->dim; i++)
			out[i] = (float)(v[i] / sqrt(norm));
		if (fwrite(out, sizeof *out, w->dim, f) != w->dim)
			die(path);
	}
	if (fclose(f))
		die(path);
	free(out);
	free(v);
}

static void jsonl(size_t dim)
{
	float *v = zeros(dim);
	struct lh_buf line = { 0 };

	for (size_t row = 0; fread(v, sizeof *v, dim, stdin) == dim; row++) {
		line.len = 0;
		lh_buf_base64(&line, v, dim * sizeof *v);
		printf("{\"id\":\"%zu\",\"vector\":\"%.*s\"}\n", row, (int)line.len, line.p);
	}
	lh_buf_free(&line);
	free(v);
}

int main(int argc, char **argv)
{
	size_t dim = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	struct words w;

	if (dim && argc == 3 && !strcmp(argv[1], "jsonl")) {
		jsonl(dim);
	} else if (dim && argc >= 6 && argc % 2 == 0 && !strcmp(argv[1], "words")) {
		state = strtoul(argv[3], NULL, 10);
		words_init(&w, dim);
		for (char **a = argv + 4; *a; a += 2)
			write_words(&w, strtoul(a[0], NULL, 10), a[1]);
		free(w.axis);
		free(w.centre);
	} else {
		return fprintf(stderr, "usage: see the head of bench/ann_vectors.c\n"), 2;
	}
	return 0;
}
