/*
 * verdict - judge the answer of a step by what the scenario expects of it.
 *
 * Errors: 0, or -1 with LH_EDATA and the reason in words: the run failed.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include "client.h"
#include "scenario.h"

struct judge {			/* memory for it; zeroed: empty */
	struct lh_record answer, operand;
	struct lh_buf text;
};

void judge_free(struct judge *j);

/* Judge an answer by step->status and step->expected.  *body is the JSON of it, until the
 * next call; it is set if the step expects or takes anything. */
int judge_answer(struct judge *j, const struct step *step, const struct answer *a,
		 const struct lh_value *variable, struct lh_value *body, struct lh_err *err);

/* Append the value that a take finds in the body to out; with [*] an array of them. */
int judge_take(const struct take *t, const struct lh_value *body, struct lh_buf *out,
	       struct lh_value *value, struct lh_err *err);

#endif
