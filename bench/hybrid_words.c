/* hybrid_words INDEX K - measure searches by words in one thread: one text per line on
 * standard input, five rounds, the median.  With a third argument print the ids found instead. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "index/index_tools.h"

static struct lh_err err;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static size_t read_lines(char ***line)
{
	size_t n = 0, cap = 0, room = 0;
	char *text = NULL;

	for (*line = NULL; getline(&text, &room, stdin) > 0; text = NULL, room = 0) {
		if (n == cap)
			*line = realloc(*line, (cap = 2 * cap + 64) * sizeof **line);
		text[strcspn(text, "\n")] = '\0';
		(*line)[n++] = text;
	}
	return n;
}

static void print_ids(const struct lh_index *ix, const struct lh_index_words_hit *hit, long n)
{
	struct lh_row row;
	long i;

	for (i = 0; i < n && lh_index_row(ix, hit[i].row, &row, &err) == 1; i++)
		printf("%s\"%.*s\"", i ? "," : "[", (int)row.id.n, row.id.p);
	puts(n ? "]" : "[]");
}

int main(int argc, char **argv)
{
	struct lh_index *ix = argc >= 3 ? lh_index_open(argv[1], &err) : NULL;
	struct lh_index_words *w = ix ? lh_index_words_new(ix, &err) : NULL;
	struct lh_query q = { .k = w ? strtoul(argv[2], NULL, 10) : 0 };
	struct lh_index_words_hit *hit = calloc(q.k + 1, sizeof *hit);
	double round[5];
	char **line;
	size_t n = read_lines(&line), i, r, rounds = argc == 3 ? 5 : 1;

	if (!w || !n || !hit) {
		fprintf(stderr, "hybrid_words: %s\n", w ? "no queries" : err.msg);
		return 2;
	}
	for (r = 0; r < rounds; r++) {
		round[r] = seconds();
		for (i = 0; i < n; i++) {
			long found = lh_index_words_search(
				w, &q, (struct lh_str){ line[i], strlen(line[i]) }, hit, &err);

			if (found < 0) {
				fprintf(stderr, "hybrid_words: %s\n", err.msg);
				return 2;
			}
			if (rounds == 1)
				print_ids(ix, hit, found);
		}
		round[r] = seconds() - round[r];
	}
	if (rounds == 1)
		return 0;
	qsort(round, 5, sizeof *round, by_size);
	printf("%.4f\n", round[2] / (double)n * 1e3);
	return 0;
}
