/*
 * repack - the body of a request as the line for a filter, and the line of a filter as the
 * body of an answer.
 *
 *     lh_repack(&rec, body, members, &line, err)
 *             {"k": 5,                        {"k":5,"query":"a b","op":"search"}
 *              "query": "a b"}
 *
 *     lh_answer_read(&rec, line, n, &answer, err)
 *             {"message":"no such id","status":404}      404  {"error":"no such id"}
 *
 * The white space between the tokens of the body is removed; strings and numbers keep every
 * byte.  members (JSON text without braces) are added at the end; one that the body has
 * already is an error, also if both are equal.  An empty body is an error, unless `empty`.
 *
 * An answer is one JSON object.  Its status is that of the member "error", if that is an
 * object with a "code" (what --on-error emit writes); else that of a "status" (or "code"),
 * a whole number from 200 to 599, which is then removed; else 200.  A body that is an error
 * becomes {"error":"message"}: the message of the error object, or the "message" that is the
 * only other member beside the status.
 *
 * Errors:  LH_EDATA (400 for a body), LH_ENOMEM.
 * Threads: one thread per record.
 */
#ifndef LH_REPACK_H
#define LH_REPACK_H

#include <lh/json.h>

/* Append a checked JSON text without the white space between its tokens. */
void lh_repack_text(struct lh_buf *out, const char *p, size_t n);

/* Append the line, without LF.  body needs LH_PAD readable bytes after it. */
int lh_repack(struct lh_record *rec, struct lh_str body, struct lh_str members, bool empty,
	      struct lh_buf *line, struct lh_err *err);

struct lh_answer {
	unsigned status;
	struct lh_str body;	/* points into the line, or to text */
	struct lh_buf text;
};

/* Read the line of a filter; -1 if it is not a JSON object. */
int lh_answer_read(struct lh_record *rec, const char *line, size_t n, struct lh_answer *a,
		   struct lh_err *err);
void lh_answer_free(struct lh_answer *a);

/* Append {"error":"message"}. */
void lh_answer_error(struct lh_buf *out, const char *message);

#endif
