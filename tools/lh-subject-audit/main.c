/*
 * main.c - lh-subject-audit: a tamper-evident record of who accessed whose data.  See
 * lh-subject-audit(1).
 */
#include "json/canon.h"
#include "crypto/digest.h"
#include "audit.h"
#include "serve/routes.h"
#include "tlog/note.h"

/* ---- known-answer ---- */

static const char fixed_row[] = LH_JSON(
	{"schema":"subject_audit.v1","ts":"2026-05-03T12:00:00Z","candidate_id":"WORKER-FIXED",
	 "accessor":{"kind":"gateway_lookup","daemon":"gateway","purpose":"parity_test",
	 "trace_id":"trace-fixed"},"fields_accessed":["name"],"result":"success",
	 "prev_chain_hash":"GENESIS"});

static int make(struct lh_buf *canon, char hex[LH_SHA256_HEX], struct lh_err *err)
{
	unsigned char key[32], sum[32];
	struct lh_hmac *h;
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_value v;
	size_t i;

	for (i = 0; i < sizeof key; i++)
		key[i] = (unsigned char)i;
	lh_buf_puts(&text, fixed_row);
	lh_buf_room(&text, LH_PAD);
	if (lh_json_parse(&rec, text.p, text.len, &v, err) < 0 ||
	    lh_canon_audit(canon, &v, NULL, 0, err) < 0)
		return -1;
	h = lh_hmac_new(key, sizeof key);
	lh_hmac(h, "GENESIS", 7, canon->p, canon->len, sum);
	lh_hex(sum, sizeof sum, hex);
	lh_hmac_free(h);
	return 0;
}

static int audit_known_answer(struct lh_tool *tool, void *settings)
{
	char hex[LH_SHA256_HEX];
	LH_SCOPED(lh_buf_free) struct lh_buf canon = { 0 }, b = { 0 };
	int rc;

	(void)settings;
	rc = make(&canon, hex, &tool->err);
	if (rc == 0) {
		struct lh_writer w = lh_write_to(&b);

		lh_write_object(&w, NULL);
		lh_write_text(&w, "mode", "known_answer");
		lh_write_str(&w, "canonical", (struct lh_str){ canon.p, canon.len });
		lh_write_str(&w, "hmac", (struct lh_str){ hex, LH_SHA256_HEX });
		lh_write_u64(&w, "canonical_bytes_len", canon.len);
		lh_write_end(&w);
		lh_buf_putc(&b, '\n');
		rc = print(tool, &b);
	}
	return rc;
}

/* ---- the command ---- */

#define KEYED (V_APPEND | V_VERIFY | V_ANCHOR | V_REPORT | V_MANIFEST | V_REQUESTS | \
	       V_ACCESSES | V_COMMIT)
#define ANCHORED (V_REPORT | V_REQUESTS | V_ACCESSES)
#define LOCKS (KEYED | V_REPAIR)
#define IN_TREE (V_COMMIT | V_PROVE | V_REPORT | V_ANCHOR | V_VERIFY)

static const struct lh_made made_proofs = { "a list of proofs", { "{\"row\":\"" }, NULL };

