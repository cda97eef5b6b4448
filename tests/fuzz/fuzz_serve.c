/*
 * fuzz_serve - three lines: a route, a target, and a body that may have more lines.
 *
 * A target that is read has pieces and parameters as the page promises; the route that is
 * found is one that fits, with the fewest names; the members that it gives are JSON.  A body
 * with them is one line of JSON that has the members of both, and compacting it again changes
 * nothing.  The body as the answer of a filter gives a status and a body that is JSON.
 */
#include "fuzz.h"

#include "serve/body.h"
#include "serve/routes.h"

static struct lh_routes routes;
static struct lh_record rec, again, made;
static struct lh_buf members, line, twice, text;
static struct lh_err err;

static struct lh_str part(const uint8_t **p, const uint8_t *end, int by)
{
	const uint8_t *stop = by < 0 ? NULL : memchr(*p, by, (size_t)(end - *p));
	struct lh_str s = { (const char *)*p, (size_t)((stop ? stop : end) - *p) };

	*p = stop ? stop + 1 : end;
	return s;
}

/* ---- decoding ---- */

static void decodes(struct lh_str in)
{
	static const char hex[] = "0123456789ABCDEFabcdef";
	size_t i;
	int rc;

	lh_buf_reset(&text);
	rc = lh_percent_decode(in, in.n & 1, &text, &err);
	must(rc < 0 || (text.len <= in.n && lh_utf8_valid(text.p, text.len) &&
			!memchr(text.p, '\0', text.len)));
	lh_buf_reset(&text);
	for (i = 0; i < in.n; i++) {
		lh_buf_putc(&text, '%');
		lh_buf_putc(&text, hex[(unsigned char)in.p[i] >> 4]);
		lh_buf_putc(&text, hex[(in.p[i] & 15) + ((in.p[i] & 15) > 9 && i % 2 ? 6 : 0)]);
	}
	lh_buf_reset(&line);
	rc = lh_percent_decode((struct lh_str){ text.p, text.len }, false, &line,
			       &err);
	must((rc == 0) == (lh_utf8_valid(in.p, in.n) && !memchr(in.p, '\0', in.n)));
	must(rc < 0 || (line.len == in.n && !memcmp(line.p, in.p, in.n)));
}

/* ---- routing ---- */

static void is_sound(const struct lh_route_path *p)
{
	size_t i, j;

	for (i = 0; i < p->n && i < LH_ROUTE_PIECES; i++)
		must(lh_utf8_valid(p->piece[i].p, p->piece[i].n) &&
		     !memchr(p->piece[i].p, '\0', p->piece[i].n) &&
		     !lh_str_is(p->piece[i], ".", 1) && !lh_str_is(p->piece[i], "..", 2));
	for (i = 0; i < p->args; i++) {
		must(p->key[i].n && lh_utf8_valid(p->key[i].p, p->key[i].n) &&
		     lh_utf8_valid(p->value[i].p, p->value[i].n));
		for (j = 0; j < i; j++)
			must(lh_str_cmp(p->key[i], p->key[j]));
	}
}

static void finds(const struct lh_route_path *p)
{
	size_t skip, i;
	const char *const *method;

	for (skip = 0; skip < 2; skip++)
		for (method = lh_route_methods; *method; method++) {
			const struct lh_route *r = lh_routes_find(&routes, *method, p, skip);

			must(!r || (lh_route_fits(r, p, skip) && !strcmp(r->method, *method)));
			for (i = 0; i < routes.n; i++)
				must(strcmp(routes.v[i].method, *method) ||
				     !lh_route_fits(&routes.v[i], p, skip) ||
				     (r && r->pieces.names <= routes.v[i].pieces.names));
		}
}

