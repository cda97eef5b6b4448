/*
 * staffing - sentences of demand for workers: extract the role, compare two roles, and
 * write such a sentence.
 *
 * Coordinators write demand in four styles.  Three mark where the role ends:
 *
 *     need          Need 3 Forklift Operators in Gary IN starting at 06:00 for Beacon Freight
 *     client_first  Beacon Freight needs 3 Forklift Operators in Gary IN starting at 06:00
 *     looking       Looking for 3 Forklift Operators at Beacon Freight in Gary IN for a 06:00 start
 *     shorthand     3 Forklift Operator Gary IN 06:00 Beacon Freight
 *
 * Shorthand ("1 CNC Operator Detroit MI 17:30 Beacon Freight", "2x forklift aurora") does not
 * mark where the role ends and the city begins, so only what a vocabulary has is found in it.
 * Other texts have no role.  The fixed words are recognized in any ASCII case, and the
 * count is digits.  A role gets an s from two workers on, but not in shorthand.
 */
#ifndef LH_STAFFING_H
#define LH_STAFFING_H

#include "json/json.h"

#include "base/table.h"

/* ---- roles ---- */

/* Append the role in the singular, spelled as in the text, and return whether the wording marks
 * one. */
bool lh_role_extract(const char *text, size_t n, struct lh_buf *out);

/* Return whether two roles are equal without ASCII case, surrounding blanks and the
 * plural of the last word ("Welders", "Secretaries", "Coaches"). */
bool lh_role_same(const char *a, size_t an, const char *b, size_t bn);

/* Write what equal roles have in common, at most n + 1 bytes; return its length. */
size_t lh_role_key(const char *p, size_t n, char *to);

/* ---- roles and places that records have ---- */

enum lh_sought_part { LH_SOUGHT_ROLE, LH_SOUGHT_CITY, LH_SOUGHT_STATE, LH_SOUGHT_LISTS };

/* Zeroed it is empty: texts, and by the same numbers what lh_role_key makes of them. */
struct lh_vocabulary {
	struct lh_known_texts {
		struct lh_intern text, key;
	} list[LH_SOUGHT_LISTS];
};
/* Add the values of role, city and state of a record's metadata, up to 1,000, 20,000, 1,000. */
void lh_vocabulary_learn(struct lh_vocabulary *v, const struct lh_value *meta,
			 struct lh_buf *scratch);
/* Find a role, a city and a state of any of n vocabularies among the first 32 words of a text, the
 * longest first, so that a role in the name of a city, or a city in that of a role, is none; p is
 * NULL for what is not there.  If there is no role, the words after a count ("2x") stand for the
 * only role that begins or ends with them; append to why the reason if they do not.  A state of two
 * or three letters may be another word ("in"): it must be spelled as learned, or follow a city. */
void lh_vocabulary_find(const struct lh_vocabulary *const *v, size_t n, struct lh_str text,
			struct lh_str found[LH_SOUGHT_LISTS], struct lh_buf *why);
void lh_vocabulary_free(struct lh_vocabulary *v);

/* ---- demand ---- */

enum lh_job_order_style { LH_JOB_ORDER_NEED, LH_JOB_ORDER_CLIENT_FIRST, LH_JOB_ORDER_LOOKING,
			  LH_JOB_ORDER_SHORTHAND, LH_JOB_ORDER_STYLES };

struct lh_job_order {
	struct lh_str role, city, state, client, at;
	uint64_t count;
};

const char *lh_job_order_style_name(enum lh_job_order_style style);

/* Append the sentence, with the texts as they are. */
void lh_job_order_put(struct lh_buf *out, enum lh_job_order_style style,
		      const struct lh_job_order *d);

#endif
