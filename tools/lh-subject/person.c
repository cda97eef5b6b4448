/* person.c - a person: the id, other texts, and whether a record is about them.  See subject.h. */
#include <stdlib.h>
#include <unistd.h>

#include "crypto/digest.h"

#include "base/mem.h"
#include "base/table.h"
#include "subject.h"
#include "text/texts.h"

static bool is_number(struct lh_str id)
{
	size_t i = 0;

	while (i < id.n && ((id.p[i] >= '0' && id.p[i] <= '9') || id.p[i] == '.'))
		i++;
	return i == id.n;
}

/* Set what texts are compared by, those of who->texts. */
static void set_known(struct person *who, const struct lh_needle *text, size_t n)
{
	LH_SCOPED(lh_free_local) size_t *end = lh_calloc(n, sizeof *end);
	size_t i, j;

	who->known = lh_calloc(n, sizeof *who->known);
	for (i = 0; i < n; i++) {
		lh_needle_normal(&text[i], &who->normals, &who->known[i].kind);
		end[i] = who->normals.len;
	}
	memset(who->n_kinds, 0, sizeof who->n_kinds);
	for (i = 0; i < n; i++) {
		struct known *k = &who->known[i];
		const size_t from = i ? end[i - 1] : 0;

		k->normal = (struct lh_str){ who->normals.p + from, end[i] - from };
		j = 1;
		while (j < i && (who->known[j].kind != k->kind ||
				 !lh_str_is(who->known[j].normal, k->normal.p, k->normal.n)))
			j++;
		k->repeated = j < i;
		who->n_kinds[k->kind] += i && !k->repeated;
	}
}

int person_prepare(struct person *who, const struct settings *s, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) struct lh_needle *text = lh_calloc(who->n_also + 1, sizeof *text);
	size_t i, n = 0;

	lh_texts_free(who->texts);
	free(who->known);
	lh_buf_free(&who->normals);
	who->known = NULL;
	text[n++] = (struct lh_needle){ who->id, 0, s->fold, true };
	for (i = 0; i < who->n_also; i++) {
		if (who->also[i].n < LH_TEXT_LEAST && !s->brief)
			return lh_err_set(err, LH_EUSAGE, "\"%.*s\" has fewer than %d bytes, and "
					  "is in many words; --short searches it all the same",
					  (int)who->also[i].n, who->also[i].p, LH_TEXT_LEAST);
		text[n++] = (struct lh_needle){ who->also[i], i + 1, true, false };
	}
	who->fold = s->fold;
	who->number = is_number(who->id);
	who->texts = lh_texts_new(text, n, err);
	if (!who->texts)
		return -1;
	set_known(who, text, n);
	return 0;
}

void person_add(struct person *who, struct lh_str text)
{
	size_t cap = who->n_also;

	lh_grow(&who->also, &cap, who->n_also + 1, sizeof text);
	who->also[who->n_also++] = text;
}

void person_free(struct person *who)
{
	lh_texts_free(who->texts);
	free(who->known);
	free(who->also);
	lh_buf_free(&who->text);
	lh_buf_free(&who->normals);
	*who = (struct person){ .id.p = NULL };
}

/* ---- what is searched for ---- */

void write_searched(struct lh_writer *w, const struct person *who, const struct lh_hmac *key)
{
	char hex[2 * LH_HASH_SIZE];
	const size_t *n = who->n_kinds;
	size_t i;

	lh_write_object(w, "searched");
	lh_write_bool(w, "id", true);
	lh_write_u64(w, "names", n[LH_TEXT_NAME]);
	lh_write_u64(w, "emails", n[LH_TEXT_EMAIL]);
	lh_write_u64(w, "telephones", n[LH_TEXT_TELEPHONE]);
	if (who->n_unused)
		lh_write_u64(w, "unused", who->n_unused);
	if (key)
		lh_write_array(w, "hashes");
	for (i = 1; key && i <= who->n_also; i++)
		if (person_hash(who, i, key, hex))
			lh_write_str(w, NULL, (struct lh_str){ hex, sizeof hex });
	if (key)
		lh_write_end(w);
	lh_write_end(w);
}