/* Return whether the route gives members for the path. */
static bool gives(const struct lh_route *r, const struct lh_route_path *p)
{
	size_t i;

	lh_buf_reset(&members);
	if (!lh_route_fits(r, p, 0) || lh_route_members(r, p, 0, &members, &err) < 0)
		return false;
	must(lh_repack(NULL, (struct lh_str){ members.p, members.len }, &text, &err) == 0);
	must(lh_record_parse(&made, text.p, text.len, &err) == 0);
	must(made.n == r->pieces.names + p->args + r->constants.n);
	for (i = 0; i < p->args; i++) {
		const struct lh_value *v = &made.member[made.n - p->args + i].val;

		must(lh_value_is(&made.member[made.n - p->args + i].key, p->key[i].p,
				 p->key[i].n));
		must(v->type == LH_NUMBER ? lh_str_is(p->value[i], v->p, v->n)
					  : lh_value_is(v, p->value[i].p, p->value[i].n));
	}
	return true;
}

/* ---- bodies ---- */

static void repacks(const char *p, size_t n, struct lh_str with)
{
	size_t i;

	if (lh_record_parse(&rec, p, n, &err) < 0)
		return;
	lh_buf_reset(&line);
	if (lh_repack(&rec, with, &line, &err) < 0) {
		must(with.n && err.code == LH_EDATA);
		return;
	}
	must(!memchr(line.p, '\n', line.len) && !memchr(line.p, '\r', line.len));
	must(lh_record_parse(&again, line.p, line.len, &err) == 0);
	must(again.n == rec.n + (with.n ? made.n : 0));
	for (i = 0; i < rec.n; i++)
		must(lh_value_equal(&again.member[i].key, &rec.member[i].key) &&
		     lh_value_equal(&again.member[i].val, &rec.member[i].val));
	lh_buf_reset(&twice);
	must(lh_repack(&again, (struct lh_str){ NULL, 0 }, &twice, &err) == 0);
	must(twice.len == line.len && !memcmp(twice.p, line.p, line.len));
}

static void answers(const char *p, size_t n)
{
	struct lh_answer a = { .status = 0 };
	int own;

	for (own = 0; own < 2; own++) {
		if (lh_record_parse(&rec, p, n, &err) < 0)
			break;
		lh_answer_read(&rec, own, &a);
		must(a.status >= 200 && a.status <= 599);
		lh_buf_reset(&twice);
		lh_buf_add(&twice, a.body.p, a.body.n);
		must(lh_record_parse(&again, twice.p, twice.len, &err) == 0);
		must(a.status == 200 || own || !lh_record_get(&again, "status"));
		must(own || a.status == 200 || rec.n > 0);
	}
	lh_answer_free(&a);
}

static void start(void)
{
	must(lh_routes_built_in(&routes, "state", &err) == 0);
	/* so that no pointer is NULL */
	lh_buf_grow(&text, 1);
	lh_buf_grow(&line, 1);
	lh_buf_grow(&members, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *p = data, *end = data + n;
	struct lh_str route, target;
	struct lh_route_path path = { 0 };
	struct lh_route r = { 0 };
	struct lh_buf body = { 0 };
	char *name;

	if (!n)
		return 0;
	if (!routes.n)
		start();
	route = part(&p, end, '\n');
	target = part(&p, end, '\n');
	decodes(target);
	lh_buf_reset(&text);
	lh_buf_add(&body, p, (size_t)(end - p));
	name = strndup(route.p, route.n);
	if (lh_route_path_read(&path, target, &err) == 0) {
		is_sound(&path);
		finds(&path);
		if (lh_route_parse(&r, name, &err) == 0 && gives(&r, &path) && body.len)
			repacks(body.p, body.len, (struct lh_str){ members.p, members.len });
	} else {
		must(!path.n && !path.args);
	}
	if (body.len) {
		repacks(body.p, body.len, (struct lh_str){ NULL, 0 });
		answers(body.p, body.len);
	}
	free(name);
	lh_route_free(&r);
	lh_route_path_free(&path);
	lh_buf_free(&body);
	return 0;
}
