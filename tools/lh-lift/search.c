/* search.c - lh-search as a child.  See lift.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "json/bind.h"
#include "memory/playbook.h"
#include "lift.h"

#define PATIENCE 3600	/* seconds: a remote engine may be slow, and reports its own timeout */
#define OPTIONS 21

size_t decide_options(const struct lift *l, char **argv, size_t n, bool now)
{
	if (!l->decide.path)
		return n;
	argv[n++] = "--decisions";
	argv[n++] = (char *)l->decide.path;
	if (l->decide.text)
		argv[n++] = "--decisions-text";
	if (now && l->tool->now) {
		argv[n++] = "--now";
		argv[n++] = (char *)l->tool->now;
	}
	return n;
}

void search_free(struct search *s)
{
	struct lh_err ignored;

	lh_coproc_stop(&s->child, &ignored);
	lh_buf_free(&s->line);
	lh_record_free(&s->reply);
	free(s->hits.v);
}

/* Start lh-search.  It answers a refused query by an error object, so the child keeps
 * running; the length of lines is limited here. */
int search_start(struct search *s, const struct lift *l, bool warm, struct lh_err *err)
{
	struct lh_tool *t = l->tool;
	char k[24], book[4096];
	char *few[] = { "lh-search", "-q", "-j1", "--on-error", "emit", "--max-line", "2G",
			"--max-members", "1000000000", "-k", k };
	size_t n = sizeof few / sizeof *few, i;
	char **argv = lh_calloc(OPTIONS + t->n_operands + 2, sizeof *argv);
	int rc;

	snprintf(k, sizeof k, "%llu", (unsigned long long)l->k);
	memcpy(argv, few, sizeof few);
	if (warm) {
		if ((size_t)snprintf(book, sizeof book, LH_PLAYBOOK_CORPUS "=%s", l->book) >=
		    sizeof book) {
			free(argv);
			return lh_err_set(err, LH_EUSAGE, "--playbook: the path is too long");
		}
		argv[n++] = "--auto-role";
		argv[n++] = "--playbook-optional";
		argv[n++] = "--playbook";
		argv[n++] = book;
		n = decide_options(l, argv, n, true);
	}
	argv[n++] = "--";
	for (i = 0; i < t->n_operands; i++)
		argv[n++] = t->operands[i];
	rc = lh_coproc_start(&s->child, argv, LH_KEYS_OLLAMA | LH_KEYS_OPENAI, err);
	free(argv);
	return rc;
}

/* ---- hits ---- */

static int bad_answer(struct lh_err *err)
{
	return lh_err_set(err, LH_EIO, "lh-search answered something else than results");
}

static const struct lh_bind hit_members[] = {
	{ LH_BIND_VALUE("id", struct hit, id, LH_BIND_IS(LH_STRING)), .required = true },
	{ LH_BIND_VALUE("distance", struct hit, distance, LH_BIND_IS(LH_NUMBER)),
	  .required = true },
	{ LH_BIND_VALUE("corpus", struct hit, corpus, LH_BIND_IS(LH_STRING)), .required = true },
	{ LH_BIND_SOME("metadata", struct hit, metadata), .null = true },
	{ LH_BIND_OBJECT("playbook", struct hit, playbook), .lax = true },
	{ LH_BIND_F64("score", struct hit, score, -INFINITY, INFINITY), .lax = true },
	LH_BIND_END
};
static const struct lh_bind moved_members[] = {
	{ LH_BIND_VALUE("id", struct moved, id, LH_BIND_IS(LH_STRING)), .lax = true },
	{ LH_BIND_BOOL("injected", struct moved, injected), .lax = true },
	LH_BIND_END
};

int hit_moved(const struct hit *h, struct moved *by, struct lh_err *err)
{
	*by = (struct moved){ .injected = false };
	return h->playbook.p ? lh_bind_value(moved_members, &h->playbook, by, NULL, err) : 0;
}

