/* lh-trace: where a record comes from, and what became of it.  See lh-trace(1). */
#include <unistd.h>

#include "audit/chain.h"

#include "file/file.h"
#include "lineage/lineage.h"
#include "tlog/log.h"
#include "tool/op.h"
#include "tool/records.h"
#include "trace.h"

struct settings {
	struct lh_lineage_how how;
	struct lh_list subject, decisions, key_file;
	const char *html;	/* the file of the page; "-": stdout; NULL: none */
	const char *tlog;	/* the folder of a transparency log, or NULL */
	bool json, requests, insecure_key;
};

static const struct lh_option options[] = {
	{ 0, "root", "DIR", "the root (default: the working directory)",
	  LH_TEXT(struct settings, how.root, .env = "LH_DISTILL_ROOT") },
	{ 0, "subject", "ID", "trace a worker or candidate (repeatable)",
	  LH_TEXTS(struct settings, subject) },
	{ 0, "subjects", "DIR", "folder of subjects (default: below the root)",
	  LH_TEXT(struct settings, how.subjects) },
	{ 0, "decisions", "FILE", "log of decisions (default: log/decisions.jsonl)",
	  LH_TEXTS(struct settings, decisions) },
	{ 0, "key-file", "FILE", "verify chains with this key (repeatable)",
	  LH_TEXTS(struct settings, key_file, .env = "LH_SUBJECT_AUDIT_KEY") },
	{ 0, "insecure-key", NULL, "accept a key file that others can read",
	  LH_FLAG(struct settings, insecure_key) },
	{ 0, "tlog", "DIR", "show where receipts are in this transparency log",
	  LH_TEXT(struct settings, tlog) },
	{ 0, "limit", "N", "records per operand, and rows per list (default 20)",
	  LH_UINT(struct settings, how.most, 1, 1000000) },
	{ 0, "records", NULL, "also print the rows; with --json",
	  LH_FLAG(struct settings, how.records) },
	{ 0, "json", NULL, "print JSON Lines, an object for each operand",
	  LH_FLAG(struct settings, json) },
	{ 0, "html", "FILE", "write a page; -: on standard output",
	  LH_TEXT(struct settings, html, .makes = &lh_made_page) },
	{ 0, "requests", NULL, "answer requests for samples, read from FILE",
	  LH_FLAG(struct settings, requests) },
	LH_FORCE_OPTION(0),
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

struct run {
	struct lh_tool *tool;
	struct settings *s;
	struct lh_lineage *lineage;
	struct lh_record rec;
	struct lh_tlog_finder finder;	/* with --tlog */
	struct lh_buf json, out;
	struct lh_atomic page;		/* with --html FILE */
	bool to_file, colored;
	size_t width;
};

static void on_warn(void *ctx, bool unreadable, const char *text)
{
	struct lh_tool *tool = ((struct run *)ctx)->tool;

	lh_tool_warn(tool, "%s", text);
	if (unreadable)
		lh_tool_failed(tool);
}

/* Find the entry of a receipt. */
static int find_committed(void *ctx, const uint8_t sha256[32], uint64_t *index, struct lh_err *err)
{
	char entry[LH_RECEIPT_ENTRY];
	uint8_t leaf[LH_TLOG_HASH];

	lh_receipt_entry(sha256, entry);
	lh_tlog_leaf(entry, sizeof entry, leaf);
	return lh_tlog_look_up(&((struct run *)ctx)->finder, leaf, index, err);
}

/* Append the answer in r->json in the form asked for. */
static int print(struct run *r, struct lh_err *err)
{
	struct lh_value answer;

	if (r->s->json) {
		lh_buf_add(&r->out, r->json.p, r->json.len);
		lh_buf_putc(&r->out, '\n');
		return 0;
	}
	lh_buf_room(&r->json, LH_PAD);
	if (lh_json_parse(&r->rec, r->json.p, r->json.len, &answer, err) < 0)
		return -1;
	if (r->s->html)
		page_print(&r->out, &answer);
	else
		tree_print(&r->out, &answer, r->colored, r->width);
	return 0;
}

static int put(struct run *r)
{
	return r->to_file ? lh_atomic_write(&r->page, r->out.p, r->out.len, &r->tool->err)
			  : lh_tool_out(r->tool, r->out.p, r->out.len);
}

static int one(struct run *r, const char *operand, bool subject)
{
	struct lh_tool *tool = r->tool;
	int rc;

	lh_buf_reset(&r->json);
	lh_buf_reset(&r->out);
	if (!lh_utf8_valid(operand, strlen(operand)))
		return lh_tool_usage(tool, "an operand is not valid UTF-8");
	rc = lh_lineage_trace(r->lineage, lh_str_of(operand), subject, &r->json, &tool->err);
	if (rc < 0)
		return -1;
	if (rc != LH_LINEAGE_FOUND)
		lh_tool_verdict_bad(tool);
	if (rc != LH_LINEAGE_FOUND && !r->s->how.root && access("data", F_OK) < 0)
		lh_tool_warn(tool, "the working directory is not a root, it has no folder data; "
			     "--root DIR names one");
	if (print(r, &tool->err) < 0)
		return -1;
	return put(r);
}

static int page_part(struct run *r, void (*part)(struct lh_buf *out))
{
	if (!r->s->html)
		return 0;
	lh_buf_reset(&r->out);
	part(&r->out);
	return put(r);
}

static int each(struct run *r)
{
	size_t i;

	if (page_part(r, page_open) < 0)
		return -1;
	for (i = 0; i < r->tool->n_operands; i++)
		if (one(r, r->tool->operands[i], false) < 0)
			return -1;
	for (i = 0; i < r->s->subject.n; i++)
		if (one(r, r->s->subject.v[i], true) < 0)
			return -1;
	return page_part(r, page_close);
}

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;

	if (s->requests)
		return s->json || s->html || s->subject.n
			? lh_tool_usage(tool, "--requests excludes --json, --html and --subject")
			: 0;
	if (tool->rejects || tool->on_error != LH_ON_ERROR_SKIP)
		return lh_tool_usage(tool, "--rejects and --on-error go with --requests");
	if (!tool->n_operands && !s->subject.n)
		return lh_tool_usage(tool, "missing operand: an id, a run id, a sig_hash or "
					   "FILE:LINE, or --subject ID");
	if (s->json && s->html)
		return lh_tool_usage(tool, "--json and --html exclude each other");
	if (s->how.records && !s->json)
		return lh_tool_usage(tool, "--records needs --json");
	return 0;
}

