/*
 * regex - regular expressions of ECMA-262, to find whether a text contains a match.
 *
 *     re = lh_regex_new(lh_str_of("^[A-Z]{2}-\\d+$"), err);
 *     found = lh_regex_search(re, &run, text, &steps, err);      1, 0, or -1
 *     lh_regex_free(re);
 *     lh_regex_run_free(&run);
 *
 * As with the flag u: the unit is the code point, and \p{...} knows the general categories.
 * Where u permits a backslash before syntax characters alone, it is permitted before all
 * ASCII punctuation.  Supported are assertions in both directions, but no back references, no
 * flags within the pattern, and of \p{...} no scripts.
 *
 * The time is proportional to the length of the text times that of the pattern, whatever they
 * are: all alternatives are followed at once, and nothing is tried twice.
 *
 * Owner:   the caller; the pattern is not kept.
 * Memory:  for each assertion of the pattern a bit per byte of the text, while it is matched.
 * Threads: any number may search with one expression, each with a run of its own.
 */
#ifndef LH_REGEX_H
#define LH_REGEX_H

#include <lh/buf.h>
#include <lh/str.h>

struct lh_regex;

/* Memory of one thread, for any number of expressions; empty when zeroed. */
struct lh_regex_run {
	uint32_t *word;		/* four arrays, each of `cap` numbers */
	size_t cap;
	uint32_t turn;		/* marks of this turn are valid */
	struct lh_buf look;	/* where the assertions hold */
};

/* Compile; NULL with LH_EDATA and err->column the byte of the fault in the pattern, from 1. */
struct lh_regex *lh_regex_new(struct lh_str pattern, struct lh_err *err);
void lh_regex_free(struct lh_regex *re);

/* Return 1 if the text, valid UTF-8, contains a match, or 0; -1 with LH_ENOMEM, or LH_EDATA if
 * more than *steps steps are needed.  *steps becomes those that are left. */
int lh_regex_search(const struct lh_regex *re, struct lh_regex_run *run, struct lh_str text,
		    uint64_t *steps, struct lh_err *err);
void lh_regex_run_free(struct lh_regex_run *run);

#endif
