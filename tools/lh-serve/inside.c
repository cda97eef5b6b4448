/* inside.c - routes that the bridge answers itself: health, the cache of vectors, the newest
 * sessions and audits, the page for people.  See serve.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "json/bind.h"
#include "json/write.h"
#include "serve.h"

#define DEEP_SECONDS 2.0
#define FIRST_SECONDS 10.0	/* for a process that starts, or has just started */
#define TAIL_MAX 262144		/* bytes of the end of a log */
#define SESSIONS 20
#define SESSIONS_MAX 200
#define AUDITS 60
#define REPORT_MAX 1048576
#define WITHHOLDS "answers about persons are withheld: rows of who looked cannot be written"

/* ---- questions to several processes ---- */

struct cache {				/* a reply of lh-embed to "stats" */
	uint64_t hits, misses, size, capacity;
};

struct question {
	struct lh_ask ask;
	struct inside *inside;
	const char *name;
	bool up;
};

struct inside {
	struct request *request;	/* NULL: it has been answered, or is gone */
	struct question *question;
	size_t n, open;
	struct cache sum;
};

static void free_inside(void *inside)
{
	struct inside *i = inside;
	size_t k;

	i->request = NULL;
	if (i->open)
		return;			/* the last answer frees it */
	for (k = 0; k < i->n; k++)
		lh_buf_free(&i->question[k].ask.line);
	free(i->question);
	free(i);
}

/* Return what is wrong, the first of it, or NULL. */
static const char *what_is_down(const struct inside *i)
{
	const struct server *s = i->request->server;
	size_t k;

	for (k = 0; k < i->n; k++)
		if (!i->question[k].up)
			return "a filter does not answer";
	if (s->pools.rows.fails)
		return "rows of who looked were not written";
	return indexes_damaged(s, &(size_t){ 0 }, false) ? "an index is damaged"
	       : indexes_damaged(s, &(size_t){ 0 }, true) ? "a log or a key cannot be used" : NULL;
}

/* Write why looks at persons are not recorded, if so. */
static void write_looks(struct lh_writer *w, const struct request *r)
{
	const struct server *s = r->server;
	const char *why = s->audit_wrong;

	if (!why && s->pools.rows.fails)
		why = *s->pools.rows.why ? s->pools.rows.why : "a row was not written";
	if (r->site->unrecorded)
		why = "LH_SUBJECT_AUDIT_KEY names no key";
	if (!why)
		return;
	lh_write_object(w, "looks");
	lh_write_bool(w, "recorded", false);
	lh_write_text(w, "reason", why);
	if (r->site->unrecorded)
		lh_write_text(w, "persons", r->site->unrecorded);
	lh_write_end(w);
}

static void write_health(struct inside *i)
{
	struct request *r = i->request;
	struct lh_writer w = lh_write_to(&r->reply.body);
	const char *why = what_is_down(i), *path;
	size_t k;

	lh_write_object(&w, NULL);
	lh_write_text(&w, "status", why ? "down" : "ok");
	lh_write_text(&w, "service", "gateway");
	if (why)
		lh_write_text(&w, "error", why);
	lh_write_array(&w, "down");
	for (k = 0; k < i->n; k++)
		if (!i->question[k].up)
			lh_write_text(&w, NULL, i->question[k].name);
	if (r->server->pools.rows.fails)
		lh_write_text(&w, NULL, "audit log");
	for (k = 0; (path = indexes_damaged(r->server, &k, false)); )
		lh_write_text(&w, NULL, path);
	for (k = 0; (path = indexes_damaged(r->server, &k, true)); )
		lh_write_text(&w, NULL, path);
	lh_write_end(&w);
	pools_write_open(&w, &r->server->pools, &r->site->config);
	write_looks(&w, r);
	lh_write_end(&w);
	if (why && !r->server->down)
		lh_tool_warn(r->server->tool, "health: down: %s", why);
	else if (!why && r->server->down)
		lh_tool_message(r->server->tool, "health: ok again");
	r->server->down = why;
	answer(r, why ? 503 : 200);
}

static void write_cache(struct inside *i)
{
	struct request *r = i->request;
	const struct cache *c = &i->sum;
	struct lh_writer w = lh_write_to(&r->reply.body);
	size_t k;

	for (k = 0; k < i->n && !i->question[k].up; k++)
		;
	if (k == i->n) {
		answer_error(r, 503, "the filter is busy or down");
		return;
	}
	lh_write_object(&w, NULL);
	lh_write_u64(&w, "hits", c->hits);
	lh_write_u64(&w, "misses", c->misses);
	lh_write_f64(&w, "hit_rate",
		     c->hits + c->misses ? (double)c->hits / (double)(c->hits + c->misses) : 0);
	lh_write_u64(&w, "size", c->size);
	lh_write_u64(&w, "capacity", c->capacity);
	lh_write_end(&w);
	answer(r, 200);
}

