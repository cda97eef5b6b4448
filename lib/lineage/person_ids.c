/* person_ids.c - where a record names persons.  See person_ids.h. */
#include "person_ids.h"

#include <string.h>
#include <strings.h>

#define IS(v, name) lh_value_is(v, name, sizeof(name) - 1)

struct walk {
	lh_person_fn *fn;
	void *ctx;
	struct lh_err *err;
};

static const char *const id_names[] = { "candidate_id", "worker_id", "subject", "answer_id" };
#define ID_NAMES (sizeof id_names / sizeof *id_names)

bool lh_person_names(const struct lh_value *key)
{
	size_t i;

	for (i = 0; i < ID_NAMES; i++)
		if (lh_value_is(key, id_names[i], strlen(id_names[i])))
			return true;
	return false;
}

bool lh_person_column(const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < ID_NAMES; i++)
		if (n == strlen(id_names[i]) && !strncasecmp(name, id_names[i], n))
			return true;
	return false;
}

/* Return whether an object with this member is about a person. */
static bool of_person(const struct lh_value *key)
{
	static const char *const member[] = {
		"corpus", "metadata", "found", "name", "first_name", "last_name", "full_name",
		"email", "phone", "telephone", "candidate_id", "worker_id"
	};
	size_t i;

	for (i = 0; i < sizeof member / sizeof *member; i++)
		if (lh_value_is(key, member[i], strlen(member[i])))
			return true;
	return false;
}

static int walk_value(const struct walk *w, const struct lh_person_at *at,
		      const struct lh_value *v, bool id);

static int walk_object(const struct walk *w, const struct lh_person_at *up,
		       const struct lh_value *v, bool about)
{
	bool has_id = false, message = false, id;
	struct lh_iter it;
	int rc = 0;

	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		has_id |= IS(&it.key, "id");
		message |= IS(&it.key, "sender");
	}
	for (lh_iter_init(&it, v); has_id && !about && lh_iter_next(&it); )
		about = of_person(&it.key);
	for (lh_iter_init(&it, v); !rc && lh_iter_next(&it); ) {
		const struct lh_person_at at = { up, it.key, 0, v };

		id = IS(&it.key, "id") ? about : lh_person_names(&it.key);
		if (message && IS(&it.key, "subject"))
			id = false;
		rc = w->fn(w->ctx, &at, &at.key, false, w->err);
		if (!rc)
			rc = walk_value(w, &at, &it.val, id);
	}
	return rc;
}

static int walk_value(const struct walk *w, const struct lh_person_at *at,
		      const struct lh_value *v, bool id)
{
	struct lh_iter it;
	size_t i = 0;
	int rc = 0;

	if (v->type == LH_STRING || v->type == LH_NUMBER)
		return w->fn(w->ctx, at, v, id, w->err);
	if (v->type == LH_OBJECT)
		return walk_object(w, at, v, false);
	if (v->type != LH_ARRAY)
		return 0;
	for (lh_iter_init(&it, v); !rc && lh_iter_next(&it); i++) {
		const struct lh_person_at element = { .up = at, .i = i, .in = v };

		rc = walk_value(w, &element, &it.val, id);
	}
	return rc;
}

int lh_person_walk(const struct lh_value *v, bool of_persons, lh_person_fn *fn, void *ctx,
		   struct lh_err *err)
{
	const struct walk w = { fn, ctx, err };

	return of_persons && v->type == LH_OBJECT ? walk_object(&w, NULL, v, true)
						  : walk_value(&w, NULL, v, false);
}

int lh_person_path(const struct lh_person_at *at, struct lh_buf *out, struct lh_err *err)
{
	struct lh_str key;

	if (!at)
		return 0;
	if (lh_person_path(at->up, out, err) < 0)
		return -1;
	if (at->up)
		lh_buf_putc(out, '.');
	if (!at->key.p)
		lh_buf_u64(out, at->i);
	else if (!at->key.escaped)
		lh_buf_add(out, at->key.p + 1, at->key.n - 2);
	else {
		lh_value_str(&at->key, out, &key);
		return 0;
	}
	return 0;
}

bool lh_person_is_id(const struct lh_value *object, const struct lh_value *key,
		     struct lh_value *corpus)
{
	struct lh_value other;

	*corpus = (struct lh_value){ .p = NULL };
	if (!lh_person_names(key))
		return false;
	if (IS(key, "answer_id"))
		lh_value_get(object, "answer_corpus", corpus);
	return !IS(key, "subject") ||
	       !(lh_value_get(object, "sender", &other) || lh_value_get(object, "to", &other) ||
		 lh_value_get(object, "body", &other));
}

/* ---- whose data an answer has used ---- */

void lh_persons_used_reset(struct lh_persons_used *u)
{
	lh_buf_reset(&u->list);
}

void lh_persons_used_free(struct lh_persons_used *u)
{
	lh_buf_free(&u->list);
	lh_buf_free(&u->copy);
	lh_record_free(&u->scan);
}

static void write_names(struct lh_writer *w, const struct lh_value *object)
{
	struct lh_iter it;

	if (object)
		for (lh_iter_init(&it, object); lh_iter_next(&it); )
			lh_write_value(w, NULL, &it.key);
}

