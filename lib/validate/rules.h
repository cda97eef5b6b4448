/*
 * rules - rule files: what an organisation forbids in addition to the built-in
 * checks.
 *
 * A folder of *.json, read in byte order of their names (names that begin with a
 * dot are skipped), each
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
 *     FieldContainsAny  field, needles    is a string with one of them in it, or an array
 *                                         with such a string; without ASCII case
 *
 *     action            needs             does
 *     Pass              -                 nothing
 *     Reject, Block     message           ends the validation
 *     Redact            fields            warns
 *
 * A field is a path of names joined by dots, starting at the artifact.  "_context"
 * is the context in effect, whatever the artifact has under that name.  In an array
 * a part is an index from 0 ("fills.0.name"); no path leads to a name with a dot in
 * it.  task_class is staffing.fill, staffing.email (with sms) or staffing.any,
 * which is the only one that covers playbook drafts.
 *
 * Everything required is checked when the rules are loaded, and a message names
 * file and rule; description is optional; members that a type does not use, and
 * unknown ones, are ignored.  A folder without files has no rules.
 *
 * Owner:   lh_rules_free frees what lh_rules_open returns; the strings of a hit live as
 *          long as the rules.
 * Threads: rules never change once they are open; any number may run them.
 */
#ifndef LH_RULES_H
#define LH_RULES_H

#include "json/json.h"

#define LH_RULES_FILE_MAX (16 << 20)	/* bytes of one file */

struct lh_rules;
struct lh_rules *lh_rules_open(const char *dir, struct lh_err *err);
void lh_rules_free(struct lh_rules *r);
/* Return whether the folder or one of its files has changed or is gone. */
bool lh_rules_stale(const struct lh_rules *r);
/* Open the rules again if their files changed; NULL with *err.  Without a change it
 * returns r itself, which must then be freed once more.  r stays valid. */
struct lh_rules *lh_rules_renew(struct lh_rules *r, struct lh_err *err);

/* What is validated: email includes sms, other is a playbook draft. */
enum lh_task { LH_TASK_FILL = 1, LH_TASK_EMAIL = 2, LH_TASK_OTHER = 4 };

enum lh_rule_act { LH_RULE_PASS, LH_RULE_REJECT, LH_RULE_REDACT, LH_RULE_BLOCK };
struct lh_rule_hit {		/* a rule whose condition holds */
	enum lh_rule_act action;	/* never LH_RULE_PASS */
	struct lh_str id;
	struct lh_str message;	/* Redact: "redact: a, b" */
	struct lh_str field;	/* Redact: the first field */
};

/*
 * Try the rules in order.  context is the one in effect, or NULL.  act is called
 * for each rule that holds and has an action other than Pass; a result other than 0
 * ends the run and is returned (so -1 with *err for a failure).  Returns 0 if all
 * were tried.  *scratch is used after its end, and its length
 * is restored.
 */
typedef int lh_rule_fn(void *ctx, const struct lh_rule_hit *hit, struct lh_err *err);
int lh_rules_run(const struct lh_rules *r, enum lh_task task,
		 const struct lh_value *artifact, const struct lh_value *context,
		 struct lh_buf *scratch, lh_rule_fn *act, void *ctx, struct lh_err *err);

#endif
