/* workers.c - lh-gen workers and queries: workers, and demand for them. */
#include "gen.h"
#include "json/bind.h"
#include "json/write.h"

/* ---- workers ---- */

#define MAX_SKILLS 6
#define MAX_CERTS 3

struct worker {
	struct gen_scene scene;
	const struct gen_archetype *archetype;
	const char *first, *last;
	const char *skills[MAX_SKILLS], *certs[MAX_CERTS];
	unsigned n_skills, n_certs;
	const char *status, *banned[2];
	unsigned n_banned;
};

static unsigned list_length(const char *const *list)
{
	unsigned n = 0;

	while (list[n])
		n++;
	return n;
}

static unsigned choose(struct gen_rng *r, const char *const *from, unsigned k, const char **to)
{
	unsigned char which[16];
	unsigned n = list_length(from);

	if (k > n)
		k = n;
	gen_some(r, n, k, which);
	for (unsigned i = 0; i < k; i++)
		to[i] = from[which[i]];
	return k;
}

static void put_joined(struct lh_buf *b, const char *const *v, unsigned n, const char *between)
{
	for (unsigned i = 0; i < n; i++) {
		if (i)
			lh_buf_puts(b, between);
		lh_buf_puts(b, v[i]);
	}
}

static void put_id(struct lh_writer *json, const char *name, uint64_t number)
{
	lh_write_key(json, name);
	lh_buf_puts(json->out, "\"w-");
	lh_buf_u64(json->out, number);
	lh_buf_putc(json->out, '"');
}

static void put_array(struct lh_writer *json, const char *name, const char *const *v, unsigned n)
{
	lh_write_array(json, name);
	if (n) {
		lh_buf_putc(json->out, '"');
		put_joined(json->out, v, n, "\",\"");
		lh_buf_putc(json->out, '"');
	}
	lh_write_end(json);
}

/* Append two to four sentences. */
static void put_resume(struct lh_buf *b, struct gen_rng *r, const struct worker *w)
{
	const char *duties[2];
	unsigned n = choose(r, w->scene.role->duties, 1 + gen_pick(r, 2), duties);
	unsigned last = gen_pick(r, 4);

	gen_fill(b, gen_openers[gen_pick(r, gen_n_openers)], &w->scene);
	for (unsigned i = 0; i < n; i++) {
		lh_buf_putc(b, ' ');
		gen_fill(b, duties[i], &w->scene);
	}
	if (!last)
		return;
	lh_buf_putc(b, ' ');
	if (last == 1)
		lh_buf_puts(b, w->archetype->remarks[gen_pick(r,
							      list_length(w->archetype->remarks))]);
	else
		gen_fill(b, gen_closers[gen_pick(r, gen_n_closers)], &w->scene);
}

static void put_contact(struct lh_writer *json, struct gen_rng *r, const struct worker *w,
			uint64_t number)
{
	struct lh_buf *out = json->out;

	/* 555-0100 to 555-0199 are reserved for fiction in every area */
	lh_write_key(json, "phone");
	lh_buf_putc(out, '"');
	lh_buf_puts(out, w->scene.city->area);
	lh_buf_puts(out, "-555-0");
	lh_buf_u64(out, 100 + gen_pick(r, 100));
	lh_buf_putc(out, '"');
	lh_write_key(json, "email");
	lh_buf_putc(out, '"');
	gen_mail(out, w->first);
	lh_buf_putc(out, '.');
	gen_mail(out, w->last);
	lh_buf_u64(out, number);
	lh_buf_puts(out, "@example.com\"");
}

static void put_text(struct lh_buf *b, const struct worker *w, size_t resume_at, size_t resume_len)
{
	lh_buf_puts(b, "\"Worker role: ");
	lh_buf_puts(b, w->scene.role->name);
	lh_buf_puts(b, ". Skills: ");
	put_joined(b, w->skills, w->n_skills, ", ");
	if (w->n_certs) {
		lh_buf_puts(b, ". Certifications: ");
		put_joined(b, w->certs, w->n_certs, ", ");
	}
	lh_buf_puts(b, ". Archetype: ");
	lh_buf_puts(b, w->archetype->name);
	gen_fill(b, ". Location: %t, %s. ", &w->scene);
	if (lh_buf_room(b, resume_len))	/* may move the bytes that are copied */
		lh_buf_add(b, b->p + resume_at, resume_len);
	lh_buf_putc(b, '"');
}

