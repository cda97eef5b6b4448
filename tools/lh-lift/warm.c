/* warm.c - the second pass: search with the playbook, compare.  See lift.h. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lh_mem.h"
#include "lh_num.h"
#include "lh_role.h"
#include "lift.h"

#define MAX_LINE (UINT64_C(3) << 30)

struct warm {
	struct lift *l;
	struct search search;
	struct demand demand;
	struct lh_record entry;
	struct hits cold;
	struct lh_buf scratch, meta;
};

static void worker_free(void *arg)
{
	struct warm *w = arg;

	search_free(&w->search);
	demand_free(&w->demand);
	lh_record_free(&w->entry);
	free(w->cold.v);
	lh_buf_free(&w->scratch);
	lh_buf_free(&w->meta);
	free(w);
}

static void *worker_new(void *ctx, struct lh_err *err)
{
	struct warm *w = lh_calloc(1, sizeof *w, err);

	if (!w)
		return NULL;
	w->l = ctx;
	search_init(&w->search);
	demand_init(&w->demand);
	lh_record_init(&w->entry);
	lh_buf_init(&w->scratch, LH_BUF_NOMAX);
	lh_buf_init(&w->meta, LH_BUF_NOMAX);
	if (search_start(&w->search, w->l, true, err) == 0)
		return w;
	worker_free(w);
	return NULL;
}

/* ---- bleed ---- */

/* The role of the entry that touched the hit; n = 0: it has none, or is gone. */
static int entry_role(struct warm *w, const struct hit *h, struct lh_str *role, struct lh_err *err)
{
	struct lh_value id;
	const struct lh_value *v;
	struct lh_row row;
	struct lh_str s;
	int64_t at;

	*role = (struct lh_str){ NULL, 0 };
	if (!w->l->ix || !lh_value_get(&h->playbook, "id", &id) || id.type != LH_STRING)
		return 0;
	lh_buf_reset(&w->scratch);
	if (lh_value_str(&id, &w->scratch, &s, err) < 0)
		return -1;
	at = lh_lhv_find(w->l->ix, s.p, s.n, err);
	if (at < 0)
		return at == -1 ? 0 : -1;
	if (lh_lhv_row(w->l->ix, (uint64_t)at, &row, err) < 0)
		return -1;
	lh_buf_reset(&w->meta);
	lh_buf_add(&w->meta, row.meta.p, row.meta.n);	/* the scanner reads past its text */
	if (lh_buf_check(&w->meta, err) < 0 || lh_record_parse(&w->entry, w->meta.p, w->meta.len, err) < 0)
		return -1;
	v = lh_record_get(&w->entry, "role");
	return v && v->type == LH_STRING ? lh_value_str(v, &w->scratch, role, err) : 0;
}

/* How many hits an entry moved that is about another role. */
static int count_bleed(struct warm *w, uint64_t *n, struct lh_err *err)
{
	const struct hits *h = &w->search.hits;
	const struct lh_str *role = &w->demand.role;
	struct lh_str other;
	size_t i;

	*n = 0;
	for (i = 0; i < h->n && role->n; i++) {
		if (!h->v[i].playbook.p)
			continue;
		if (entry_role(w, &h->v[i], &other, err) < 0)
			return -1;
		*n += other.n && !lh_role_same(role->p, role->n, other.p, other.n);
	}
	return 0;
}

/* ---- a query ---- */

static void set_style(struct outcome *o, const struct lh_str *style)
{
	size_t n = style->n < STYLE_LEN ? style->n : STYLE_LEN - 1;

	while (n && n < style->n && ((unsigned char)style->p[n] & 0xc0) == 0x80)
		n--;
	if (n)
		memcpy(o->style, style->p, n);
}

static int weigh(struct warm *w, int64_t best, struct outcome *o, struct lh_err *err)
{
	const struct hits *cold = &w->cold, *warm = &w->search.hits;

	memset(o, 0, sizeof *o);
	o->boosted = w->search.boosted;
	o->injected = w->search.injected;
	o->open_gate = !w->search.has_role;
	o->discovery = best > 0;
	o->answered = cold->n && warm->n;
	o->cold_score = cold->n ? cold->v[0].score : -1;
	o->warm_score = warm->n ? warm->v[0].score : -1;
	if (o->answered) {
		o->lifted = o->discovery && hit_same(&warm->v[0], &cold->v[best]);
		o->displaced = o->discovery && !o->lifted && warm->v[0].playbook.p;
		o->change = lh_value_f64(&warm->v[0].distance) - lh_value_f64(&cold->v[0].distance);
	}
	set_style(o, &w->demand.style);
	return count_bleed(w, &o->bleed, err);
}