static int run(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct run r = { .tool = tool, .s = s };
	LH_SCOPED(lh_chain_keys_free) struct lh_chain_keys keys = { .n = 0 };
	int rc = 0;

	if (s->key_file.n) {
		rc = lh_chain_keys_read(&keys, s->key_file.v, s->key_file.n, s->insecure_key,
					&tool->err);
		s->how.keys = &keys;
	}
	s->how.decisions = &s->decisions;
	s->how.jobs = tool->jobs;
	s->how.warn = on_warn;
	s->how.ctx = &r;
	if (!rc && s->tlog) {
		r.finder.log = lh_tlog_open(s->tlog, &tool->err);
		s->how.committed = find_committed;
		rc = r.finder.log ? 0 : -1;
	}
	r.colored = lh_term_colored(STDOUT_FILENO, tool->color);
	r.width = isatty(STDOUT_FILENO) ? (size_t)lh_term_columns(STDOUT_FILENO) : 0;
	if (!rc && !(r.lineage = lh_lineage_open(&s->how, &tool->err)))
		rc = -1;
	r.to_file = !rc && s->html && strcmp(s->html, "-");
	if (r.to_file)
		rc = lh_atomic_open(&r.page, s->html, 0666, &tool->err);
	if (!rc)
		rc = each(&r);
	if (r.to_file && !rc)
		rc = lh_atomic_commit(&r.page, &tool->err);
	if (r.to_file)
		lh_atomic_close(&r.page);
	lh_lineage_close(r.lineage);
	lh_tlog_close(r.finder.log);
	lh_map_free(&r.finder.map);
	lh_record_free(&r.rec);
	lh_buf_free(&r.json);
	lh_buf_free(&r.out);
	return rc;
}

