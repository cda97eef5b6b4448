/* output.c - the answer as JSON.  See search.h. */
#include "search.h"

#include "lh_num.h"

/* The nearest hit that is not printed yet, or NULL.  Seats stand in the order
 * of their names, so the first of equals is the right one. */
static struct seat *nearest(const struct worker *w)
{
	struct seat *best = NULL;
	size_t i;

	for (i = 0; i < w->run->corpora.n; i++) {
		struct seat *s = &w->seat[i];

		if (s->at < s->n && (!best || s->hit[s->at].distance < best->hit[best->at].distance))
			best = s;
	}
	return best;
}

static int damaged(const struct seat *s, const char *what, struct lh_err *err)
{
	return lh_err_set(err, LH_ECORRUPT, "%s: row %llu: %s", s->corpus->path, (unsigned long long)s->hit[s->at].row, what);
}

/* Copied straight from the file, and checked where it then lies. */
static int print_metadata(struct worker *w, const struct seat *s, const struct lh_str *meta, struct lh_buf *out, struct lh_err *err)
{
	struct lh_value v;
	size_t at;

	lh_buf_puts(out, ",\"metadata\":");
	at = out->len;
	lh_buf_add(out, meta->p, meta->n);
	if (lh_buf_check(out, err) < 0)
		return -1;
	if (memchr(meta->p, '\n', meta->n))
		return damaged(s, "metadata holds a line break", err);
	if (lh_json_parse(&w->scan, out->p + at, meta->n, &v, err) == 0)
		return 0;
	return err->code == LH_ENOMEM ? -1 : damaged(s, "metadata is not JSON", err);
}

/* "id":...,"distance":...,"corpus":...,"metadata":... of the seat's next hit. */
static int print_hit(struct worker *w, struct seat *s, struct lh_buf *out, struct lh_err *err)
{
	const struct lh_hit *hit = &s->hit[s->at];
	struct lh_row row;
	char *to;
	int got = lh_lhv_row(s->corpus->ix, hit->row, &row, err);

	if (got < 0)
		return at_corpus(s, err);
	if (!got)
		return damaged(s, "found, but not there", err);
	if (!lh_utf8_valid(row.id.p, row.id.n))
		return damaged(s, "its id is not UTF-8", err);
	lh_buf_puts(out, "\"id\":");
	lh_buf_json(out, row.id.p, row.id.n);
	lh_buf_puts(out, ",\"distance\":");
	to = lh_buf_room(out, LH_F32_MAX);
	if (to)
		lh_buf_took(out, lh_f32_print(to, hit->distance));
	lh_buf_add(out, s->corpus->json.p, s->corpus->json.len);
	if (!row.meta.n || w->run->set->no_metadata)
		return lh_buf_check(out, err);
	return print_metadata(w, s, &row.meta, out, err);
}

int print_record(struct worker *w, const struct lh_record *rec, struct lh_buf *out, struct lh_err *err)
{
	const char *drop[8] = { "query_vector", "vector", "results" };
	const struct query *q = &w->reader.q;
	struct seat *s;
	size_t n = 3;
	uint64_t i;

	if (q->filter)
		drop[n++] = "metadata_filter_dropped";
	if (q->use_playbook) {
		drop[n++] = "playbook_boosted";
		drop[n++] = "playbook_injected";
	}
	lh_record_open(out, rec, drop, n);
	lh_buf_puts(out, "\"results\":[");
	for (i = 0; i < q->k && (s = nearest(w)); i++, s->at++) {
		lh_buf_puts(out, i ? ",{" : "{");
		if (print_hit(w, s, out, err) < 0)
			return -1;
		lh_buf_putc(out, '}');
	}
	lh_buf_putc(out, ']');
	if (q->filter) {
		lh_buf_puts(out, ",\"metadata_filter_dropped\":");
		lh_buf_u64(out, w->dropped);
	}
	if (q->use_playbook)
		lh_buf_puts(out, ",\"playbook_boosted\":0,\"playbook_injected\":0");
	lh_record_close(out, rec);
	return lh_buf_check(out, err);
}

int print_flat(struct worker *w, struct lh_buf *out, struct lh_err *err)
{
	const struct query *q = &w->reader.q;
	struct seat *s;
	uint64_t i;

	for (i = 0; i < q->k && (s = nearest(w)); i++, s->at++) {
		lh_buf_puts(out, i ? "\n{\"query\":" : "{\"query\":");
		if (q->text.p)
			lh_buf_add(out, q->text_json.p, q->text_json.n);
		else
			lh_buf_puts(out, "null");
		lh_buf_puts(out, ",\"rank\":");
		lh_buf_u64(out, i + 1);
		lh_buf_putc(out, ',');
		if (print_hit(w, s, out, err) < 0)
			return -1;
		lh_buf_putc(out, '}');
	}
	return lh_buf_check(out, err);
}
