/*
 * s3_xml - the XML that S3 answers: pages of a list, errors, uploads.
 *
 * The text is hostile: a DOCTYPE, and so every entity of its own, is refused, and depth,
 * lengths and numbers are limited.
 */
#ifndef LH_S3_XML_H
#define LH_S3_XML_H

#include "base/buf.h"

struct s3_entry {
	size_t key, n_key;	/* in text; a NUL follows */
	size_t etag;		/* in text; without quotes, ends with NUL */
	uint64_t size;
	int64_t modified;	/* milliseconds since 1970 */
};

struct s3_document {
	char root[64];		/* name of the outermost element */
	char code[64], message[256];	/* of an Error */
	char etag[128], upload_id[1024], token[2048];
	bool truncated;		/* a page: it says that more follow, in whichever member */
	struct lh_buf text;
	struct s3_entry *v;	/* the objects of a page, as they came */
	size_t n, cap;
};

/* Read a document: LH_ENET if it is none.  *d is emptied first; it is zeroed at its first
 * use. */
int lh_s3_document_read(struct s3_document *d, const char *p, size_t n, struct lh_err *err);
void lh_s3_document_free(struct s3_document *d);

#endif
