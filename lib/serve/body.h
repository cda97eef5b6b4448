/* body - the bodies of requests and answers: as lines for and from a filter, and the file in
 * a form. */
#ifndef LH_BODY_H
#define LH_BODY_H

#include "base/buf.h"
#include "json/json.h"
#include "base/str.h"

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
 * Errors:  LH_EDATA (400 for a body).
 * Threads: any number.
 */

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

/* Read the parsed line of a filter. */
void lh_answer_read(const struct lh_record *rec, bool own_status, struct lh_answer *a);
void lh_answer_free(struct lh_answer *a);

/* Append {"error":"message"}. */
void lh_answer_error(struct lh_buf *out, const char *message);

/*
 * multipart - the file in a form: one field of a multipart/form-data body (RFC 7578), which
 * arrives in pieces.
 *
 *     m = lh_multipart_new(content_type, "file", take, context, err);
 *     rc = lh_multipart_more(m, p, n, err);          for each piece of the body
 *     rc = lh_multipart_end(m, err);                 after the last one
 *     lh_multipart_free(m);
 *
 * The bytes of the field go to take as they come; at most a few kilobytes are kept, whatever
 * the body is: a header block has at most LH_MULTIPART_HEADER bytes, a boundary 70.  Other
 * fields, and what is before the first boundary or after the last, are skipped.  Lines end
 * with CR LF.  Encodings of parts (Content-Transfer-Encoding), which no form has, are not
 * decoded.
 *
 * Errors:  LH_EDATA (400): no boundary, a header that is wrong or too long, no such field or
 *          two of them, a body that ends in the middle; what take returns.
 * Threads: one thread per struct.
 */

#define LH_MULTIPART_HEADER 8192

struct lh_multipart;

/* Return whether a Content-Type is that of a form. */
bool lh_is_multipart(const char *content_type);

/* content_type: the value of the header; field: borrowed. */
struct lh_multipart *lh_multipart_new(const char *content_type, const char *field,
				      int (*take)(void *ctx, const char *p, size_t n,
						  struct lh_err *err),
				      void *ctx, struct lh_err *err);
int lh_multipart_more(struct lh_multipart *m, const char *p, size_t n, struct lh_err *err);
int lh_multipart_end(struct lh_multipart *m, struct lh_err *err);
/* Return the file name of the field, as the client gave it; n = 0 if it gave none.  Valid
 * until the struct is freed. */
struct lh_str lh_multipart_filename(const struct lh_multipart *m);
void lh_multipart_free(struct lh_multipart *m);

#endif
