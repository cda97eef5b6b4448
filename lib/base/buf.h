/*
 * buf - a growing array of bytes with a maximum size.
 *
 * Appending returns nothing, and does not fail for want of memory (base/mem.h).  A buffer with a
 * maximum, for input from outside, that would get larger notes it and ignores everything appended
 * later; the caller checks once, at the end, with lh_buf_check.
 *
 *     LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
 *
 *     lh_buf_puts(&b, "{\"id\":");
 *     lh_buf_json(&b, id, id_len);
 *     lh_buf_putc(&b, '}');
 *
 * Owner:   the caller owns the struct, the buffer its bytes; p is valid until the next append.
 * Padding: LH_PAD readable bytes follow the last one.
 * Threads: one thread per struct.
 */
#ifndef LH_BUF_H
#define LH_BUF_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

#define LH_PAD 64		/* parsers may read this far past the end */

struct lh_buf {
	char *p;
	size_t len, cap;
	size_t max;		/* bytes; 0: no maximum */
	enum lh_code failed;	/* LH_OK, or LH_EDATA past max */
};

/* Start an empty buffer that fails past max bytes, for input from outside.  A zeroed
 * struct is an empty buffer without a maximum. */
void lh_buf_init(struct lh_buf *b, size_t max);
void lh_buf_free(struct lh_buf *b);

/* Empty the buffer and clear its failure; the memory is kept. */
void lh_buf_reset(struct lh_buf *b);

/* Make room for n more bytes: 0, or -1 past max, with the buffer failed. */
int lh_buf_grow(struct lh_buf *b, size_t n);

/* Return 0 if all that was appended is there, or -1 with LH_EDATA: it is longer than max. */
int lh_buf_check(const struct lh_buf *b, struct lh_err *err);

/* Return at least n writable bytes at the end, or NULL past max; report those used with
 * lh_buf_took. */
static inline char *lh_buf_room(struct lh_buf *b, size_t n)
{
	if (__builtin_expect(b->failed || b->cap - b->len < n, 0) && lh_buf_grow(b, n) < 0)
		return NULL;
	return b->p + b->len;
}

static inline void lh_buf_took(struct lh_buf *b, size_t n)
{
	b->len += n;
}

static inline void lh_buf_add(struct lh_buf *b, const void *p, size_t n)
{
	char *to = n ? lh_buf_room(b, n) : NULL;

	if (to) {
		memcpy(to, p, n);
		b->len += n;
	}
}

static inline void lh_buf_putc(struct lh_buf *b, char c)
{
	char *to = lh_buf_room(b, 1);

	if (to) {
		*to = c;
		b->len++;
	}
}

static inline void lh_buf_puts(struct lh_buf *b, const char *s)
{
	lh_buf_add(b, s, strlen(s));
}

void lh_buf_printf(struct lh_buf *b, const char *fmt, ...) LH_PRINTF(2, 3);

/* Append v in decimal. */
void lh_buf_u64(struct lh_buf *b, uint64_t v);

/* Append s, which is valid UTF-8, as a JSON string with its quotes and as few
 * escapes as JSON allows: " \ and controls (\b \f \n \r \t, else \u00xx). */
void lh_buf_json(struct lh_buf *b, const char *s, size_t n);

#endif