/* Begin an entry; id: a string or a number of JSON. */
static struct lh_writer begin_used(struct lh_persons_used *u, struct lh_str id)
{
	struct lh_writer w = lh_write_to(&u->list);

	w.comma = u->list.len > 0;
	lh_write_object(&w, NULL);
	lh_write_raw(&w, "id", id);
	return w;
}

static void end_used(struct lh_writer *w, const char *member, const struct lh_value *inside,
		     const struct lh_value *record)
{
	lh_write_array(w, "members");
	if (member)
		lh_write_text(w, NULL, member);
	if (!member && inside && inside->p != record->p)
		write_names(w, inside);
	if (!member)
		write_names(w, record);
	lh_write_end(w);
	lh_write_end(w);
}

struct using {
	struct lh_persons_used *u;
	const struct lh_value *record;
	const char *member;
	bool any;
};

/* Add a person whom a record names by a member of that name; an "id" in it may be of anything. */
static int use_named(void *ctx, const struct lh_person_at *at, const struct lh_value *v, bool id,
		     struct lh_err *err)
{
	const struct lh_person_at *m = at;
	struct using *is = ctx;
	struct lh_value corpus;
	struct lh_writer w;

	(void)err;
	while (!m->key.p && m->up)
		m = m->up;
	if (!id || !m->key.p || !lh_person_is_id(m->in, &m->key, &corpus))
		return 0;
	w = begin_used(is->u, (struct lh_str){ v->p, v->n });
	if (corpus.p)
		lh_write_value(&w, "corpus", &corpus);
	end_used(&w, is->member, m->in, is->record);
	is->any |= !corpus.p;
	return 0;
}

void lh_persons_used_id(struct lh_persons_used *u, struct lh_str id, const char *member)
{
	struct lh_writer w;

	lh_buf_reset(&u->copy);
	lh_buf_json(&u->copy, id.p, id.n);
	w = begin_used(u, (struct lh_str){ u->copy.p, u->copy.len });
	end_used(&w, member, NULL, NULL);
}

/* Return whether metadata may name a person: it is parsed only then. */
static bool may_name(struct lh_str meta)
{
	return memmem(meta.p, meta.n, "_id", 3) || memmem(meta.p, meta.n, "subject", 7) ||
	       memmem(meta.p, meta.n, "\\u", 2);
}

void lh_persons_used_record(struct lh_persons_used *u, bool of_persons, struct lh_str id,
			    struct lh_str metadata, const char *member)
{
	struct using is = { .u = u, .member = member };
	struct lh_value v;
	struct lh_err unused;
	struct lh_writer w;

	if (metadata.n && (of_persons || may_name(metadata))) {
		lh_buf_reset(&u->copy);
		lh_buf_add(&u->copy, metadata.p, metadata.n);
		if (lh_json_parse(&u->scan, u->copy.p, u->copy.len, &v, &unused) == 0) {
			is.record = &v;
			lh_person_walk(&v, false, use_named, &is, &unused);
		}
	}
	if (is.any || !of_persons)
		return;
	if (!is.record || member) {
		lh_persons_used_id(u, id, member ? member : "id");
		return;
	}
	w = lh_write_to(&u->list);
	w.comma = u->list.len > 0;
	lh_write_object(&w, NULL);
	lh_write_str(&w, "id", id);
	end_used(&w, NULL, NULL, is.record);
}

void lh_persons_used_results(struct lh_persons_used *u, const struct lh_value *results)
{
	struct lh_value id, corpus;
	struct lh_err unused;
	struct lh_writer w;
	struct lh_iter it;

	for (lh_iter_init(&it, results); lh_iter_next(&it); ) {
		struct using is = { .u = u, .record = &it.val };

		lh_person_walk(&it.val, false, use_named, &is, &unused);
		if (is.any || !lh_value_get(&it.val, "id", &id) ||
		    !lh_value_get(&it.val, "corpus", &corpus) || corpus.type != LH_STRING ||
		    (id.type != LH_STRING && id.type != LH_NUMBER))
			continue;
		w = begin_used(u, (struct lh_str){ id.p, id.n });
		lh_write_value(&w, "corpus", &corpus);
		end_used(&w, NULL, NULL, &it.val);
	}
}

static void use_condition(struct lh_persons_used *u, const struct lh_value *v, bool id,
			  const char *member)
{
	struct lh_writer w;
	struct lh_iter it;

	if (id && (v->type == LH_STRING || v->type == LH_NUMBER)) {
		w = begin_used(u, (struct lh_str){ v->p, v->n });
		end_used(&w, member, NULL, NULL);
	}
	if (v->type != LH_OBJECT && v->type != LH_ARRAY)
		return;
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		use_condition(u, &it.val, id || (it.object && (lh_person_names(&it.key) ||
							       IS(&it.key, "id"))), member);
}

void lh_persons_used_condition(struct lh_persons_used *u, const struct lh_value *v,
			       const char *member)
{
	use_condition(u, v, false, member);
}

void lh_persons_used_write(const struct lh_persons_used *u, struct lh_writer *w)
{
	lh_write_array(w, "persons");
	lh_buf_add(w->out, u->list.p, u->list.len);
	lh_write_end(w);
}
