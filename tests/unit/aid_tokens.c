/*
 * aid_tokens - the tokens of texts.
 *
 *     aid_tokens MODEL [MOST] <TEXTS      a JSON string a line; a JSON array of token ids a line,
 *                                         of MOST tokens at most; a wrong model: exit 2
 */

#include "json/json.h"

#include "check.h"
#include "transformer/tokenizer.h"

static struct lh_err err;

static void print(const struct lh_token_list *tokens)
{
	putchar('[');
	for (size_t i = 0; i < tokens->n; i++)
		printf("%s%u", i ? "," : "", tokens->id[i]);
	puts("]");
}

struct reader {
	struct lh_record r;
	struct lh_buf scratch;
	char *line;
	size_t cap;
};

/* Read the next text: 1, 0 at the end, or -1. */
static int next(struct reader *in, struct lh_str *text)
{
	ssize_t n = getline(&in->line, &in->cap, stdin);
	struct lh_value v;

	if (n <= 0)
		return 0;
	check((in->line = realloc(in->line, in->cap = (size_t)n + LH_PAD)));
	memset(in->line + n, 0, LH_PAD);
	lh_buf_reset(&in->scratch);
	if (lh_json_parse(&in->r, in->line, (size_t)n, &v, &err) < 0)
		return -1;
	lh_value_str(&v, &in->scratch, text);
	return 1;
}

static int texts(const struct lh_tokenizer *t, size_t most)
{
	struct reader in = { 0 };
	struct lh_token_list tokens = { 0 };
	struct lh_str text;
	int rc;

	lh_record_init(&in.r);
	while ((rc = next(&in, &text)) > 0) {
		rc = lh_tokenizer_run(t, text, &tokens, &err);
		if (rc < 0)
			break;
		if (most)
			lh_tokenizer_truncate(t, &tokens, most);
		print(&tokens);
	}
	lh_token_list_free(&tokens);
	lh_buf_free(&in.scratch);
	lh_record_free(&in.r);
	free(in.line);
	if (rc == 0)
		return 0;
	fprintf(stderr, "%s\n", err.msg);
	return 2;
}

int main(int argc, char **argv)
{
	struct lh_gguf *g = argc > 1 ? lh_gguf_open(argv[1], &err) : NULL;
	struct lh_tokenizer *t = g ? lh_tokenizer_new(g, &err) : NULL;
	int rc = 2;

	if (!t)
		fprintf(stderr, "%s\n", err.msg);
	else
		rc = texts(t, argc == 3 ? (size_t)strtoul(argv[2], NULL, 10) : 0);
	lh_tokenizer_free(t);
	lh_gguf_close(g);
	return rc;
}
