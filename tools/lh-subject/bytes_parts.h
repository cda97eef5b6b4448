/* bytes_parts.h - what the parts of bytes.h share. */
#ifndef BYTES_PARTS_H
#define BYTES_PARTS_H

#include "base/table.h"
#include "bytes.h"

/* ---- bytes_decode.c ---- */

/* How bytes are encoded.  What is decoded is pieces: the runs of base64 of BYTE_RUN characters or
 * more, each from character `shift` on, or what is around escapes, `reach` bytes before and after.
 * What is nowhere near an escape is not decoded, since it is found as it is. */
#define BYTE_RUN 12
#define BYTE_EDGE 8		/* bytes of a piece in which no text begins that has an escape */
enum byte_kind { BYTE_RAW, BYTE_JSON, BYTE_PERCENT, BYTE_BASE64, BYTE_KINDS };
struct byte_form {
	enum byte_kind kind;
	size_t shift, reach;
};

/* Decode p[0..n) into to, which has n bytes, and return the length. */
size_t byte_decode(const struct byte_form *f, const unsigned char *p, size_t n, unsigned char *to);

/* Return where in p[0..n) byte `at` of the decoded text begins.  *c begins as zeros; the next call
 * goes on from it, if it asks for a later byte.  Hits before c->edge are to be dropped. */
struct byte_cursor {
	size_t in, out;
	size_t until;		/* where the piece ends, as far as is known; 0: between two */
	size_t edge;
};
size_t byte_undecoded(const struct byte_form *f, const unsigned char *p, size_t n, size_t at,
		      struct byte_cursor *c);

/* Decode the base64 characters at p, at most n, up to one that is none: the number of bytes. */
size_t byte_decode_base64(const unsigned char *p, size_t n, unsigned char *to);

/* Return the value of a base64 character of either alphabet, 64 for any other. */
extern const unsigned char byte_base64_value[256];

/* ---- bytes_match.c ---- */

struct byte_pattern {
	size_t text;		/* a target */
	bool base64;
	unsigned shift;		/* base64: bytes before the text in its group of three */
	size_t n;		/* characters */
	unsigned char *value, *free;	/* of each: bits, and those that may differ */
};

struct byte_matcher {
	struct byte_target {
		struct lh_str text;	/* folded, if fold */
		size_t number;		/* of the caller's text */
		bool fold;
		char digits[32];	/* of a telephone number, else "" */
	} *target;
	size_t n;
	struct byte_pattern *pattern;
	size_t n_patterns, cap;
	struct lh_buf bytes;		/* of the texts */
	size_t shortest;		/* characters of each pattern that the table has */
	unsigned char *shift;		/* of each pair of bytes: how far no pattern can end */
	uint64_t *which;		/* of each pair with shift 0: the patterns, modulo 64 */
	size_t longest;			/* bytes of a text */
	struct lh_map hashes;		/* with byte_search_hashes: of texts, ... */
	size_t *length;			/* ... and their different lengths */
	size_t n_lengths;
};

int byte_matcher_make(struct byte_matcher *m, const struct byte_text *text, size_t n,
		      struct lh_err *err);
void byte_matcher_free(struct byte_matcher *m);

/* Call fn for each text in p[0..n) that begins at `from` or after it: its number, the offset,
 * whether it is in base64. */
typedef void byte_found_fn(void *ctx, size_t text, size_t at, bool base64);
void byte_match(const struct byte_matcher *m, const unsigned char *p, size_t n, byte_found_fn *fn,
		void *ctx);

#endif
