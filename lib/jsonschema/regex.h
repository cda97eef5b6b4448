/*
 * regex - regular expressions of ECMA-262, to find whether a text contains a match.
 *
 *     re = lh_regex_new(lh_str_of("^[A-Z]{2}-\\d+$"), err);
 *     found = lh_regex_search(re, &run, text, &steps, err);      1, 0, or -1
 *     lh_regex_free(re);
 *     lh_regex_run_free(&run);
 *
 * PCRE2 matches; regex_translate.c reads the pattern by the grammar of ECMA-262 with the flag u
 * and writes it in the syntax of PCRE2.  Where u permits a backslash before syntax characters
 * alone, it is permitted before all ASCII punctuation.  lh-validate(1) lists what else differs.
 *
 * How:     PCRE2 backtracks, so the pattern gets callouts ("(?C)") at its start and that of
 *          lookaheads, at alternatives and after repetitions.  A callout counts a step, one for
 *          each 16 bytes that the text was passed over since the callout before, and some for a
 *          long pattern; it ends the match when none is left.
 *          No JIT: its code is not counted in the same way, and needs a stack of its own.
 * Owner:   the caller; the pattern is not kept.
 * Memory:  up to 64 MiB a run, kept for the next search.
 * Threads: any number may search with one expression, each with a run of its own.
 */
#ifndef LH_REGEX_H
#define LH_REGEX_H

#include <lh/buf.h>
#include <lh/str.h>

struct lh_regex;

/* Memory of one thread, for any number of expressions; empty when zeroed. */
struct lh_regex_run {
	struct pcre2_real_match_data_8 *data;
	struct pcre2_real_match_context_8 *limits;
};

/* Compile; NULL with LH_EDATA and err->column the byte of the fault in the pattern, from 1. */
struct lh_regex *lh_regex_new(struct lh_str pattern, struct lh_err *err);
void lh_regex_free(struct lh_regex *re);

/* Return 1 if the text, valid UTF-8, contains a match, or 0; -1 with LH_EDATA if
 * more than *steps steps are needed, or too much memory.  *steps becomes those that are left. */
int lh_regex_search(const struct lh_regex *re, struct lh_regex_run *run, struct lh_str text,
		    uint64_t *steps, struct lh_err *err);
void lh_regex_run_free(struct lh_regex_run *run);

#endif