static void put_worker(struct lh_buf *out, uint64_t seed, uint64_t i, struct worker *w)
{
	struct gen_rng r = gen_row(seed, GEN_WORKER, i);
	struct lh_writer json = lh_write_to(out);
	size_t resume_at, resume_len;
	unsigned n = 0, roll;

	gen_scene(&r, &w->scene);
	w->archetype = gen_archetype(&r);
	/* a draw below a draw: family names at the front are the common ones */
	w->first = gen_first_names[gen_pick(&r, gen_n_first_names)];
	w->last = gen_last_names[gen_pick(&r, 1 + gen_pick(&r, gen_n_last_names))];
	w->n_skills = choose(&r, w->scene.role->skills, 3 + gen_pick(&r, MAX_SKILLS - 2),
			     w->skills);
	w->n_certs = 0;
	if (gen_pick(&r, 3))
		w->n_certs = choose(&r, w->scene.role->certs,
				    1 + gen_pick(&r, 1 + gen_pick(&r, MAX_CERTS)), w->certs);
	lh_write_object(&json, NULL);
	put_id(&json, "id", i + 1);
	put_id(&json, "candidate_id", i + 1);
	lh_write_key(&json, "name");
	lh_buf_putc(out, '"');
	lh_buf_puts(out, w->first);
	lh_buf_putc(out, ' ');
	lh_buf_puts(out, w->last);
	lh_buf_putc(out, '"');
	w->status = gen_status(&r)->name;
	lh_write_text(&json, "status", w->status);
	lh_write_text(&json, "role", w->scene.role->name);
	lh_write_text(&json, "city", w->scene.city->name);
	lh_write_text(&json, "state", w->scene.city->state);
	put_array(&json, "skills", w->skills, w->n_skills);
	put_array(&json, "certifications", w->certs, w->n_certs);
	lh_write_text(&json, "archetype", w->archetype->name);
	lh_write_key(&json, "resume_text");
	lh_buf_putc(out, '"');
	resume_at = out->len;
	put_resume(out, &r, w);
	resume_len = out->len - resume_at;
	lh_buf_putc(out, '"');
	put_contact(&json, &r, w, i + 1);
	roll = gen_pick(&r, 100);
	if (roll < 8)
		w->banned[n++] = gen_client(&r, w->scene.city);
	if (roll < 2)
		w->banned[n++] = gen_client(&r, w->scene.city);
	if (n == 2 && w->banned[0] == w->banned[1])
		n = 1;
	w->n_banned = n;
	put_array(&json, "blacklisted_clients", w->banned, w->n_banned);
	lh_write_key(&json, "text");
	put_text(out, w, resume_at, resume_len);
	lh_write_end(&json);
	lh_buf_putc(out, '\n');
}

void gen_worker(struct lh_buf *out, uint64_t seed, uint64_t i)
{
	struct worker w;

	put_worker(out, seed, i, &w);
}

/* A late draw of a row depends on all draws before it. */
void gen_person(struct gen_person *p, struct lh_buf *scratch, uint64_t seed, uint64_t i)
{
	struct worker w;

	lh_buf_reset(scratch);
	put_worker(scratch, seed, i, &w);
	*p = (struct gen_person){
		.first = w.first, .last = w.last, .city = w.scene.city, .role = w.scene.role->name,
		.status = w.status, .banned = { w.banned[0], w.banned[1] }, .n_banned = w.n_banned,
	};
}

/* ---- queries ---- */

static struct lh_str text(const char *s)
{
	return (struct lh_str){ s, strlen(s) };
}

static void put_query(struct lh_buf *out, enum lh_job_order_style style, const struct gen_scene *s)
{
	const struct lh_job_order d = {
		.role = text(s->role->name), .city = text(s->city->name),
		.state = text(s->city->state),
		.client = text(s->client), .at = text(s->hour), .count = s->count,
	};
	struct lh_writer json = lh_write_to(out);

	lh_write_object(&json, NULL);
	lh_write_key(&json, "query_text");
	lh_buf_putc(out, '"');
	lh_job_order_put(out, style, &d);
	lh_buf_putc(out, '"');
	lh_write_text(&json, "style", lh_job_order_style_name(style));
	lh_write_str(&json, "role", d.role);
	lh_write_str(&json, "city", d.city);
	lh_write_str(&json, "state", d.state);
	lh_write_u64(&json, "count", d.count);
	lh_write_str(&json, "client", d.client);
	lh_write_str(&json, "at", d.at);
	lh_write_end(&json);
	lh_buf_putc(out, '\n');
}

void gen_query(struct lh_buf *out, uint64_t seed, uint64_t i, enum lh_job_order_style style)
{
	struct gen_rng r = gen_row(seed, GEN_QUERY, i);
	struct gen_scene s;

	gen_scene(&r, &s);
	if (style < LH_JOB_ORDER_STYLES) {
		put_query(out, style, &s);
		return;
	}
	for (style = 0; style < LH_JOB_ORDER_STYLES; style++)
		put_query(out, style, &s);
}

/* ---- queries --from ---- */

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
