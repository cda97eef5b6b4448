/* validate_parts - what the kinds of artifact share, and the roster that is chosen. */
#ifndef LH_VALIDATE_PARTS_H
#define LH_VALIDATE_PARTS_H

#include "validate/roster.h"
#include "validate/rules.h"
#include "validate/validate.h"

/* ---- the first of several rosters that is there ---- */

/*
 *     struct lh_chosen_roster now = { NULL, NULL };
 *     if (lh_roster_choose(&choice, before, &now, jobs, err) == 0)
 *             ... now.roster, or NULL while there is none ...
 *     lh_roster_close(now.roster);
 *
 * A filter asks lh_roster_choice_stale before each block of records: another one may have come.
 */

struct lh_roster_choice {
	const char *const *path;
	size_t n;
	bool later;		/* wait for one that does not exist; else the first must */
};

struct lh_chosen_roster {
	const char *path;	/* of the choice; NULL: none is there */
	struct lh_roster *roster;
};

/* Return the path of the first that is there; NULL if there is none and that is accepted. */
const char *lh_roster_first(const struct lh_roster_choice *c);
/* Open it, or renew the one before; was: that before, or NULL. */
int lh_roster_choose(const struct lh_roster_choice *c, const struct lh_chosen_roster *was,
		     struct lh_chosen_roster *now, unsigned jobs, struct lh_err *err);
bool lh_roster_choice_stale(const struct lh_roster_choice *c, const struct lh_chosen_roster *is);

/* ---- what the kinds share ---- */

/*
 * A check returns 0 to continue, 1 if the verdict is reached, -1 on failure.  So a
 * kind is a sequence of checks, and the first result other than 0 ends it.
 */

/* The ids seen in one artifact, by their offset in it. */
struct lh_seen {
	struct lh_seen_slot {
		/* at: of the opening quote, from the artifact's start; 0: free */
		uint32_t hash, at;
	} *slot;
	size_t cap, mask;
	uint64_t seed;
};

struct lh_validator {
	struct lh_validate_how how;
	struct lh_seen seen;

	/* the artifact being checked */
	const struct lh_value *artifact, *context;	/* context: NULL for none */
	struct lh_verdict *out;
	struct lh_err *err;

	struct lh_buf text;	/* its strings, unescaped; never grows while it is read */
	struct lh_buf folded;	/* a text in lower case */
	struct lh_buf found;	/* strings of the worker found last */
	struct lh_buf scratch;	/* of the rule files */
	struct lh_buf field, message, findings;
};

/* The names of the kinds, then NULL. */
extern const char *const lh_kind_names[];

/* The kinds. */
int lh_validate_fill(struct lh_validator *v);
int lh_validate_message(struct lh_validator *v, bool sms);
int lh_validate_playbook(struct lh_validator *v);

/* In every fmt below %s is a const struct lh_str *, %u a uint64_t, %d an int64_t. */

/* Set the field of the next schema error or finding. */
void lh_val_at(struct lh_validator *v, const char *fmt, ...);

/* Set the verdict: an error of that kind.  Returns 1. */
int lh_val_error(struct lh_validator *v, enum lh_validation_error_kind kind, const char *fmt, ...);

/* Add a warning about the field set last. */
void lh_val_warn(struct lh_validator *v, const char *fmt, ...);

/* Return the text of the string val.  It is valid until v->text is truncated. */
void lh_val_str(struct lh_validator *v, const struct lh_value *val, struct lh_str *out);

/* Return a member of the artifact that must be a string that is not blank;
 * otherwise the verdict is the schema error that it is missing. */
int lh_val_need(struct lh_validator *v, const char *name, struct lh_str *out);

/* Return a member of the context; if it is absent, n = 0 and set is false. */
int lh_val_context_str(struct lh_validator *v, const char *name, struct lh_str *out);
int lh_val_context_count(struct lh_validator *v, bool *set, int64_t *out);

/* Find a worker in the roster: *found. */
int lh_val_worker(struct lh_validator *v, const struct lh_str *id, struct lh_worker *w,
		  bool *found);

/* Return whether both are equal without surrounding blanks and case. */
bool lh_val_same(const struct lh_str *a, const struct lh_str *b);
bool lh_val_blank(const struct lh_str *s);

/* Fold s to lower case, in v->folded. */
void lh_val_fold(struct lh_validator *v, const struct lh_str *s, struct lh_str *out);

/* Return whether both are the name of one person (text/spelling.h), or, in the original's forms,
 * equal without surrounding blanks and case. */
void lh_val_same_name(struct lh_validator *v, const struct lh_str *a, const struct lh_str *b,
		      bool *same);

/* Search a text for forbidden contents (validate_scan.c).  original: only ASCII hyphens and
 * single blanks, as the other runtimes do. */
bool lh_has_ssn(const char *p, size_t n, bool original);
bool lh_has_salary(const char *p, size_t n, bool original);

/* How long a text message is (artifacts.c). */
struct lh_sms {
	uint64_t units, parts;
	uint64_t one;		/* most units of one part */
	bool utf16;		/* else GSM 7-bit */
};

size_t lh_quantize_points(const char *p, size_t n);

/*
 * versions - by which roster and rules a verdict was given.
 *
 * The version of an index is its generation (index/index_tools.h), that of a file of lines its
 * SHA-256 in hex, and that of rules the SHA-256 of their files, one after the other in the order
 * of their names.
 */

#define LH_VERSION_MAX 72		/* bytes, with NUL */

/* Write the version; it is empty if the file was a pipe, or has changed since it was opened. */
int lh_roster_version(const struct lh_roster *r, char to[LH_VERSION_MAX], struct lh_err *err);
void lh_rules_version(const struct lh_rules *r, char to[LH_VERSION_MAX]);

/* By what verdicts are given, as it was read. */
struct lh_judged_by {
	struct lh_str roster;			/* its name; p NULL: none */
	char roster_version[LH_VERSION_MAX], rules_version[LH_VERSION_MAX];	/* or "" */
};
/* rules: or NULL. */
int lh_judged_by(struct lh_judged_by *by, const struct lh_chosen_roster *roster,
		 const struct lh_rules *rules, struct lh_err *err);

#endif