static void add_cache(struct inside *i, const struct lh_record *rec)
{
	static const struct lh_bind members[] = {
		{ LH_BIND_U64("hits", struct cache, hits, 0, INT64_MAX) },
		{ LH_BIND_U64("misses", struct cache, misses, 0, INT64_MAX) },
		{ LH_BIND_U64("size", struct cache, size, 0, INT64_MAX) },
		{ LH_BIND_U64("capacity", struct cache, capacity, 0, INT64_MAX) },
		LH_BIND_END
	};
	struct cache c = { 0 };
	struct lh_err err;

	if (lh_bind(members, rec, &c, NULL, &err) < 0)
		return;
	i->sum.hits += c.hits;
	i->sum.misses += c.misses;
	i->sum.size += c.size;
	i->sum.capacity += c.capacity;
}

/* One answer less is awaited; after the last one answer the request. */
static void answered(struct inside *i)
{
	if (--i->open)
		return;
	if (!i->request)
		free_inside(i);
	else if (i->request->route->route->kind == LH_ROUTE_CACHE)
		write_cache(i);
	else
		write_health(i);
}

static void on_reply(struct lh_ask *a, enum lh_asked how, const struct lh_record *rec)
{
	struct question *q = (struct question *)((char *)a - offsetof(struct question, ask));
	struct inside *i = q->inside;

	q->up = how == LH_ASKED_ANSWERED;
	if (q->up && i->request && i->request->route->route->kind == LH_ROUTE_CACHE)
		add_cache(i, rec);
	answered(i);
}

/* Begin with n questions; answered() is called once all are asked. */
static struct inside *new_inside(struct request *r, size_t n)
{
	struct inside *i = lh_calloc(1, sizeof *i);

	i->question = lh_calloc(n + 1, sizeof *i->question);
	i->request = r;
	i->open = 1;
	r->work.free = free_inside;
	return r->work.of = i;
}

/* Ask a pool, of a route that is named, or one of its processes. */
static void ask(struct inside *i, struct lh_pool *pool, const char *name, unsigned process)
{
	struct question *q = &i->question[i->n++];
	struct lh_pool_state st;

	lh_pool_state(pool, &st);
	q->inside = i;
	q->name = name;
	q->ask.timeout = st.fresh ? FIRST_SECONDS : DEEP_SECONDS;
	q->ask.probe = true;
	q->ask.answered = on_reply;
	lh_buf_puts(&q->ask.line, name ? "{}\n" : LH_JSON({"op":"stats"}) "\n");
	i->open++;
	if ((name ? lh_pool_ask(pool, &q->ask) : lh_pool_ask_one(pool, process, &q->ask)) < 0)
		i->open--;
}

/* Ask each pool: any answer shows that it is up, also a refusal of the empty record. */
static void ask_pools(struct request *r)
{
	const struct site *site = r->site;
	struct inside *i = new_inside(r, site->routes.n);
	size_t n;

	indexes_look(r->server, true);
	for (n = 0; n < site->routes.n; n++)
		if (site_first_of_pool(site, n))
			ask(i, site->route[n].pool->pool, site->routes.v[n].route, 0);
	answered(i);
}

/* Return whether no answer about persons is given, since its rows cannot be written. */
static bool withholds(const struct request *r)
{
	return r->server->audit_wrong && r->site->config.audit.required;
}

void health_answer(struct request *r)
{
	struct lh_writer w = lh_write_to(&r->reply.body);

	if (is_deep(r)) {
		ask_pools(r);
		return;
	}
	lh_write_object(&w, NULL);
	lh_write_text(&w, "status", withholds(r) ? "degraded" : "ok");
	lh_write_text(&w, "service", "gateway");
	if (withholds(r))
		lh_write_text(&w, "error", WITHHOLDS);
	lh_write_end(&w);
	answer(r, 200);
}

/* A server that ends takes nothing more, and one that has no rows gives no answer about persons:
 * another one may. */
void ready_answer(struct request *r)
{
	if (r->server->stop || withholds(r)) {
		answer_error(r, 503, r->server->stop ? "the server is ending" : WITHHOLDS);
		return;
	}
	lh_buf_puts(&r->reply.body, LH_JSON({"status":"ready","service":"gateway"}));
	answer(r, 200);
}

void cache_answer(struct request *r)
{
	struct lh_pool *pool = r->route->pool->pool;
	struct lh_pool_state st;
	struct inside *i;
	unsigned n;

	lh_pool_state(pool, &st);
	i = new_inside(r, st.processes);
	for (n = 0; n < st.processes; n++)
		ask(i, pool, NULL, n);
	answered(i);
}