void put_kinds(struct lh_buf *out, const size_t n[LH_TEXT_KINDS])
{
	static const char *const word[LH_TEXT_KINDS] = {
		"name", "e-mail address|e-mail addresses", "telephone"
	};
	size_t i, left = 0;
	bool any = false;

	for (i = 0; i < LH_TEXT_KINDS; i++)
		left += n[i] > 0;
	for (i = 0; i < LH_TEXT_KINDS; i++) {
		if (!n[i])
			continue;
		lh_buf_printf(out, "%s%s", !any ? "" : left == 1 ? " and " : ", ",
			      LH_N(n[i], word[i]));
		any = true;
		left--;
	}
}

void put_searched(struct lh_buf *out, const struct person *who)
{
	if (!who->n_also) {
		lh_buf_puts(out, "searched for the id alone; names, e-mail addresses and "
			    "telephones were not searched");
		return;
	}
	lh_buf_puts(out, "searched for the id, ");
	put_kinds(out, who->n_kinds);
	if (who->n_unused)
		lh_buf_printf(out, "; %s not searched for",
			      LH_N(who->n_unused,
				   "member of the roster was|members of the roster were"));
}

int end_summary(struct lh_tool *tool, struct lh_writer *w, struct lh_buf *sentence)
{
	lh_buf_putc(sentence, '\0');
	lh_write_text(w, "sentence", sentence->p);
	lh_write_end(w);
	if (lh_tool_out_line(tool, w->out) < 0)
		return -1;
	if (isatty(STDERR_FILENO))
		lh_tool_message(tool, "%s", sentence->p);
	return 0;
}

bool person_hash(const struct person *who, size_t i, const struct lh_hmac *key,
		char hex[2 * LH_HASH_SIZE])
{
	static const char *const kind[LH_TEXT_KINDS] = { "name", "email", "telephone" };
	const struct known *k = &who->known[i];
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	unsigned char sum[LH_HASH_SIZE];

	if (k->repeated)
		return false;
	lh_buf_printf(&text, "lh-subject text %s%c", kind[k->kind], '\0');
	lh_buf_add(&text, k->normal.p, k->normal.n);
	lh_hmac(key, text.p, text.len, NULL, 0, sum);
	lh_hex(sum, sizeof sum, hex);
	return true;
}

bool person_is_quick(const struct person *who)
{
	return !who->n_also && !who->fold;
}

bool person_may_be_in(const struct person *who, const char *p, size_t n)
{
	return n && (memchr(p, '\\', n) || memchr(p, '%', n) ||
		     memmem(p, n, who->id.p, who->id.n));
}

/* ---- match ---- */

struct matching {
	const struct person *who;
	struct match *m;
	struct lh_writer w;
	struct lh_map others;		/* hashes of ids */
	struct lh_buf text, decoded;	/* of the string at hand */
};

static void on_text(void *ctx, size_t number, size_t at, size_t len)
{
	struct seen *s = ctx;

	(void)at, (void)len;
	s->id |= !number;
	s->text = s->text ? s->text : number;
}

void person_look(const struct person *who, struct lh_str s, struct lh_buf *buf, struct seen *seen)
{
	static const char sign[] = "\\%";
	size_t i;

	*seen = (struct seen){ false, 0 };
	lh_texts_find(who->texts, (const unsigned char *)s.p, s.n, on_text, seen);
	for (i = 0; i < 2 && !seen->id; i++) {
		if (!s.n || !memchr(s.p, sign[i], s.n))
			continue;
		lh_text_unescape(s, sign[i], buf);
		lh_texts_find(who->texts, (const unsigned char *)buf->p, buf->len, on_text, seen);
	}
}

/* Return whether a string is as a whole one of the texts of numbers [from, to). */
static bool is_known(const struct person *who, size_t from, size_t to, struct lh_str s,
		    struct lh_buf *buf)
{
	const struct lh_needle text = { s, 0, true, !from };
	enum lh_text_kind kind;
	size_t i;

