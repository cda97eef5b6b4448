/* charsmap.c - see charsmap.h. */
#include <endian.h>

#include "charsmap.h"

#define KEY "tokenizer.ggml.precompiled_charsmap"
#define MOST 256			/* bytes of a text or of what it replaces: NFKC needs 33 */
#define BYTE 0x800000ffu		/* what says that a unit belongs to a byte */
#define HAS_TEXT 0x100u

static uint32_t load(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

int lh_charsmap_set(struct lh_charsmap *m, struct lh_str all, struct lh_err *err)
{
	const unsigned char *p = (const unsigned char *)all.p;
	size_t bytes = all.n < 4 ? 0 : load(p);

	*m = (struct lh_charsmap){ .all = all };
	if (all.n < 4 || bytes >= all.n - 4)
		return lh_err_set(err, LH_ECORRUPT, "key \"%s\" has %zu bytes, too few for its "
				  "array", KEY, all.n);
	if (p[all.n - 1])
		return lh_err_set(err, LH_ECORRUPT, "key \"%s\" does not end with NUL", KEY);
	if (bytes >= 4)
		m->unit = p + 4;
	m->units = bytes / 4;
	m->text = all.p + 4 + bytes;
	m->bytes = all.n - 4 - bytes;
	return 0;
}

int lh_charsmap_open(struct lh_charsmap *m, struct lh_gguf *g, struct lh_err *err)
{
	struct lh_gguf_array a;

	*m = (struct lh_charsmap){ .unit = NULL };
	if (!lh_gguf_has(g, KEY))
		return 0;
	if (lh_gguf_array(g, KEY, 0, &a, err) < 0 && lh_gguf_array(g, KEY, 1, &a, err) < 0)
		return -1;
	if (lh_charsmap_set(m, (struct lh_str){ (const char *)a.data, a.n }, err) < 0)
		return lh_err_prefix(err, "%s", lh_gguf_path(g));
	return 0;
}

static int beyond(struct lh_err *err)
{
	return lh_err_set(err, LH_ECORRUPT, "key \"%s\" points beyond its end", KEY);
}

static int too_long(struct lh_err *err)
{
	return lh_err_set(err, LH_ECORRUPT, "key \"%s\" has a text of more than %d bytes", KEY,
			  MOST);
}

static size_t offset(uint32_t unit)
{
	return unit >> 10 << (unit & 0x200 ? 8 : 0);
}

/* Set *to to the text that begins at a place. */
static int text_at(const struct lh_charsmap *m, size_t at, struct lh_str *to, struct lh_err *err)
{
	if (at >= m->bytes)
		return beyond(err);
	*to = lh_str_of(m->text + at);
	return to->n > MOST ? too_long(err) : 1;
}

int lh_charsmap_find(const struct lh_charsmap *m, struct lh_str s, size_t *n, struct lh_str *to,
		     struct lh_err *err)
{
	size_t at, found = SIZE_MAX;
	uint32_t unit;

	if (!m->unit)
		return 0;
	at = offset(load(m->unit));
	for (size_t i = 0; i < s.n && s.p[i]; i++) {
		if (i == MOST)
			return too_long(err);
		at ^= (unsigned char)s.p[i];
		if (at >= m->units)
			return beyond(err);
		unit = load(m->unit + 4 * at);
		if ((unit & BYTE) != (unsigned char)s.p[i])
			break;
		at ^= offset(unit);
		if (unit & HAS_TEXT) {
			if (at >= m->units)
				return beyond(err);
			found = load(m->unit + 4 * at) & 0x7fffffff;
			*n = i + 1;
		}
	}
	return found == SIZE_MAX ? 0 : text_at(m, found, to, err);
}
