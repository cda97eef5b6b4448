/* lh-gen: deterministic staffing data.  See lh-gen(1). */
#include "draw.h"
#include "gen.h"
#include "lh_tool.h"

#define BLOCK (256 << 10)
#define MAX_WHOLE 9007199254740992.0	/* 2^53: an option's bound is a double */

enum { VERB_WORKERS = 1, VERB_QUERIES = 2 };

struct settings {
	uint64_t n, seed;
	int style;
};

static const struct lh_option options[] = {
	{ 'n', NULL, "N", "rows (default 1000)", LH_UINT(struct settings, n, 0, MAX_WHOLE) },
	{ 0, "seed", "S", "another seed, other rows (default 1)", LH_UINT(struct settings, seed, 0, MAX_WHOLE) },
	{ 0, "styles", "need|client_first|looking|shorthand|all", "how demand is worded (default need)",
	  LH_OPT_CHOICE, false, offsetof(struct settings, style), 0, 0, NULL, VERB_QUERIES },
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

/* Rows i..n until the block is full or a signal came; returns the next row. */
static uint64_t fill_block(struct lh_buf *b, const struct lh_tool *tool, const struct settings *s, uint64_t i)
{
	lh_buf_reset(b);
	for (; i < s->n && b->len < BLOCK && !b->failed; i++) {
		if (tool->verb->bit == VERB_WORKERS)
			gen_worker(b, s->seed, i);
		else
			gen_query(b, s->seed, i, s->style);
	}
	return i;
}

static int run(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct lh_buf b;
	int rc = 0;

	gen_init();
	lh_buf_init(&b, LH_BUF_NOMAX);
	for (uint64_t i = 0; i < s->n && !rc && !lh_tool_stopping(); ) {
		i = fill_block(&b, tool, s, i);
		rc = lh_buf_check(&b, &tool->err);
		if (!rc)
			rc = lh_tool_out(tool, b.p, b.len);
	}
	lh_buf_free(&b);
	return rc;
}

static const struct lh_verb verbs[] = {
	{ "workers", "", "one worker a line", VERB_WORKERS, 0, run },
	{ "queries", "", "demand for workers, one sentence a line", VERB_QUERIES, 0, run },
	{ NULL, NULL, NULL, 0, 0, NULL },
};

int main(int argc, char **argv)
{
	struct settings s = { .n = 1000, .seed = 1 };
	struct lh_tool tool;
	int rc;

	lh_tool_init(&tool, "lh-gen", "workers|queries [OPTION]...", "deterministic staffing data", options);
	lh_tool_verbs(&tool, verbs);
	rc = lh_tool_parse(&tool, argc, argv, &s);
	if (!rc && tool.n_operands)
		rc = lh_tool_usage(&tool, "unexpected operand \"%s\": lh-gen reads nothing", tool.operands[0]);
	if (!rc)
		rc = tool.verb->run(&tool, &s);
	return lh_tool_finish(&tool, rc);
}
