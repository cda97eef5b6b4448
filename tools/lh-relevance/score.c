/* score.c - the six signals of a chunk's relevance. */
#include "base/utf8.h"
#include <lh/num.h>
#include "relevance.h"

/* In tenths, so that sums are exact; that of the overlap is the maximum. */
static const struct {
	const char *name;
	int tenths;
} signals[SIGNALS] = {
	[PATH_MATCH] = { "path_match", 10 },
	[FILENAME_MATCH] = { "filename_match", 6 },
	[DEFINED_SYMBOL] = { "defined_symbol_match", 6 },
	[TOKEN_OVERLAP] = { "token_overlap", 4 },
	[PATH_PREFIX] = { "path_prefix_match", 3 },
	[IMPORT_ONLY] = { "import_only", -5 },
};

static bool equal(struct lh_str a, struct lh_str b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static bool of_name(char c)
{
	return (c >= '0' && c <= '9') || (lh_fold(c) >= 'a' && lh_fold(c) <= 'z') || c == '_' ||
		c == '-' || (unsigned char)c > 0x7f;
}

/* Return whether a name may end before p.  What follows a full stop may be another
 * sentence. */
static bool may_end(const char *p, const char *end)
{
	if (p == end)
		return true;
	if (*p == '.')
		return end - p == 1 || !of_name(p[1]);
	return !of_name(*p) && *p != '/';
}

/* Return whether the text contains that path, other than inside a longer name. */
static bool mentions(struct lh_str text, struct lh_str name)
{
	const char *end = text.p + text.n,
		   *p = name.n ? memmem(text.p, text.n, name.p, name.n) : NULL;

	/* memmem from each place on would be slow where the name almost repeats itself. */
	for (; p && name.n <= (size_t)(end - p); p++)
		if ((p == text.p || !(of_name(p[-1]) || p[-1] == '.')) &&
		    memcmp(p, name.p, name.n) == 0 && may_end(p + name.n, end))
			return true;
	return false;
}

struct found {
	bool defined, imported;
};

/* Compare the words of the chunk, in one pass. */
static int look_at_words(const struct focus *f, struct lh_str text, struct verdict *v,
			 struct found *found, struct lh_err *err)
{
	struct words w = { text.p, text.p + text.n };
	struct lh_map tokens = { 0 };
	struct lh_str word;
	int rc = 0;

	while (!rc && words_next(&w, &word)) {
		found->defined = found->defined || words_has(&f->defined, word);
		found->imported = found->imported || words_has(&f->imported, word);
		if (word.n >= WORD_MIN && f->tokens.n)
			rc = words_add(&tokens, word, true, err);
	}
	if (!rc && f->tokens.n && tokens.n) {
		v->shared = words_shared(&tokens, &f->tokens);
		v->all = tokens.n + f->tokens.n - v->shared;
	}
	lh_map_free(&tokens);
	return rc;
}

/* Compute tenths / 10 + 0.4 * shared / all by one division, so that it is rounded once. */
static double weigh(int64_t tenths, uint64_t shared, uint64_t all)
{
	if (!all)
		all = 1;
	return (double)(tenths * (int64_t)all + 4 * (int64_t)shared) / (double)(10 * all);
}

int score_chunk(const struct focus *f, struct lh_str path, struct lh_str text, struct verdict *v,
		struct lh_err *err)
{
	struct found found = { false, false };
	int64_t tenths = 0;
	int i;

	memset(v, 0, sizeof *v);
	if (look_at_words(f, text, v, &found, err) < 0)
		return -1;
	v->signal[PATH_MATCH] = (f->path.n && equal(path, f->path)) || mentions(text, f->path);
	v->signal[FILENAME_MATCH] =
		(f->name.n && equal(path_name(path), f->name)) || mentions(text, f->name);
	v->signal[DEFINED_SYMBOL] = found.defined;
	v->signal[TOKEN_OVERLAP] = v->shared;
	v->signal[PATH_PREFIX] = f->folder.n && path.n > f->folder.n &&
		memcmp(path.p, f->folder.p, f->folder.n) == 0;
	v->signal[IMPORT_ONLY] = imports_only(text) || (found.imported && !found.defined);
	for (i = 0; i < SIGNALS; i++)
		if (v->signal[i] && i != TOKEN_OVERLAP)
			tenths += signals[i].tenths;
	v->score = weigh(tenths, v->shared, v->all);
	return 0;
}

void score_put_signals(const struct verdict *v, struct lh_writer *json)
{
	int i;

	lh_write_array(json, "signals");
	for (i = 0; i < SIGNALS; i++) {
		if (!v->signal[i])
			continue;
		lh_write_object(json, NULL);
		lh_write_text(json, "signal", signals[i].name);
		lh_write_f64(json, "weight", i == TOKEN_OVERLAP ? weigh(0, v->shared, v->all) :
			     weigh(signals[i].tenths, 0, 1));
		if (i == TOKEN_OVERLAP)
			lh_write_f64(json, "jaccard", (double)v->shared / (double)v->all);
		lh_write_end(json);
	}
	lh_write_end(json);
}
