/*
 * aid_tokens - the tokens of texts.
 *
 *     aid_tokens MODEL [MOST] <TEXTS      a JSON string a line; a JSON array of token ids a line,
 *                                         of MOST tokens at most; a wrong model: exit 2
 */

#include "check.h"
#include "json_text.h"
#include "transformer/tokenizer.h"

static struct lh_err err;

static void print(const struct lh_token_list *tokens)
{
	putchar('[');
	for (size_t i = 0; i < tokens->n; i++)
		printf("%s%u", i ? "," : "", tokens->id[i]);
	puts("]");
}

static int texts(const struct lh_tokenizer *t, size_t most)
{
	struct lh_buf scratch = { 0 };
	struct lh_token_list tokens = { 0 };
	char *line = NULL;
	size_t cap = 0;
	int rc = 0;

	while (rc == 0 && getline(&line, &cap, stdin) > 0) {
		struct lh_value v = value_of(line);
		struct lh_str text;

		lh_buf_reset(&scratch);
		lh_value_str(&v, &scratch, &text);
		rc = lh_tokenizer_run(t, text, &tokens, &err);
		if (rc < 0)
			break;
		if (most)
			lh_tokenizer_truncate(t, &tokens, most);
		print(&tokens);
	}
	lh_token_list_free(&tokens);
	lh_buf_free(&scratch);
	free(line);
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
