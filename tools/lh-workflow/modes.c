/* modes.c - the filters that nodes ask, each held open once it was asked.  See flow.h. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "json/bind.h"
#include <lh/time.h>

#define MODES_MAX ((size_t)4 << 20)	/* bytes of the file */
#define TIMEOUT 60.0		/* seconds, of a mode that does not say */
#define WAIT 50			/* milliseconds */
#define END_SECONDS 5.0
#define STARTS 3		/* of a process that ends without an answer */
#define DOWN_SECONDS 5.0

static struct lh_str name_of(const void *modes, uint32_t i)
{
	return lh_str_of(((const struct modes *)modes)->mode[i].name);
}

/* Add a mode; one with that name is replaced. */
static struct mode *add(struct modes *m, struct lh_str name, struct lh_err *err)
{
	int64_t i = lh_table_find(&m->by_name, name, name_of, m);
	struct mode *mode;

	if (i < 0) {
		if (lh_grow(&m->mode, &m->cap, m->n + 1, sizeof *m->mode, err) < 0)
			return NULL;
		mode = &m->mode[m->n];
		*mode = (struct mode){ .name = lh_strndup(name.p, name.n, err) };
		if (!mode->name ||
		    lh_table_set(&m->by_name, name, (uint32_t)m->n, name_of, m, err) < 0) {
			free(mode->name);
			return NULL;
		}
		m->n++;
		return mode;
	}
	mode = &m->mode[i];
	lh_argv_free(mode->argv);
	*mode = (struct mode){ .name = mode->name };
	return mode;
}

/* ---- built in ---- */

/* Modes that are routes of the bridge, and have its commands. */
static const struct {
	const char *mode, *path;
} routed[] = {
	{ "matrix.search", "/v1/matrix/search" }, { "matrix.relevance", "/v1/matrix/relevance" },
	{ "matrix.downgrade", "/v1/matrix/downgrade" }, { "llm.chat", "/v1/chat" },
	{ "validate", "/v1/validate" }, { "embed", "/v1/embed" },
};

static int add_routed(struct modes *m, const char *state, struct lh_err *err)
{
	LH_SCOPED(lh_routes_free) struct lh_routes routes = { 0 };
	int rc = lh_routes_built_in(&routes, state, err);
	size_t i;

	for (i = 0; !rc && i < sizeof routed / sizeof *routed; i++) {
		struct lh_route_path path = { .n = 0 };
		const struct lh_route *r = NULL;
		struct mode *mode = add(m, lh_str_of(routed[i].mode), err);

		rc = mode ? lh_route_path_read(&path, lh_str_of(routed[i].path), err) : -1;
		if (!rc)
			r = lh_routes_find(&routes, "POST", &path, 0);
		if (r) {
			mode->argv = lh_argv_copy(r->run, err);
			mode->most = (unsigned)r->limits.pool;
			mode->depth = (unsigned)r->limits.depth;
			mode->timeout = r->limits.timeout;
			mode->read = r->read;
			mode->own = true;
		}
		if (!r || !mode->argv)
			rc = -1;
		lh_route_path_free(&path);
	}
	return rc;
}

static int add_filter(struct modes *m, const char *name, const char *const *argv,
		      struct lh_err *err)
{
	struct mode *mode = add(m, lh_str_of(name), err);

	if (!mode)
		return -1;
	mode->argv = lh_argv_copy((char *const *)argv, err);
	mode->most = 1;
	mode->depth = 16;
	mode->timeout = TIMEOUT;
	mode->read = mode->own = true;
	return mode->argv ? 0 : -1;
}

#define FILTER "-q", "--progress", "never", "--on-error", "emit"

static int add_built_in(struct modes *m, const char *state, bool sql, struct lh_err *err)
{
	static const char *const score[] = { "lh-score", "-j1", FILTER, NULL };
	static const char *const drift[] = { "lh-score", "--check-drift", "--wire", "-j1", FILTER,
					     NULL };
	char catalog[4096], store[4096];
	const char *const query[] = { "lh-query", "-j1", FILTER, "--catalog", catalog,
				      "--store", store, NULL };

	if ((size_t)snprintf(catalog, sizeof catalog, "%s/catalog", state) >= sizeof catalog ||
	    (size_t)snprintf(store, sizeof store, "%s/store", state) >= sizeof store)
		return lh_err_set(err, LH_EUSAGE, "--state: too long");
	if (add_routed(m, state, err) < 0 || add_filter(m, "distillation.score", score, err) < 0 ||
	    add_filter(m, "drift.scorer", drift, err) < 0)
		return -1;
	return sql ? add_filter(m, "sql", query, err) : 0;
}

