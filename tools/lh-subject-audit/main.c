/* lh-subject-audit: who looked at whose data, provably.  See lh-subject-audit(1). */
#include "audit.h"

#define OPT(type, f, verbs) type, false, offsetof(struct settings, f), 0, 0, NULL, verbs
#define KEYED (V_APPEND | V_VERIFY | V_ANCHOR)

static const struct lh_option options[] = {
	{ 0, "dir", "DIR", "folder of the logs (default " LH_SUBJECT_DIR ")",
	  OPT(LH_OPT_TEXT, dir, V_APPEND | V_VERIFY | V_ANCHOR) },
	{ 0, "key-file", "FILE", "the key (repeatable: the first signs)",
	  LH_OPT_TEXTS, false, offsetof(struct settings, key_file), 0, 0, "LH_SUBJECT_AUDIT_KEY", KEYED },
	{ 0, "insecure-key", NULL, "take a key that others can read", OPT(LH_OPT_FLAG, insecure_key, KEYED) },
	{ 0, "sync", "each|batch|none", "when rows must be on disk (default each)", OPT(LH_OPT_CHOICE, sync, V_APPEND) },
	{ 0, "all", NULL, "list every broken row", OPT(LH_OPT_FLAG, all, V_VERIFY) },
	{ 0, "wire", NULL, "the verdict as other programs print it", OPT(LH_OPT_FLAG, wire, V_VERIFY) },
	{ 0, "against", "FILE", "an anchor to compare with", OPT(LH_OPT_TEXT, against, V_VERIFY) },
	LH_JOBS_OPTION,
	LH_NOW_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static const struct lh_verb verbs[] = {
	{ "append", "[FILE...]", "add a row for each record", V_APPEND, 0, audit_append },
	{ "verify", "[LOG...]", "is every chain whole?", V_VERIFY, 0, audit_verify },
	{ "repair", "LOG...", "cut a torn last line off", V_REPAIR, 1, audit_repair },
	{ "anchor", "", "where every log ends, to be kept elsewhere", V_ANCHOR, 0, audit_anchor },
	{ "known-answer", "", "a fixed row's canonical form and MAC", V_KNOWN_ANSWER, 0, audit_known_answer },
	{ NULL, NULL, NULL, 0, 0, NULL },
};

void put_text(struct lh_buf *b, const char *name, const char *text)
{
	struct lh_buf clean;

	lh_buf_printf(b, "\"%s\":", name);
	if (lh_utf8_valid(text, strlen(text))) {
		lh_buf_json(b, text, strlen(text));
		return;
	}
	lh_buf_init(&clean, LH_BUF_NOMAX);
	for (; *text; text++) {
		if ((unsigned char)*text < 0x80)
			lh_buf_putc(&clean, *text);
		else
			lh_buf_puts(&clean, "\xef\xbf\xbd");
	}
	if (clean.failed)
		b->failed = clean.failed;
	else
		lh_buf_json(b, clean.p, clean.len);
	lh_buf_free(&clean);
}

int print(struct lh_tool *tool, struct lh_buf *b)
{
	int rc = lh_buf_check(b, &tool->err);

	if (rc == 0)
		rc = lh_tool_out(tool, b->p, b->len);
	lh_buf_reset(b);
	return rc;
}

void operand_failed(struct lh_tool *tool, int *rc)
{
	lh_tool_warn(tool, "%s", tool->err.msg);
	tool->err.msg[0] = '\0';
	*rc = -1;
}

static int check(struct lh_tool *tool, const struct settings *s)
{
	if (tool->verb->bit & (V_ANCHOR | V_KNOWN_ANSWER) && tool->n_operands)
		return lh_tool_usage(tool, "unexpected operand \"%s\": %s takes none", tool->operands[0], tool->verb->name);
	if (tool->verb->bit & KEYED && !s->key_file.n)
		return lh_tool_usage(tool, "no key: name its file by --key-file or LH_SUBJECT_AUDIT_KEY");
	return 0;
}

int main(int argc, char **argv)
{
	struct settings s = { .dir = LH_SUBJECT_DIR };
	struct lh_tool tool;
	int rc;

	lh_tool_init(&tool, "lh-subject-audit", "VERB [OPTION]... [OPERAND]...", "who looked at whose data, provably", options);
	lh_tool_verbs(&tool, verbs);
	rc = lh_tool_parse(&tool, argc, argv, &s);
	if (!rc)
		rc = check(&tool, &s);
	if (!rc && tool.verb->bit & KEYED)
		rc = lh_chain_keys_read(&s.keys, s.key_file.v, s.key_file.n, s.insecure_key, &tool.err);
	if (!rc)
		rc = tool.verb->run(&tool, &s);
	lh_chain_keys_free(&s.keys);
	return lh_tool_finish(&tool, rc);
}
