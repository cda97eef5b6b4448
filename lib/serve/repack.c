/* repack.c - bodies and lines.  See body.h. */
#include "body.h"

#include "json/write.h"

/* ---- to the filter ---- */

/* Refuse a member that the record has already. */
static int no_clash(const struct lh_record *rec, const char *text, size_t n, struct lh_err *err)
{
	const struct lh_value v = { .p = text, .n = n, .type = LH_OBJECT };
	struct lh_iter it;
	size_t i;

	for (lh_iter_init(&it, &v); lh_iter_next(&it); )
		for (i = 0; i < rec->n; i++)
			if (lh_value_equal(&rec->member[i].key, &it.key))
				return lh_err_set(err, LH_EDATA,
						  "member %.*s is given by the route already",
						  (int)(it.key.n > 100 ? 100 : it.key.n), it.key.p);
	return 0;
}

int lh_repack(const struct lh_record *body, struct lh_str members, struct lh_buf *line,
	      struct lh_err *err)
{
	const size_t from = line->len;
	struct lh_buf object = { 0 };
	int rc;

	if (!body)
		lh_buf_puts(line, "{}");
	else
		lh_json_compact(line, body->line, body->len);
	if (!members.n)
		return 0;
	lh_buf_putc(&object, '{');
	lh_buf_add(&object, members.p, members.n);
	lh_buf_putc(&object, '}');
	rc = body ? no_clash(body, object.p, object.len, err) : 0;
	lh_buf_free(&object);
	if (rc)
		return -1;
	line->len--;
	if (line->len > from + 1)
		lh_buf_putc(line, ',');
	lh_buf_add(line, members.p, members.n);
	lh_buf_putc(line, '}');
	return 0;
}

/* ---- from the filter ---- */

void lh_answer_error(struct lh_buf *out, const char *message)
{
	struct lh_writer w = lh_write_to(out);

	lh_write_object(&w, NULL);
	lh_write_bytes(&w, "error", message);
	lh_write_end(&w);
}

static unsigned status_of(const struct lh_value *v)
{
	int64_t n;

	return v && v->type == LH_NUMBER && lh_value_i64(v, &n) && n >= 200 && n <= 599
		? (unsigned)n : 0;
}

/* Write a text in JSON as the member "error", with no address of a service: that is not for
 * clients. */
static void write_without_urls(struct lh_writer *w, const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_value cut = *v;
	const char *p = v->p, *end = v->p + v->n, *at;

	while ((at = memmem(p, (size_t)(end - p), "://", 3))) {
		const char *from = at, *to = at;

		while (from > p && ((from[-1] | 32) >= 'a' && (from[-1] | 32) <= 'z'))
			from--;
		while (to < end && !memchr(" \\\"',;)>", *to, 8))
			to++;
		lh_buf_add(&text, p, (size_t)(from - p));
		lh_buf_puts(&text, "the service");
		p = to > at + 3 && to[-1] == ':' ? to - 1 : to;
	}
	lh_buf_add(&text, p, (size_t)(end - p));
	cut.p = text.p;
	cut.n = text.len;
	lh_write_value(w, "error", &cut);
}

/* Make the body {"error": v}, v being a string as written. */
static void error_body(struct lh_answer *a, const struct lh_value *v)
{
	struct lh_writer w = lh_write_to(&a->text);

	lh_write_object(&w, NULL);
	if (v && v->type == LH_STRING && a->status >= 500 && memmem(v->p, v->n, "://", 3))
		write_without_urls(&w, v);
	else if (v && v->type == LH_STRING)
		lh_write_value(&w, "error", v);
	else
		lh_write_text(&w, "error", "the filter refused the request");
	lh_write_end(&w);
	a->body = (struct lh_str){ a->text.p, a->text.len };
}

/* Take an error object of --on-error emit: true if the record is one. */
static bool is_error(const struct lh_record *rec, struct lh_value *message, unsigned *status)
{
	const struct lh_value *error = lh_record_get(rec, "error");
	struct lh_value code;
	unsigned n;

	message->type = LH_NULL;
	if (!error || error->type != LH_OBJECT || !lh_value_get(error, "code", &code))
		return false;
	n = status_of(&code);
	if (!n)
		return false;
	*status = n;
	lh_value_get(error, "message", message);
	return true;
}

/* Remove the status: cheaply where it is the last member. */
static void without_status(const struct lh_record *rec, struct lh_answer *a)
{
	static const char *const drop[] = { "status", "code" };

	lh_record_open(&a->text, rec, drop, 2);
	if (a->text.len && a->text.p[a->text.len - 1] == ',')
		a->text.len--;
	lh_buf_putc(&a->text, '}');
	a->body = (struct lh_str){ a->text.p, a->text.len };
}

bool lh_body_has_status(const struct lh_record *body)
{
	return lh_record_get(body, "status") || lh_record_get(body, "code");
}

/* Return whether the last member is a status: that of the filter, which a client cannot give. */
static bool ends_with_status(const struct lh_record *rec)
{
	const struct lh_value *key = rec->n ? &rec->member[rec->n - 1].key : NULL;

	return key && (lh_value_is(key, "status", 6) || lh_value_is(key, "code", 4));
}

void lh_answer_read(const struct lh_record *rec, bool own_status, struct lh_answer *a)
{
	const struct lh_value *status, *code, *message;
	struct lh_value text;

	lh_buf_reset(&a->text);
	a->status = 200;
	a->body = (struct lh_str){ rec->line, rec->len };
	if (is_error(rec, &text, &a->status)) {
		error_body(a, &text);
		return;
	}
	if (own_status && !ends_with_status(rec))
		return;
	status = lh_record_get(rec, "status");
	code = lh_record_get(rec, "code");
	if (!status_of(status) && !status_of(code))
		return;
	a->status = status_of(status) ? status_of(status) : status_of(code);
	message = lh_record_get(rec, "message");
	if (a->status >= 400 && message && rec->n == 2u + (status && code)) {
		error_body(a, message);
		return;
	}
	if (a->status >= 400 && !message && rec->n == 2u + (status && code)) {
		message = lh_record_get(rec, "error");
		if (message && message->type == LH_STRING) {
			error_body(a, message);
			return;
		}
	}
	without_status(rec, a);
}

void lh_answer_free(struct lh_answer *a)
{
	lh_buf_free(&a->text);
}
