/*
 * validate_fill.c - check a fill: the workers that go to a client.  See
 * lh/validate.h.
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "json/json_scanner.h"
#include "base/mem.h"
#include "validate_parts.h"

struct contract {		/* from the context; n = 0: absent */
	bool counted;
	int64_t target_count;
	struct lh_str city, state, role, client_id;
};

struct fill {
	uint64_t i;
	struct lh_value id_value;
	struct lh_str id, name;
};

/* Empty the set and make room for n ids. */
static void seen_open(struct lh_seen *s, size_t n)
{
	size_t want = 16;

	while (want < 2 * n)
		want *= 2;
	lh_grow(&s->slot, &s->cap, want, sizeof *s->slot);
	memset(s->slot, 0, want * sizeof *s->slot);
	s->mask = want - 1;
}

/* Return whether the id at that offset of the artifact equals key without case. */
static void is_id_at(struct lh_validator *v, uint32_t at, const struct lh_str *key, bool *same)
{
	const struct lh_value *a = v->artifact;
	struct lh_value val = { .p = a->p + at, .type = LH_STRING };
	size_t mark = v->text.len;
	struct lh_str id;

	val.n = (size_t)(lh_skip_string(val.p, a->p + a->n, &val.escaped) - val.p);
	lh_val_str(v, &val, &id);
	*same = lh_val_same(&id, key);
	v->text.len = mark;
}

/* Add the id at val, whose trimmed and folded form is key. */
static void seen_add(struct lh_validator *v, const struct lh_value *val, const struct lh_str *key,
		     bool *again)
{
	struct lh_seen *s = &v->seen;
	uint32_t hash = lh_key_hash(key->p, key->n, s->seed);
	size_t i;

	for (i = hash & s->mask; s->slot[i].at; i = (i + 1) & s->mask) {
		if (s->slot[i].hash != hash)
			continue;
		is_id_at(v, s->slot[i].at, key, again);
		if (*again)
			return;
	}
	*again = false;
	s->slot[i] = (struct lh_seen_slot){ hash, (uint32_t)(val->p - v->artifact->p) };
}

/* Read a member that must be a string that is not blank. */
static int read_member(struct lh_validator *v, const struct fill *f, const struct lh_value *entry,
		       const char *name, struct lh_value *val, struct lh_str *out)
{
	*val = (struct lh_value){ .type = LH_NULL };
	if (lh_value_get(entry, name, val) && val->type == LH_STRING) {
		lh_val_str(v, val, out);
		if (!lh_val_blank(out))
			return 0;
	}
	lh_val_at(v, "fills[%u].%s", f->i, &(struct lh_str){ name, strlen(name) });
	return lh_val_error(v, LH_VAL_SCHEMA, "missing");
}

static int check_entry(struct lh_validator *v, const struct lh_value *entry, struct fill *f)
{
	struct lh_value name;
	int rc = read_member(v, f, entry, "candidate_id", &f->id_value, &f->id);

	return rc ? rc : read_member(v, f, entry, "name", &name, &f->name);
}

static int check_new(struct lh_validator *v, const struct fill *f)
{
	struct lh_str id = lh_trim(f->id.p, f->id.n), key;
	bool again;

	lh_buf_reset(&v->folded);
	lh_val_fold(v, &id, &key);
	seen_add(v, &f->id_value, &key, &again);
	return again ? lh_val_error(v, LH_VAL_CONSISTENCY, "duplicate candidate_id '%s' in fills",
				    &f->id) : 0;
}

/* A worker whose place is unknown is not in another place. */
static int check_place(struct lh_validator *v, const char *what, const struct lh_str *has,
		       const struct lh_str *wants)
{
	const struct lh_str name = { what, strlen(what) };

	if (!has->n || !wants->n || lh_val_same(has, wants))
		return 0;
	return lh_val_error(v, LH_VAL_CONSISTENCY, "%s '%s' doesn't match contract %s '%s'", &name,
			    has, &name, wants);
}

static int check_worker(struct lh_validator *v, const struct fill *f, const struct contract *c,
			const struct lh_worker *w)
{
	static const struct lh_str active = { "active", 6 };
	bool same = true;
	int rc;

	if (w->status.n && !lh_val_same(&w->status, &active))
		return lh_val_error(v, LH_VAL_CONSISTENCY,
				    "fills[%u] worker '%s' status is '%s', expected 'active'",
				    f->i, &f->id, &w->status);
	if (c->client_id.n && lh_worker_blacklisted(w, c->client_id.p, c->client_id.n))
		return lh_val_error(v, LH_VAL_POLICY,
				    "fills[%u] worker '%s' is blacklisted for client '%s'",
				    f->i, &f->id, &c->client_id);
	rc = check_place(v, "city", &w->city, &c->city);
	if (!rc)
		rc = check_place(v, "state", &w->state, &c->state);
	if (!rc)
		rc = check_place(v, "role", &w->role, &c->role);
	if (!rc && w->name.n)
		lh_val_same_name(v, &f->name, &w->name, &same);
	if (!rc && !same) {
		lh_val_at(v, "fills[%u].name", f->i);
		lh_val_warn(v, "'%s' differs from roster name '%s'", &f->name, &w->name);
	}
	return rc;
}

static int check_fill(struct lh_validator *v, const struct fill *f, const struct contract *c)
{
	struct lh_worker w;
	bool found;
	int rc = check_new(v, f);

	if (rc)
		return rc;
	if (lh_val_worker(v, &f->id, &w, &found) < 0)
		return -1;
	if (!found)
		return lh_val_error(v, LH_VAL_CONSISTENCY,
				    "fills[%u].candidate_id '%s' does not exist in worker roster",
				    f->i, &f->id);
	return check_worker(v, f, c, &w);
}

static int read_contract(struct lh_validator *v, struct contract *c)
{
	int rc = lh_val_context_count(v, &c->counted, &c->target_count);

	if (!rc)
		rc = lh_val_context_str(v, "city", &c->city);
	if (!rc)
		rc = lh_val_context_str(v, "state", &c->state);
	if (!rc)
		rc = lh_val_context_str(v, "role", &c->role);
	if (!rc)
		rc = lh_val_context_str(v, "client_id", &c->client_id);
	return rc;
}

int lh_validate_fill(struct lh_validator *v)
{
	struct lh_value fills;
	struct contract c;
	struct lh_iter it;
	struct fill f;
	size_t mark;
	int rc = read_contract(v, &c);

	if (rc)
		return rc;
	if (!lh_value_get(v->artifact, "fills", &fills) || fills.type != LH_ARRAY) {
		lh_val_at(v, "fills");
		return lh_val_error(v, LH_VAL_SCHEMA, "expected array");
	}
	mark = v->text.len;
	for (f.i = 0, lh_iter_init(&it, &fills); lh_iter_next(&it); f.i++, v->text.len = mark)
		if ((rc = check_entry(v, &it.val, &f)) != 0)
			return rc;
	if (c.counted && f.i != (uint64_t)c.target_count)
		return lh_val_error(v, LH_VAL_COMPLETENESS,
				    "endorsed count (%u) != target_count (%d)", f.i,
				    c.target_count);
	seen_open(&v->seen, f.i);
	for (f.i = 0, lh_iter_init(&it, &fills); lh_iter_next(&it); f.i++, v->text.len = mark)
		if ((rc = check_entry(v, &it.val, &f)) != 0 || (rc = check_fill(v, &f, &c)) != 0)
			return rc;
	return 0;
}
