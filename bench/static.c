/*
 * static - embed texts by a table of word vectors: by liblh, and by the usual loop
 * over a dictionary, with floats in memory and one sum.
 *
 *     static table WORDS DIMENSION >table.bin     in the form of word2vec
 *     static texts WORDS N >texts.jsonl           15 words each, by Zipf's law; one
 *                                                 of 75 is not in the table
 *     static ours table.lhw <texts.jsonl          texts per second of processor time,
 *     static loop table.bin <texts.jsonl          without loading
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "embed/wordvec.h"
#include "base/xxh3.h"

#define TEXT 1024
#define DIM_MAX 4096

static uint64_t rng = 1;

static double uniform(void)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return (double)(rng >> 11) * 0x1p-53;
}

static void fail(const char *why)
{
	fprintf(stderr, "static: %s\n", why);
	exit(2);
}

/* Make a different word of every number. */
static const char *word(unsigned i)
{
	static const char syllables[16][4] = {
		"ba", "ker", "li",  "mon", "nu",  "ra", "sel", "ti",
		"vo", "zu",  "phe", "cri", "sta", "en", "or",  "ing"
	};
	static char s[40];

	for (*s = '\0', i += 16; i; i /= 16)
		strcat(s, syllables[i % 16]);
	return s;
}

static void table(unsigned words, unsigned dimension)
{
	float v[DIM_MAX];

	printf("%u %u\n", words, dimension);
	for (unsigned i = 0; i < words; i++) {
		for (unsigned d = 0; d < dimension; d++)
			v[d] = (float)(uniform() + uniform() - 1);
		printf("%s ", word(i));
		fwrite(v, sizeof *v, dimension, stdout);
		putchar('\n');
	}
}

static void texts(unsigned words, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		printf("{\"text\":\"");
		for (unsigned w = 0; w < 15; w++) {
			printf("%s%s", w ? " " : "",
			       word((unsigned)(pow(words + 1.0, uniform()) - 1)));
			if (i % 5 == 0 && w == 7)
				printf("qe");
		}
		puts("\"}");
	}
}

struct loop {
	uint32_t dimension, slots;
	char **word;
	float **row;
};

static uint32_t slot(const struct loop *l, const char *s, size_t n)
{
	uint32_t i = (uint32_t)lh_xxh3(s, n) & (l->slots - 1);

	while (l->word[i] && (strncmp(l->word[i], s, n) || l->word[i][n]))
		i = (i + 1) & (l->slots - 1);
	return i;
}

static void load(struct loop *l, const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned words;
	char s[80];

	if (!f || fscanf(f, "%u %u", &words, &l->dimension) != 2 || l->dimension > DIM_MAX)
		fail("no such table");
	for (l->slots = 1; l->slots < 2 * words; l->slots *= 2)
		;
	l->word = calloc(l->slots, sizeof *l->word);
	l->row = calloc(l->slots, sizeof *l->row);
	while (fscanf(f, "%79s%*1c", s) == 1) {
		uint32_t i = slot(l, s, strlen(s));

		l->word[i] = strdup(s);
		l->row[i] = malloc(l->dimension * sizeof(float));
		if (fread(l->row[i], sizeof(float), l->dimension, f) != l->dimension)
			fail("the table ends early");
	}
	fclose(f);
}

static void loop_one(const struct loop *l, const char *s, size_t n, float *out)
{
	const char *end = s + n, *next;
	float norm = 0;

	memset(out, 0, l->dimension * sizeof *out);
	for (; s < end; s = next + 1) {
		uint32_t i;

		next = memchr(s, ' ', (size_t)(end - s));
		next = next ? next : end;
		i = slot(l, s, (size_t)(next - s));
		for (uint32_t d = 0; l->word[i] && d < l->dimension; d++)
			out[d] += l->row[i][d];
	}
	for (uint32_t d = 0; d < l->dimension; d++)
		norm += out[d] * out[d];
	norm = 1 / sqrtf(norm);
	for (uint32_t d = 0; d < l->dimension; d++)
		out[d] *= norm;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void run(struct lh_wordvec_reader *r, const struct loop *l)
{
	static char line[TEXT];
	static float v[DIM_MAX];
	struct lh_err err;
	double spent = 0, from;
	unsigned n = 0;

	while (fgets(line, sizeof line, stdin)) {
		const char *s = line + strlen("{\"text\":\"");
		size_t len = strcspn(s, "\"");

		from = now();
		if (r && lh_wordvec_embed(r, s, len, false, v, &err) < 0)
			fail(err.msg);
		if (!r)
			loop_one(l, s, len, v);
		spent += now() - from;
		n++;
	}
	printf("%.0f\n", n / spent);
}

int main(int argc, char **argv)
{
	struct loop l = { .slots = 0 };
	struct lh_err err;

	if (argc == 4 && !strcmp(argv[1], "table") && atoi(argv[3]) <= DIM_MAX) {
		table((unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]));
	} else if (argc == 4 && !strcmp(argv[1], "texts")) {
		texts((unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]));
	} else if (argc == 3 && !strcmp(argv[1], "loop")) {
		load(&l, argv[2]);
		run(NULL, &l);
	} else if (argc == 3 && !strcmp(argv[1], "ours")) {
		struct lh_wordvec *t = lh_wordvec_open(argv[2], &err);
		struct lh_wordvec_reader *r = t ? lh_wordvec_reader_new(t, &err) : NULL;

		if (!r || lh_wordvec_dimension(t) > DIM_MAX)
			fail(err.msg);
		run(r, NULL);
	} else {
		fail("table WORDS DIMENSION | texts WORDS N | ours TABLE.lhw | loop TABLE.bin");
	}
	return 0;
}
