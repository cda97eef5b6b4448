/* focus.c - read the file under review: its path, words and symbols. */
#include "base/utf8.h"
#include <lh/digest.h>
#include "relevance.h"

static bool in_word(char c)
{
	return (c >= '0' && c <= '9') || (lh_fold(c) >= 'a' && lh_fold(c) <= 'z') || c == '_' ||
		(unsigned char)c > 0x7f;
}

bool words_next(struct words *w, struct lh_str *word)
{
	const char *p = w->at;

	while (p < w->end && !in_word(*p))
		p++;
	word->p = p;
	while (p < w->end && in_word(*p))
		p++;
	word->n = (size_t)(p - word->p);
	w->at = p;
	return word->n != 0;
}

/* Make the key of a word: a short word itself, with its length at the end; the hash of
 * a longer one. */
static struct lh_key key_of(struct lh_str word)
{
	unsigned char bytes[32] = { 0 };
	struct lh_key k;

	if (word.n < 16) {
		memcpy(bytes, word.p, word.n);
		bytes[15] = (unsigned char)word.n;
	} else {
		lh_sha256(word.p, word.n, bytes);
		bytes[15] = 0xff;
	}
	memcpy(&k, bytes, sizeof k);
	return k;
}

static int add(struct lh_map *set, const struct lh_key *k, struct lh_err *err)
{
	uint64_t *bits = lh_keymap_at(set, k, err);

	if (!bits)
		return -1;
	*bits = 1;
	return 0;
}

static int add_folded(struct lh_map *set, struct lh_str word, struct lh_err *err)
{
	char small[256];
	struct lh_key k;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	size_t i;

	if (word.n <= sizeof small) {
		for (i = 0; i < word.n; i++)
			small[i] = lh_fold(word.p[i]);
		k = key_of((struct lh_str){ small, word.n });
		return add(set, &k, err);
	}
	for (i = 0; i < word.n; i++)
		lh_buf_putc(&b, lh_fold(word.p[i]));
	return words_add(set, (struct lh_str){ b.p, b.len }, false, err);
}

int words_add(struct lh_map *set, struct lh_str word, bool fold, struct lh_err *err)
{
	struct lh_key k;

	if (fold)
		return add_folded(set, word, err);
	k = key_of(word);
	return add(set, &k, err);
}

bool words_has(const struct lh_map *set, struct lh_str word)
{
	struct lh_key k = key_of(word);

	return lh_keymap_get(set, &k) != 0;
}

size_t words_shared(const struct lh_map *these, const struct lh_map *those)
{
	size_t i, n = 0;

	for (i = 0; i < these->n; i++)
		n += lh_keymap_get(those, &lh_keymap_entry(these, i)->key) != 0;
	return n;
}

struct lh_str path_plain(struct lh_str path)
{
	while (path.n > 2 && path.p[0] == '.' && path.p[1] == '/') {
		path.p += 2;
		path.n -= 2;
	}
	return path;
}

int path_check(struct lh_str path, const char *name, struct lh_err *err)
{
	return path.n <= PATH_LONGEST
		? 0
		: lh_err_data(err, 413, "\"%s\" is longer than %d bytes", name, PATH_LONGEST);
}

struct lh_str path_name(struct lh_str path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

	return slash ? (struct lh_str){ slash + 1, (size_t)(path.p + path.n - slash - 1) } : path;
}

static void forget(struct focus *f)
{
	lh_map_free(&f->tokens);
	lh_map_free(&f->defined);
	lh_map_free(&f->imported);
	memset(&f->tokens, 0, sizeof f->tokens);
	memset(&f->defined, 0, sizeof f->defined);
	memset(&f->imported, 0, sizeof f->imported);
	f->path = f->folder = f->name = (struct lh_str){ "", 0 };
	lh_buf_reset(&f->text);
	lh_buf_reset(&f->from);
}

void focus_free(struct focus *f)
{
	forget(f);
	lh_buf_free(&f->text);
	lh_buf_free(&f->from);
}

const struct lh_bind review_members[] = {
	{ LH_BIND_STRING("path", struct review, path) },
	{ LH_BIND_STRING("text", struct review, text) },
	{ LH_BIND_STRINGS("defined_symbols", struct review, defined, n_defined) },
	{ LH_BIND_STRINGS("imported_symbols", struct review, imported, n_imported) },
	LH_BIND_END
};

/* Add symbols.  Of one like Log::open or log.open the last word counts. */
static int add_symbols(struct lh_map *to, const struct lh_str *symbol, size_t n,
		       struct lh_err *err)
{
	struct lh_str word, last;
	struct words w;
	size_t i;

	for (i = 0; i < n; i++) {
		w = (struct words){ symbol[i].p, symbol[i].p + symbol[i].n };
		for (last.n = 0; words_next(&w, &word); last = word)
			;
		if (last.n && words_add(to, last, false, err) < 0)
			return -1;
	}
	return 0;
}

static int add_review(struct focus *f, const struct review *r, struct lh_err *err)
{
	struct lh_str word;
	struct words w;

	if (add_symbols(&f->defined, r->defined, r->n_defined, err) < 0 ||
	    add_symbols(&f->imported, r->imported, r->n_imported, err) < 0 ||
	    path_check(r->path, "focus.path", err) < 0)
		return -1;
	lh_buf_add(&f->text, r->path.p, r->path.n);
	f->path = path_plain((struct lh_str){ r->path.n ? f->text.p : "", r->path.n });
	f->name = path_name(f->path);
	f->folder = (struct lh_str){ f->path.p, f->path.n - f->name.n };
	for (w = (struct words){ r->text.p, r->text.p + r->text.n }; words_next(&w, &word); )
		if (word.n >= WORD_MIN && words_add(&f->tokens, word, true, err) < 0)
			return -1;
	return 0;
}

int focus_set(struct focus *f, const struct review *r, const struct lh_value *from,
	      struct lh_err *err)
{
	if (f->from.len == from->n && !memcmp(f->from.p, from->p, from->n))
		return 0;
	forget(f);
	lh_buf_add(&f->from, from->p, from->n);
	if (add_review(f, r, err) == 0)
		return 0;
	forget(f);
	return -1;
}
