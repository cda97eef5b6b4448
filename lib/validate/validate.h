/*
 * validate - check whether an artifact may be sent.
 *
 * An artifact is a document that a person or a model wants to send: a fill (which
 * workers go to a client), an email, an sms, or a playbook draft.  A validator checks it
 * against the rules of its kind, the roster and the rule files; the first error
 * ends the check, warnings are collected as findings.
 *
 *     struct lh_validate_how how = { .roster = roster };
 *     struct lh_validator *v = lh_validator_new(&how, err);
 *
 *     if (lh_validate(v, &kind, artifact, context, true, &verdict, err) == 0)
 *             lh_verdict_json(out, &verdict, elapsed_ms, false);
 *     lh_validator_free(v);
 *
 * Context: what the artifact is checked against: target_count, city, state, role and
 *          client_id for a fill, candidate_id for messages, target_count for a
 *          playbook draft.  A member that is absent, null or blank disables only its own
 *          rule; one that the kind does not use is ignored; one of the wrong type is
 *          a bad request.
 * Text:    comparisons ignore surrounding blanks (space, \t \n \v \f \r) and ASCII
 *          case, those of names what a reader does not see; messages print everything as
 *          it was given.  Lengths are counted in code points, that of a text message in
 *          the units of carriers.
 * Cost:    linear in the artifact; no allocation once the buffers have grown.
 * Owner:   how, the roster and the rules are borrowed and must outlive the validator;
 *          a verdict is valid until its validator's next call.
 * Threads: one thread per validator; roster and rules are shared.
 */
#ifndef LH_VALIDATE_H
#define LH_VALIDATE_H

#include "json/json.h"
#include "validate/roster.h"
#include "validate/rules.h"
#include "validate/validation_error.h"

enum lh_kind { LH_KIND_NONE = -1, LH_KIND_FILL, LH_KIND_EMAIL, LH_KIND_SMS, LH_KIND_PLAYBOOK };
#define LH_KINDS "fill|email|sms|playbook"

struct lh_validate_how {
	const struct lh_roster *roster;	/* NULL: no worker exists, or see below */
	const struct lh_rules *rules;	/* or NULL */
	/* The forms, names and lengths of the other runtimes: lh-validate(1), --wire. */
	bool original;
	bool sms_chars;		/* a text message is measured in code points, as there */
	/* There is no roster yet: what needs one is LH_EDATA with 503, no verdict. */
	bool roster_missing;
	/* Without a roster, what needs one is LH_EUSAGE. */
	bool roster_needed;
	/* Called for every search in the roster, with the id as in the roster, or
	 * as given if the roster has none; or NULL.  Threads share ctx. */
	void (*looked_up)(void *ctx, const char *candidate_id, size_t n, bool found);
	void *ctx;
};

struct lh_verdict {
	int status;		/* 200, 422, 400 */
	struct lh_validation_error error;	/* of 422 */
	struct lh_str message;	/* of 400 */
	struct lh_str findings;	/* of 200: a JSON array */
};

/* Return the kind of that name, or LH_KIND_NONE; return the name of a kind. */
enum lh_kind lh_kind_read(const char *p, size_t n);
const char *lh_kind_name(enum lh_kind kind);

struct lh_validator;
struct lh_validator *lh_validator_new(const struct lh_validate_how *how);
void lh_validator_free(struct lh_validator *v);

/*
 * Check one artifact, a checked value without duplicate keys.  Every fault of the
 * request is a verdict: an unknown kind, an artifact that is NULL or not an object,
 * and a bad context are status 400.  Without a context (NULL or null) the
 * artifact's own _context is used if own_context is set, which it should not be for
 * an artifact written by a model.  Returns 0, or -1 if no verdict was reached: out
 * of memory, a damaged roster.
 */
int lh_validate(struct lh_validator *v, const struct lh_str *kind,
		const struct lh_value *artifact, const struct lh_value *context,
		bool own_context, struct lh_verdict *out, struct lh_err *err);

/* Append {"status":200,"report":{"findings":[],"elapsed_ms":0}},
 * {"status":422,"error":{...}} or {"status":400,"error":{"message":...}}; wire:
 * only the report or the error. */
void lh_verdict_json(struct lh_buf *out, const struct lh_verdict *d, uint64_t elapsed_ms,
		     bool wire);

#endif
