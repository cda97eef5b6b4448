/* recorder.c - store entries in one playbook: open or make it, embed, commit, compact. */
#include "playbook.h"

#include "index/index_tools.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "json/bind.h"
#include "json/write.h"
#include "model/http.h"

#define COMMIT_BYTES (16u << 20)
#define DROP_MOST 16	/* members of an entry that are not stored */

static const struct lh_bind members[] = {
	LH_TRACE_MEMBER(struct recorder, trace),
	{ LH_BIND_F64("least", struct recorder, least, -1e9, 1e9) },
	LH_BIND_END
};

/* ---- the playbook ---- */

/* Return the engine of a playbook created now. */
static const char *engine_of(const struct settings *s)
{
	return lh_engine_name(s->engine < 0 ? LH_ENGINE_HASH : (enum lh_engine)s->engine);
}

/* Then --model is the present path or the name of the model. */
static bool is_gguf(const char *engine)
{
	return strcmp(engine, lh_engine_name(LH_ENGINE_GGUF)) == 0;
}

/* Return the engine of a playbook that is to be created. */
static const char *new_engine(const struct recorder *r)
{
	return r->like ? r->like->engine : engine_of(r->set);
}

/* Return its prefix: that of queries, which the entries are. */
static const char *new_prefix(const struct recorder *r)
{
	return r->like ? r->like->query_prefix : r->set->prefix ? r->set->prefix : "";
}

/* Check that the engine given is that of the playbook. */
static int same_engine(const struct recorder *r, const struct lh_index_params *p,
		       struct lh_err *err)
{
	const struct settings *s = r->set;

	if (!*p->engine)
		return lh_err_set(err, LH_EUSAGE,
				  "%s: the index names no engine to embed queries by", r->path);
	if (s->engine >= 0 && strcmp(engine_of(s), p->engine) != 0)
		return lh_err_set(err, LH_EUSAGE, "--engine %s: the playbook has %s", engine_of(s),
				  p->engine);
	if (s->model && strcmp(s->model, p->model) != 0 && !is_gguf(p->engine))
		return lh_err_set(err, LH_EUSAGE, "--model %s: the playbook has %s", s->model,
				  p->model);
	if (s->prefix && strcmp(s->prefix, p->prefix) != 0)
		return lh_err_set(err, LH_EUSAGE, "--prefix \"%.200s\": the playbook has \"%s\"",
				  s->prefix, p->prefix);
	return 0;
}

static int open_playbook(struct recorder *r, struct lh_err *err)
{
	r->c = lh_index_change_open(r->path, r->tool->lock_timeout, err);
	if (!r->c || same_engine(r, lh_index_change_params(r->c), err) < 0)
		return -1;
	return lh_playbook_check(r->path, err);
}

/* Start the playbook's engine, or that of the playbook to be created. */
static int start_texts(struct recorder *r, struct lh_err *err)
{
	const struct settings *s = r->set;
	const struct lh_index_params *p = r->c ? lh_index_change_params(r->c) : r->like;
	struct lh_embedder_options how = {
		.engine = engine_of(s), .model = s->model, .url = s->url, .own_url = s->url != NULL,
		.prefix = s->prefix, .jobs = r->jobs
	};

	if (p) {
		how.engine = p->engine;
		how.model = p->model;
		how.url = s->url ? s->url : p->url;
		how.prefix = r->c ? p->prefix : new_prefix(r);
		how.dimension = lh_engine_here(p->engine) || is_gguf(p->engine) ? p->dimension : 0;
	}
	if (s->prefix && !is_gguf(how.engine))
		return lh_err_set(err, LH_EUSAGE, "--prefix is for engine gguf");
	if (is_gguf(how.engine)) {
		how.url = s->model ? s->model : how.url;
		how.model = p ? how.model : NULL;
	}
	lh_embedder_free(r->texts);
	r->texts = lh_embedder_new(&how, err);
	return r->texts ? 0 : -1;
}

int recorder_like(struct recorder *r, struct lh_index_params *like, struct lh_err *err)
{
	free(r->like);
	r->like = like;
	return start_texts(r, err);
}

int recorder_start(struct recorder *r, struct lh_err *err)
{
	if ((access(r->path, F_OK) == 0 || errno != ENOENT) && open_playbook(r, err) < 0)
		return -1;
	return start_texts(r, err);
}

static int set_text(char *to, size_t room, const char *what, const char *from, struct lh_err *err)
{
	if (strlen(from) >= room)
		return lh_err_set(err, LH_EUSAGE, "%s of %zu bytes: at most %zu", what,
				  strlen(from), room - 1);
	memcpy(to, from, strlen(from) + 1);
	return 0;
}