static void put_bool(struct lh_buf *out, const char *name, bool yes)
{
	lh_buf_printf(out, ",\"%s\":%s", name, yes ? "true" : "false");
}

static void put_line(struct lh_buf *out, const struct warm *w, const struct lh_value *id, int64_t best, const struct outcome *o)
{
	char change[LH_F32_MAX];

	lh_record_open(out, w->demand.rec, (const char *[]){ "lift" }, 1);
	lh_buf_puts(out, "\"lift\":{\"cold\":");
	hits_put(out, &w->cold);
	lh_buf_puts(out, ",\"best\":");
	if (best < 0)
		lh_buf_puts(out, "null");
	else
		lh_buf_u64(out, (uint64_t)best + 1);
	put_bool(out, "discovery", o->discovery);
	lh_buf_puts(out, ",\"playbook_id\":");
	lh_buf_add(out, id->p, id->n);
	lh_buf_puts(out, ",\"warm\":");
	hits_put(out, &w->search.hits);
	put_bool(out, "lifted", o->lifted);
	lh_buf_printf(out, ",\"boosted\":%llu,\"injected\":%llu", (unsigned long long)o->boosted, (unsigned long long)o->injected);
	put_bool(out, "open_gate", o->open_gate);
	lh_buf_printf(out, ",\"bleed\":%llu,\"distance_change\":", (unsigned long long)o->bleed);
	if (o->answered)
		lh_buf_add(out, change, lh_f32_print(change, (float)o->change));
	else
		lh_buf_puts(out, "null");
	lh_buf_putc(out, '}');
	lh_record_close(out, w->demand.rec);
	lh_buf_putc(out, '\n');
}

/* The line to print, and behind it the outcome as it lies in memory. */
static int compare(struct lh_record *found, struct lh_buf *out, void *worker, struct lh_err *err)
{
	const struct lh_value *lift = lh_record_get(found, "lift");
	struct lh_value cold, at, id;
	struct warm *w = worker;
	struct outcome o;
	int64_t best = -1;

	if (!lh_value_get(lift, "cold", &cold) || !lh_value_get(lift, "best", &at) || !lh_value_get(lift, "playbook_id", &id))
		return lh_err_set(err, LH_ECORRUPT, "the file between the passes was changed");
	if (at.type == LH_NUMBER)
		lh_value_i64(&at, &best);
	if (demand_read(&w->demand, found, err) < 0 || hits_read(&w->cold, &cold, err) < 0 ||
	    search_ask(&w->search, found, true, NULL, err) < 0 ||
	    judge_hits(&w->demand, &w->search.hits, &w->scratch, err) < 0 || weigh(w, best, &o, err) < 0)
		return -1;
	put_line(out, w, &id, best, &o);
	lh_buf_add(out, &o, sizeof o);
	return lh_buf_check(out, err);
}

/* What the first pass got an answer for and this one does not is no bad query. */
static int on_found(struct lh_record *found, struct lh_buf *out, void *worker, struct lh_err *err)
{
	int rc = compare(found, out, worker, err);

	if (rc < 0 && (err->code == LH_EDATA || err->code == LH_ENET))
		err->code = LH_EIO;
	return rc;
}

static int on_line(const char *p, size_t n, const struct lh_origin *from, void *ctx, struct lh_err *err)
{
	struct lift *l = ctx;
	struct outcome o;

	(void)from;
	n -= sizeof o;
	memcpy(&o, p + n, sizeof o);
	tally_add(l, &o);
	if (lh_tool_out(l->tool, p, n) == 0)
		return 0;
	*err = l->tool->err;
	return -1;
}

int warm_pass(struct lift *l)
{
	struct lh_flow flow = { .map = on_found, .sink = on_line, .worker_new = worker_new, .worker_free = worker_free, .ctx = l };
	struct lh_err err;
	int rc = 0;

	if (access(l->book, F_OK) == 0 || errno != ENOENT) {
		l->ix = lh_lhv_open(l->book, &err);
		rc = l->ix ? 0 : -1;
	}
	if (rc == 0)
		rc = lh_flow_file(l->spool_path, l->tool->jobs, MAX_LINE, &flow, &err);
	lh_lhv_close(l->ix);
	if (rc < 0)
		l->tool->err = err;
	return rc;
}
