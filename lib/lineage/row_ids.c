/*
 * row_ids.c - what the rows of a root are called, and where they name persons.  See lineage.h and
 * person_ids.h.
 */
#include <string.h>
#include <strings.h>

#include <lh/digest.h>
#include "base/xxh3.h"
#include "distill/evidence.h"
#include "lineage.h"
#include "person_ids.h"

/* ---- where a record names persons ---- */

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

/* ---- what the rows of a root are called ---- */

/* A row, or the source_record of a refusal. */
struct row {
	struct lh_str id;
	struct lh_row_side side[2];
	struct retrieved {
		const struct lh_str *id;
		size_t n;
	} retrieved;
};

#define RUN(name, i) { LH_BIND_STRING(name, struct row, side[i].run), .lax = true, .filled = true }
#define FROM(i) \
	{ LH_BIND_TABLE("provenance", struct row, side[i].from, lh_provenance_members), \
	  .lax = true }
#define ID(name) { LH_BIND_STRING(name, struct row, id), .lax = true, .filled = true }

static const struct lh_bind skip_members[] = {
	{ LH_BIND_STRING("source_file", struct row, side[0].from.source_file), .lax = true,
	  .filled = true },
	{ LH_BIND_SOME("line_offset", struct row, side[0].from.line_offset) },
	{ LH_BIND_STRING("sig_hash", struct row, side[0].from.sig_hash), .lax = true,
	  .filled = true },
	LH_BIND_END
};
static const struct lh_bind evidence_members[] = { RUN("run_id", 0), FROM(0), LH_BIND_END };
static const struct lh_bind scored_members[] = {
	RUN("evidence_run_id", 0), FROM(0), LH_BIND_END
};
static const struct lh_bind sample_members[] = {
	ID("id"), RUN("source_run_id", 0), FROM(0), LH_BIND_END
};
static const struct lh_bind pair_members[] = {
	ID("id"), RUN("chosen_run_id", 0), FROM(0), RUN("rejected_run_id", 1), LH_BIND_END
};

/* The scored run that a refusal has unchanged. */
static const struct lh_bind refused_run[] = {
	{ LH_BIND_STRING("evidence_run_id|run_id", struct lh_row_side, run), .lax = true,
	  .filled = true },
	{ LH_BIND_TABLE("provenance", struct lh_row_side, from, lh_provenance_members),
	  .lax = true },
	LH_BIND_END
};
static const struct lh_bind refused_members[] = {
	RUN("evidence_run_id|run_id", 0), FROM(0),
	{ LH_BIND_TABLE("chosen", struct row, side[0], refused_run), .lax = true },
	{ LH_BIND_TABLE("rejected", struct row, side[1], refused_run), .lax = true },
	LH_BIND_END
};
struct refusal {
	struct row of;
};
static const struct lh_bind refusal_members[] = {
	{ LH_BIND_TABLE("source_record", struct refusal, of, refused_members), .lax = true },
	LH_BIND_END
};

static const struct lh_bind retrieved_members[] = {
	{ LH_BIND_STRINGS("rag_ids", struct retrieved, id, n), .lax = true },
	LH_BIND_END
};
static const struct lh_bind replay_members[] = {
	ID("recorded_run_id"),
	{ LH_BIND_TABLE("retrieved_artifacts", struct row, retrieved, retrieved_members),
	  .lax = true },
	LH_BIND_END
};

static const struct lh_bind *const members[LH_PLACES] = {
	[LH_PLACE_SKIP] = skip_members,
	[LH_PLACE_EVIDENCE] = evidence_members,
	[LH_PLACE_SCORED] = scored_members,
	[LH_PLACE_RAG] = sample_members,
	[LH_PLACE_SFT] = sample_members,
	[LH_PLACE_PREFERENCE] = pair_members,
	[LH_PLACE_QUARANTINE] = refusal_members,
	[LH_PLACE_REPLAY] = replay_members,
};