/* ---- requests ---- */

struct request {
	struct lh_str id;
};
static const struct lh_bind request[] = {
	{ LH_BIND_STRING("id", struct request, id), .required = true, .filled = true,
	  .longest = 1024, .about = "an id of a sample, of evidence or of a run" },
	LH_BIND_END
};

static const struct lh_bind made_of[] = {
	LH_OP_TEXT("id"),
	{ LH_BIND_ONLY("exporter", LH_BIND_TO_STRING), .null = true },
	{ LH_BIND_ONLY("sample", LH_BIND_TO_VALUE), .types = LH_BIND_ANY, .null = true,
	  .person = true, .about = "where it is: file, line, record" },
	{ LH_BIND_ONLY("run", LH_BIND_TO_STRING), .null = true, .about = "id of the run" },
	{ LH_BIND_ONLY("from", LH_BIND_TO_VALUE), .required = true,
	  .types = LH_BIND_IS(LH_ARRAY), .person = true,
	  .about = "of each record it is of: scored, evidence, source" },
	LH_BIND_END
};

/* A file that cannot be read costs its request, not the process. */
static int on_request(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct run *r = arg;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_lineage *lineage;
	struct request q;
	int rc = lh_bind(request, rec, &q, &text, err);

	if (rc < 0)
		return -1;
	lineage = lh_lineage_open(&r->s->how, err);
	rc = lineage ? lh_lineage_sample(lineage, q.id, out, err) : -1;
	lh_lineage_close(lineage);
	if (!rc || (err->code != LH_EIO && err->code != LH_ECORRUPT))
		return rc;
	lh_tool_warn(r->tool, "%s", err->msg);
	return lh_err_data(err, 503, "the files of the root cannot be read");
}

static void on_request_warn(void *ctx, bool unreadable, const char *text)
{
	(void)unreadable;
	lh_tool_warn(((struct run *)ctx)->tool, "%s", text);
}

static int run_requests(struct lh_tool *tool, void *settings)
{
	struct settings s = *(const struct settings *)settings;
	struct run r = { .tool = tool, .s = &s };
	struct lh_root *root = lh_root_open(s.how.root, &tool->err);

	lh_root_close(root);
	s.how.jobs = tool->jobs;
	s.how.warn = on_request_warn;
	s.how.ctx = &r;
	tool->jobs = 1;
	if (!root)
		return -1;
	lh_tool_answer_each(tool);
	return lh_records_run(tool, &(struct lh_flow){ .map = on_request, .shared = &r });
}

static const struct lh_bind answer[] = {
	LH_OP_TEXT("operand"),
	{ LH_BIND_ONLY("as", LH_BIND_TO_VALUE), .required = true,
	  .types = LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NULL), .about = "what the operand is" },
	{ LH_BIND_ONLY("steps", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY),
	  .about = "a step for each record, with those below it in its own steps" },
	{ LH_BIND_ONLY("more", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "records that were left out" },
	{ LH_BIND_ONLY("candidates", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY),
	  .about = "the hashes that begin so" },
	{ LH_BIND_ONLY("searched", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY),
	  .about = "where nothing was found" },
	LH_BIND_END
};

static const struct lh_op ops[] = {
	{ "", .command = run }, { "", .out = answer, .command = run },
	{ "", .in = request, .out = made_of, .command = run_requests }, LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	const struct settings *s = settings;

	return &ops[s->requests ? 2 : s->json];
}

int main(int argc, char **argv)
{
	struct settings s = { .how.most = 20 };
	static const struct lh_tool_spec spec = {
		.name = "lh-trace",
		.synopsis = "[OPTION]... ID|RUN_ID|SIG_HASH|FILE:LINE...",
		.summary = "show where a record comes from, and what became of it",
		.example = "lh-trace --root work work/data/_kb/scrum_reviews.jsonl:3",
		.options = options,
		.ops = ops,
		.mode = mode,
		.check = check,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