/* ---- the file ---- */

struct file {
	struct lh_value modes;
};
static const struct lh_bind file_members[] = {
	{ LH_BIND_OBJECT("modes", struct file, modes), .required = true },
	LH_BIND_CLOSED
};

static int fill_argv(struct mode *mode, const struct lh_value *v, struct lh_buf *text,
		     struct lh_err *err)
{
	struct lh_iter it;
	size_t n = 0;

	if (v->type != LH_ARRAY)
		return lh_err_set(err, LH_EDATA, "mode \"%s\" must be an array of strings",
				  mode->name);
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		n++;
	mode->argv = lh_calloc(n + 1, sizeof *mode->argv, err);
	if (!mode->argv)
		return -1;
	for (n = 0, lh_iter_init(&it, v); lh_iter_next(&it); n++) {
		struct lh_str s;

		lh_buf_reset(text);
		if (it.val.type != LH_STRING)
			return lh_err_set(err, LH_EDATA, "mode \"%s\" must be an array of strings",
					  mode->name);
		if (lh_value_str(&it.val, text, &s, err) < 0)
			return -1;
		if (memchr(s.p, '\0', s.n))
			return lh_err_set(err, LH_EDATA, "mode \"%s\" holds NUL", mode->name);
		mode->argv[n] = lh_strndup(s.p, s.n, err);
		if (!mode->argv[n])
			return -1;
	}
	if (!n || !*mode->argv[0])
		return lh_err_set(err, LH_EDATA, "mode \"%s\" has no command", mode->name);
	return 0;
}

static int add_of_file(struct modes *m, const struct lh_iter *it, struct lh_buf *text,
		       struct lh_err *err)
{
	struct mode *mode;
	struct lh_str name;

	lh_buf_reset(text);
	if (lh_value_str(&it->key, text, &name, err) < 0)
		return -1;
	if (!name.n || memchr(name.p, '\0', name.n))
		return lh_err_set(err, LH_EDATA, "a mode has no name");
	mode = add(m, name, err);
	if (!mode || fill_argv(mode, &it->val, text, err) < 0)
		return -1;
	/* a filter that is not ours may answer twice: with one line at a time that is seen */
	mode->depth = 1;
	mode->most = 256;
	mode->timeout = TIMEOUT;
	return 0;
}

static int read_modes(struct modes *m, const struct lh_buf *file, const char **at,
		      struct lh_err *err)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct file f = { .modes.p = NULL };
	struct lh_value v;
	struct lh_iter it;
	int rc;

	rc = lh_json_parse(&rec, file->p, file->len, &v, err);
	if (!rc)
		rc = lh_bind_file(file_members, &v, file->p, &f, NULL, err);
	if (!rc)
		for (lh_iter_init(&it, &f.modes); !rc && lh_iter_next(&it); ) {
			*at = it.key.p;
			rc = add_of_file(m, &it, &text, err);
		}
	return rc;
}

static int read_file(struct modes *m, const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf file = { .max = MODES_MAX };
	const char *at = NULL;
	int rc = lh_file_read_commands(path, &file, err);

	if (rc == 0)
		return lh_err_set(err, LH_EIO, "%s: no such file", path);
	if (rc > 0 && !file.len)
		rc = lh_err_set(err, LH_EUSAGE, "%s:1: is empty", path);
	if (rc > 0) {
		rc = read_modes(m, &file, &at, err);
		if (rc && err->code == LH_EDATA)
			lh_bind_file_error(path, file.p, at, err);
	}
	return rc;
}

int modes_open(struct modes *m, struct lh_tool *tool, const struct settings *s, bool requests)
{
	*m = (struct modes){ .tool = tool, .loop.fd = -1 };
	if (lh_loop_open(&m->loop, &tool->err) < 0 ||
	    add_built_in(m, s->state ? s->state : ".", !requests, &tool->err) < 0)
		return -1;
	return s->modes ? read_file(m, s->modes, &tool->err) : 0;
}

