/* person.c - a person: the id, other texts, and whether a record is about them.  See subject.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/table.h"
#include "bytes.h"
#include "subject.h"
#include "texts.h"

static bool is_number(struct lh_str id)
{
	size_t i = 0;

	while (i < id.n && ((id.p[i] >= '0' && id.p[i] <= '9') || id.p[i] == '.'))
		i++;
	return i == id.n;
}

int person_prepare(struct person *who, const struct settings *s, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) struct text *text = lh_calloc(who->n_also + 1, sizeof *text, err);
	size_t i, n = 0;

	if (!text)
		return -1;
	text[n++] = (struct text){ who->id, 0, s->fold };
	for (i = 0; i < who->n_also; i++) {
		if (who->also[i].n < TEXT_LEAST && !s->brief)
			return lh_err_set(err, LH_EUSAGE, "\"%.*s\" has fewer than %d bytes, and "
					  "is in many words; --short searches it all the same",
					  (int)who->also[i].n, who->also[i].p, TEXT_LEAST);
		text[n++] = (struct text){ who->also[i], i + 1, true };
	}
	who->fold = s->fold;
	who->number = is_number(who->id);
	who->texts = texts_new(text, n, err);
	return who->texts ? 0 : -1;
}

void person_free(struct person *who)
{
	texts_free(who->texts);
	free(who->also);
	lh_buf_free(&who->text);
	*who = (struct person){ .id.p = NULL };
}

bool person_is_quick(const struct person *who)
{
	return !who->n_also && !who->fold;
}

/* ---- match ---- */

struct matching {
	const struct person *who;
	struct match *m;
	struct lh_writer w;
	struct lh_map others;		/* hashes of ids */
	struct lh_buf text;		/* of the string at hand */
};

/* What is in a string: the id, another text, and whether these are all of it. */
struct seen {
	size_t n;			/* bytes of the string */
	bool id, whole_id, text, whole_text;
};

static void on_text(void *ctx, size_t number, size_t at, size_t len, bool joined)
{
	struct seen *s = ctx;
	const bool whole = len == s->n;

	(void)at;
	if (joined)
		return;
	s->id |= !number;
	s->whole_id |= !number && whole;
	s->text |= number > 0;
	s->whole_text |= number > 0 && whole;
}

static struct seen look(const struct person *who, struct lh_str s)
{
	struct seen seen = { .n = s.n };

	texts_find(who->texts, (const unsigned char *)s.p, s.n, on_text, &seen);
	return seen;
}

static int add_member(struct matching *x, const struct lh_person_at *at, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	int rc = lh_person_path(at, &path, err);

	if (!rc)
		lh_write_str(&x->w, NULL, (struct lh_str){ path.p, path.len });
	return rc;
}

static int count_other(struct matching *x, struct lh_str id, struct lh_err *err)
{
	const struct lh_key key = { lh_xxh3(id.p, id.n), lh_xxh3_seeded(id.p, id.n, 1) };
	const size_t known = x->others.n;

	if (!lh_keymap_at(&x->others, &key, err))
		return -1;
	x->m->others += x->others.n > known;
	return 0;
}

enum hit_by person_has(const struct person *who, const struct lh_person_at *at,
		       const struct lh_value *v, bool id, struct lh_str text)
{
	const bool sender = at && at->key.p && v != &at->key && lh_value_is(&at->key, "sender", 6);
	const struct seen seen = look(who, text);

	if (id && (who->fold ? seen.whole_id : lh_str_is(text, who->id.p, who->id.n)))
		return HIT_ID;
	if (sender && seen.whole_text)
		return HIT_ID;
	return seen.text || (seen.id && !who->number) ? HIT_TEXT : HIT_NONE;
}

/* Look at a string or a number, an lh_person_fn. */
static int on_scalar(void *ctx, const struct lh_person_at *at, const struct lh_value *v, bool id,
		     struct lh_err *err)
{
	struct matching *x = ctx;
	struct lh_str text = { v->p, v->n };
	enum hit_by by;

	lh_buf_reset(&x->text);
	if (v->type == LH_STRING && lh_value_str(v, &x->text, &text, err) < 0)
		return -1;
	by = person_has(x->who, at, v, id, text);
	x->m->by_id |= by == HIT_ID;
	x->m->by_text |= by == HIT_TEXT;
	if (by != HIT_NONE)
		return add_member(x, at, err);
	return id && text.n ? count_other(x, text, err) : 0;
}

static struct matching match_begin(const struct person *who, struct match *m)
{
	struct matching x = { .who = who, .m = m };

	m->by_id = m->by_text = false;
	m->others = 0;
	lh_buf_reset(&m->members);
	x.w = lh_write_to(&m->members);
	lh_write_array(&x.w, NULL);
	return x;
}

static int match_end(struct matching *x, int rc, struct lh_err *err)
{
	lh_write_end(&x->w);
	lh_map_free(&x->others);
	lh_buf_free(&x->text);
	if (rc < 0 || lh_buf_check(&x->m->members, err) < 0)
		return -1;
	return x->m->by_id || x->m->by_text;
}

int person_match(const struct person *who, const struct lh_value *v, bool record, struct match *m,
		 struct lh_err *err)
{
	struct matching x = match_begin(who, m);

	return match_end(&x, lh_person_walk(v, record, on_scalar, &x, err), err);
}

int person_match_bytes(const struct person *who, const char *p, size_t n, struct match *m,
		       struct lh_err *err)
{
	struct matching x = match_begin(who, m);
	struct seen seen = look(who, (struct lh_str){ p, n });
	const bool escaped = !seen.id && memchr(p, '\\', n);
	LH_SCOPED(lh_free_local) uint32_t *from =
		escaped ? lh_calloc(n + BYTE_SPARE, sizeof *from, err) : NULL;
	char *to = escaped ? lh_buf_room(&x.text, n + BYTE_SPARE) : NULL;

	if (from && to) {
		n = byte_decode_escapes(BYTE_JSON, n, (const unsigned char *)p, n,
					(unsigned char *)to, from);
		texts_find(who->texts, (const unsigned char *)to, n, on_text, &seen);
	}
	m->by_id = seen.id;
	m->by_text = !seen.id && seen.text;
	return match_end(&x, escaped && !(from && to) ? lh_err_nomem(err) : 0, err);
}
