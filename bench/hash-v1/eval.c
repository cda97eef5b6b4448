/*
 * eval - how well a model of hash finds a package by its synopsis, and a worker by a
 * demand sentence; exact cosine over all vectors.
 *
 * usage: eval packages corpus.tsv even|odd|all N
 *        eval staff workers.tsv queries.tsv      (role, city, [style,] text)
 *        eval speed texts.tsv                    (the last column is the text)
 *
 * EVAL_MODEL sets the model (hash-v3), EVAL_DIMENSION the dimension (768); with EVAL_MISSES set, staff shows on
 * stderr what it got wrong.
 */
#include <err.h>
#include <time.h>

#include "../../lib/embed/hashv1.h"
#include "corpus.h"

#define TILE 4
#define BLOCK 64

typedef float lanes __attribute__((vector_size(64), aligned(4)));

static unsigned dim = 768;
static const char *model = LH_HASH_MODEL;
static struct lh_hashv1 *engine;
static struct lh_err error;

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void embed(const char *text, float *out)
{
	if (lh_hashv1_embed(engine, text, strlen(text), 0, out, &error) < 0)
		errx(2, "%s: %s", text, error.msg);
}

static float *vectors(size_t n)
{
	float *v = calloc(n + TILE, dim * sizeof *v);

	if (!v)
		err(2, NULL);
	return v;
}

/* TILE rows of a against TILE rows of b. */
static void dots(const float *a, const float *b, float out[TILE][TILE])
{
	lanes sum[TILE][TILE] = { 0 };

	for (unsigned k = 0; k < dim; k += 16)
		for (int i = 0; i < TILE; i++)
			for (int j = 0; j < TILE; j++)
				sum[i][j] += *(const lanes *)(a + i * dim + k) *
					*(const lanes *)(b + j * dim + k);
	for (int i = 0; i < TILE; i++)
		for (int j = 0; j < TILE; j++) {
			out[i][j] = 0;
			for (int k = 0; k < 16; k++)
				out[i][j] += sum[i][j][k];
		}
}

/* Count for each query the texts before its own: nearer, or as near and earlier. */
static void rank_all(const float *x, size_t n, const float *q, const size_t *own, unsigned *rank,
		     size_t asked)
{
	float *mine = calloc(asked + TILE, sizeof *mine), s[TILE][TILE];

	for (size_t j = 0; j < asked; j++) {
		dots(x + own[j] / TILE * TILE * dim, q + j / TILE * TILE * dim, s);
		mine[j] = s[own[j] % TILE][j % TILE];
	}
	for (size_t block = 0; block < n; block += BLOCK)
		for (size_t j = 0; j < asked; j += TILE)
			for (size_t i = block; i < block + BLOCK && i < n; i += TILE) {
				dots(x + i * dim, q + j * dim, s);
				for (size_t a = 0; a < TILE && i + a < n; a++)
					for (size_t b = 0; b < TILE && j + b < asked; b++)
						rank[j + b] += s[a][b] > mine[j + b] ||
							(s[a][b] == mine[j + b] &&
							 i + a < own[j + b]);
			}
	free(mine);
}

static void packages(const char *path, const char *half, size_t max)
{
	struct corpus c;
	size_t asked = 0, *own = calloc(max, sizeof *own), hits = 0;
	unsigned *rank = calloc(max, sizeof *rank);
	float *x, *q = vectors(max);
	double mrr = 0;

	if (corpus_read(&c, path) < 0)
		exit(2);
	x = vectors(c.n);
	for (size_t i = 0; i < c.n; i++) {
		embed(c.row[i].body, x + i * dim);
		if (asked == max || (*half != 'a' && c.row[i].odd != (*half == 'o')))
			continue;
		embed(c.row[i].synopsis, q + asked * dim);
		own[asked++] = i;
	}
	rank_all(x, c.n, q, own, rank, asked);
	for (size_t j = 0; j < asked; j++)
		if (rank[j] < 10) {
			hits++;
			mrr += 1.0 / (rank[j] + 1);
		}
	printf("%s\t%s\t%zu\t%.4f\t%.4f\n", model, half, asked, (double)hits / asked, mrr / asked);
}

struct person {
	char *role, *city, *style, *text;
};

