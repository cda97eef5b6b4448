/* merge.c - merging the symbols of a word.  See tokenizer_parts.h. */
#include <stdlib.h>

#include "tokenizer_parts.h"
#include "base/mem.h"

struct lh_offer {			/* two symbols that may become one */
	uint32_t rank, left;
	uint32_t bytes, merged;		/* of both, when it was made; its node */
};

int lh_merger_add(struct lh_merger *m, const char *p, size_t n, uint32_t node, struct lh_err *err)
{
	if (m->n == LH_NO_SYMBOL)
		return lh_err_set(err, LH_EDATA, "a text of more than 4 GB");
	if (m->n == m->cap)
		lh_grow(&m->at, &m->cap, m->n + 1, sizeof *m->at);
	m->at[m->n++] = (struct lh_symbol){ .p = p, .n = (uint32_t)n, .node = node };
	return 0;
}

/* ---- the heap ---- */

static bool sooner(const struct lh_offer *a, const struct lh_offer *b)
{
	return a->rank < b->rank || (a->rank == b->rank && a->left < b->left);
}

static void push(struct lh_merger *m, struct lh_offer offer)
{
	size_t i = m->offers;

	if (m->offers == m->offer_cap)
		lh_grow(&m->offer, &m->offer_cap, m->offers + 1, sizeof *m->offer);
	m->offers++;
	for (; i && sooner(&offer, &m->offer[(i - 1) / 2]); i = (i - 1) / 2)
		m->offer[i] = m->offer[(i - 1) / 2];
	m->offer[i] = offer;
}

/* Take the first one, of at least one. */
static struct lh_offer pop(struct lh_merger *m)
{
	struct lh_offer first = m->offer[0], last = m->offer[--m->offers];
	size_t i = 0, next;

	while ((next = 2 * i + 1) < m->offers) {
		if (next + 1 < m->offers && sooner(&m->offer[next + 1], &m->offer[next]))
			next++;
		if (!sooner(&m->offer[next], &last))
			break;
		m->offer[i] = m->offer[next];
		i = next;
	}
	m->offer[i] = last;
	return first;
}

/* ---- merging ---- */

/* Offer a symbol and its next one, if they are a pair. */
static void offer_pair(struct lh_merger *m, uint32_t left)
{
	const struct lh_symbol *a = left == LH_NO_SYMBOL ? NULL : &m->at[left], *b;
	struct lh_offer offer = { .left = left };

	if (!a || a->next == LH_NO_SYMBOL)
		return;
	b = &m->at[a->next];
	if (!m->find(m->t, a, b, &offer.rank, &offer.merged))
		return;
	offer.bytes = a->n + b->n;
	push(m, offer);
}

/* A symbol grows to the right only, so that its bytes say whether it is as it was offered. */
static bool is_current(const struct lh_merger *m, const struct lh_offer *o)
{
	const struct lh_symbol *a = &m->at[o->left];

	return a->n && a->next != LH_NO_SYMBOL && a->n + m->at[a->next].n == o->bytes;
}

static void merge(struct lh_merger *m, const struct lh_offer *o)
{
	struct lh_symbol *a = &m->at[o->left], *b = &m->at[a->next];

	a->n += b->n;
	a->node = o->merged;
	a->next = b->next;
	b->n = 0;
	if (a->next != LH_NO_SYMBOL)
		m->at[a->next].before = o->left;
	offer_pair(m, a->before);
	offer_pair(m, o->left);
}

void lh_merger_run(struct lh_merger *m)
{
	struct lh_offer o;

	m->offers = 0;
	for (uint32_t i = 0; i < m->n; i++) {
		m->at[i].before = i ? i - 1 : LH_NO_SYMBOL;
		m->at[i].next = i + 1 < m->n ? i + 1 : LH_NO_SYMBOL;
	}
	for (uint32_t i = 0; i < m->n; i++)
		offer_pair(m, i);
	while (m->offers) {
		o = pop(m);
		if (is_current(m, &o))
			merge(m, &o);
	}
}

void lh_merger_free(struct lh_merger *m)
{
	free(m->at);
	free(m->offer);
}