/* Create an empty index, unless another process has. */
static int make_playbook(struct recorder *r, uint32_t dimension, struct lh_err *err)
{
	struct lh_index_params p;

	lh_index_params_default(&p);
	p.dimension = dimension;
	lh_tool_time(r->tool, p.created_at);
	if (set_text(p.engine, sizeof p.engine, "engine", new_engine(r), err) < 0 ||
	    set_text(p.model, sizeof p.model, "model", lh_embedder_model(r->texts), err) < 0 ||
	    set_text(p.url, sizeof p.url, "--url", lh_embedder_url(r->texts), err) < 0 ||
	    set_text(p.prefix, sizeof p.prefix, "--prefix", new_prefix(r), err) < 0)
		return -1;
	memcpy(p.query_prefix, p.prefix, sizeof p.prefix);
	if (lh_index_create(r->path, &p, r->tool->lock_timeout, err) < 0)
		return -1;
	return open_playbook(r, err);
}

int recorder_commit(struct recorder *r, struct lh_err *err)
{
	bool due = false;

	if (!r->c)
		return 0;
	if (lh_index_change_in_turn(r->c, r->path, r->jobs, r->tool->lock_timeout, &due, err) < 0)
		return -1;
	r->fold = r->fold || due;
	return 0;
}

int recorder_fold(struct recorder *r, struct lh_err *err)
{
	if (!r->fold)
		return 0;
	r->fold = false;
	if (lh_index_compact_unless_busy(r->path, r->jobs, r->tool->lock_timeout, err) < 0)
		return lh_err_prefix(err, "the entries are recorded, but the compaction failed");
	return 0;
}

/* ---- the index of an answer ---- */

struct lh_index *answers_index(struct answers *a, const struct settings *s,
			       const struct lh_playbook_entry *e, struct lh_err *err)
{
	const struct lh_index_named in = { .folder = s->indexes, .what = "index" };
	struct lh_index *now = NULL;
	char *path = NULL;

	if (lh_index_name_valid(e->answer_corpus))
		path = lh_index_named_find(&in, e->answer_corpus, err);
	else
		lh_err_data(err, 404, "there is no such index");
	if (path && a->path && strcmp(a->path, path) == 0)
		now = lh_index_renew(a->ix, err);
	else if (path)
		now = lh_index_open(path, err);
	lh_index_close(now ? a->ix : NULL);
	if (!now) {
		free(path);
		return NULL;
	}
	free(a->path);
	a->path = path;
	return a->ix = now;
}

void answers_free(struct answers *a)
{
	lh_index_close(a->ix);
	free(a->path);
	lh_vocabularies_free(a->known);
	lh_sought_free(&a->sought);
}

/* Give an entry without a role the one that its text asks for. */
static void set_role(struct answers *a, const struct settings *s, struct lh_playbook_entry *e)
{
	const struct lh_index *ix = NULL;
	struct lh_err unused;

	lh_sought_reset(&a->sought);
	if (e->role.n)
		return;
	if (s->indexes)
		ix = answers_index(a, s, e, &unused);
	if (!a->known)
		a->known = lh_vocabularies_new();
	lh_sought_find(&a->sought, a->known, e->query_text, &ix, ix != NULL, a->scope, a->filter);
	e->role = (struct lh_str){ a->sought.role.p, a->sought.role.len };
}

/* ---- an entry ---- */

static int embed(struct recorder *r, const struct lh_str *text, uint32_t *dimension,
		 struct lh_err *err)
{
	struct lh_embedder_ask ask = { .text = text, .n = 1, .trace = r->trace };

	lh_buf_reset(&r->vector);
	return lh_embedder_ask(r->texts, &ask, &r->vector, dimension, err);
}

/* Return whether the playbook fits what was embedded before it existed: another process
 * may have created it, with another engine. */
static bool is_for(const struct recorder *r, uint32_t dimension)
{
	const struct lh_index_params *p = lh_index_change_params(r->c);

	return p->dimension == dimension && strcmp(p->engine, new_engine(r)) == 0 &&
		strcmp(p->model, lh_embedder_model(r->texts)) == 0 &&
		strcmp(p->prefix, new_prefix(r)) == 0;
}

/* Embed the text for an existing playbook. */
static int embed_for(struct recorder *r, const struct lh_str *text, uint32_t *dimension,
		     struct lh_err *err)
{
	if (embed(r, text, dimension, err) < 0)
		return -1;
	if (r->c)
		return 0;
	if (make_playbook(r, *dimension, err) < 0)
		return -1;
	if (is_for(r, *dimension))
		return 0;
	return start_texts(r, err) < 0 ? -1 : embed(r, text, dimension, err);
}