static size_t people(struct person **list, const char *path, int styled)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t n = 0, cap = 0;

	if (!f)
		err(2, "%s", path);
	for (*list = NULL; getline(&line, &cap, f) > 0; line = NULL, cap = 0, n++) {
		struct person *p;

		*list = realloc(*list, (n + 1) * sizeof **list);
		p = *list + n;
		p->role = strtok(line, "\t");
		p->city = strtok(NULL, "\t");
		p->style = styled ? strtok(NULL, "\t") : "";
		p->text = strtok(NULL, "\n");
		if (!p->text)
			errx(2, "%s: bad line %zu", path, n + 1);
	}
	fclose(f);
	return n;
}

static void nearest(const float *x, size_t n, const float *q, size_t top[5])
{
	float best[5];
	size_t held = 0, k;

	for (size_t i = 0; i < n; i++) {
		float s = 0;

		for (unsigned d = 0; d < dim; d++)
			s += x[i * dim + d] * q[d];
		for (k = held; k && best[k - 1] < s; k--)
			if (k < 5) {
				best[k] = best[k - 1];
				top[k] = top[k - 1];
			}
		if (k < 5) {
			best[k] = s;
			top[k] = i;
			held += held < 5;
		}
	}
}

static int answerable(const struct person *w, size_t n, const struct person *q)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(w[i].role, q->role) && !strcmp(w[i].city, q->city))
			return 1;
	return 0;
}

static void staff(const char *workers, const char *queries)
{
	static const char *styles[] = { "need", "client_first", "looking", "shorthand" };
	struct person *w, *q;
	size_t n = people(&w, workers, 0), m = people(&q, queries, 1), top[5];
	float *x = vectors(n), *v = vectors(1);

	for (size_t i = 0; i < n; i++)
		embed(w[i].text, x + i * dim);
	for (size_t s = 0; s < 4; s++) {
		size_t asked = 0, role = 0, first_five = 0, city = 0;

		for (size_t i = 0; i < m; i++) {
			int found = 0;

			if (strcmp(q[i].style, styles[s]) || !answerable(w, n, q + i))
				continue;
			embed(q[i].text, v);
			nearest(x, n, v, top);
			for (int k = 0; k < 5; k++)
				found += !strcmp(w[top[k]].role, q[i].role);
			asked++;
			role += found > 0;
			first_five += found;
			city += !strcmp(w[top[0]].city, q[i].city);
			if (getenv("EVAL_MISSES") && (!found || strcmp(w[top[0]].city, q[i].city)))
				fprintf(stderr, "%s => %s\n", q[i].text, w[top[0]].text);
		}
		printf("%s\t%zu\t%.3f\t%.3f\t%.3f\n", styles[s], asked, first_five / 5.0 / asked,
		       (double)role / asked, (double)city / asked);
	}
}

static void speed(const char *path)
{
	struct person *p;
	size_t n = people(&p, path, 0), bytes = 0;
	float *v = vectors(1);
	double best = 1e9;

	for (int round = 0; round < 7; round++) {
		double t = cpu_seconds();

		for (size_t i = 0; i < n; i++)
			embed(p[i].text, v);
		t = cpu_seconds() - t;
		best = t < best ? t : best;
	}
	for (size_t i = 0; i < n; i++)
		bytes += strlen(p[i].text);
	printf("%.2f us a text of %zu bytes\n", best / n * 1e6, bytes / n);
}

int main(int argc, char **argv)
{
	if (getenv("EVAL_DIMENSION"))
		dim = atoi(getenv("EVAL_DIMENSION"));
	if (getenv("EVAL_MODEL"))
		model = getenv("EVAL_MODEL");
	if (!(engine = lh_hash_new(model, dim, &error)))
		errx(2, "%s", error.msg);
	if (argc == 5 && !strcmp(argv[1], "packages"))
		packages(argv[2], argv[3], strtoul(argv[4], NULL, 10));
	else if (argc == 4 && !strcmp(argv[1], "staff"))
		staff(argv[2], argv[3]);
	else if (argc == 3 && !strcmp(argv[1], "speed"))
		speed(argv[2]);
	else
		errx(2, "usage: eval packages|staff|speed FILE...");
	lh_hashv1_free(engine);
	return 0;
}
