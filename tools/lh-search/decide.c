/* decide.c - append a decision to their log for each search with a playbook.  See search.h. */
#include "search.h"

/* Return what was asked: the text, or the vector or ids as they are written. */
static struct lh_str asked(const struct query *q)
{
	const struct lh_value *v = q->like_json.p ? &q->like_json : &q->vector_json;

	return q->text.p ? q->text : (struct lh_str){ v->p, v->n };
}

/* Write an id of an index, which may be damaged. */
static int write_id(const struct result *f, struct lh_writer *to, struct lh_err *err)
{
	char id[LH_ID_MAX];

	memcpy(id, f->row.id.p, f->row.id.n);
	if (!lh_utf8_valid(id, f->row.id.n))
		return damaged_row(f->seat, f->number, "its id is not UTF-8", err);
	lh_write_object(to, NULL);
	lh_write_str(to, "id", (struct lh_str){ id, f->row.id.n });
	lh_write_text(to, "corpus", f->seat->name->text);
	if (f->playbook.p)
		lh_write_str(to, f->injected ? "injected_by" : "boosted_by", f->playbook);
	lh_write_end(to);
	return 0;
}

int decide(struct worker *w, struct lh_err *err)
{
	const struct query *q = &w->reader.q;
	char playbook[LH_INDEX_GENERATION] = "";
	struct lh_writer to;
	size_t i;
	char generation[LH_INDEX_GENERATION];

	if (w->asked)
		lh_index_generation(w->asked->open->ix, playbook);
	to = lh_decision_begin(&w->row, w->run->decisions, &(struct lh_decision){
		.asked = asked(q), .trace = q->trace,
		.verdict = w->injected ? "injected" : w->boosted ? "boosted" : "unchanged",
		.playbook = w->asked ? lh_str_of(w->asked->name->text)
				     : (struct lh_str){ NULL, 0 },
		.playbook_generation = playbook });
	lh_write_array(&to, "indexes");
	for (i = 0; i < w->n_chosen; i++) {
		const struct corpus_search *s = w->chosen[i];

		lh_index_generation(s->open->ix, generation);
		lh_decision_index(&to, lh_str_of(s->name->text), generation);
	}
	lh_write_end(&to);
	lh_write_array(&to, "ids");
	for (i = 0; i < w->n_found; i++)
		if (write_id(&w->found[i], &to, err) < 0)
			return -1;
	lh_write_end(&to);
	return lh_decision_end(&to, w->run->decisions, err);
}