/* The metadata of a row is the entry as it came, with a role that was found; the id is that of the
 * row. */
static int put_entry(struct recorder *r, const struct lh_record *rec, const char *id,
		     uint32_t dimension, struct lh_err *err)
{
	const struct lh_buf *role = &r->answers->sought.role;
	const char *drop[DROP_MOST];
	struct lh_writer w;

	memcpy(drop, r->drop, r->n_drop * sizeof *drop);
	drop[r->n_drop] = "role";
	lh_buf_reset(&r->meta);
	w = lh_write_record(&r->meta, rec, drop, r->n_drop + (role->len > 0));
	if (role->len)
		lh_write_str(&w, "role", (struct lh_str){ role->p, role->len });
	lh_write_end(&w);
	return lh_index_change_put(r->c, id, LH_PLAYBOOK_ID_LEN,
				   (const float *)(const void *)r->vector.p, dimension, r->meta.p,
				   r->meta.len, err);
}

/* Make the row of the decision to record an entry, or to refuse it for its rating. */
static void make_row(struct recorder *r, const struct lh_playbook_entry *e,
		     const char id[LH_PLAYBOOK_ID_LEN], const char *verdict, double rating)
{
	struct lh_writer w = lh_decision_begin(&r->row, r->decisions, &(struct lh_decision){
		.asked = e->query_text, .trace = r->trace.n ? r->trace : r->outer,
		.verdict = verdict, .playbook = lh_index_name(r->path) });

	lh_write_array(&w, "indexes");
	lh_write_end(&w);
	lh_write_array(&w, "ids");
	lh_write_object(&w, NULL);
	lh_write_str(&w, "id", e->answer_id);
	lh_write_str(&w, "corpus", e->answer_corpus);
	lh_write_end(&w);
	lh_write_end(&w);
	lh_write_str(&w, "entry", (struct lh_str){ id, LH_PLAYBOOK_ID_LEN });
	lh_write_f64(&w, "score", e->score);
	if (!isnan(rating))
		lh_write_f64(&w, "rating", rating);
	lh_write_end(&w);
}

/* Let the judge, if there is one, rate the answer, and refuse one that it rates too low: the row of
 * that decision is written at once. */
static int pass_judge(struct recorder *r, const struct lh_playbook_entry *e,
		      const char id[LH_PLAYBOOK_ID_LEN], double *rating, struct lh_err *err)
{
	const struct settings *s = r->set;
	double least = isnan(s->least) ? r->least : isnan(r->least) ? s->least :
		       fmax(s->least, r->least);

	*rating = NAN;
	if (!s->judge)
		return isnan(r->least) ? 0 :
			lh_err_set(err, LH_EDATA, "\"least\": there is no judge (--judge)");
	if (judge_rate(&r->judge, s, r->answers, e, rating, err) < 0)
		return -1;
	if (!(*rating < least))
		return 0;
	if (r->decisions) {
		make_row(r, e, id, "refused", *rating);
		if (lh_decision_append(r->decisions, r->row.p, r->row.len, true, err) < 0)
			return -1;
	}
	return lh_err_data(err, 422, "the judge rates the answer %g, less than %g", *rating, least);
}

int recorder_put(struct recorder *r, const struct lh_record *rec, char id[LH_PLAYBOOK_ID_LEN],
		 struct lh_err *err)
{
	struct lh_playbook_entry e;
	uint32_t dimension;
	double rating;

	r->least = NAN;
	r->trace = (struct lh_str){ NULL, 0 };
	if (lh_bind(members, rec, r, &r->traced, err) < 0 ||
	    lh_playbook_read(rec, &r->strings, &e, err) < 0)
		return -1;
	set_role(r->answers, r->set, &e);
	lh_playbook_id(&e, id);
	if (pass_judge(r, &e, id, &rating, err) < 0 ||
	    embed_for(r, &e.query_text, &dimension, err) < 0)
		return -1;
	if (r->decisions)
		make_row(r, &e, id, "recorded", rating);
	return put_entry(r, rec, id, dimension, err);
}

bool recorder_has_much(const struct recorder *r)
{
	return r->c && lh_index_change_bytes(r->c) >= COMMIT_BYTES;
}

void recorder_close(struct recorder *r)
{
	lh_index_change_close(r->c);
	lh_embedder_free(r->texts);
	judge_stop(&r->judge);
	free(r->like);
	r->like = NULL;
	lh_buf_free(&r->strings);
	lh_buf_free(&r->vector);
	lh_buf_free(&r->meta);
	lh_buf_free(&r->traced);
	lh_buf_free(&r->row);
	r->c = NULL;
	r->texts = NULL;
}
