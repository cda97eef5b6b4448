/*
 * num - numbers as text and back, exactly, in any locale.
 *
 * Printing gives the shortest decimal text that reads back to the same value
 * (Schubfach), in the shorter of fixed and scientific notation, as valid JSON: 0.1,
 * 12, 1e-7, -0.  Reading is correctly rounded.
 */
#ifndef LH_NUM_H
#define LH_NUM_H

#include "base/buf.h"

#define LH_F32_MAX 16	/* bytes of the longest f32 text */
#define LH_F64_MAX 26

/* Print a finite v to `to`, which has LH_F32_MAX (LH_F64_MAX) bytes; return the
 * length.  No NUL is written. */
size_t lh_f32_print(char *to, float v);
size_t lh_f64_print(char *to, double v);

/* Read the checked JSON number at p..end; *next is the byte after it.  Infinite
 * beyond the range. */
float lh_f32_read(const char *p, const char *end, const char **next);
double lh_f64_read(const char *p, const char *end, const char **next);

/* Append n finite floats as "[v0,v1,...]". */
void lh_buf_f32s(struct lh_buf *b, const float *v, size_t n);

/* Read a checked JSON array of numbers (p..end, brackets included) into
 * out[0..max).  Returns how many there are, or -1 with the reason: an element that
 * is not a number or not finite as f32, or more than max elements. */
long lh_f32s_read(const char *p, const char *end, float *out, size_t max,
		  struct lh_err *err);

/* Encode and decode standard base64 (RFC 4648, with padding).  Decoding is strict;
 * it returns the byte count, or -1 if the text is not base64.  `to` needs n / 4 * 3
 * bytes. */
void lh_buf_base64(struct lh_buf *b, const void *p, size_t n);
long lh_base64_read(const char *p, size_t n, void *to);

#endif