	lh_buf_reset(buf);
	lh_needle_normal(&text, buf, &kind);
	for (i = from; i < to; i++)
		if (kind == who->known[i].kind && buf->len &&
		    lh_str_is(who->known[i].normal, buf->p, buf->len))
			return true;
	return false;
}

static void add_member(struct matching *x, const struct lh_person_at *at, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };

	lh_person_path(at, &path, err);
	lh_write_str(&x->w, NULL, (struct lh_str){ path.p, path.len });
}

/* Count the id of another person, unless it was; a row has fewer than a map may have. */
static void count_other(struct matching *x, struct lh_str id, struct lh_err *err)
{
	const struct lh_key key = { lh_xxh3(id.p, id.n), lh_xxh3_seeded(id.p, id.n, 1) };
	const size_t known = x->others.n;

	lh_keymap_at(&x->others, &key, err);
	x->m->others += x->others.n > known;
}

void person_has(const struct person *who, const struct lh_person_at *at, const struct lh_value *v,
		bool id, struct lh_str text, struct lh_buf *buf, struct seen *seen,
		enum hit_by *by)
{
	const bool sender = at && at->key.p && v != &at->key && lh_value_is(&at->key, "sender", 6);
	bool is = false;

	*seen = (struct seen){ false, 0 };
	*by = HIT_ID;
	if (id)
		is = who->fold ? is_known(who, 0, 1, text, buf)
			       : lh_str_is(text, who->id.p, who->id.n);
	if (!is && sender && who->n_also)
		is = is_known(who, 1, who->n_also + 1, text, buf);
	if (is)
		return;
	person_look(who, text, buf, seen);
	*by = seen->text || (seen->id && !who->number) ? HIT_TEXT
		: seen->id && who->thorough ? HIT_NUMBER : HIT_NONE;
}

/* Look at a string or a number, an lh_person_fn. */
static int on_scalar(void *ctx, const struct lh_person_at *at, const struct lh_value *v, bool id,
		     struct lh_err *err)
{
	struct matching *x = ctx;
	struct lh_str text = { v->p, v->n };
	struct seen seen;
	enum hit_by by;

	lh_buf_reset(&x->text);
	if (v->type == LH_STRING)
		lh_value_str(v, &x->text, &text);
	person_has(x->who, at, v, id, text, &x->decoded, &seen, &by);
	x->m->also |= seen.text > 0;
	x->m->by = by < x->m->by ? by : x->m->by;
	if (by != HIT_NONE)
		add_member(x, at, err);
	else if (id && text.n)
		count_other(x, text, err);
	return 0;
}

static struct matching match_begin(const struct person *who, struct match *m)
{
	struct matching x = { .who = who, .m = m };

	m->by = HIT_NONE;
	m->also = false;
	m->others = 0;
	lh_buf_reset(&m->members);
	x.w = lh_write_to(&m->members);
	lh_write_array(&x.w, NULL);
	return x;
}

static bool match_end(struct matching *x)
{
	lh_write_end(&x->w);
	lh_map_free(&x->others);
	lh_buf_free(&x->text);
	lh_buf_free(&x->decoded);
	return x->m->by != HIT_NONE;
}

bool person_match(const struct person *who, const struct lh_value *v, bool record, struct match *m)
{
	struct matching x = match_begin(who, m);
	struct lh_err unused;

	lh_person_walk(v, record, on_scalar, &x, &unused);
	return match_end(&x);
}

bool person_match_bytes(const struct person *who, const char *p, size_t n, struct match *m)
{
	struct matching x = match_begin(who, m);
	struct seen seen;

	person_look(who, (struct lh_str){ p, n }, &x.decoded, &seen);
	m->by = seen.id ? HIT_ID : seen.text ? HIT_TEXT : HIT_NONE;
	m->also = seen.text;
	return match_end(&x);
}
