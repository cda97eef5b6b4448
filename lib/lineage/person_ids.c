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
