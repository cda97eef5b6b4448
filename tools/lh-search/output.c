/* output.c - print the answer as JSON.  See search.h. */
#include "search.h"

#include "json/write.h"
#include "persons/persons.h"

static int damaged(const struct result *f, const char *what, struct lh_err *err)
{
	return damaged_row(f->seat, f->number, what, err);
}

size_t passage_in(const struct worker *w, struct lh_str meta, struct lh_str *passage)
{
	static const char key[] = "\"" LH_PASSAGE_MEMBER "\":{";
	const char *at = NULL, *next = meta.p;

	passage->n = 0;
	while (w->run->set->divided &&
	       (next = memmem(next, (size_t)(meta.p + meta.n - next), key, sizeof key - 1)))
		at = next++;
	if (!at)
		return meta.n - 1;
	*passage = (struct lh_str){ at + sizeof key - 2, 0 };
	passage->n = (size_t)(meta.p + meta.n - 1 - passage->p);
	return (size_t)(at - meta.p) - (at[-1] == ',');
}

/* Copy metadata from the file, and check the copy.  A passage is a member next to them. */
static int print_metadata(struct worker *w, const struct result *f, struct lh_writer *to,
			  struct lh_err *err)
{
	const struct lh_str *meta = &f->row.meta;
	struct lh_buf *out = to->out;
	struct lh_str passage;
	struct lh_value v;
	size_t at, n = passage_in(w, *meta, &passage);

	lh_write_key(to, "metadata");
	at = out->len;
	lh_buf_add(out, meta->p, n);
	lh_buf_putc(out, meta->p[meta->n - 1]);
	if (memchr(out->p + at, '\n', n))
		return damaged(f, "metadata holds a line break", err);
	if (lh_json_parse(&w->scan, out->p + at, n + 1, &v, err) < 0)
		return damaged(f, "metadata is not JSON", err);
	if (!passage.n)
		return 0;
	lh_write_key(to, "passage");
	at = out->len;
	lh_buf_add(out, passage.p, passage.n);
	if (lh_json_parse(&w->scan, out->p + at, passage.n, &v, err) < 0)
		return damaged(f, "its passage is not JSON", err);
	return 0;
}

/* "id":...,"distance":...,"score":...,"rerank_score":...,"corpus":...,"metadata":...,
 * "playbook":... */
static int print_hit(struct worker *w, const struct result *f, struct lh_writer *to,
		     struct lh_err *err)
{
	const struct lh_row *row = &f->row;
	const size_t n = w->run->set->divided ? record_id(row->id).n : row->id.n;
	char id[LH_ID_MAX];

	memcpy(id, row->id.p, n);
	if (!lh_utf8_valid(id, n))
		return damaged(f, "its id is not UTF-8", err);
	lh_write_str(to, "id", (struct lh_str){ id, n });
	lh_write_f32(to, "distance", f->distance);
	if (w->run->set->hybrid)
		lh_write_f64(to, "score", f->score);
	if (w->run->reranker)
		lh_write_f64(to, "rerank_score", f->rerank);
	if (!w->reader.q.index.p)
		lh_write_raw(to, "corpus",
			     (struct lh_str){ f->seat->name->json.p, f->seat->name->json.len });
	if (row->meta.n && !w->run->set->no_metadata && print_metadata(w, f, to, err) < 0)
		return -1;
	if (f->playbook.p) {
		lh_write_object(to, "playbook");
		lh_write_str(to, "id", f->playbook);
		lh_write_bool(to, f->injected ? "injected" : "boosted", true);
		lh_write_f32(to, "original_distance", f->original);
		lh_write_end(to);
	}
	return 0;
}

static int print_results(struct worker *w, struct lh_writer *to, struct lh_err *err)
{
	size_t i;

	lh_write_array(to, "results");
	for (i = 0; i < w->n_found; i++) {
		lh_write_object(to, NULL);
		if (print_hit(w, &w->found[i], to, err) < 0)
			return -1;
		lh_write_end(to);
	}
	lh_write_end(to);
	return 0;
}

