/* regex.c - patterns of ECMA-262 by PCRE2.  See regex.h. */
#include "regex.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/mem.h"
#include "regex_translate.h"

#define LONGEST 65535		/* bytes of a pattern */
#define HEAP_KIB 65536

struct lh_regex {
	pcre2_code *code;
	uint32_t weight;	/* steps of what is between two callouts, at most */
	bool refers;
};

/* Steps that are left, and where in the text the last callout was. */
struct budget {
	const struct lh_regex *re;
	uint64_t *steps;
	size_t at;
};

static void *allocate(size_t n, void *ctx)
{

	(void)ctx;
	return lh_realloc(NULL, n, 1);
}

static void release(void *p, void *ctx)
{
	(void)ctx;
	free(p);
}

static int compile_fault(struct lh_translation *t, const char *pattern, size_t n, int code,
			 size_t at, struct lh_err *err)
{
	char why[200];

	if (code == PCRE2_ERROR_HEAP_FAILED)
		return lh_err_nomem(err);
	lh_buf_reset(&t->out);
	/* of a lookbehind it is where that begins, of others where they end */
	t->until = at + (code == PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH);
	if (lh_regex_translate(t, pattern, n, err) < 0)
		return -1;
	pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
	lh_err_set(err, LH_EDATA, "%s",
		   code == PCRE2_ERROR_PATTERN_TOO_LARGE ? "the pattern is too large"
		   : code == PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY ? "this property is not supported"
		   : code == PCRE2_ERROR_DUPLICATE_SUBPATTERN_NAME ? "two groups have this name"
		   : why);
	err->column = t->column;
	return -1;
}

static int compile(struct lh_regex *re, struct lh_translation *t, const char *pattern, size_t n,
		   struct lh_err *err)
{
	pcre2_general_context *memory = pcre2_general_context_create(allocate, release, NULL);
	pcre2_compile_context *how = memory ? pcre2_compile_context_create(memory) : NULL;
	uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_MATCH_UNSET_BACKREF;
	int code = PCRE2_ERROR_HEAP_FAILED;
	PCRE2_SIZE at = 0;
	size_t size = 0;

	if (!t->refers)
		options |= PCRE2_NO_AUTO_CAPTURE;
	if (how) {
		/* as \uD83D: no text has one */
		pcre2_set_compile_extra_options(how, PCRE2_EXTRA_ALLOW_SURROGATE_ESCAPES);
		re->code = pcre2_compile((PCRE2_SPTR)t->out.p, t->out.len,
					 options, &code, &at, how);
	}
	pcre2_compile_context_free(how);
	pcre2_general_context_free(memory);
	if (re->code)	/* a group of {0,9} is in it nine times */
		pcre2_pattern_info(re->code, PCRE2_INFO_SIZE, &size);
	re->weight = (uint32_t)(n + t->least + size / 16) / 16;
	re->refers = t->refers;
	return re->code ? 0 : compile_fault(t, pattern, n, code, at, err);
}

struct lh_regex *lh_regex_new(struct lh_str pattern, struct lh_err *err)
{
	struct lh_regex *re = lh_calloc(1, sizeof *re);
	struct lh_translation t = { 0 };
	LH_SCOPED(lh_free_local) char *text = lh_strndup(pattern.p, pattern.n);
	int rc = 0;

	err->column = 0;
	if (!rc && pattern.n > LONGEST)
		rc = lh_err_set(err, LH_EDATA, "the pattern is too large");
	if (!rc)
		rc = lh_regex_translate(&t, text, pattern.n, err);
	if (!rc)
		rc = compile(re, &t, text, pattern.n, err);
	if (rc < 0) {
		lh_regex_free(re);
		re = NULL;
	}
	lh_buf_free(&t.out);
	return re;
}

void lh_regex_free(struct lh_regex *re)
{
	if (re)
		pcre2_code_free(re->code);
	free(re);
}

static bool spend(uint64_t *steps, uint64_t n)
{
	if (*steps < n)
		return false;
	*steps -= n;
	return true;
}

static int on_callout(pcre2_callout_block *c, void *ctx)
{
	struct budget *b = ctx;
	size_t at = c->current_position;
	uint64_t cost = at > b->at ? at - b->at : b->at - at;
	uint32_t i;

	b->at = at;
	/* each back reference compares up to what its group has */
	for (i = 1; b->re->refers && i < c->capture_top; i++)
		if (c->offset_vector[2 * i] != PCRE2_UNSET)
			cost += 16 + c->offset_vector[2 * i + 1] - c->offset_vector[2 * i];
	return spend(b->steps, 1 + cost / 16 + b->re->weight) ? 0 : PCRE2_ERROR_CALLOUT;
}

static int make_run(struct lh_regex_run *run, struct lh_err *err)
{
	pcre2_general_context *memory;

	if (run->data && run->limits)
		return 0;
	memory = pcre2_general_context_create(allocate, release, NULL);
	if (memory && !run->data)
		run->data = pcre2_match_data_create(1, memory);
	if (memory && !run->limits)
		run->limits = pcre2_match_context_create(memory);
	pcre2_general_context_free(memory);
	if (!run->data || !run->limits)
		return lh_err_nomem(err);
	pcre2_set_heap_limit(run->limits, HEAP_KIB);
	return 0;
}

int lh_regex_search(const struct lh_regex *re, struct lh_regex_run *run, struct lh_str text,
		    uint64_t *steps, struct lh_err *err)
{
	struct budget b = { re, steps, 0 };
	int rc = PCRE2_ERROR_MATCHLIMIT;

	if (make_run(run, err) < 0)
		return -1;
	if (spend(steps, 1 + text.n / 16)) {
		pcre2_set_callout(run->limits, on_callout, &b);
		pcre2_set_match_limit(run->limits,
				      *steps < UINT32_MAX ? (uint32_t)*steps : UINT32_MAX);
		rc = pcre2_match(re->code, (PCRE2_SPTR)text.p, text.n, 0, PCRE2_NO_UTF_CHECK,
				 run->data, run->limits);
	}
	if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH)
		return rc >= 0;
	if (rc == PCRE2_ERROR_NOMEMORY)
		return lh_err_nomem(err);
	return lh_err_data(err, 413, rc == PCRE2_ERROR_HEAPLIMIT
			   ? "a pattern needs too much memory" : "the record needs too many steps");
}

void lh_regex_run_free(struct lh_regex_run *run)
{
	pcre2_match_data_free(run->data);
	pcre2_match_context_free(run->limits);
	*run = (struct lh_regex_run){ 0 };
}