int hits_read(struct hits *h, const struct lh_value *list, bool ours, struct lh_err *err)
{
	struct lh_iter it;

	h->n = 0;
	for (lh_iter_init(&it, list); lh_iter_next(&it); h->n++) {
		lh_grow(&h->v, &h->cap, h->n + 1, sizeof *h->v);
		h->v[h->n] = (struct hit){ .score = -1 };
		if (lh_bind_value(hit_members, &it.val, &h->v[h->n], NULL, err) < 0)
			return bad_answer(err);
		if (!ours)
			h->v[h->n].score = -1;
	}
	return 0;
}

void hits_write(struct lh_writer *w, const char *name, const struct hits *h)
{
	size_t i;

	lh_write_array(w, name);
	for (i = 0; i < h->n; i++) {
		const struct hit *at = &h->v[i];

		lh_write_object(w, NULL);
		lh_write_value(w, "id", &at->id);
		lh_write_value(w, "distance", &at->distance);
		lh_write_value(w, "corpus", &at->corpus);
		if (at->score < 0)
			lh_write_null(w, "score");
		else
			lh_write_f64(w, "score", at->score);
		if (at->playbook.p)
			lh_write_value(w, "playbook", &at->playbook);
		lh_write_end(w);
	}
	lh_write_end(w);
}

bool hit_same(const struct hit *a, const struct hit *b)
{
	return lh_value_equal(&a->id, &b->id) && lh_value_equal(&a->corpus, &b->corpus);
}

size_t hits_best(const struct hits *h)
{
	size_t best = 0, i;

	for (i = 1; i < h->n; i++)
		if (h->v[i].score > h->v[best].score)
			best = i;
	return best;
}

void write_rank(struct lh_writer *w, const char *name, size_t rank)
{
	if (rank)
		lh_write_u64(w, name, rank);
	else
		lh_write_null(w, name);
}

/* ---- a query ---- */

/* Make the line for a query with its own text or another.  Members about the playbook
 * and earlier findings come from this program, not from the query. */
static void make_line(struct search *s, const struct lh_record *query, bool warm,
		      const struct lh_value *text)
{
	static const char *const drop[] = { "lift",	    "use_playbook", "playbook_corpus",
					    "query_text",   "query",	    "text",
					    "query_vector", "vector" };
	struct lh_writer w;

	lh_buf_reset(&s->line);
	w = lh_write_record(&s->line, query, drop, text ? sizeof drop / sizeof *drop : 3);
	if (text)
		lh_write_value(&w, "query_text", text);
	lh_write_bool(&w, "use_playbook", warm);
	lh_write_end(&w);
}

struct reply {
	struct lh_value results, role, error;
	uint64_t boosted, injected;
};
static const struct lh_bind reply_members[] = {
	{ LH_BIND_ARRAY("results", struct reply, results) },
	{ LH_BIND_VALUE("query_role", struct reply, role, LH_BIND_IS(LH_STRING)), .lax = true },
	{ LH_BIND_U64("playbook_boosted", struct reply, boosted, 0, INT64_MAX), .lax = true },
	{ LH_BIND_U64("playbook_injected", struct reply, injected, 0, INT64_MAX), .lax = true },
	{ LH_BIND_SOME("error", struct reply, error), .null = true },
	LH_BIND_END
};

static int read_reply(struct search *s, const struct lh_str *line, struct lh_err *err)
{
	struct reply r = { .boosted = 0 };

	if (lh_record_parse(&s->reply, line->p, line->n, err) < 0)
		return lh_err_prefix(err, "lh-search's answer");
	if (lh_bind(reply_members, &s->reply, &r, NULL, err) < 0)
		return bad_answer(err);
	if (!r.results.p)
		return r.error.p ? lh_coproc_refusal(&r.error, err) : bad_answer(err);
	s->has_role = r.role.n > 2;
	s->boosted = r.boosted;
	s->injected = r.injected;
	return hits_read(&s->hits, &r.results, false, err);
}

int search_ask(struct search *s, const struct lh_record *query, bool warm,
	       const struct lh_value *text, struct lh_err *err)
{
	struct lh_str line;

	make_line(s, query, warm, text);
	if (lh_coproc_ask(&s->child, s->line.p, s->line.len, PATIENCE, &line, err) < 0) {
		if (err->code == LH_ENET)
			err->code = LH_EIO;	/* it is gone for all queries */
		return -1;
	}
	return read_reply(s, &line, err);
}
