/* extract.c - find the object that is the answer.  See lh/extract.h. */
#include <lh/extract.h>

#include <stdlib.h>

#include <lh/canon.h>
#include "extract_parts.h"
#include "base/mem.h"

struct lh_extract {
	struct lh_tries tries;
	struct lh_record rec;
	struct lh_buf names;	/* of the thoughts that are open, a byte each */
	struct lh_buf own;	/* an object with duplicate keys, without the earlier ones */
};

struct lh_extract *lh_extract_new(void)
{
	return lh_calloc(1, sizeof(struct lh_extract));
}

void lh_extract_free(struct lh_extract *x)
{
	if (!x)
		return;
	free(x->tries.kind);
	free(x->tries.brace);
	lh_buf_free(&x->names);
	lh_record_free(&x->rec);
	lh_buf_free(&x->own);
	free(x);
}

/* ---- what was found ---- */

/* How good a place for an answer is, the best first. */
enum place { WHOLE_FENCE, FENCE, ELSEWHERE, PLACES };

struct walk {
	struct lh_extract *x;
	const char *end;
	struct lh_err *err;
	bool tags;		/* text in tags of thought is not searched, ... */
	bool thought;		/* ... and there was some */
	bool final;		/* a final channel has begun */
	const char *outer;	/* after the beginning of the thoughts that are open */
	size_t channel;		/* the place of another one's name, from 1, unless it has ended */
	struct lh_str found[PLACES];
	bool broken;		/* an object could not be read, or is too deep */
	bool hidden;		/* it has no end: nothing counts up to a fence that begins a line */
	const char *fence;	/* after its tag and blanks; NULL: none is open */
	struct lh_str fenced;	/* the first object in it */
	const char *within;	/* up to here the text belongs to an object that is broken, ... */
	size_t depth;		/* ... which began in so many thoughts */
	bool unquoted;		/* no string is to be passed over up to there */
};

static bool in_thought(const struct walk *w)
{
	return w->x->names.len > 0;
}

static void keep_first(struct lh_str *to, struct lh_str object)
{
	if (!to->p)
		*to = object;
}

/* Forget what precedes the end of a thought that has no beginning. */
static void forget(struct walk *w)
{
	struct walk fresh = { .x = w->x, .end = w->end, .err = w->err, .tags = true };

	lh_buf_reset(&w->x->names);
	fresh.thought = true;
	fresh.final = w->final;
	*w = fresh;
}

/* ---- tags ---- */

static void close_thought(struct walk *w, char name)
{
	struct lh_buf *names = &w->x->names;
	size_t open = names->len;

	if (name == LH_MARK_NAMES && w->channel <= open)
		open = w->channel;
	while (open && names->p[open - 1] != name && name != LH_MARK_NAMES)
		open--;
	if (open && names->p[open - 1] == name) {
		names->len = open - 1;
		if (names->len < w->depth)
			w->within = NULL;
	} else if (name != LH_MARK_NAMES) {
		forget(w);
	}
}

static const char *pass_tag(struct walk *w, const char *p)
{
	struct lh_mark m = lh_mark_read(p, w->end);

	switch (m.kind) {
	case LH_MARK_NONE:
		return m.end;
	case LH_MARK_CLOSE:
	case LH_MARK_STOP:
		close_thought(w, m.name);
		break;
	case LH_MARK_FINAL:
		if (!w->final)
			forget(w);
		close_thought(w, m.name);
		w->final = true;
		break;
	case LH_MARK_CHANNEL:
		close_thought(w, m.name);
		lh_buf_putc(&w->x->names, m.name);
		w->channel = w->x->names.len;
		break;
	case LH_MARK_OPEN:
		if (!in_thought(w))
			w->outer = m.end;
		lh_buf_putc(&w->x->names, m.name);
		break;
	}
	w->thought = true;
	return m.end;
}

/* ---- fences ---- */

static bool in_tag(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_' || c == '+' || c == '-';
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && lh_json_blank(*p))
		p++;
	return p;
}

static bool begins_line(const struct walk *w, const char *p)
{
	while (p > w->x->tries.base && (p[-1] == ' ' || p[-1] == '\t'))
		p--;
	return p == w->x->tries.base || p[-1] == '\n' || p[-1] == '\r';
}

static const char *pass_fence(struct walk *w, const char *p)
{
	const char *after = p + 3;

	if (w->end - p < 3 || p[1] != '`' || p[2] != '`')
		return p + 1;
	if (in_thought(w) || (w->hidden && !begins_line(w, p)))
		return after;
	w->hidden = false;
	if (!w->fence) {
		while (after < w->end && in_tag(*after))
			after++;
		w->fence = skip_blanks(after, w->end);
		w->fenced = (struct lh_str){ NULL, 0 };
		return after;
	}
	if (w->fenced.p) {
		bool whole = w->fenced.p == w->fence &&
			skip_blanks(w->fenced.p + w->fenced.n, p) == p;

		keep_first(&w->found[whole ? WHOLE_FENCE : FENCE], w->fenced);
	}
	w->fence = NULL;
	return after;
}

/* ---- objects ---- */