/* ---- whose data were used ---- */

static bool is_of_persons(const struct worker *w, const struct corpus_search *s)
{
	const struct lh_list *named = &w->run->set->persons;
	size_t i;

	for (i = 0; i < named->n; i++)
		if (!strcmp(named->v[i], s->name->text))
			return true;
	if (!atomic_load(&s->open->persons))
		atomic_store(&s->open->persons, lh_persons_index(s->open->ix) ? 2 : 1);
	return atomic_load(&s->open->persons) == 2;
}

/* Note the person whom an id leaves out: of the record, or if there is none of that id. */
static void note_excluded(struct worker *w, struct lh_str id)
{
	struct lh_err unused;
	struct lh_row row;
	bool there = false, of_persons = false, is;
	int64_t at;
	size_t i;

	for (i = 0; i < w->n_chosen; i++) {
		const struct lh_index *ix = w->chosen[i]->open->ix;

		of_persons |= is = is_of_persons(w, w->chosen[i]);
		at = lh_index_find(ix, id.p, id.n, &unused);
		if (at < 0 || lh_index_row(ix, (uint64_t)at, &row, &unused) <= 0)
			continue;
		there = true;
		lh_persons_used_record(&w->used, is, row.id, row.meta, "exclude_ids");
	}
	if (!there && of_persons)
		lh_persons_used_id(&w->used, id, "exclude_ids");
}

void note_used(struct worker *w)
{
	const struct settings *set = w->run->set;
	const struct query *q = &w->reader.q;
	bool of_persons = false;
	size_t i;

	lh_persons_used_reset(&w->used);
	for (i = 0; i < w->n_found; i++) {
		const struct result *f = &w->found[i];

		lh_persons_used_record(&w->used, is_of_persons(w, f->seat), f->row.id, f->row.meta,
				       set->no_metadata ? "id" : NULL);
	}
	for (i = 0; i < set->exclude.n; i++)
		note_excluded(w, lh_str_of(set->exclude.v[i]));
	for (i = 0; i < q->n_exclude; i++)
		note_excluded(w, q->exclude[i]);
	for (i = 0; i < w->n_liked; i++) {
		const struct liked *l = &w->liked[i];
		struct lh_err unused;
		struct lh_row row;

		if (lh_index_row(l->seat->open->ix, l->row, &row, &unused) > 0)
			lh_persons_used_record(&w->used, is_of_persons(w, l->seat), row.id,
					       row.meta, "like");
	}
	for (i = 0; q->both.p && !of_persons && i < w->n_chosen; i++)
		of_persons = is_of_persons(w, w->chosen[i]);
	if (of_persons)
		lh_persons_used_condition(&w->used, &q->both, "metadata_filter");
}

static void print_used(const struct worker *w, struct lh_writer *to)
{
	if (w->run->set->attribute)
		lh_persons_used_write(&w->used, to);
}

/* Write what the search left out: corpora, and what a limit ended. */
static void print_left_out(const struct worker *w, struct lh_writer *to)
{
	size_t i;

	if (w->looked && !w->matched && (w->n_found || w->run->set->matched))
		lh_write_bool(to, "matched", false);
	if (w->limits.reached)
		lh_write_bool(to, "truncated", true);
	if (!w->n_left_out)
		return;
	lh_write_array(to, "skipped");
	for (i = 0; i < w->n_left_out; i++) {
		lh_write_object(to, NULL);
		lh_write_text(to, "corpus", w->left_out[i]->name->text);
		lh_write_text(to, "reason", w->n_liked ? "its vectors are of another model" :
			      "it has no engine to embed text with");
		lh_write_end(to);
	}
	lh_write_end(to);
}

/* Say how many records the filter refused; beyond a scope nothing is counted. */
static void print_dropped(const struct worker *w, struct lh_writer *to)
{
	if (!w->scope)
		lh_write_u64(to, "metadata_filter_dropped", w->dropped);
}

