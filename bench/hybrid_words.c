/* hybrid_words INDEX K - measure searches by words in one thread: one text per line on
 * standard input, five rounds, the median. */
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

int main(int argc, char **argv)
{
	struct lh_index *ix = argc == 3 ? lh_index_open(argv[1], &err) : NULL;
	struct lh_index_words *w = ix ? lh_index_words_new(ix, &err) : NULL;
	struct lh_query q = { .k = w ? strtoul(argv[2], NULL, 10) : 0 };
	struct lh_index_words_hit *hit = calloc(q.k + 1, sizeof *hit);
	double round[5];
	char **line;
	size_t n = read_lines(&line), i, r;

	if (!w || !n || !hit) {
		fprintf(stderr, "hybrid_words: %s\n", w ? "no queries" : err.msg);
		return 2;
	}
	for (r = 0; r < 5; r++) {
		round[r] = seconds();
		for (i = 0; i < n; i++)
			if (lh_index_words_search(w, &q,
						  (struct lh_str){ line[i], strlen(line[i]) }, hit,
						  &err) < 0) {
				fprintf(stderr, "hybrid_words: %s\n", err.msg);
				return 2;
			}
		round[r] = seconds() - round[r];
	}
	qsort(round, 5, sizeof *round, by_size);
	printf("%.4f\n", round[2] / (double)n * 1e3);
	return 0;
}
