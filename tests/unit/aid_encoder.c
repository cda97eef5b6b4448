/*
 * aid_encoder - the vectors of token lists, as tests/model/oracle.py prints them.
 *
 *     aid_encoder MODEL [--raw] [--fast] [--each N] <LISTS >VECTORS
 *                 a list of token ids a line, as a JSON array; a vector a line
 *     aid_encoder --kernel
 *                 the name of the product of floats
 *
 * --each N: N lists a call instead of all.
 */
#include "check.h"


#include "transformer/encoder.h"
#include "transformer/kernels.h"

static struct lh_err err;
static struct lh_token_list *list;
static size_t lists, lists_cap;

static void add_list(const char *line)
{
	struct lh_token_list t = { 0 };
	char *end;

	for (const char *p = line; *p && *p != ']'; p = end) {
		p += strspn(p, "[, ");
		t.id = realloc(t.id, (t.n + 1) * sizeof *t.id);
		t.id[t.n++] = (uint32_t)strtoul(p, &end, 10);
		check_why(end > p, line);
	}
	if (lists == lists_cap)
		list = realloc(list, (lists_cap = 2 * lists_cap + 16) * sizeof *list);
	list[lists++] = t;
}

static void read_lists(void)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0)
		add_list(line);
	free(line);
}

static size_t tokens_of(const struct lh_token_list *l, size_t n)
{
	size_t sum = 0;

	while (n--)
		sum += l++->n;
	return sum;
}

static void print_vectors(struct lh_encoder_work *w, const struct lh_encoder_info *info,
			  size_t each)
{
	size_t width = info->width, n = info->each ? tokens_of(list, lists) : lists;
	float *v = malloc((n + 1) * width * sizeof *v), *to = v;

	for (size_t i = 0, some; i < lists; i += some) {
		some = each && each < lists - i ? each : lists - i;
		check_why(lh_encoder_run(w, list + i, some, to, &err) == 0, err.msg);
		to += (info->each ? tokens_of(list + i, some) : some) * width;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < width; c++)
			printf("%s%.9g%s", c ? ", " : "[", (double)v[i * width + c],
			       c + 1 < width ? "" : "]\n");
	free(v);
}

int main(int argc, char **argv)
{
	struct lh_encoder_how how = { 0 };
	struct lh_encoder_info info;
	struct lh_encoder_work *w = NULL;
	struct lh_encoder *e = NULL;
	struct lh_gguf *g;
	size_t each = 0;

	check_why(argc > 1, "aid_encoder MODEL [OPTION]...");
	if (!strcmp(argv[1], "--kernel")) {
		puts(lh_product(LH_GGUF_F32, LH_EXACT)->name);
		return 0;
	}
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "--raw"))
			how.raw = true;
		else if (!strcmp(argv[i], "--fast"))
			how.fast = true;
		else if (i + 1 < argc && !strcmp(argv[i], "--each"))
			each = strtoul(argv[++i], NULL, 10);
		else
			check_why(false, argv[i]);
	}
	if (!(g = lh_gguf_open(argv[1], &err)) || !(e = lh_encoder_new(g, &how, &err)) ||
	    !(w = lh_encoder_work_new(e))) {
		fprintf(stderr, "aid_encoder: %s\n", err.msg);
		lh_encoder_free(e);
		lh_gguf_close(g);
		return 2;
	}
	lh_encoder_info(e, &info);
	read_lists();
	print_vectors(w, &info, each);
	for (size_t i = 0; i < lists; i++)
		free(list[i].id);
	free(list);
	lh_encoder_work_free(w);
	lh_encoder_free(e);
	lh_gguf_close(g);
	return 0;
}
