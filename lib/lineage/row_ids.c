/* row_ids.c - what the rows of a root are called.  See lineage.h. */
#include "lineage.h"

#include <lh/digest.h>

#include "base/xxh3.h"
#include "distill/evidence.h"
#include "person_ids.h"

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

struct keys {
	struct lh_buf *scratch, *out;
};

static int add_person(void *ctx, const struct lh_person_at *at, const struct lh_value *v, bool id,
		      struct lh_err *err)
{
	const struct keys *k = ctx;
	struct lh_str text = { v->p, v->n };

	(void)at, (void)err;
	lh_buf_reset(k->scratch);
	if (id && v->type == LH_STRING)
		lh_value_str(v, k->scratch, &text);
	if (id)
		add_key(k->out, lh_row_key(LH_KEY_PERSON, text));
	return 0;
}

int lh_row_person_keys(const struct lh_record *rec, struct lh_buf *scratch, struct lh_buf *out,
		       struct lh_err *err)
{
	const struct lh_value v = { rec->line, rec->len, LH_OBJECT, false };

	return lh_person_walk(&v, false, add_person, &(struct keys){ scratch, out }, err);
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