/* ---- the newest rows of a log ---- */

/* Read the end of a file, from the first complete line on; false if it cannot be read. */
static bool read_tail(const char *path, struct lh_buf *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END), from;
	char *lf;
	ssize_t n;

	if (fd < 0)
		return true;
	from = size > TAIL_MAX ? size - TAIL_MAX : 0;
	n = pread(fd, lh_buf_room(to, TAIL_MAX), TAIL_MAX, from);
	close(fd);
	if (n < 0)
		return false;
	lh_buf_took(to, (size_t)n);
	lf = from ? memchr(to->p, '\n', to->len) : NULL;
	if (lf) {
		to->len -= (size_t)(lf + 1 - to->p);
		memmove(to->p, lf + 1, to->len);
	}
	return true;
}

/* Write the last `most` rows that are JSON objects, oldest first; not one without its end. */
static void write_rows(struct lh_writer *w, const struct lh_buf *text, size_t most)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_str rest = { text->p, text->len }, line;
	uint64_t n = count_lines(text->p, text->len);
	struct lh_err err;

	for (; n && lh_next_line(&rest, &line); n--)
		if (n <= most && lh_record_parse(&rec, line.p, line.n, &err) == 0)
			lh_write_raw(w, NULL, (struct lh_str){ rec.line, rec.len });
}

/* Add a member with the newest rows of a log; answer with an error if it cannot be read. */
static int add_rows(struct lh_writer *w, struct request *r, const char *name, const char *member,
		    size_t most)
{
	LH_SCOPED(lh_free_local) char *path = lh_format("%s/%s", r->site->config.state, name);
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	if (!read_tail(path, &text)) {
		answer_error(r, 500, "the log cannot be read");
		return -1;
	}
	lh_write_array(w, member);
	write_rows(w, &text, most);
	lh_write_end(w);
	return 0;
}

void audits_answer(struct request *r)
{
	LH_SCOPED(lh_free_local) char *report = lh_format(
		"%s/reports/distillation/phase8-full-audit-report.md", r->site->config.state);
	struct lh_writer w = lh_write_to(&r->reply.body);
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = REPORT_MAX };
	struct lh_err err;
	bool there;

	lh_write_object(&w, NULL);
	if (add_rows(&w, r, "data/_kb/audit_baselines.jsonl", "baselines", AUDITS) < 0)
		return;
	/* null without a report that can be read */
	there = lh_file_read(report, &text, &err) == 1;
	lh_buf_putc(&text, '\0');
	lh_write_bytes(&w, "report", there && !text.failed ? text.p : NULL);
	lh_write_end(&w);
	answer(r, 200);
}

void sessions_answer(struct request *r)
{
	struct lh_str limit = lh_route_arg(&r->path, "limit");
	struct lh_writer w = lh_write_to(&r->reply.body);
	unsigned long n = SESSIONS;
	char text[16];

	if (limit.p) {
		snprintf(text, sizeof text, "%.*s", (int)(limit.n > 15 ? 15 : limit.n), limit.p);
		n = strspn(text, "0123456789") == limit.n ? strtoul(text, NULL, 10) : 0;
	}
	if (n < 1 || n > SESSIONS_MAX) {
		answer_error(r, 400, "\"limit\" must be a whole number from 1 to 200");
		return;
	}
	lh_write_object(&w, NULL);
	if (add_rows(&w, r, "log/sessions.jsonl", "sessions", n) < 0)
		return;
	lh_write_end(&w);
	answer(r, 200);
}

/* ---- the page for people ---- */

static const char html[] =
#include "tools/lh-serve/console/console.html.inc"
	;
static const char css[] =
#include "tools/lh-serve/console/console.css.inc"
	;
static const char js[] =
#include "tools/lh-serve/console/console.js.inc"
	;

static const struct console_file {
	const char *path, *type, *text;
	size_t n;
} console_files[] = {
	{ "/", "text/html; charset=utf-8", html, sizeof html - 1 },
	{ "/console.css", "text/css; charset=utf-8", css, sizeof css - 1 },
	{ "/console.js", "text/javascript; charset=utf-8", js, sizeof js - 1 },
	{ 0 },
};

const char console_policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
	"img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void file_answer(struct request *r)
{
	const struct console_file *f;

	for (f = console_files; f->path; f++)
		if (!strcmp(f->path, r->route->route->path))
			break;
	if (!f->path) {
		answer_error(r, 404, "there is no such file");
		return;
	}
	lh_buf_add(&r->reply.body, f->text, f->n);
	r->reply.type = f->type;
	answer(r, 200);
}