static const struct lh_option options[] = {
	{ 0, "dir", "DIR", "folder of the logs (default " LH_SUBJECT_DIR ")",
	  LH_TEXT(struct settings, dir, .verbs = KEYED | V_SWEEP | V_PROVE) },
	{ 0, "key-file", "FILE", "file of the key (repeatable: the first signs)",
	  LH_TEXTS(struct settings, key_file, .env = "LH_SUBJECT_AUDIT_KEY", .verbs = KEYED) },
	{ 0, "insecure-key", NULL, "accept a key file that others can read",
	  LH_FLAG(struct settings, insecure_key, .verbs = KEYED) },
	{ 0, "sync", "each|batch|none", "when rows are synced (default each)",
	  LH_CHOICE(struct settings, sync, .verbs = V_APPEND) },
	{ 0, "all", NULL, "list every broken row",
	  LH_FLAG(struct settings, all, .verbs = V_VERIFY) },
	{ 0, "wire", NULL, "print the verdict in the form of other programs",
	  LH_FLAG(struct settings, wire, .verbs = V_VERIFY) },
	{ 0, "against", "FILE", "compare with this anchor",
	  LH_TEXT(struct settings, against, .verbs = V_VERIFY | V_ANCHOR | ANCHORED) },
	{ 0, "accept", "REASON", "anchor what differs from --against, too, and why",
	  LH_TEXT(struct settings, accept, .verbs = V_ANCHOR) },
	{ 0, "from", "TIME", "rows from this time, day or month on",
	  LH_TEXT(struct settings, from, .verbs = V_REPORT | V_ACCESSES) },
	{ 0, "to", "TIME", "rows up to this time, day or month",
	  LH_TEXT(struct settings, to, .verbs = V_REPORT | V_ACCESSES) },
	{ 0, "html", "FILE", "the report as a web page; -: instead of JSON",
	  LH_TEXT(struct settings, html, .verbs = V_REPORT, .makes = &lh_made_page) },
	{ 0, "tlog", "DIR", "folder of the transparency log",
	  LH_TEXT(struct settings, tlog, .verbs = IN_TREE) },
	{ 0, "key-file-tlog", "FILE", "key that signs its checkpoint (repeatable)",
	  LH_TEXTS(struct settings, tlog_key, .verbs = V_COMMIT) },
	{ 0, "row", "N", "this row, from 0 (repeatable; default: all)",
	  LH_TEXTS(struct settings, row, .verbs = V_PROVE) },
	{ 0, "proofs", "FILE", "proofs of the rows, for lh-tlog verify --row",
	  LH_TEXT(struct settings, proofs, .verbs = V_REPORT, .makes = &made_proofs) },
	{ 0, "config", "FILE", "configuration of lh-serve, whose forbid_return holds",
	  LH_TEXT(struct settings, config, .verbs = V_MANIFEST) },
	{ 0, "forbid-return", NULL, "refuse the manifest of a person who was erased",
	  LH_FLAG(struct settings, forbid_return, .verbs = V_MANIFEST) },
	{ 0, "as-of", "TIME", "time of the sweep (default: now)",
	  LH_TIME(struct settings, as_of, .verbs = V_SWEEP) },
	{ 0, "apply", NULL, "also write the list to a file in DIR",
	  LH_FLAG(struct settings, apply, .verbs = V_SWEEP) },
	{ 0, "once", NULL, "read the keys only at the start",
	  LH_TOOL_FIELD(FLAG, once, .verbs = V_APPEND | V_REQUESTS) },
	LH_FORCE_OPTION(V_REPORT),
	LH_ALLOW_EMPTY_OPTION(V_VERIFY | V_ANCHOR | V_ACCESSES | V_MANIFEST),
	LH_LOCK_OPTION(LOCKS),
	LH_JOBS_OPTION,
	LH_NOW_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static const struct lh_bind row_out[] = {
	LH_OP_TEXT("schema"), LH_OP_TEXT("ts"), LH_OP_TEXT("candidate_id"),
	LH_OP_OBJECT("accessor"), LH_OP_ARRAY("fields_accessed"), LH_OP_TEXT("result"),
	LH_OP_TEXT("prev_chain_hash"), LH_OP_TEXT("row_hmac"), LH_BIND_END
};
static const struct lh_bind verdict[] = {
	{ LH_BIND_ONLY("file", LH_BIND_TO_STRING) },	/* not with --wire */
	LH_OP_COUNT("count"), LH_OP_TEXT("tip"), LH_OP_BOOL("verified"),
	{ LH_BIND_ONLY("error", LH_BIND_TO_STRING), .null = true },
	{ LH_BIND_ONLY("state", LH_BIND_TO_STRING) },
	{ LH_BIND_ONLY("line", LH_BIND_TO_WHOLE), .most = INT64_MAX },
	{ LH_BIND_ONLY("broken", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY) },
	LH_BIND_END
};

static const struct lh_bind repaired[] = { LH_OP_TEXT("file"), LH_OP_COUNT("cut"), LH_BIND_END };
/* A line of an anchor: the end of a log; in the last line the MAC of those before. */
static const struct lh_bind end_of_log[] = {
	{ LH_BIND_ONLY("candidate_id", LH_BIND_TO_STRING), .person = true },
	{ LH_BIND_ONLY("count", LH_BIND_TO_WHOLE), .most = INT64_MAX, .about = "rows" },
	{ LH_BIND_ONLY("tip", LH_BIND_TO_STRING), .about = "MAC of the last row" },
	{ LH_BIND_ONLY("hmac", LH_BIND_TO_STRING), .about = "of all lines before" },
	LH_BIND_END
};
static const struct lh_bind proof[] = {
	{ LH_BIND_ONLY("row", LH_BIND_TO_STRING), .required = true, .person = true },
	LH_OP_TEXT("opening"), LH_OP_TEXT("entry"), LH_OP_TEXT("proof"), LH_BIND_END
};
static const struct lh_bind committed[] = {
	LH_OP_COUNT("logs"), LH_OP_COUNT("rows"), LH_OP_COUNT("committed"), LH_OP_COUNT("size"),
	LH_BIND_END
};

static const struct lh_op ops[] = {
	{ "append", "[FILE...]", "add a row for each record", V_APPEND, .in = append_members,
	  .out = row_out, .command = audit_append, .writes = true },
	{ "verify", "[LOG...]", "check the chains of logs", V_VERIFY, .out = verdict,
	  .command = audit_verify },
	{ "repair", "LOG...", "remove a torn last line", V_REPAIR, .out = repaired,
	  .command = audit_repair, .writes = true },
	{ "anchor", "", "print the signed ends of all logs", V_ANCHOR, .out = end_of_log,
	  .command = audit_anchor },
	{ "report", "ID", "report every access to a subject's data", V_REPORT, answer_report,
	  LH_OP_IN(report_members, struct wanted), .out = report_out, .command = audit_report },
	{ "accesses", "", "list who looked at anything, over all subjects", V_ACCESSES,
	  .out = row_out, .command = audit_accesses },
	{ "commit", "", "commit new rows to a transparency log", V_COMMIT,
	  .out = committed, .command = audit_commit, .writes = true },
	{ "prove", "ID", "print rows with proofs that strangers can check", V_PROVE,
	  .out = proof, .command = audit_prove },
	{ "health", NULL, "verify all logs", 0, answer_health, .out = health_members },
	LH_OP_REQUESTS_BY("[FILE...]", V_REQUESTS, audit_requests),
	{ "manifest", "put|get|list|verify [OPERAND...]",
	  "store consent, retention, and where data are", V_MANIFEST, .out = lh_op_any,
	  .command = audit_manifest, .writes = true },
	{ "sweep", "", "list subjects whose data are due for removal", V_SWEEP,
	  .out = lh_op_any, .command = audit_sweep },
	{ "known-answer", "", "print a fixed row's canonical form and MAC", V_KNOWN_ANSWER,
	  .out = lh_op_any, .command = audit_known_answer },
	LH_OP_END
};

/* Of the manifest's verbs, verify reads logs, and put compares the hashes of ids, if it can. */
static bool needs_key(const struct lh_tool *tool, const struct settings *s)
{
	if (tool->verb->bit != V_MANIFEST)
		return tool->verb->bit & KEYED;
	if (strcmp(tool->operands[0], "put") == 0)
		return s->forbid_return || s->key_file.n;
	return strcmp(tool->operands[0], "verify") == 0;
}

static int read_config(struct settings *s, struct lh_err *err)
{
	LH_SCOPED(lh_serve_config_free) struct lh_serve_config c = { .state = NULL };

	if (lh_serve_config_read(&c, s->config, err) < 0)
		return -1;
	s->forbid_return |= c.subject.forbid_return;
	return 0;
}

#define REASON_MAX 1000

static int check_accept(struct lh_tool *tool, const struct settings *s)
{
	if (!s->accept)
		return 0;
	if (!s->against)
		return lh_tool_usage(tool, "--accept needs --against");
	if (!*s->accept || strlen(s->accept) > REASON_MAX)
		return lh_tool_usage(tool, "--accept: a reason has 1 to %d bytes", REASON_MAX);
	return 0;
}

/* Check the options that have to do with a transparency log. */
static int check_tree(struct lh_tool *tool, const struct settings *s)
{
	uint64_t row;
	size_t i;

	if (!s->tlog && (tool->verb->bit & (V_COMMIT | V_PROVE) || s->proofs))
		return lh_tool_usage(tool, "no transparency log: name its folder by --tlog");
	if (tool->verb->bit == V_COMMIT && !s->tlog_key.n)
		return lh_tool_usage(tool, "no key that signs the log: name its file by "
					   "--key-file-tlog");
	if (s->tlog && tool->verb->bit == V_VERIFY && !s->against)
		return lh_tool_usage(tool, "--tlog needs --against");
	for (i = 0; i < s->row.n; i++)
		if (!lh_tlog_size_read(lh_str_of(s->row.v[i]), INT64_MAX, &row))
			return lh_tool_usage(tool, "--row: \"%s\" is not a whole number",
					     s->row.v[i]);
	return 0;
}

static int check(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	static const char *const what[] = { "put", "get", "list", "verify" };
	size_t i;

	if (tool->verb->bit == V_MANIFEST) {
		for (i = 0; i < 4 && strcmp(what[i], tool->operands[0]) != 0; i++)
			;
		if (i == 4)
			return lh_tool_usage(tool,
					     "manifest: \"%s\" is not one of put, get, list, "
					     "verify",
					     tool->operands[0]);
		if (i == 1 && tool->n_operands == 1)
			return lh_tool_usage(tool, "manifest get: missing operand ID");
		if (i == 2 && tool->n_operands > 1)
			return lh_tool_unexpected(tool, 1, "manifest list takes none");
	}
	if (window_settle(tool, s) < 0 || check_tree(tool, s) < 0 ||
	    check_accept(tool, s) < 0 ||
	    (s->config && read_config(s, &tool->err) < 0))
		return -1;
	if (!needs_key(tool, s))
		return 0;
	if (!s->key_file.n)
		return lh_tool_usage(tool,
				     "no key: name its file by --key-file or LH_SUBJECT_AUDIT_KEY");
	return lh_chain_keys_read(&s->keys, s->key_file.v, s->key_file.n, s->insecure_key,
				  &tool->err);
}

static int free_keys(struct lh_tool *tool, void *settings, int rc)
{
	(void)tool;
	lh_chain_keys_free(&((struct settings *)settings)->keys);
	return rc;
}

int main(int argc, char **argv)
{
	struct settings s = { .dir = LH_SUBJECT_DIR };
	static const struct lh_tool_spec spec = {
		.name = "lh-subject-audit",
		.synopsis = "COMMAND [OPTION]... [OPERAND]...",
		.summary = "keep and verify logs of who looked at whose data",
		.example = "lh-subject-audit verify --dir subjects",
		.options = options,
		.check = check,
		.close = free_keys,
		.ops = ops,
		.failed = refuse_request,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
