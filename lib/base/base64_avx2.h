/*
 * base64_avx2 - the bulk of a base64 text.
 *
 * Both functions return how many bytes of p they processed; the caller does the
 * rest, and reports the errors.
 */
#ifndef LH_BASE64_AVX2_H
#define LH_BASE64_AVX2_H

#include <stddef.h>

size_t lh_base64_encode_avx2(char *to, const unsigned char *p, size_t n);
size_t lh_base64_decode_avx2(unsigned char *to, const unsigned char *p, size_t n);

#endif
