/* state.c - the state that depends on files, reopened when they change.  See search.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "search.h"

static void state_close(void *state)
{
	struct search *s = state;

	corpora_close(&s->corpora);
	free(s);
}

static void *state_open(void *ctx, const void *was, struct lh_err *err)
{
	struct run *run = ctx;
	const struct search *before = was;
	struct search *s = lh_calloc(1, sizeof *s);

	s->tool = run->tool;
	s->set = run->set;
	s->where = &run->where;
	s->looked_up = &run->looked_up;
	s->decisions = run->decisions;
	s->reranker = run->reranker;
	s->known = run->known;
	if (corpora_open(&s->corpora, run, before ? &before->corpora : NULL, err) == 0 &&
	    (!s->set->hybrid || corpora_have_words(&s->corpora, err) == 0))
		return s;
	state_close(s);
	return NULL;
}

static bool state_stale(void *run, const void *state)
{
	(void)run;
	return corpora_stale(&((const struct search *)state)->corpora);
}

struct lh_held_how state_how(struct run *run)
{
	return (struct lh_held_how){
		.open = state_open, .stale = state_stale, .close = state_close, .ctx = run
	};
}
