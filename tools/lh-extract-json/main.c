/*
 * lh-extract-json: find the JSON object in a model's answer.  See
 * lh-extract-json(1).
 */
#include <stdatomic.h>

#include "json/value.h"
#include "json/write.h"
#include "model/extract.h"
#include "tool/op.h"

struct settings {
	const char *field;
	struct lh_path text;	/* --field */
	bool raw, require, wire;
	atomic_bool missed;	/* a text had no object */
};

static const struct lh_option options[] = {
	{ 0, "field", "NAME", "field with the text (default text)",
	  LH_TEXT(struct settings, field) },
	{ 0, "raw-input", NULL, "each file is one text, not lines of JSON",
	  LH_FLAG(struct settings, raw) },
	{ 0, "require", NULL, "exit 1 if a text contains no object",
	  LH_FLAG(struct settings, require) },
	{ 0, "wire", NULL, "print only matched and value, with sorted keys",
	  LH_FLAG(struct settings, wire) },
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

struct worker {
	struct settings *s;
	struct lh_extract *x;
	struct lh_buf scratch;
};

static void worker_free(void *self)
{
	struct worker *w = self;

	lh_extract_free(w->x);
	lh_buf_free(&w->scratch);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct worker *w = context;

	(void)err;
	w->s = ctx;
	w->x = lh_extract_new();
	return 0;
}

/* Write the members of a text without an object. */
static void write_none(struct worker *w, struct lh_writer *out)
{
	w->s->missed = true;
	lh_write_bool(out, "matched", false);
	lh_write_null(out, "value");
}

static void write_found(struct lh_writer *out)
{
	lh_write_bool(out, "matched", true);
	lh_write_key(out, "value");
}

/* Write only {"matched":...,"value":...} for one text. */
static int write_reply(struct worker *w, const struct lh_str *text, struct lh_buf *out,
		       struct lh_err *err)
{
	struct lh_writer to = lh_write_to(out);
	struct lh_value v;
	int rc = lh_extract(w->x, text->p, text->n, &v, err);

	if (rc < 0)
		return -1;
	lh_write_object(&to, NULL);
	if (!rc) {
		write_none(w, &to);
	} else {
		write_found(&to);
		if (!w->s->wire)
			lh_extract_put(out, &v);
		else if (lh_extract_wire(out, &v, err) < 0)
			return -1;
	}
	lh_write_end(&to);
	return 0;
}

/* Write the record with its new members.  The text is unescaped at the place of the
 * value, which may be as long as the record, so that there is no third copy. */
static int write_record(struct worker *w, const struct lh_record *rec,
			const struct lh_value *field, struct lh_buf *out, struct lh_err *err)
{
	static const char *const added[] = { "matched", "value" };
	struct lh_writer to = lh_write_record(out, rec, added, 2), with = to;
	size_t start = out->len, at;
	struct lh_value v;
	struct lh_str text;
	int rc;

	write_found(&with);
	at = out->len;
	lh_value_str(field, out, &text);
	rc = lh_extract(w->x, text.p, text.n, &v, err);
	if (rc < 0)
		return -1;
	out->len = rc ? at : start;
	if (rc) {
		lh_extract_put(out, &v);
		to = with;
	} else {
		write_none(w, &to);
	}
	lh_write_end(&to);
	return 0;
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	struct worker *w = worker;
	struct lh_value field;
	struct lh_str text;

	if (lh_path_string(&w->s->text, rec, &field, err) < 0)
		return -1;
	if (!w->s->wire)
		return write_record(w, rec, &field, out, err);
	lh_buf_reset(&w->scratch);
	lh_value_str(&field, &w->scratch, &text);
	return write_reply(w, &text, out, err);
}

static int on_text(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	return write_reply(worker, &(struct lh_str){ rec->line, rec->len }, out, err);
}

static int run(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	int rc;

	s->text.text = s->field ? s->field : "text";
	if (s->field)
		lh_records_want(tool, "--field", &s->text);
	rc = lh_records_run(tool, &(struct lh_flow){
		.texts = s->raw, .map = s->raw ? on_text : on_record, .shared = s,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free });
	if (s->require && s->missed)
		lh_tool_verdict_bad(tool);
	return rc;
}

static const struct lh_bind in[] = {
	{ LH_BIND_ONLY("text", LH_BIND_TO_STRING), .required = true,
	  .about = "the answer of a model; with --field another member" },
	LH_BIND_END
};

static const struct lh_bind out[] = {
	{ LH_BIND_ONLY("matched", LH_BIND_TO_BOOL), .required = true,
	  .about = "whether the text has an object" },
	{ LH_BIND_ONLY("value", LH_BIND_TO_VALUE), .types = LH_BIND_ANY, .required = true,
	  .null = true, .about = "the object" },
	LH_BIND_END
};

int main(int argc, char **argv)
{
	static const struct lh_op ops[] = {
		{ "", .in = in, .out = out, .command = run }, LH_OP_END
	};
	static const struct lh_tool_spec spec = {
		.name = "lh-extract-json",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "extract the JSON object from a model's answer",
		.example =
			"echo 'Sure, here it is: {\"to\":\"ann@example.com\"}. Anything else?' |\n"
			"      lh-extract-json --raw-input",
		.options = options,
		.ops = ops,
	};

	return lh_op_main(&spec, argc, argv, &(struct settings){ .field = NULL });
}
