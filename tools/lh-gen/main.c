/* lh-gen: deterministic staffing data.  See lh-gen(1). */
#include "gen.h"
#include "base/signal.h"

#define BLOCK (256 << 10)
#define MAX_WHOLE 9007199254740992.0	/* 2^53: an option's bound is a double */

#define MAX_WORKERS 10000000	/* held in memory, 64 bytes each */

enum { VERB_WORKERS = 1, VERB_QUERIES = 2, VERB_DRAFTS = 4, VERB_KB = 8 };

struct settings {
	uint64_t n, seed, workers;
	int style, kinds;
	const char *from;
	struct gen_drafts *drafts;
	struct kb_settings kb;
};

static const struct lh_made made_expect = { "a list of expected categories",
					    { "{\"source_file\":" }, NULL };

static const struct lh_option options[] = {
	{ 'n', NULL, "N", "rows (default 1000)", LH_UINT(struct settings, n, 0, MAX_WHOLE) },
	{ 0, "seed", "S", "seed of the rows (default 1)",
	  LH_UINT(struct settings, seed, 0, MAX_WHOLE) },
	{ 0, "styles", "need|client_first|looking|shorthand|all",
	  "wording of the demand (default need)",
	  LH_CHOICE(struct settings, style, .verbs = VERB_QUERIES) },
	{ 0, "from", "FILE", "word the demand in FILE, - for standard input",
	  LH_TEXT(struct settings, from, .verbs = VERB_QUERIES) },
	{ 0, "on-error", "skip|emit|stop", "what to do with a rejected record (default skip)",
	  LH_TOOL_FIELD(CHOICE, on_error, .verbs = VERB_QUERIES) },
	{ 0, "rejects", "FILE", "append rejected lines to FILE",
	  LH_TOOL_FIELD(TEXT, rejects, .verbs = VERB_QUERIES) },
	{ 0, "max-line", "SIZE", "longest line, K/M/G (default 256M)",
	  LH_TOOL_FIELD(SIZE, max_line, .min = 1, .max = 2147483648.0, .verbs = VERB_QUERIES) },
	{ 0, "max-members", "N", "most members of an object (default 65536)",
	  LH_TOOL_FIELD(UINT, max_members, .min = 64, .max = 1000000000,
			.verbs = VERB_QUERIES) },
	{ 0, "kinds", "fill|email|sms|playbook|all", "kind of drafts (default all)",
	  LH_CHOICE(struct settings, kinds, .verbs = VERB_DRAFTS) },
	{ 0, "workers", "M", "workers in the roster of drafts (default 1000)",
	  LH_UINT(struct settings, workers, 1, MAX_WORKERS, .verbs = VERB_DRAFTS) },
	{ 0, "root", "DIR", "folder of the streams (default: the working directory)",
	  LH_TEXT(struct settings, kb.root, .env = "LH_DISTILL_ROOT", .verbs = VERB_KB) },
	{ 0, "expect", "FILE", "write the expected category of each row to FILE",
	  LH_TEXT(struct settings, kb.expect, .verbs = VERB_KB, .makes = &made_expect) },
	{ 0, "dirty", NULL, "add rows that do not become evidence, and blank lines",
	  LH_FLAG(struct settings, kb.dirty, .verbs = VERB_KB) },
	LH_FORCE_OPTION(VERB_KB),
	LH_LOCK_OPTION(VERB_KB),
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

/* Append rows *i..n until the block is full. */
static void fill_block(struct lh_buf *b, struct lh_tool *tool, const struct settings *s,
		       uint64_t *i)
{
	lh_buf_reset(b);
	for (; *i < s->n && b->len < BLOCK; ++*i) {
		if (s->drafts)
			gen_draft(s->drafts, b, *i);
		else if (tool->verb->bit == VERB_WORKERS)
			gen_worker(b, s->seed, *i);
		else
			gen_query(b, s->seed, *i, s->style);
	}
}

static int run(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	int rc = 0;

	if (s->from)
		return gen_queries_from(tool, s->from, (enum lh_job_order_style)s->style);
	gen_init();
	if (tool->verb->bit == VERB_DRAFTS)
		s->drafts = gen_drafts_new(s->seed, (unsigned)s->workers,
					   (enum draft_kind)s->kinds);
	for (uint64_t i = 0; i < s->n && !rc && !lh_stopping(); ) {
		fill_block(&b, tool, s, &i);
		rc = lh_tool_out(tool, b.p, b.len);
		lh_tool_share(tool, i, s->n);
	}
	gen_drafts_free(s->drafts);
	return rc;
}

static int run_kb(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	gen_init();
	s->kb.n = s->n;
	s->kb.seed = s->seed;
	return kb_run(tool, &s->kb);
}

static const struct lh_op ops[] = {
	{ "workers", "", "workers, one a line", VERB_WORKERS, .out = lh_op_any, .command = run },
	{ "queries", "", "demand for workers, one sentence a line", VERB_QUERIES,
	  .out = lh_op_any, .command = run },
	{ "drafts", "", "requests for lh-validate, with the expected verdict", VERB_DRAFTS,
	  .out = lh_op_any, .command = run },
	{ "kb", "", "sources of a distillation, in files", VERB_KB, .command = run_kb,
	  .writes = true },
	LH_OP_END
};

static int check(struct lh_tool *tool, void *settings)
{
	(void)settings;
	return tool->n_operands ? lh_tool_unexpected(tool, 0, "lh-gen reads nothing") : 0;
}

int main(int argc, char **argv)
{
	struct settings s = { .n = 1000, .seed = 1, .workers = 1000, .kinds = DRAFT_ALL };
	static const struct lh_tool_spec spec = {
		.name = "lh-gen",
		.synopsis = "workers|queries|drafts|kb [OPTION]...",
		.summary = "generate deterministic staffing data",
		.example = "lh-gen workers -n 2000 | lh-index build generated.lhv",
		.options = options,
		.ops = ops,
		.check = check,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
