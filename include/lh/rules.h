/*
 * rules - what a house forbids beyond the built-in checks: rule files.
 *
 * A folder of *.json, read in the byte order of their names (names that begin
 * with a dot are passed over), each
 *
 *     {"rules":[{"id":"no-cash","task_class":"staffing.email",
 *                "description":"payment is by transfer",
 *                "condition":{"type":"FieldContainsAny","field":"body","needles":["cash"]},
 *                "action":{"type":"Block","message":"cash is not offered"}}]}
 *
 *     condition         needs             holds when the field
 *     Always            -                 (always)
 *     FieldEquals       field, value      is there and is that JSON value
 *     FieldMismatch     field, value      is there and is another
 *     FieldEmpty        field             is missing, null, "", [] or {}
 *     FieldGreater      field, threshold  is a number above it
 *     FieldContainsAny  field, needles    is a string that has one of them in it, or an
 *                                         array with such a string; ASCII case folded
 *
 *     action            needs             does
 *     Pass              -                 nothing
 *     Reject, Block     message           ends the validation
 *     Redact            fields            warns
 *
 * A field is a path of names joined by dots, from the artifact down.  "_context"
 * is the context in effect, whatever the artifact holds under that name.  In an
 * array a part is an index from 0 ("fills.0.name"); no path leads to a name with
 * a dot in it.  task_class staffing.fill, staffing.email (with sms) or
 * staffing.any, which alone covers playbooks.
 *
 * Everything needed is checked when the rules are loaded, and a message names
 * file and rule; description is optional; members that a type does not use,
 * and unknown ones, are passed over.  No file: no rules.
 *
 * Owner:   lh_rules_open returns what lh_rules_free takes; a hit's strings live
 *          as long as the rules.
 * Threads: rules never change once they are open; any number may run them.
 */
#ifndef LH_RULES_H
#define LH_RULES_H

#include <lh/json.h>

LH_C_BEGIN

#define LH_RULES_FILE_MAX (16 << 20)	/* bytes of one file */

struct lh_rules;
LH_API struct lh_rules *lh_rules_open(const char *dir, struct lh_err *err);
LH_API void lh_rules_free(struct lh_rules *r);
/* Did the folder or one of its files change since, or go? */
LH_API bool lh_rules_stale(const struct lh_rules *r);
/* What is there by now, or NULL with *err: r itself, to be freed once more, if
 * nothing changed.  r stays. */
LH_API struct lh_rules *lh_rules_renew(struct lh_rules *r, struct lh_err *err);

/* What is validated: email stands for sms as well, other for a playbook. */
enum lh_task { LH_TASK_FILL = 1, LH_TASK_EMAIL = 2, LH_TASK_OTHER = 4 };

enum lh_rule_act { LH_RULE_PASS, LH_RULE_REJECT, LH_RULE_REDACT, LH_RULE_BLOCK };
struct lh_rule_hit {		/* a rule whose condition holds */
	enum lh_rule_act action;	/* never LH_RULE_PASS */
	struct lh_str id;
	struct lh_str message;	/* Redact: "redact: a, b" */
	struct lh_str field;	/* Redact: the first field */
};

/*
 * Try the rules in order.  context is the one in effect, or NULL.  act is
 * called for each rule that holds and does something; what it returns, if not
 * 0, ends the run and is returned (so -1 with *err for a failure).  0 when all
 * were tried, -1 when memory is out.  *scratch is used behind its end and left
 * as long as it was.
 */
typedef int lh_rule_fn(void *ctx, const struct lh_rule_hit *hit, struct lh_err *err);
LH_API int lh_rules_run(const struct lh_rules *r, enum lh_task task, const struct lh_value *artifact,
			const struct lh_value *context, struct lh_buf *scratch, lh_rule_fn *act, void *ctx, struct lh_err *err);

LH_C_END

#endif
