/* output.c - print the answer as JSON.  See search.h. */
#include "search.h"

#include <lh/num.h>

static int damaged(const struct result *f, const char *what, struct lh_err *err)
{
	return lh_err_set(err, LH_ECORRUPT, "%s: row %llu: %s", f->seat->corpus->path, (unsigned long long)f->number, what);
}

static void print_distance(struct lh_buf *out, const char *name, float distance)
{
	char *to;

	lh_buf_puts(out, name);
	to = lh_buf_room(out, LH_F32_MAX);
	if (to)
		lh_buf_took(out, lh_f32_print(to, distance));
}

/* Copy metadata from the file, and check the copy. */
static int print_metadata(struct worker *w, const struct result *f, struct lh_buf *out, struct lh_err *err)
{
	const struct lh_str *meta = &f->row.meta;
	struct lh_value v;
	size_t at;

	lh_buf_puts(out, ",\"metadata\":");
	at = out->len;
	lh_buf_add(out, meta->p, meta->n);
	if (lh_buf_check(out, err) < 0)
		return -1;
	if (memchr(out->p + at, '\n', meta->n))
		return damaged(f, "metadata holds a line break", err);
	if (lh_json_parse(&w->scan, out->p + at, meta->n, &v, err) == 0)
		return 0;
	return err->code == LH_ENOMEM ? -1 : damaged(f, "metadata is not JSON", err);
}

static void print_playbook(const struct result *f, struct lh_buf *out)
{
	lh_buf_puts(out, ",\"playbook\":{\"id\":");
	lh_buf_json(out, f->playbook.p, f->playbook.n);
	lh_buf_puts(out, f->injected ? ",\"injected\":true" : ",\"boosted\":true");
	print_distance(out, ",\"original_distance\":", f->original);
	lh_buf_putc(out, '}');
}

static void print_score(struct lh_buf *out, double score)
{
	char *to;

	lh_buf_puts(out, ",\"score\":");
	to = lh_buf_room(out, LH_F64_MAX);
	if (to)
		lh_buf_took(out, lh_f64_print(to, score));
}

/* "id":...,"distance":...,"score":...,"corpus":...,"metadata":...,"playbook":... */
static int print_hit(struct worker *w, const struct result *f, struct lh_buf *out, struct lh_err *err)
{
	const struct lh_row *row = &f->row;
	char id[LH_ID_MAX];

	memcpy(id, row->id.p, row->id.n);
	if (!lh_utf8_valid(id, row->id.n))
		return damaged(f, "its id is not UTF-8", err);
	lh_buf_puts(out, "\"id\":");
	lh_buf_json(out, id, row->id.n);
	print_distance(out, ",\"distance\":", f->distance);
	if (w->run->set->hybrid)
		print_score(out, f->score);
	lh_buf_add(out, f->seat->corpus->json.p, f->seat->corpus->json.len);
	if (row->meta.n && !w->run->set->no_metadata && print_metadata(w, f, out, err) < 0)
		return -1;
	if (f->playbook.p)
		print_playbook(f, out);
	return lh_buf_check(out, err);
}

int print_record(struct worker *w, const struct lh_record *rec, struct lh_buf *out, struct lh_err *err)
{
	const char *drop[8] = { "query_vector", "vector", "results" };
	const struct query *q = &w->reader.q;
	size_t i, n = 3;

	if (q->filter.p)
		drop[n++] = "metadata_filter_dropped";
	if (q->use_playbook) {
		drop[n++] = "playbook_boosted";
		drop[n++] = "playbook_injected";
	}
	if (q->role_made)
		drop[n++] = "query_role";
	lh_record_open(out, rec, drop, n);
	if (q->role_made) {
		lh_buf_puts(out, "\"query_role\":");
		lh_buf_json(out, q->role.p, q->role.n);
		lh_buf_putc(out, ',');
	}
	lh_buf_puts(out, "\"results\":[");
	for (i = 0; i < w->n_found; i++) {
		lh_buf_puts(out, i ? ",{" : "{");
		if (print_hit(w, &w->found[i], out, err) < 0)
			return -1;
		lh_buf_putc(out, '}');
	}
	lh_buf_putc(out, ']');
	if (q->filter.p) {
		lh_buf_puts(out, ",\"metadata_filter_dropped\":");
		lh_buf_u64(out, w->dropped);
	}
	if (q->use_playbook) {
		lh_buf_puts(out, ",\"playbook_boosted\":");
		lh_buf_u64(out, w->boosted);
		lh_buf_puts(out, ",\"playbook_injected\":");
		lh_buf_u64(out, w->injected);
	}
	lh_record_close(out, rec);
	return lh_buf_check(out, err);
}

int print_flat(struct worker *w, struct lh_buf *out, struct lh_err *err)
{
	const struct query *q = &w->reader.q;
	size_t i;

	for (i = 0; i < w->n_found; i++) {
		lh_buf_puts(out, i ? "\n{\"query\":" : "{\"query\":");
		if (q->text.p)
			lh_buf_add(out, q->text_json.p, q->text_json.n);
		else
			lh_buf_puts(out, "null");
		lh_buf_puts(out, ",\"rank\":");
		lh_buf_u64(out, i + 1);
		lh_buf_putc(out, ',');
		if (print_hit(w, &w->found[i], out, err) < 0)
			return -1;
		lh_buf_putc(out, '}');
	}
	return lh_buf_check(out, err);
}
