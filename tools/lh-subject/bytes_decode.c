/* bytes_decode.c - undo escapes of JSON, percent-encoding and base64.  See bytes_parts.h. */
#include "base/utf8.h"
#include "bytes_parts.h"

/* Return the value of a hex digit, 16 for any other character. */
static unsigned hex_value(unsigned char c)
{
	unsigned char low = c | 0x20;

	return c >= '0' && c <= '9' ? c - 48u : low >= 'a' && low <= 'f' ? low - 87u : 16;
}

const unsigned char byte_base64_value[256] = {
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

/* ---- one escape ---- */

/* Undo the escape at p, and return its length; 1 if there is none. */
typedef size_t undo_fn(const unsigned char *p, size_t n, unsigned char to[4], size_t *made);

/* Read the four digits of \uXXXX at p: the code unit, or -1. */
static int32_t code_unit(const unsigned char *p, size_t n)
{
	int32_t c = 0;
	size_t i;

	if (n < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (i = 2; i < 6; i++) {
		if (hex_value(p[i]) > 15)
			return -1;
		c = c << 4 | (int32_t)hex_value(p[i]);
	}
	return c;
}

static size_t undo_json(const unsigned char *p, size_t n, unsigned char to[4], size_t *made)
{
	static const char escape[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
	const char *e = n > 1 && p[1] ? strchr(escape, p[1]) : NULL;
	int32_t c = code_unit(p, n), low;

	*made = 1;
	to[0] = e ? (unsigned char)means[e - escape] : '\\';
	if (c < 0)
		return e ? 2 : 1;
	low = c >= 0xd800 && c < 0xdc00 ? code_unit(p + 6, n - 6) : -1;
	if (low >= 0xdc00 && low < 0xe000) {
		*made = lh_utf8_put((uint32_t)(0x10000 + ((c - 0xd800) << 10) + low - 0xdc00), to);
		return 12;
	}
	*made = lh_utf8_put((uint32_t)c, to);
	return 6;
}

static size_t undo_percent(const unsigned char *p, size_t n, unsigned char to[4], size_t *made)
{
	*made = 1;
	to[0] = '%';
	if (n < 3 || hex_value(p[1]) > 15 || hex_value(p[2]) > 15)
		return 1;
	to[0] = (unsigned char)(hex_value(p[1]) << 4 | hex_value(p[2]));
	return 3;
}

/* ---- a text ---- */

/* Return where the next escape is from i on, n if there is none. */
static size_t next_escape(undo_fn *undo, char mark, const unsigned char *p, size_t n, size_t i)
{
	unsigned char made[4];
	const unsigned char *at;
	size_t len;

	for (; i < n && (at = memchr(p + i, mark, n - i)); i++) {
		i = (size_t)(at - p);
		if (undo(p + i, n - i, made, &len) > 1)
			return i;
	}
	return n;
}

/* Decode the pieces around escapes: `reach` bytes before and after, with a letter behind a piece so
 * that its end does not look like that of a word.  Go from *c on, up to byte `stop` of the result,
 * and move *c there, or to the beginning of the escape that has it.  to may be NULL. */
static void decode_escapes(bool json, size_t reach, const unsigned char *p, size_t n,
			   unsigned char *to, size_t stop, struct byte_cursor *c)
{
	undo_fn *undo = json ? undo_json : undo_percent;
	const char mark = json ? '\\' : '%';
	const unsigned char *found;
	unsigned char made[4];
	size_t at, k, len, used;

	for (;;) {
		if (c->in >= c->until) {
			at = next_escape(undo, mark, p, n, c->in);
			if (c->until && (at == n || at - c->in > reach)) {
				if (c->out == stop)
					return;
				if (to)
					to[c->out] = c->in < n ? 'x' : '\n';
				c->out++;
				c->until = 0;
			}
			if (at == n)
				return;
			if (!c->until) {
				c->in = at - (at - c->in < reach ? at - c->in : reach);
				c->edge = c->out + (c->in ? BYTE_EDGE : 0);
			}
			c->until = at + 1;
		}
		if (c->out == stop)
			return;
		found = memchr(p + c->in, mark, c->until - c->in);
		k = (found ? (size_t)(found - p) : c->until) - c->in;
		k = k < stop - c->out ? k : stop - c->out;
		if (to)
			memcpy(to + c->out, p + c->in, k);
		c->in += k;
		c->out += k;
		if (c->in == c->until)
			continue;
		used = undo(p + c->in, n - c->in, made, &len);
		if (len > stop - c->out)
			return;
		if (to)
			memcpy(to + c->out, made, len);
		c->in += used;
		c->out += len;
		if (used > 1)
			c->until = n - c->in < reach ? n : c->in + reach;
	}
}

size_t byte_decode_base64(const unsigned char *p, size_t n, unsigned char *to)
{
	uint32_t bits = 0;
	size_t i, made = 0;

	for (i = 0; i < n && byte_base64_value[p[i]] < 64; i++) {
		bits = bits << 6 | byte_base64_value[p[i]];
		if (i % 4)
			to[made++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	return made;
}

/* Find the next run of base64 at or after *i: its length, 0 if there is none.  A run has one of
 * every BYTE_RUN bytes. */
static size_t next_run(const unsigned char *p, size_t n, size_t *i)
{
	size_t start = *i, at, end;

	for (at = start + BYTE_RUN - 1; at < n; at = end + BYTE_RUN) {
		end = at;
		if (byte_base64_value[p[at]] > 63)
			continue;
		while (at > start && byte_base64_value[p[at - 1]] < 64)
			at--;
		while (end < n && byte_base64_value[p[end]] < 64)
			end++;
		if (end - at >= BYTE_RUN) {
			*i = at;
			return end - at;
		}
		start = end;
	}
	return 0;
}

/* Decode the runs from *c on, and move *c to the run that has byte `stop` of the result. */
static void decode_runs(size_t shift, const unsigned char *p, size_t n, unsigned char *to,
			size_t stop, struct byte_cursor *c)
{
	size_t run, bytes;

	while ((run = next_run(p, n, &c->in))) {
		bytes = (run - shift) * 6 / 8;
		if (bytes + 1 > stop - c->out)
			break;
		if (to) {
			byte_decode_base64(p + c->in + shift, run - shift, to + c->out);
			to[c->out + bytes] = '\n';
		}
		c->in += run;
		c->out += bytes + 1;
	}
}

size_t byte_decode(const struct byte_form *f, const unsigned char *p, size_t n, unsigned char *to)
{
	struct byte_cursor c = { .in = 0 };

	if (f->kind == BYTE_BASE64)
		decode_runs(f->shift, p, n, to, SIZE_MAX, &c);
	else
		decode_escapes(f->kind == BYTE_JSON, f->reach, p, n, to, SIZE_MAX, &c);
	return c.out;
}

size_t byte_undecoded(const struct byte_form *f, const unsigned char *p, size_t n, size_t at,
		      struct byte_cursor *c)
{
	if (at < c->out)
		*c = (struct byte_cursor){ .in = 0 };
	if (f->kind != BYTE_BASE64) {
		decode_escapes(f->kind == BYTE_JSON, f->reach, p, n, NULL, at, c);
		return c->in;
	}
	decode_runs(f->shift, p, n, NULL, at, c);
	at -= c->out;
	return c->in + f->shift + at / 3 * 4 + at % 3;
}
