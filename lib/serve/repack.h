/*
 * repack - the body of a request as the line for a filter, and the line of a filter as the
 * body of an answer.
 *
 *     lh_repack(&body, members, &line, err)
 *             {"k": 5,                        {"k":5,"query":"a b","op":"search"}
 *              "query": "a b"}
 *
 *     lh_answer_read(&line, &answer, err)
 *             {"message":"no such id","status":404}      404  {"error":"no such id"}
 *
 * The white space between the tokens of the body is removed; strings and numbers keep every
 * byte.  members (JSON text without braces) are added at the end; one that the body has
 * already is an error, also if both are equal.
 *
 * An answer is one JSON object.  Its status is that of the member "error", if that is an
 * object with a "code" (what --on-error emit writes); else that of a "status" (or "code"),
 * a whole number from 200 to 599, which is then removed; else 200.  A body that is an error
 * becomes {"error":"message"}: the message of the error object, or the "message" that is the
 * only other member.  A filter that passes a record on may give back a "status" or "code" of
 * the client's own: with own_status it counts only as the last member, where a filter writes
 * its own, so that a client can neither set nor hide the status of a filter that is ours.
 *
 * Errors:  LH_EDATA (400 for a body), LH_ENOMEM.
 * Threads: any number.
 */
#ifndef LH_REPACK_H
#define LH_REPACK_H

#include <lh/json.h>

/* Append the line, without LF.  body is parsed, or NULL for a request without one. */
int lh_repack(const struct lh_record *body, struct lh_str members, struct lh_buf *line,
	      struct lh_err *err);

struct lh_answer {
	unsigned status;
	struct lh_str body;	/* points into the line, or to text */
	struct lh_buf text;
};

/* Return whether the body has a "status" or a "code" of its own. */
bool lh_body_has_status(const struct lh_record *body);

/* Read the parsed line of a filter.  Fails only with LH_ENOMEM. */
int lh_answer_read(const struct lh_record *rec, bool own_status, struct lh_answer *a,
		   struct lh_err *err);
void lh_answer_free(struct lh_answer *a);

/* Append {"error":"message"}. */
void lh_answer_error(struct lh_buf *out, const char *message);

#endif