void lh_row_ids_free(struct lh_row_ids *ids)
{
	lh_buf_free(&ids->text);
	lh_buf_free(&ids->scratch);
}

static bool is_sig(struct lh_str s)
{
	unsigned char hash[32];

	return s.p && lh_unhex(s.p, s.n, hash);
}

static int read_source(struct lh_row_ids *ids, const struct lh_record *rec, struct lh_err *err)
{
	struct lh_row_side *side = ids->side;
	unsigned char hash[32];

	if (lh_sig_hash(rec, &ids->scratch, hash, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	lh_hex(hash, sizeof hash, ids->sig);
	*side = (struct lh_row_side){ .from = { .sig_hash = { ids->sig, 64 }, .line = -1 } };
	ids->n_sides = 1;
	return 0;
}

int lh_row_ids_read(struct lh_row_ids *ids, enum lh_place place, const struct lh_record *rec,
		    struct lh_err *err)
{
	struct refusal r = { .of.id.p = NULL };
	size_t i;

	ids->id = (struct lh_str){ NULL, 0 };
	ids->n_sides = ids->n_retrieved = 0;
	if (place == LH_PLACE_SOURCE)
		return read_source(ids, rec, err);
	if (!members[place])
		return 0;
	if (lh_bind(members[place], rec, place == LH_PLACE_QUARANTINE ? (void *)&r : &r.of,
		    &ids->text, err) < 0)
		return -1;
	ids->id = r.of.id;
	ids->retrieved = r.of.retrieved.id;
	ids->n_retrieved = r.of.retrieved.n;
	for (i = 0; i < 2; i++) {
		struct lh_row_side *side = &ids->side[i];

		*side = r.of.side[i];
		lh_provenance_set_line(&side->from);
		if (!is_sig(side->from.sig_hash))
			side->from.sig_hash = (struct lh_str){ NULL, 0 };
		if (side->run.p || side->from.sig_hash.p || side->from.source_file.p)
			ids->n_sides = i + 1;
	}
	return 0;
}

/* ---- keys ---- */

uint32_t lh_row_key(enum lh_key_kind kind, struct lh_str text)
{
	uint32_t v = 0;
	int i;

	if (kind != LH_KEY_SIG)
		return (uint32_t)lh_xxh3_seeded(text.p, text.n, kind + 1);
	for (i = 0; i < 8; i++)
		v = v << 4 | (uint32_t)(text.p[i] <= '9' ? text.p[i] - '0' : text.p[i] - 'a' + 10);
	return v;
}

uint32_t lh_row_line_key(struct lh_str source_file, int64_t line)
{
	return (uint32_t)(lh_row_key(LH_KEY_LINE, source_file) +
			  (uint64_t)line * 0x9e3779b97f4a7c15u);
}

static void add_key(struct lh_buf *out, uint32_t key)
{
	lh_buf_add(out, &key, sizeof key);
}

int lh_row_keys(struct lh_row_ids *ids, enum lh_place place, const struct lh_record *rec,
		struct lh_buf *out, struct lh_err *err)
{
	const struct lh_row_side *side;
	size_t i;

	if (lh_row_ids_read(ids, place, rec, err) < 0)
		return -1;
	if (ids->id.p)
		add_key(out, lh_row_key(LH_KEY_ID, ids->id));
	for (side = ids->side; side < ids->side + ids->n_sides; side++) {
		if (side->run.p)
			add_key(out, lh_row_key(LH_KEY_RUN, side->run));
		if (side->from.sig_hash.p)
			add_key(out, lh_row_key(LH_KEY_SIG, side->from.sig_hash));
		if ((place == LH_PLACE_SKIP || place == LH_PLACE_EVIDENCE) &&
		    side->from.source_file.p && side->from.line >= 0)
			add_key(out, lh_row_line_key(side->from.source_file, side->from.line));
	}
	for (i = 0; i < ids->n_retrieved; i++)
		if (ids->retrieved[i].p)
			add_key(out, lh_row_key(LH_KEY_RETRIEVED, ids->retrieved[i]));
	return 0;
}
