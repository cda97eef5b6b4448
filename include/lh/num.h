/*
 * num - numbers as text and back, exactly, whatever the locale.
 *
 * Printing gives the shortest decimal text that reads back to the same value
 * (Schubfach), in the shorter of fixed and scientific notation, valid JSON: 0.1,
 * 12, 1e-7, -0.  Reading is correctly rounded.
 */
#ifndef LH_NUM_H
#define LH_NUM_H

#include <lh/buf.h>

LH_C_BEGIN

#define LH_F32_MAX 16	/* bytes of the longest f32 text */
#define LH_F64_MAX 26

/* Print a finite v at to, which has LH_F32_MAX (LH_F64_MAX) bytes; returns the
 * length; no NUL is written. */
LH_API size_t lh_f32_print(char *to, float v);
LH_API size_t lh_f64_print(char *to, double v);

/* Read the JSON number at p..end (already checked); *next is the byte after.
 * Beyond the range: infinite. */
LH_API float lh_f32_read(const char *p, const char *end, const char **next);
LH_API double lh_f64_read(const char *p, const char *end, const char **next);

/* "[v0,v1,...]" of n finite floats, appended. */
LH_API void lh_buf_f32s(struct lh_buf *b, const float *v, size_t n);

/* Read a checked JSON array (p..end, brackets included) of numbers into out[0..max).
 * Returns how many there are, or -1 with the reason: an element that is no
 * number or not finite as f32, or more than max. */
LH_API long lh_f32s_read(const char *p, const char *end, float *out, size_t max, struct lh_err *err);

/* Standard base64 (RFC 4648, with padding).  Decoding is strict; returns the
 * byte count, or -1 when the text is not base64.  to needs n / 4 * 3 bytes. */
LH_API void lh_buf_base64(struct lh_buf *b, const void *p, size_t n);
LH_API long lh_base64_read(const char *p, size_t n, void *to);

LH_C_END

#endif
