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
 *          two of them, a body that ends in the middle; what take returns; LH_ENOMEM.
 * Threads: one thread per struct.
 */
#ifndef LH_MULTIPART_H
#define LH_MULTIPART_H

#include <lh/buf.h>
#include <lh/str.h>

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
