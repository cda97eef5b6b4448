/*
 * validate_parts - what the kinds of artifact share.  Private to liblh.
 *
 * A check returns 0 to go on, 1 when the verdict is there, -1 when none can be
 * found.  So a kind is a chain of checks, and the first that is not 0 ends it.
 */
#ifndef LH_VALIDATE_PARTS_H
#define LH_VALIDATE_PARTS_H

#include <lh/validate.h>

/* Ids seen so far in one artifact, by where they stand in it. */
struct lh_seen {
	struct lh_seen_slot {
		uint32_t hash, at;	/* the opening quote, from the artifact's start; 0: free */
	} *slot;
	size_t cap, mask;
	uint64_t seed;
};

struct lh_validator {
	struct lh_validate_how how;
	struct lh_seen seen;

	/* the artifact at hand */
	const struct lh_value *artifact, *context;	/* context: NULL for none */
	struct lh_verdict *out;
	struct lh_err *err;

	struct lh_buf text;	/* its strings, unescaped; never grows while it is read */
	struct lh_buf folded;	/* a text in lower case */
	struct lh_buf found;	/* strings of the worker found last */
	struct lh_buf scratch;	/* of the rule files */
	struct lh_buf field, message, findings;
};

/* The names of the kinds, and NULL. */
extern const char *const lh_kind_names[];

/* The kinds. */
int lh_validate_fill(struct lh_validator *v);
int lh_validate_message(struct lh_validator *v, bool sms);
int lh_validate_playbook(struct lh_validator *v);

/* In every fmt %s is a const struct lh_str *, %u a uint64_t, %d an int64_t. */

/* Where what is said next belongs: the field of a schema error or a finding. */
void lh_val_at(struct lh_validator *v, const char *fmt, ...);

/* Verdicts: an error of that kind, a bad request.  They return 1. */
int lh_val_error(struct lh_validator *v, enum lh_validation_error_kind kind, const char *fmt, ...);
int lh_val_refuse(struct lh_validator *v, const char *fmt, ...);

/* A warning about the field set last. */
void lh_val_warn(struct lh_validator *v, const char *fmt, ...);

/* The string that val is.  It stays until v->text is cut back. */
int lh_val_str(struct lh_validator *v, const struct lh_value *val, struct lh_str *out);

/* A member of the artifact that must be a string that is not blank: otherwise
 * the schema error that it is missing. */
int lh_val_need(struct lh_validator *v, const char *name, struct lh_str *out);

/* A member of the context; n = 0, and set false, when it is absent. */
int lh_val_context_str(struct lh_validator *v, const char *name, struct lh_str *out);
int lh_val_context_count(struct lh_validator *v, bool *set, int64_t *out);

/* Look a worker up: *found. */
int lh_val_worker(struct lh_validator *v, const struct lh_str *id, struct lh_worker *w, bool *found);

/* Do both say the same, but for blanks around and case? */
bool lh_val_same(const struct lh_str *a, const struct lh_str *b);
bool lh_val_blank(const struct lh_str *s);

/* s in lower case, in v->folded. */
int lh_val_fold(struct lh_validator *v, const struct lh_str *s, struct lh_str *out);

/* validate_scan.c: what must not be in a text. */
bool lh_has_ssn(const char *p, size_t n);
bool lh_has_salary(const char *p, size_t n);
size_t lh_quantize_points(const char *p, size_t n);

#endif