int print_record(struct worker *w, const struct lh_record *rec, struct lh_buf *out,
		 struct lh_err *err)
{
	/* A record that was an answer before: nothing of that may pass for this one's. */
	const char *drop[20] = { "query_vector", "vector", "results", "metadata_filter_dropped",
				 "playbook_boosted", "playbook_injected", "partial", "skipped",
				 "query_role_missing", "truncated", "explain", "unmatched_filter",
				 "matched", "query_role", "query_city", "query_state" };
	const struct lh_sought *sought = &w->reader.sought;
	const struct query *q = &w->reader.q;
	const struct lh_value *alias = lh_record_get(rec, "query");
	struct lh_writer to;
	size_t n = sought->role.len ? 16 : 13;

	if (alias && alias->p != q->text_json.p)
		alias = NULL;
	if (alias)
		drop[n++] = "query_text";
	if (w->run->set->attribute)
		drop[n++] = "persons";
	to = lh_write_record(out, rec, drop, n);
	if (alias)
		lh_write_value(&to, "query_text", alias);
	lh_sought_write(sought, &to);
	if (print_results(w, &to, err) < 0)
		return -1;
	if (q->filter.p) {
		print_dropped(w, &to);
		print_unmatched(w, &to);
	}
	if (q->use_playbook) {
		lh_write_u64(&to, "playbook_boosted", w->boosted);
		lh_write_u64(&to, "playbook_injected", w->injected);
	}
	print_left_out(w, &to);
	print_explain(w, &to);
	print_used(w, &to);
	lh_write_end(&to);
	return 0;
}

int print_wire(struct worker *w, struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer to = lh_write_to(out);

	lh_write_object(&to, NULL);
	if (print_results(w, &to, err) < 0)
		return -1;
	if (!w->reader.q.index.p) {
		/* Write how many candidates each corpus gave, before they were cut at k. */
		uint64_t most = w->reader.q.per_corpus_k;
		size_t i;

		lh_write_object(&to, "per_corpus_counts");
		for (i = 0; i < w->n_chosen; i++) {
			const struct corpus_search *s = w->chosen[i];

			lh_write_key_str(&to, lh_str_of(s->name->text));
			lh_write_u64(&to, NULL, s->n < most ? s->n : most);
		}
		lh_write_end(&to);
		print_dropped(w, &to);
		lh_write_u64(&to, "playbook_boosted", w->boosted);
		lh_write_u64(&to, "playbook_injected", w->injected);
	}
	if (w->reader.q.filter.p)
		print_unmatched(w, &to);
	lh_sought_write(&w->reader.sought, &to);
	print_left_out(w, &to);
	print_explain(w, &to);
	print_used(w, &to);
	lh_write_end(&to);
	return 0;
}

static void print_text(const struct query *q, const char *name, struct lh_writer *to)
{
	if (q->text.p)
		lh_write_value(to, name, &q->text_json);
	else
		lh_write_null(to, name);
}

int print_flat(struct worker *w, struct lh_buf *out, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf unmatched = { 0 };
	const struct query *q = &w->reader.q;
	struct lh_writer to = lh_write_to(&unmatched);
	size_t i;

	if (q->filter.p)
		print_unmatched(w, &to);
	if (unmatched.len)
		lh_tool_message(w->run->tool, "no record matches: %.*s", (int)unmatched.len,
				unmatched.p);
	for (i = 0; i < w->n_found; i++) {
		if (i)
			lh_buf_putc(out, '\n');
		to = lh_write_to(out);
		lh_write_object(&to, NULL);
		if (q->query_id.p)
			lh_write_value(&to, "query_id", &q->query_id);
		print_text(q, "query_text", &to);
		lh_write_u64(&to, "rank", q->offset + i + 1);
		if (print_hit(w, &w->found[i], &to, err) < 0)
			return -1;
		print_left_out(w, &to);
		print_text(q, "query", &to);	/* its name before 0.2 */
		print_used(w, &to);
		lh_write_end(&to);
	}
	return 0;
}