static bool begins_object(const char *p, const char *end)
{
	p = skip_blanks(p + 1, end);
	return p < end && (*p == '"' || *p == '\'' || *p == '}');
}

/* Read the object at p, and return what is to be read next; NULL after an error.
 * What cannot be read is not searched for objects: they would be pieces of the answer. */
static const char *pass_object(struct walk *w, const char *p)
{
	struct lh_try t;
	const char *close;
	int rc = lh_try_object(&w->x->tries, p, w->end, &t);

	if (rc < 0)
		return NULL;
	if (rc && in_thought(w))
		return t.end;
	if (rc && t.deepest <= LH_JSON_DEPTH) {
		if (!w->hidden)
			keep_first(w->fence ? &w->fenced : &w->found[ELSEWHERE],
				   (struct lh_str){ p, (size_t)(t.end - p) });
		return t.end;
	}
	w->broken |= !in_thought(w);
	if (rc)
		return t.end;
	lh_try_end(&w->x->tries, p, w->end, &close);
	w->hidden |= !close && !in_thought(w);
	w->within = close ? close : t.end;
	w->depth = w->x->names.len;
	w->unquoted = !close;
	return p + 1;
}

/* Return the end of a string of a broken object. */
static const char *pass_string(struct walk *w, const char *p)
{
	const char *q;

	for (q = p + 1; q < w->within && *q != '"'; q++)
		q += *q == '\\';
	if (q < w->within)
		return q + 1;
	w->unquoted = true;
	return p + 1;
}

/* ---- the walk ---- */

/*
 * Walk through the text once.
 *
 * Why this is linear: an object is read once, up to its end or to where it cannot be read
 * further.  In the latter case no other is tried up to there, or up to the brace that ends it,
 * which count_braces() finds for all objects together.
 */
static int walk_text(struct walk *w, const char *p)
{
	lh_buf_reset(&w->x->names);
	while (p && p < w->end) {
		bool within = p < w->within;

		if (*p == '{' && !within && begins_object(p, w->end))
			p = pass_object(w, p);
		else if (*p == '"' && within && !w->unquoted)
			p = pass_string(w, p);
		else if (*p == '`' && !within)
			p = pass_fence(w, p);
		else if (w->tags && (*p == '<' || *p == '[' || *p == '\xe2'))
			p = pass_tag(w, p);
		else
			p++;
	}
	if (!p)
		return -1;
	if (w->fence && w->fenced.p)
		keep_first(&w->found[ELSEWHERE], w->fenced);
	return 0;
}

/* Return whether the walk has seen thoughts, and no object, not even a broken one, elsewhere. */
static bool only_thoughts(const struct walk *w)
{
	return w->thought && !w->broken && !w->found[WHOLE_FENCE].p && !w->found[FENCE].p &&
		!w->found[ELSEWHERE].p;
}

/*
 * Find the best object of the text; if there is none, that of the thoughts.  Of these the ones
 * that have no end come first: "<think>no</think>The [analysis] is: {...}" has its answer there.
 */
static int find(struct lh_extract *x, const char *p, const char *end, struct lh_value *v,
		struct lh_err *err)
{
	struct walk w = { .x = x, .end = end, .err = err, .tags = true };
	enum place i;

	if (walk_text(&w, p) < 0)
		return -1;
	if (only_thoughts(&w) && in_thought(&w) && w.outer) {
		const char *from = w.outer;

		w = (struct walk){ .x = x, .end = end, .err = err, .tags = true, .thought = true };
		if (walk_text(&w, from) < 0)
			return -1;
	}
	if (only_thoughts(&w)) {
		w = (struct walk){ .x = x, .end = end, .err = err };
		if (walk_text(&w, p) < 0)
			return -1;
	}
	for (i = 0; i < PLACES; i++) {
		if (!w.found[i].p)
			continue;
		*v = (struct lh_value){ w.found[i].p, w.found[i].n, LH_OBJECT, false };
		return 1;
	}
	return 0;
}

/* ---- result ---- */

/* Check the keys of the object found: only in it do they matter. */
static int check_keys(struct lh_extract *x, struct lh_value *v, struct lh_err *err)
{
	struct lh_value again;

	if (lh_json_parse(&x->rec, v->p, v->n, &again, err) == 0)
		return 1;
	if (err->code != LH_EDATA)
		return -1;
	lh_buf_reset(&x->own);
	if (lh_extract_last(&x->own, v, err) < 0)
		return -1;
	v->p = x->own.p;
	v->n = x->own.len;
	return 1;
}

int lh_extract(struct lh_extract *x, const char *p, size_t n, struct lh_value *v,
	       struct lh_err *err)
{
	int rc;

	if (n > UINT32_MAX)
		return lh_err_data(err, 413, "text is longer than 4 GiB");
	x->tries.base = p;
	x->tries.counted = false;
	rc = find(x, p, p + n, v, err);
	return rc == 1 ? check_keys(x, v, err) : rc;
}

int lh_extract_wire(struct lh_buf *out, const struct lh_value *v, struct lh_err *err)
{
	return lh_canon_audit(out, v, NULL, 0, err);
}
