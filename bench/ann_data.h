/* ann_data.h - what the programs bench/ann_* share: matrices of raw f32, time,
 * recall, and how they are said.  C and C++. */
#ifndef ANN_DATA_H
#define ANN_DATA_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

struct matrix {
	float *v;
	size_t n, dim;
};

static inline void die(const char *what)
{
	perror(what);
	exit(2);
}

static inline struct matrix matrix_read(const char *path, size_t dim)
{
	struct matrix m = { NULL, 0, dim };
	FILE *f = fopen(path, "rb");
	struct stat st;

	if (!f || fstat(fileno(f), &st) < 0)
		die(path);
	m.n = (size_t)st.st_size / (dim * sizeof(float));
	m.v = (float *)malloc(m.n * dim * sizeof(float) + 1);
	if (!m.v || fread(m.v, dim * sizeof(float), m.n, f) != m.n)
		die(path);
	fclose(f);
	return m;
}

static inline double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Of all threads.  Other work on the machine slows this down far less. */
static inline double processor_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct clocks {
	double wall, processor;
};

static inline struct clocks clocks_now(void)
{
	struct clocks t = { now(), processor_time() };

	return t;
}

static inline struct clocks clocks_since(struct clocks from)
{
	struct clocks t = { now() - from.wall, processor_time() - from.processor };

	return t;
}

static inline long peak_mib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss >> 10;
}

/* Of k true rows a query (u32, one query after the other; perhaps only of the
 * first queries), how many were found. */
static inline double recall_of(const char *truth, const uint32_t *found, size_t queries, size_t k)
{
	uint32_t *t = (uint32_t *)malloc(queries * k * sizeof *t);
	FILE *f = fopen(truth, "rb");
	size_t i, j, l, same = 0;

	if (!t || !f)
		die(truth);
	queries = fread(t, k * sizeof *t, queries, f);
	for (i = 0; i < queries; i++)
		for (j = 0; j < k; j++)
			for (l = 0; l < k; l++)
				same += t[i * k + j] == found[i * k + l];
	fclose(f);
	free(t);
	return (double)same / (double)(queries * k);
}

static inline void say_build(size_t rows, struct clocks t)
{
	printf("%.1f rows/s, %.1f a second of processor time, peak %ld MiB\n", (double)rows / t.wall, (double)rows / t.processor, peak_mib());
}

static inline void say_queries(long ef, size_t queries, struct clocks t, double recall)
{
	printf("%.1f queries/s, %.1f a second of processor time, ef %ld, recall %.4f\n", (double)queries / t.wall,
	       (double)queries / t.processor, ef, recall);
	fflush(stdout);
}

#endif
