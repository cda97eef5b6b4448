/*
 * ann_vectors - make vectors like those of words, or like those of pictures and of texts
 * about them, and write vectors as lh-index reads them.
 *
 *     ann_vectors words DIM CLUSTERS SEED ROWS FILE [ROWS FILE]...
 *     ann_vectors pictures DIM CLUSTERS SEED ROWS FILE QUERIES FILE
 *     ann_vectors jsonl DIM <FILE
 *
 * Vectors are raw f32 of unit length; in jsonl the id of a row is its number.  A mixture has
 * a mean, clusters whose sizes follow Zipf's law, and around their centres noise of lognormal
 * length; it spans as many directions as its rank, and the first few of them have most of the
 * variance.
 *
 * words     A row is drawn from one mixture of full rank.  All files of a call are of it.
 * pictures  A row is the sum of a draw from a mixture of rank DIM / 8, the meaning, and a
 *           draw from a mixture of rank DIM / 4, what only pictures have.  A query is the
 *           sum of a draw from the same meaning and one from a third mixture, of rank DIM / 4,
 *           what only texts have.  The means of the last two are random and longer than
 *           the noise, so that all rows are far from all queries, and rows that are near a
 *           query need not be near each other.
 */
#include <math.h>
#include <string.h>

#include "ann_data.h"
#include "base/buf.h"
#include "base/num.h"

#define DECAY 0.3	/* of the deviation along direction i: (i + 1)^-DECAY */
#define MEAN 0.6	/* length of the mean, of CENTRE and of the median noise to each other */
#define CENTRE 0.9
#define SPREAD 0.45	/* of the logarithm of the noise's length */
#define GAP 1.4		/* MEAN of what only one side has */

struct mixture {
	size_t dim, rank, clusters;
	double *axis;		/* rank x dim: the directions, each of its deviation */
	double *centre;		/* clusters x dim, the mean included */
	double *share;		/* of rows in this cluster and those before */
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
static void add_random(const struct mixture *m, double length, double *v)
{
	for (size_t i = 0; i < m->rank; i++) {
		double along = length * normal();

		for (size_t j = 0; j < m->dim; j++)
			v[j] += along * m->axis[i * m->dim + j];
	}
}

static void *zeros(size_t n)
{
	void *p = calloc(n, sizeof(double));

	if (!p)
		die("memory");
	return p;
}

static void mixture_init(struct mixture *m, double length)
{
	size_t dim = m->dim;
	double *mean = zeros(dim), sum = 0, variance = 0;

	m->axis = zeros(m->rank * dim);
	m->centre = zeros(m->clusters * dim);
	m->share = zeros(m->clusters);
	for (size_t i = 0; i < m->rank; i++)
		variance += pow((double)i + 1, -2 * DECAY);
	for (size_t i = 0; i < m->rank * dim; i++)
		m->axis[i] = normal() * pow((double)(i / dim) + 1, -DECAY) / sqrt(variance * (double)dim);
	add_random(m, length, mean);
	for (size_t c = 0; c < m->clusters; c++) {
		memcpy(m->centre + c * dim, mean, dim * sizeof *mean);
		add_random(m, CENTRE, m->centre + c * dim);
		sum += m->share[c] = 1 / ((double)c + 10);
	}
	for (size_t c = 0; c < m->clusters; c++)
		m->share[c] = m->share[c] / sum + (c ? m->share[c - 1] : 0);
	free(mean);
}

static void mixture_free(struct mixture *m)
{
	free(m->axis);
	free(m->centre);
	free(m->share);
}

/* Add a row of the mixture to v. */
static void add_row(const struct mixture *m, double *v)
{
	double where = uniform();
	size_t c = 0;

	while (c + 1 < m->clusters && m->share[c] < where)
		c++;
	for (size_t i = 0; i < m->dim; i++)
		v[i] += m->centre[c * m->dim + i];
	add_random(m, exp(SPREAD * normal()), v);
}

/* Write rows of a mixture, each added to a row of another one unless that is NULL. */
static void write_rows(const struct mixture *m, const struct mixture *other, char **a)
{
	double *v = zeros(m->dim);
	float *out = zeros(m->dim);
	FILE *f = fopen(a[1], "wb");

	if (!f)
		die(a[1]);
	for (size_t rows = strtoul(a[0], NULL, 10); rows > 0; rows--) {
		double norm = 0;

		memset(v, 0, m->dim * sizeof *v);
		add_row(m, v);
		if (other)
			add_row(other, v);
		for (size_t i = 0; i < m->dim; i++)
			norm += v[i] * v[i];
		for (size_t i = 0; i < m->dim; i++)
			out[i] = (float)(v[i] / sqrt(norm));
		if (fwrite(out, sizeof *out, m->dim, f) != m->dim)
			die(a[1]);
	}
	if (fclose(f))
		die(a[1]);
	free(out);
	free(v);
}

static void words(size_t dim, size_t clusters, char **files)
{
	struct mixture m = { .dim = dim, .rank = dim, .clusters = clusters };

	mixture_init(&m, MEAN);
	for (; *files; files += 2)
		write_rows(&m, NULL, files);
	mixture_free(&m);
}

static void pictures(size_t dim, size_t clusters, char **files)
{
	struct mixture meaning = { .dim = dim, .rank = dim / 8, .clusters = clusters }, own;

	mixture_init(&meaning, MEAN);
	for (; *files; files += 2) {
		own = (struct mixture){ .dim = dim, .rank = dim / 4, .clusters = clusters };
		mixture_init(&own, GAP);
		write_rows(&own, &meaning, files);
		mixture_free(&own);
	}
	mixture_free(&meaning);
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
	size_t clusters = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;

	state = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
	if (dim && argc == 3 && !strcmp(argv[1], "jsonl"))
		jsonl(dim);
	else if (dim && clusters && argc >= 7 && argc % 2 && !strcmp(argv[1], "words"))
		words(dim, clusters, argv + 5);
	else if (dim >= 8 && clusters && argc == 9 && !strcmp(argv[1], "pictures"))
		pictures(dim, clusters, argv + 5);
	else
		return fprintf(stderr, "usage: see the head of bench/ann_vectors.c\n"), 2;
	return 0;
}
