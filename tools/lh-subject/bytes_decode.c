/* bytes_decode.c - undo escapes of JSON, percent-encoding and base64.  See bytes.h. */
#include <endian.h>

#include "base/utf8.h"
#include "bytes.h"

/* Read the four digits of \uXXXX at p: the code unit, or -1. */
static int32_t code_unit(const unsigned char *p, size_t n)
{
	int32_t c = 0;
	size_t i;

	if (n < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (i = 2; i < 6; i++) {
		if (byte_hex(p[i]) > 15)
			return -1;
		c = c << 4 | (int32_t)byte_hex(p[i]);
	}
	return c;
}

/* Undo the escape at p, and return its length; 0 if there is none. */
static size_t undo_json(const unsigned char *p, size_t n, unsigned char to[4], size_t *made)
{
	static const char escape[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
	const char *e = n > 1 && p[1] ? strchr(escape, p[1]) : NULL;
	int32_t c = code_unit(p, n), low;

	*made = 1;
	if (e)
		to[0] = (unsigned char)means[e - escape];
	if (c < 0)
		return e ? 2 : 0;
	low = c >= 0xd800 && c < 0xdc00 ? code_unit(p + 6, n - 6) : -1;
	if (low >= 0xdc00 && low < 0xe000) {
		*made = lh_utf8_put((uint32_t)(0x10000 + ((c - 0xd800) << 10) + low - 0xdc00), to);
		return 12;
	}
	*made = lh_utf8_put((uint32_t)c, to);
	return 6;
}

/* An escape: where it is, its length, and what it stands for. */
struct escape {
	size_t at, used, made;
	unsigned char is[4];
};

/* Find the next escape from i on; at n there is none. */
static void find_escape(enum byte_kind kind, const unsigned char *p, size_t n, size_t i,
			struct escape *e)
{
	const unsigned char *at;

	for (; i < n && (at = memchr(p + i, kind == BYTE_JSON ? '\\' : '%', n - i)); i++) {
		i = (size_t)(at - p);
		e->used = kind == BYTE_JSON ? undo_json(at, n - i, e->is, &e->made)
					    : byte_undo_percent(at, n - i, e->is, &e->made);
		e->at = i;
		if (e->used)
			return;
	}
	e->at = n;
}

size_t byte_decode_escapes(enum byte_kind kind, size_t least, const unsigned char *p, size_t n,
			   unsigned char *to, uint32_t *from)
{
	struct escape e;
	size_t i = 0, out = 0, k, stop;

	for (find_escape(kind, p, n, 0, &e); e.at < n; ) {
		if (e.at - i > least) {
			from[out] = (uint32_t)i;
			to[out++] = 'x';
			i = e.at - least;
		}
		for (; i < e.at; i++, out++) {
			from[out] = (uint32_t)i;
			to[out] = p[i];
		}
		for (k = 0; k < e.made; k++, out++) {
			from[out] = (uint32_t)i;
			to[out] = e.is[k];
		}
		i += e.used;
		find_escape(kind, p, n, i, &e);
		for (stop = e.at - i < least ? e.at : i + least; i < stop; i++, out++) {
			from[out] = (uint32_t)i;
			to[out] = p[i];
		}
	}
	if (out && i < n) {
		from[out] = (uint32_t)i;
		to[out++] = 'x';
	}
	return out;
}

/* Of a base64 character of either alphabet; 64: it is none. */
static const unsigned char value[256] = {
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 62, 64, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64,
	64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 63,
	64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
	[128 ... 255] = 64,
};

/* Decode a run of base64 from p[i] to p[end): a byte begins with each character but the fourth of
 * a group.  Up to four bytes of to, and of from, after these are written too. */
static size_t decode_run(const unsigned char *p, size_t i, size_t end, unsigned char *to,
			 uint32_t *from)
{
	size_t out = 0, k;

	for (; i + 4 <= end; i += 4, out += 3) {
		const uint32_t at = (uint32_t)i, c = htobe32(
			(uint32_t)value[p[i]] << 26 | (uint32_t)value[p[i + 1]] << 20 |
			(uint32_t)value[p[i + 2]] << 14 | (uint32_t)value[p[i + 3]] << 8);

		memcpy(to + out, &c, sizeof c);
		memcpy(from + out, (uint32_t[4]){ at, at + 1, at + 2 }, 4 * sizeof *from);
	}
	for (k = 0; k + 1 < end - i; k++, out++) {
		to[out] = (unsigned char)(value[p[i + k]] << 2 * (k + 1) |
					  value[p[i + k + 1]] >> (4 - 2 * k));
		from[out] = (uint32_t)(i + k);
	}
	return out;
}

size_t byte_find_runs(size_t least, const unsigned char *p, size_t n, struct byte_run *run)
{
	size_t i, start, end, found = 0;

	/* A run that begins at i or later, and before the next i, has the byte at end - 1. */
	for (i = 0; i + least <= n; i = end + (end - start >= least)) {
		start = end = i + least;
		if (value[p[end - 1]] > 63)
			continue;
		while (start > i && value[p[start - 1]] < 64)
			start--;
		while (end < n && value[p[end]] < 64)
			end++;
		if (end - start >= least)
			run[found++] = (struct byte_run){ (uint32_t)start, (uint32_t)end };
	}
	return found;
}

size_t byte_decode_base64(const struct byte_run *run, size_t n, size_t shift,
			  const unsigned char *p, unsigned char *to, uint32_t *from)
{
	size_t i, out = 0;

	for (i = 0; i < n; i++) {
		if (run[i].end - run[i].start <= shift)
			continue;
		out += decode_run(p, run[i].start + shift, run[i].end, to + out, from + out);
		from[out] = run[i].end - 1;
		to[out++] = '\n';
	}
	return out;
}