struct mode *modes_find(const struct modes *m, struct lh_str name)
{
	int64_t i = lh_table_find(&m->by_name, name, name_of, m);

	return i < 0 ? NULL : &m->mode[i];
}

bool modes_know(const void *modes, struct lh_str name)
{
	return modes_find(modes, name) != NULL;
}

void modes_fit(struct modes *m, const struct lh_workflow *w, uint64_t jobs)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		struct lh_str name = lh_str_of(m->mode[i].name);
		uint64_t users = w ? 0 : jobs;
		uint32_t k;

		for (k = 0; w && k < w->n; k++)
			users += lh_str_is(w->node[k].mode, name.p, name.n);
		if (users > jobs)
			users = jobs;
		if (m->mode[i].most > users)
			m->mode[i].most = users ? (unsigned)users : 1;
	}
}

/* ---- asking ---- */

static void report_end(void *modes, const char *text)
{
	lh_tool_warn(((struct modes *)modes)->tool, "%s", text);
}

static void report_line(void *of, const char *line, size_t n)
{
	const struct mode *mode = of;

	lh_tool_warn(mode->tool, "mode \"%s\": %.*s", mode->name, (int)n, line);
}

int modes_ask(struct modes *m, struct mode *mode, struct lh_ask *ask, struct lh_err *err)
{
	if (mode->down_until > lh_time_monotonic())
		return lh_err_data(err, 503, "mode \"%s\" is down", mode->name);
	if (!mode->pool) {
		mode->tool = m->tool;
		mode->pool = lh_pool_new(&(struct lh_pool_how){
			.argv = mode->argv, .keys = lh_route_keys(mode->argv[0]),
			.processes = mode->most, .depth = mode->depth, .loop = &m->loop,
			.ended = report_end, .owner = m,
			.message = m->tool->quiet ? NULL : report_line, .message_of = mode }, err);
		mode->restarts = 0;
	}
	if (!mode->pool) {
		if (err->code == LH_EIO)
			err->code = LH_EDATA;
		return -1;
	}
	if (lh_pool_ask(mode->pool, ask) < 0)
		return lh_err_data(err, 503, "mode \"%s\" is down", mode->name);
	return 0;
}

void mode_answered(struct mode *mode)
{
	struct lh_pool_state st;

	lh_pool_state(mode->pool, &st);
	mode->restarts = st.restarts;
}

static size_t tick(struct modes *m)
{
	size_t i, open = 0;

	for (i = 0; i < m->n; i++)
		if (m->mode[i].pool) {
			lh_pool_tick(m->mode[i].pool);
			open += !lh_pool_over(m->mode[i].pool);
		}
	return open;
}

int modes_turn(struct modes *m, struct lh_err *err)
{
	size_t i;

	tick(m);
	if (lh_loop_wait(&m->loop, WAIT, err) < 0)
		return -1;
	for (i = 0; i < m->n; i++)
		if (m->mode[i].pool) {
			struct mode *mode = &m->mode[i];
			struct lh_pool_state st;

			/* Give up a mode whose processes end again and again without an answer. */
			lh_pool_state(mode->pool, &st);
			if (st.restarts - mode->restarts >= STARTS * st.processes &&
			    st.waiting + st.asked) {
				lh_pool_free(mode->pool);
				mode->pool = NULL;
				mode->down_until = lh_time_monotonic() + DOWN_SECONDS;
			}
		}
	return 0;
}

void modes_kill(struct modes *m)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		if (m->mode[i].pool)
			lh_pool_free(m->mode[i].pool);
		m->mode[i].pool = NULL;
	}
}

void modes_close(struct modes *m)
{
	size_t i;
	double until;
	struct lh_err err;

	/* Let the processes end by themselves, unless a signal came. */
	until = lh_time_monotonic() + END_SECONDS;
	for (i = 0; i < m->n; i++)
		if (m->mode[i].pool)
			lh_pool_retire(m->mode[i].pool);
	while (tick(m) && !lh_stopping() && lh_time_monotonic() < until &&
	       lh_loop_wait(&m->loop, 10, &err) == 0)
		;
	modes_kill(m);
	for (i = 0; i < m->n; i++) {
		free(m->mode[i].name);
		lh_argv_free(m->mode[i].argv);
	}
	free(m->mode);
	lh_table_free(&m->by_name);
	if (m->loop.fd >= 0)
		lh_loop_close(&m->loop);
}
