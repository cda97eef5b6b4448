/* request.c - a record as a request: checked, with its defaults. */
#include "iterate.h"
#include "model/trace.h"

/* Return the member of that name; NULL if it is absent or null. */
static const struct lh_value *get(const struct lh_record *rec, const char *name)
{
	const struct lh_value *v = lh_record_get(rec, name);

	return v && v->type != LH_NULL ? v : NULL;
}

/* Read an optional string.  The text buffer never moves. */
static int get_string(const struct lh_record *rec, const char *name, struct lh_str *to, struct lh_buf *text, struct lh_err *err)
{
	const struct lh_value *v = get(rec, name);

	*to = (struct lh_str){ "", 0 };
	if (!v)
		return 0;
	if (v->type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "\"%s\" is not a string", name);
	return lh_value_str(v, text, to, err);
}

/* Read a required, non-empty string. */
static int need_string(const struct lh_record *rec, const char *name, struct lh_str *to, struct lh_buf *text, struct lh_err *err)
{
	if (get_string(rec, name, to, text, err) < 0)
		return -1;
	if (!to->n)
		return lh_err_set(err, LH_EDATA, get(rec, name) ? "\"%s\" is empty" : "missing string field \"%s\"", name);
	return 0;
}

static int get_numbers(struct request *q, const struct lh_record *rec, struct lh_err *err)
{
	const struct lh_value *turns = get(rec, "max_iterations"), *heat = get(rec, "temperature"), *tokens = get(rec, "max_tokens");
	int64_t n = 3;

	if (turns && (turns->type != LH_NUMBER || !lh_value_i64(turns, &n) || n < 1 || n > TURNS_MAX))
		return lh_err_set(err, LH_EDATA, "\"max_iterations\" is not a whole number from 1 to %d", TURNS_MAX);
	q->max_iterations = (uint64_t)n;
	if (heat && heat->type != LH_NUMBER)
		return lh_err_set(err, LH_EDATA, "\"temperature\" is not a number");
	q->temperature = heat ? (struct lh_str){ heat->p, heat->n } : (struct lh_str){ "0.2", 3 };
	q->max_tokens = 4096;
	if (tokens && (tokens->type != LH_NUMBER || !lh_value_i64(tokens, &q->max_tokens)))
		return lh_err_set(err, LH_EDATA, "\"max_tokens\" is not a whole number");
	return 0;
}

int request_read(struct request *q, const struct iterate *it, const struct lh_record *rec, struct lh_buf *text, struct lh_err *err)
{
	const struct lh_value *context = get(rec, "context");
	const char *name;

	lh_buf_reset(text);
	if (!lh_buf_room(text, rec->len))
		return lh_buf_check(text, err);
	if (get_string(rec, "kind", &q->kind, text, err) < 0)
		return -1;
	if (!get(rec, "kind")) {
		if (it->kind == LH_KIND_NONE)
			return lh_err_set(err, LH_EDATA, "missing string field \"kind\"");
		name = lh_kind_name(it->kind);
		q->kind = (struct lh_str){ name, strlen(name) };
	}
	q->has_context = context;
	if (context)
		q->context = *context;
	if (need_string(rec, "prompt", &q->prompt, text, err) < 0 || need_string(rec, "model", &q->model, text, err) < 0 ||
	    get_string(rec, "system", &q->preface, text, err) < 0 || get_string(rec, "provider", &q->provider, text, err) < 0 ||
	    get_string(rec, "trace_id", &q->trace, text, err) < 0)
		return -1;
	if (q->trace.n > LH_TRACE_MAX)
		return lh_err_data(err, 413, "\"trace_id\" is longer than %d bytes", LH_TRACE_MAX);
	if (!q->provider.n)
		q->provider = (struct lh_str){ "ollama", 6 };
	return get_numbers(q, rec, err);
}
