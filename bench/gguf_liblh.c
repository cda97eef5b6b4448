/*
 * gguf_liblh - the encoder of GGUF models over lists of tokens, on one thread.
 *
 *     gguf_liblh ROUNDS MODEL [--fast] <LISTS     a list of token ids a line, a JSON array
 *
 * MODEL may be compiled (.lhm).
 *
 * Prints tokens a second of processor time in the fastest round, all lists in one call, as
 * tests/model/peers/embed.mjs --time does for llama.cpp; the same seconds from opening the file
 * to the vector of the first list; and the most memory that was resident, in KiB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "transformer/encoder.h"

static struct lh_token_list *list;
static size_t lists, tokens;
static struct lh_err err;

static void check(int ok)
{
	if (ok)
		return;
	fprintf(stderr, "gguf_liblh: %s\n", *err.msg ? err.msg : "no memory");
	exit(2);
}

static void add_list(const char *p)
{
	struct lh_token_list t = { 0 };
	char *end;

	for (p += strspn(p, "["); *p && *p != ']'; p = end + strspn(end, ", "), t.n++) {
		check((t.id = realloc(t.id, (t.n + 1) * sizeof *t.id)) != NULL);
		t.id[t.n] = (uint32_t)strtoul(p, &end, 10);
	}
	check((list = realloc(list, (lists + 1) * sizeof *list)) != NULL);
	list[lists++] = t;
	tokens += t.n;
}

static void read_lists(void)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0)
		add_list(line);
	check(lists > 0);
	free(line);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double best_round(struct lh_encoder_work *w, float *v, int rounds)
{
	double best = 1e9;

	for (int i = 0; i < rounds; i++) {
		double t = seconds();

		check(lh_encoder_run(w, list, lists, v, &err) == 0);
		t = seconds() - t;
		best = t < best ? t : best;
	}
	return best;
}

/* Open a model, or a compiled one, with its tokenizer. */
static struct lh_encoder *opened(const char *path, const struct lh_encoder_how *how)
{
	size_t n = strlen(path);
	struct lh_compiled *c;
	struct lh_encoder *e;
	struct lh_gguf *g;

	if (n > 4 && !strcmp(path + n - 4, ".lhm")) {
		check((c = lh_compiled_open(path, &err)) != NULL);
		check(lh_tokenizer_mapped(c, &err) != NULL);
		e = lh_encoder_mapped(c, how, &err);
	} else {
		check((g = lh_gguf_open(path, &err)) != NULL);
		check(lh_tokenizer_new(g, &err) != NULL);
		e = lh_encoder_new(g, how, &err);
	}
	check(e != NULL);
	return e;
}

int main(int argc, char **argv)
{
	struct lh_encoder_how how = { .fast = argc > 3 && !strcmp(argv[3], "--fast") };
	struct lh_encoder_info info;
	struct lh_encoder_work *w;
	struct lh_encoder *e;
	struct rusage used;
	double first, best;
	float *v;

	if (argc < 3 || atoi(argv[1]) < 1) {
		fprintf(stderr, "usage: gguf_liblh ROUNDS MODEL [--fast] <LISTS\n");
		return 2;
	}
	read_lists();
	first = -seconds();
	e = opened(argv[2], &how);
	w = lh_encoder_work_new(e);
	lh_encoder_info(e, &info);
	check((v = calloc(lists * info.width, sizeof *v)) != NULL);
	check(lh_encoder_run(w, list, 1, v, &err) == 0);
	first += seconds();
	best = best_round(w, v, atoi(argv[1]));
	getrusage(RUSAGE_SELF, &used);
	printf("%.1f %.4f %ld\n", (double)tokens / best, first, used.ru_maxrss);
	return 0;
}
