/* lh-gen queries --from: demand that is given, in the wording of coordinators. */
#include "gen.h"
#include "json/bind.h"
#include "json/write.h"

struct worder {
	enum lh_job_order_style style;
	struct lh_buf text, sentence;
};

struct demand {
	struct lh_job_order order;
	struct lh_str count;
};

static const struct lh_bind members[] = {
	{ LH_BIND_ID("count", struct demand, count), .required = true, .filled = true },
	{ LH_BIND_STRING("role", struct demand, order.role), .required = true, .filled = true },
	{ LH_BIND_STRING("city", struct demand, order.city), .required = true, .filled = true },
	{ LH_BIND_STRING("state", struct demand, order.state), .required = true, .filled = true },
	{ LH_BIND_STRING("at", struct demand, order.at), .required = true, .filled = true },
	{ LH_BIND_STRING("client", struct demand, order.client), .required = true,
	  .filled = true },
	LH_BIND_END
};

static int read_count(struct demand *d, struct lh_err *err)
{
	size_t i;

	d->order.count = 0;
	for (i = 0; i < d->count.n && d->count.n < 10; i++) {
		if (d->count.p[i] < '0' || d->count.p[i] > '9')
			break;
		d->order.count = d->order.count * 10 + (unsigned)(d->count.p[i] - '0');
	}
	if (i < d->count.n || !d->order.count)
		return lh_err_set(err, LH_EDATA, "\"count\" must be a whole number from 1 to "
				  "999999999");
	return 0;
}

static void put_demand(struct worder *w, struct lh_buf *out, const struct lh_record *rec,
		       enum lh_job_order_style style, const struct lh_job_order *d)
{
	struct lh_writer json = lh_write_to(out);
	size_t i;

	lh_buf_reset(&w->sentence);
	lh_job_order_put(&w->sentence, style, d);
	lh_write_object(&json, NULL);
	lh_write_str(&json, "query_text", (struct lh_str){ w->sentence.p, w->sentence.len });
	lh_write_text(&json, "style", lh_job_order_style_name(style));
	for (i = 0; i < rec->n; i++) {
		const struct lh_member *m = &rec->member[i];

		if (lh_value_is(&m->key, "query_text", 10) || lh_value_is(&m->key, "style", 5))
			continue;
		lh_buf_putc(out, ',');
		lh_buf_add(out, m->key.p, m->key.n);
		lh_buf_putc(out, ':');
		lh_buf_add(out, m->val.p, m->val.n);
	}
	lh_write_end(&json);
}

static int word(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	struct worder *w = context;
	enum lh_job_order_style style = w->style, last = style;
	struct demand d;

	if (lh_bind(members, rec, &d, &w->text, err) < 0 || read_count(&d, err) < 0)
		return -1;
	if (style == LH_JOB_ORDER_STYLES) {
		style = 0;
		last = LH_JOB_ORDER_STYLES - 1;
	}
	for (; style <= last; style++) {
		put_demand(w, out, rec, style, &d.order);
		if (style < last)
			lh_buf_putc(out, '\n');
	}
	return 0;
}

static int worder_init(void *context, void *shared, struct lh_err *err)
{
	(void)err;
	((struct worder *)context)->style = *(enum lh_job_order_style *)shared;
	return 0;
}

static void worder_free(void *context)
{
	struct worder *w = context;

	lh_buf_free(&w->text);
	lh_buf_free(&w->sentence);
}

int gen_queries_from(struct lh_tool *tool, const char *file, enum lh_job_order_style style)
{
	char *files[] = { (char *)(uintptr_t)file };

	return lh_records_run(tool, &(struct lh_flow){
		.files = files, .n_files = 1, .map = word, .context_size = sizeof(struct worder),
		.context_init = worder_init, .context_free = worder_free, .shared = &style });
}
