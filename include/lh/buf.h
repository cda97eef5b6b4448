/*
 * buf - a growing run of bytes that is born with a maximum.
 *
 * Appending never reports: a buffer that could not grow remembers why and
 * ignores what follows, and the caller asks once, at the end, with
 * lh_buf_check.  So building text stays one statement a piece.
 *
 *     lh_buf_init(&b, LH_BUF_NOMAX);
 *     lh_buf_puts(&b, "{\"id\":");
 *     lh_buf_json(&b, id, id_len);
 *     lh_buf_putc(&b, '}');
 *     if (lh_buf_check(&b, err) < 0) ...
 *     lh_buf_free(&b);
 *
 * Owner: the struct is the caller's, the bytes are the buffer's; p is valid
 *        until the next append.  LH_PAD readable bytes follow the last one.
 */
#ifndef LH_BUF_H
#define LH_BUF_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <lh/err.h>

LH_C_BEGIN

#define LH_PAD 64		/* scanners may read this far past the end */
#define LH_BUF_NOMAX (SIZE_MAX / 4)

struct lh_buf {
	char *p;
	size_t len, cap, max;
	enum lh_code failed;	/* LH_OK, LH_ENOMEM, or LH_EDATA past max */
};

LH_API void lh_buf_init(struct lh_buf *b, size_t max);
LH_API void lh_buf_free(struct lh_buf *b);

/* Empty it and forget a failure; the memory stays. */
LH_API void lh_buf_reset(struct lh_buf *b);

/* Make room for n more bytes: 0, or -1 and the buffer has failed. */
LH_API int lh_buf_grow(struct lh_buf *b, size_t n);

/* 0 when every append went in; else -1 with the reason. */
LH_API int lh_buf_check(const struct lh_buf *b, struct lh_err *err);

/* At least n writable bytes at the end, or NULL; then set with lh_buf_took. */
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

LH_API void lh_buf_printf(struct lh_buf *b, const char *fmt, ...) LH_PRINTF(2, 3);

/* Unsigned decimal. */
LH_API void lh_buf_u64(struct lh_buf *b, uint64_t v);

/* s as a JSON string with its quotes; s is valid UTF-8 and escaped as little
 * as JSON allows: " \ and controls (\b \f \n \r \t, else \u00xx). */
LH_API void lh_buf_json(struct lh_buf *b, const char *s, size_t n);

LH_C_END

#endif
