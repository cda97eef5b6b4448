/* focus.c - read the file under review: its path, words and symbols. */
#include "base/ascii.h"
#include <lh/digest.h>
#include "relevance.h"

static bool in_word(char c)
{
	return (c >= '0' && c <= '9') || (lh_fold(c) >= 'a' && lh_fold(c) <= 'z') || c == '_' || (unsigned char)c > 0x7f;
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
	struct lh_buf b;
	size_t i;
	int rc;

	if (word.n <= sizeof small) {
		for (i = 0; i < word.n; i++)
			small[i] = lh_fold(word.p[i]);
		k = key_of((struct lh_str){ small, word.n });
		return add(set, &k, err);
	}
	lh_buf_init(&b, LH_BUF_NOMAX);
	if (lh_buf_room(&b, word.n))
		for (i = 0; i < word.n; i++)
			lh_buf_putc(&b, lh_fold(word.p[i]));
	rc = lh_buf_check(&b, err);
	if (!rc)
		rc = words_add(set, (struct lh_str){ b.p, b.len }, false, err);
	lh_buf_free(&b);
	return rc;
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
	return path.n <= PATH_LONGEST ? 0 : lh_err_data(err, 413, "\"%s\" is longer than %d bytes", name, PATH_LONGEST);
}

struct lh_str path_name(struct lh_str path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

	return slash ? (struct lh_str){ slash + 1, (size_t)(path.p + path.n - slash - 1) } : path;
}

void focus_init(struct focus *f)
{
	memset(f, 0, sizeof *f);
	lh_buf_init(&f->text, LH_BUF_NOMAX);
	lh_buf_init(&f->from, LH_BUF_NOMAX);
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

static int take_string(struct focus *f, const struct lh_value *v, const char *name, struct lh_str *to, struct lh_err *err)
{
	struct lh_value got;

	*to = (struct lh_str){ "", 0 };
	if (!lh_value_get(v, name, &got) || got.type == LH_NULL)
		return 0;
	if (got.type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "\"focus.%s\" is not a string", name);
	return lh_value_str(&got, &f->text, to, err);
}

/* Add symbols.  Of one like Log::open or log.open the last word counts. */
static int take_symbols(struct focus *f, const struct lh_value *v, const char *name, struct lh_map *to, struct lh_err *err)
{
	struct lh_str symbol, word, last;
	struct lh_value got;
	struct lh_iter it;
	struct words w;

	if (!lh_value_get(v, name, &got) || got.type == LH_NULL)
		return 0;
	if (got.type != LH_ARRAY)
		return lh_err_set(err, LH_EDATA, "\"focus.%s\" is not an array", name);
	for (lh_iter_init(&it, &got); lh_iter_next(&it); ) {
		if (it.val.type != LH_STRING)
			return lh_err_set(err, LH_EDATA, "\"focus.%s\" holds something that is not a string", name);
		if (lh_value_str(&it.val, &f->text, &symbol, err) < 0)
			return -1;
		w = (struct words){ symbol.p, symbol.p + symbol.n };
		for (last.n = 0; words_next(&w, &word); last = word)
			;
		if (last.n && words_add(to, last, false, err) < 0)
			return -1;
	}
	return 0;
}

static int take_all(struct focus *f, const struct lh_value *v, struct lh_err *err)
{
	struct lh_str text, word;
	struct words w;

	lh_buf_add(&f->from, v->p, v->n);
	if (lh_buf_check(&f->from, err) < 0)
		return -1;
	if (!lh_buf_room(&f->text, v->n + LH_PAD))	/* so that strings do not move */
		return lh_buf_check(&f->text, err);
	if (take_string(f, v, "path", &f->path, err) < 0 || take_string(f, v, "text", &text, err) < 0 ||
	    take_symbols(f, v, "defined_symbols", &f->defined, err) < 0 ||
	    take_symbols(f, v, "imported_symbols", &f->imported, err) < 0)
		return -1;
	if (path_check(f->path, "focus.path", err) < 0)
		return -1;
	f->path = path_plain(f->path);
	f->name = path_name(f->path);
	f->folder = (struct lh_str){ f->path.p, f->path.n - f->name.n };
	for (w = (struct words){ text.p, text.p + text.n }; words_next(&w, &word); )
		if (word.n >= WORD_MIN && words_add(&f->tokens, word, true, err) < 0)
			return -1;
	return 0;
}

int focus_take(struct focus *f, const struct lh_value *v, struct lh_err *err)
{
	if (v->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "\"focus\" is not an object");
	if (f->from.len == v->n && !memcmp(f->from.p, v->p, v->n))
		return 0;
	forget(f);
	if (take_all(f, v, err) == 0)
		return 0;
	forget(f);
	return -1;
}
