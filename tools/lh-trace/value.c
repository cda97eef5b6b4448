/* value.c - what is shown of the members of a step. */
#include "trace.h"

#define BRIEF 12	/* digits of a hash */
#define BRIEF_TEXT 160	/* bytes of a text */

static bool is_one_of(const struct lh_value *name, const char *const *names)
{
	for (; *names; names++)
		if (lh_value_is(name, *names, strlen(*names)))
			return true;
	return false;
}

bool is_field(const struct lh_value *step, const struct lh_value *name, bool brief)
{
	static const char *const others[] = { "step", "file", "line", "steps", "record", NULL };
	/* those that a step has in common with its file, or with its record */
	static const char *const of_receipt[] = { "stage", "run_id", "git_commit", "bytes", NULL };
	static const char *const of_evidence[] = { "run_id", NULL };
	struct lh_value of;

	if (is_one_of(name, others))
		return false;
	if (!brief || !lh_value_get(step, "step", &of))
		return true;
	if (lh_value_is(&of, "receipt", 7))
		return !is_one_of(name, of_receipt);
	return !lh_value_is(&of, "evidence", 8) || !is_one_of(name, of_evidence);
}

static bool is_hash(const struct lh_value *name)
{
	static const char *const hashes[] = { "sig_hash", "sha256", "git_commit",
					      "audit_log_chain_root", NULL };

	return is_one_of(name, hashes);
}

static void add_string(struct lh_buf *out, const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	struct lh_str s;

	lh_value_str(v, &scratch, &s);
	lh_buf_add(out, s.p, s.n);
}

void value_text(struct lh_buf *out, const struct lh_value *name, const struct lh_value *v,
		bool brief)
{
	size_t at = out->len;
	struct lh_iter it;
	size_t n = 0;

	if (v->type == LH_STRING) {
		add_string(out, v);
		if (brief && is_hash(name) && out->len > at + BRIEF)
			out->len = at + BRIEF;
		if (brief && lh_value_is(name, "text", 4)) {
			/* Make one short line of the text from at on. */
			size_t i;

			if (out->len > at + BRIEF_TEXT) {
				for (i = at + BRIEF_TEXT; (out->p[i] & 0xc0) == 0x80;)
					i--;
				out->len = i;
				lh_buf_puts(out, "…");
			}
			for (i = at; i < out->len; i++)
				if (out->p[i] == '\n')
					out->p[i] = ' ';
		}
		return;
	}
	if (v->type != LH_ARRAY) {
		lh_buf_add(out, v->p, v->n);
		return;
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it); n++) {
		if (n)
			lh_buf_puts(out, ", ");
		if (it.val.type == LH_ARRAY)
			lh_buf_add(out, it.val.p, it.val.n);
		else
			value_text(out, name, &it.val, brief);
	}
}

enum lh_style value_style(const struct lh_value *name, const struct lh_value *v)
{
	static const struct {
		const char *name, *value;
		enum lh_style style;
	} styles[] = {
		{ "state", "intact", LH_STYLE_GOOD }, { "state", "anchored", LH_STYLE_GOOD },
		{ "state", "not verified", LH_STYLE_WARN },
		{ "state", "not collected", LH_STYLE_WARN }, { "state", NULL, LH_STYLE_BAD },
		{ "category", "accepted", LH_STYLE_GOOD },
		{ "category", "rejected", LH_STYLE_BAD }, { "category", NULL, LH_STYLE_WARN },
		{ "reason", NULL, LH_STYLE_WARN }, { "errors", NULL, LH_STYLE_BAD },
		{ "error", NULL, LH_STYLE_BAD }, { "result", "success", LH_STYLE_GOOD },
		{ "result", NULL, LH_STYLE_WARN },
	};
	size_t i;

	for (i = 0; i < sizeof styles / sizeof *styles; i++)
		if (lh_value_is(name, styles[i].name, strlen(styles[i].name)) &&
		    (!styles[i].value ||
		     (v->type == LH_STRING &&
		      lh_value_is(v, styles[i].value, strlen(styles[i].value)))))
			return styles[i].style;
	return LH_STYLE_PLAIN;
}

void text_of(struct lh_buf *out, const struct lh_value *object, const char *name)
{
	struct lh_value v;

	if (lh_value_get(object, name, &v) && v.type == LH_STRING)
		add_string(out, &v);
}

void place_of(struct lh_buf *out, const struct lh_value *step)
{
	struct lh_value line;

	text_of(out, step, "file");
	if (lh_value_get(step, "line", &line)) {
		lh_buf_putc(out, ':');
		lh_buf_add(out, line.p, line.n);
	}
}
