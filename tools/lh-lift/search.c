/* search.c - lh-search as a child.  See lift.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include <lh/num.h>
#include <lh/playbook.h>
#include "lift.h"

#define PATIENCE 3600	/* seconds: a remote engine may be slow, and reports its own timeout */
#define OPTIONS 15

void search_init(struct search *s)
{
	memset(s, 0, sizeof *s);
	lh_buf_init(&s->line, LH_BUF_NOMAX);
	lh_record_init(&s->reply);
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
	char **argv = lh_calloc(OPTIONS + t->n_operands + 2, sizeof *argv, err);
	int rc;

	if (!argv)
		return -1;
	snprintf(k, sizeof k, "%llu", (unsigned long long)l->k);
	memcpy(argv, few, sizeof few);
	if (warm) {
		if ((size_t)snprintf(book, sizeof book, LH_PLAYBOOK_CORPUS "=%s", l->book) >= sizeof book) {
			free(argv);
			return lh_err_set(err, LH_EUSAGE, "--playbook: the path is too long");
		}
		argv[n++] = "--auto-role";
		argv[n++] = "--playbook";
		argv[n++] = book;
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

static bool get(const struct lh_value *o, const char *name, enum lh_type type, struct lh_value *to)
{
	return lh_value_get(o, name, to) && to->type == type;
}

static int read_hit(const struct lh_value *v, bool ours, struct hit *h, struct lh_err *err)
{
	struct lh_value score;

	memset(h, 0, sizeof *h);
	h->score = -1;
	if (v->type != LH_OBJECT || !get(v, "id", LH_STRING, &h->id) || !get(v, "distance", LH_NUMBER, &h->distance) ||
	    !get(v, "corpus", LH_STRING, &h->corpus))
		return bad_answer(err);
	if (!lh_value_get(v, "metadata", &h->metadata))
		h->metadata.p = NULL;
	if (!get(v, "playbook", LH_OBJECT, &h->playbook))
		h->playbook.p = NULL;
	if (ours && get(v, "score", LH_NUMBER, &score))
		h->score = lh_value_f64(&score);
	return 0;
}

int hits_read(struct hits *h, const struct lh_value *list, bool ours, struct lh_err *err)
{
	struct lh_iter it;

	h->n = 0;
	if (list->type != LH_ARRAY)
		return bad_answer(err);
	for (lh_iter_init(&it, list); lh_iter_next(&it); h->n++)
		if (lh_grow(&h->v, &h->cap, h->n + 1, sizeof *h->v, err) < 0 || read_hit(&it.val, ours, &h->v[h->n], err) < 0)
			return -1;
	return 0;
}

void put_value(struct lh_buf *out, const char *name, const struct lh_value *v)
{
	lh_buf_puts(out, name);
	lh_buf_add(out, v->p, v->n);
}

void hits_put(struct lh_buf *out, const struct hits *h)
{
	char score[LH_F64_MAX];
	size_t i;

	lh_buf_putc(out, '[');
	for (i = 0; i < h->n; i++) {
		const struct hit *at = &h->v[i];

		put_value(out, i ? ",{\"id\":" : "{\"id\":", &at->id);
		put_value(out, ",\"distance\":", &at->distance);
		put_value(out, ",\"corpus\":", &at->corpus);
		lh_buf_puts(out, ",\"score\":");
		if (at->score < 0)
			lh_buf_puts(out, "null");
		else
			lh_buf_add(out, score, lh_f64_print(score, at->score));
		if (at->playbook.p)
			put_value(out, ",\"playbook\":", &at->playbook);
		lh_buf_putc(out, '}');
	}
	lh_buf_putc(out, ']');
}

bool hit_same(const struct hit *a, const struct hit *b)
{
	return lh_value_equal(&a->id, &b->id) && lh_value_equal(&a->corpus, &b->corpus);
}

/* ---- a query ---- */

/* Make the line for a query with its own text or another.  Members about the playbook
 * and earlier findings come from this program, not from the query. */
static int make_line(struct search *s, const struct lh_record *query, bool warm, const struct lh_value *text, struct lh_err *err)
{
	static const char *const drop[] = { "lift", "use_playbook", "playbook_corpus", "query_text", "query", "text", "query_vector", "vector" };

	lh_buf_reset(&s->line);
	lh_record_open(&s->line, query, drop, text ? sizeof drop / sizeof *drop : 3);
	if (text) {
		put_value(&s->line, "\"query_text\":", text);
		lh_buf_putc(&s->line, ',');
	}
	lh_buf_printf(&s->line, "\"use_playbook\":%s", warm ? "true" : "false");
	lh_record_close(&s->line, query);
	return lh_buf_check(&s->line, err);
}

static uint64_t counter(const struct lh_record *reply, const char *name)
{
	const struct lh_value *v = lh_record_get(reply, name);
	int64_t n = 0;

	return v && v->type == LH_NUMBER && lh_value_i64(v, &n) && n > 0 ? (uint64_t)n : 0;
}

static int read_reply(struct search *s, const struct lh_str *line, struct lh_err *err)
{
	const struct lh_value *v;

	if (lh_record_parse(&s->reply, line->p, line->n, err) < 0)
		return lh_err_prefix(err, "lh-search's answer");
	v = lh_record_get(&s->reply, "results");
	if (v) {
		if (hits_read(&s->hits, v, false, err) < 0)
			return -1;
		v = lh_record_get(&s->reply, "query_role");
		s->has_role = v && v->type == LH_STRING && v->n > 2;
		s->boosted = counter(&s->reply, "playbook_boosted");
		s->injected = counter(&s->reply, "playbook_injected");
		return 0;
	}
	v = lh_record_get(&s->reply, "error");
	return v ? lh_coproc_refusal(v, err) : bad_answer(err);
}

int search_ask(struct search *s, const struct lh_record *query, bool warm, const struct lh_value *text, struct lh_err *err)
{
	struct lh_str line;

	if (make_line(s, query, warm, text, err) < 0)
		return -1;
	if (lh_coproc_ask(&s->child, s->line.p, s->line.len, PATIENCE, &line, err) < 0) {
		if (err->code == LH_ENET)
			err->code = LH_EIO;	/* it is gone for all queries */
		return -1;
	}
	return read_reply(s, &line, err);
}
