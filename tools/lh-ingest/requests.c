/*
 * requests.c - lh-ingest --requests: each record names a table to keep as a dataset.
 *
 * A table is read by a child, this program again, so that a table that takes too long, or a
 * library that fails on a hostile one, costs its request alone.
 */
#include <strings.h>

#include "ingest.h"
#include "json/bind.h"
#include "proc/coproc.h"
#include "proc/run.h"

#define SECONDS 3600.0		/* for a table */
#define ANSWER_MAX ((size_t)1 << 20)

static const char *const formats[] = { "csv", "tsv", "jsonl", "parquet", NULL };

struct request {
	struct lh_str name, file, filename;
	const char *format;
	struct lh_value own;		/* of the request: in its error, in logs */
};
const struct lh_bind request_members[] = {
	{ LH_BIND_STRING("name", struct request, name), .required = true, .filled = true,
	  .no_nul = true, .path = true, .safe = true, .about = "the dataset" },
	{ LH_BIND_STRING("file", struct request, file), .required = true, .filled = true,
	  .no_nul = true, .path = true, .about = "the file with the table" },
	{ LH_BIND_CHOICE("format", struct request, format, formats),
	  .about = "the format (default: by content)" },
	{ LH_BIND_STRING("filename", struct request, filename),
	  .about = "the name that the file had, for its format" },
	{ LH_BIND_SOME("id", struct request, own), .about = "the request, in an error" },
	{ LH_BIND_SOME("trace_id", struct request, own), .about = "the request, in logs" },
	LH_BIND_CLOSED
};

const struct lh_bind kept_members[] = {
	LH_OP_TEXT("dataset_id"),
	LH_OP_TEXT("name"),
	LH_OP_TEXT("schema_fingerprint"),
	LH_OP_COUNT("row_count"),
	LH_OP_TEXT("object_key"),
	LH_OP_COUNT("object_size"),
	LH_OP_BOOL("existing"),
	LH_BIND_END
};

struct run {
	struct ingest *in;
	struct lh_buf strings, text;	/* of a request; of its child's argv */
	struct lh_record reply;
	bool failing;			/* a failure is reported already */
};

/* ---- the child ---- */

static bool is_tsv(struct lh_str name)
{
	return name.n > 4 && strncasecmp(name.p + name.n - 4, ".tsv", 4) == 0;
}

/* Append a text with a NUL; return where it begins. */
static size_t add_text(struct lh_buf *b, const char *prefix, struct lh_str s)
{
	size_t at = b->len;

	lh_buf_puts(b, prefix);
	lh_buf_add(b, s.p, s.n);
	lh_buf_putc(b, '\0');
	return at;
}

static int run_child(struct run *r, const struct request *q, struct lh_child_out *out,
		     struct lh_err *err)
{
	const struct settings *s = r->in->s;
	const char *format = q->format ? q->format : is_tsv(q->filename) ? "tsv" : NULL;
	size_t name, file, option, n = 8;
	char *argv[24] = {
		(char *)"lh-ingest", (char *)"--quiet", (char *)"--progress=never",
		(char *)"--on-error=emit", (char *)"--store", (char *)s->store,
		(char *)"--catalog", (char *)s->catalog,
	};

	lh_buf_reset(&r->text);
	file = add_text(&r->text, "", q->file);
	name = add_text(&r->text, "--name=", q->name);
	option = add_text(&r->text, "--", lh_str_of(format ? format : "quiet"));
	argv[n++] = r->text.p + option;
	argv[n++] = r->text.p + name;
	if (s->key_file) {
		argv[n++] = (char *)"--key-file";
		argv[n++] = (char *)s->key_file;
	}
	if (r->in->tool->now) {
		argv[n++] = (char *)"--now";
		argv[n++] = (char *)r->in->tool->now;
	}
	argv[n++] = (char *)"--";
	argv[n++] = r->text.p + file;
	argv[n] = NULL;
	return lh_child_run(&(struct lh_child_how){ .argv = argv, .seconds = SECONDS,
						    .max = ANSWER_MAX }, NULL, 0, out, err);
}

/* ---- its answer ---- */

/* Read what the child printed: 1 if it is an answer, 0 if it printed nothing, -1. */
static int read_reply(struct run *r, const struct lh_child_out *out, struct lh_err *err)
{
	const struct lh_value *error;

	if (!out->out.len)
		return 0;
	if (lh_record_parse(&r->reply, out->out.p, out->out.len, err) < 0)
		return lh_err_set(err, LH_EIO, "lh-ingest printed something else than an answer");
	error = lh_record_get(&r->reply, "error");
	return error ? lh_coproc_refusal(error, err) : 1;
}

/* Report why the child failed.  What is wrong with the table begins with the file's name, which
 * is not repeated; all else is wrong here. */
static int report_failure(struct lh_str file, const struct lh_child_out *out, struct lh_err *err)
{
	const char *why = out->last_line;

	if (out->timed_out)
		return lh_err_data(err, 504, "the table took longer than %.0f seconds", SECONDS);
	if (out->status != 2 || strncmp(why, file.p, file.n) || why[file.n] != ':')
		return lh_err_set(err, LH_EIO, "lh-ingest ended with status %d: %s", out->status,
				  why);
	why += file.n + 1;
	if (*why != ' ')
		return lh_err_set(err, LH_EDATA, "line %s", why);
	return lh_err_set(err, LH_EDATA, "the file:%s", why);
}

static int answer(struct run *r, const struct request *q, struct lh_buf *to, struct lh_err *err)
{
	LH_SCOPED(lh_child_free) struct lh_child_out out;
	int rc = run_child(r, q, &out, err);

	if (!rc) {
		rc = read_reply(r, &out, err);
		if (!rc)
			rc = report_failure((struct lh_str){ r->text.p, q->file.n }, &out, err);
		else if (rc > 0)
			lh_buf_add(to, r->reply.line, r->reply.len);
	}
	return rc < 0 ? -1 : 0;
}

static int on_request(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err)
{
	struct run *r = run;
	struct request q = { .format = NULL };

	if (lh_op_refuse_paths(r->in->tool, request_members, rec, err) < 0 ||
	    lh_bind(request_members, rec, &q, &r->strings, err) < 0)
		return -1;
	if (answer(r, &q, out, err) == 0) {
		r->failing = false;
		return 0;
	}
	if (err->code == LH_EDATA || err->code == LH_ENOMEM || err->code == LH_EINTR)
		return -1;
	if (!r->failing)
		lh_tool_warn(r->in->tool, "%s", err->msg);
	r->failing = true;
	return lh_err_data(err, 503, "the dataset cannot be kept at present");
}

int ingest_requests(struct ingest *in)
{
	struct run r = { .in = in };
	int rc;

	in->tool->jobs = 1;
	lh_tool_answer_each(in->tool);
	rc = lh_records_run(in->tool, &(struct lh_flow){ .map = on_request, .shared = &r });
	lh_record_free(&r.reply);
	lh_buf_free(&r.strings);
	lh_buf_free(&r.text);
	return rc;
}
