/* lh-tlog: a log that strangers can check.  See lh-tlog(1). */
#include "tlog.h"

#include <stdlib.h>

#include "base/mem.h"

#define SIGNED (V_INIT | V_APPEND | V_CHECKPOINT)
#define LOCKED (SIGNED | V_COSIGN)

static const struct lh_option options[] = {
	{ 0, "cosigner", NULL, "make the key of a witness",
	  LH_FLAG(struct settings, cosigner, .verbs = V_KEYGEN) },
	{ 0, "out", "FILE", "write the private key to a new file",
	  LH_TEXT(struct settings, out, .verbs = V_KEYGEN) },
	{ 0, "public", "FILE", "write the public key to a file",
	  LH_TEXT(struct settings, public, .verbs = V_KEYGEN) },
	{ 0, "key-file", "FILE", "private key (repeatable: each one signs)",
	  LH_TEXTS(struct settings, key_file, .verbs = SIGNED) },
	{ 0, "origin", "NAME", "name of the log, which its first key has",
	  LH_TEXT(struct settings, origin, .verbs = V_INIT) },
	{ 0, "no-entries", NULL, "store hashes of entries, not the entries",
	  LH_FLAG(struct settings, no_entries, .verbs = V_INIT) },
	{ 0, "field", "NAME", "the entry is the text of this field",
	  LH_TEXT(struct settings, field, .verbs = V_APPEND) },
	{ 0, "base64", "NAME", "the entry is the base64 in this field, decoded",
	  LH_TEXT(struct settings, base64, .verbs = V_APPEND) },
	{ 0, "line", NULL, "the entry is the line of the record",
	  LH_FLAG(struct settings, line, .verbs = V_APPEND) },
	{ 0, "every", "TIME", "wait so long between checkpoints, as 1s or 200ms",
	  LH_TEXT(struct settings, every, .verbs = V_APPEND) },
	{ 0, "recover", NULL, "sign the newest tree that was signed, again",
	  LH_FLAG(struct settings, recover, .verbs = V_CHECKPOINT) },
	{ 0, "policy", "FILE", "logs and witnesses that are trusted",
	  LH_TEXT(struct settings, policy, .verbs = V_AUDIT | V_VERIFY | V_COSIGN) },
	{ 0, "row", NULL, "records are rows of an audit log with openings",
	  LH_FLAG(struct settings, row, .verbs = V_VERIFY) },
	{ 0, "consistency", "SIZE", "prove that the tree has grown from this size",
	  LH_TEXT(struct settings, consistency, .verbs = V_PROVE) },
	{ 0, "from", "CHECKPOINT", "file of one that the log must extend",
	  LH_TEXT(struct settings, from, .verbs = V_AUDIT) },
	{ 0, "timeout", "S", "seconds for one request to a witness (default 30)",
	  LH_REAL(struct settings, timeout, 0.001, 86400, .verbs = V_COSIGN) },
	{ 0, "retries", "N", "tries after a failed request (default 2)",
	  LH_UINT(struct settings, retries, 0, 100, .verbs = V_COSIGN) },
	{ 0, "vkey", "VKEY", "public key that may have signed (repeatable)",
	  LH_TEXTS(struct settings, vkey, .verbs = V_NOTE) },
	LH_ALLOW_EMPTY_OPTION(V_VERIFY),
	LH_LOCK_OPTION(LOCKED),
	{ 'j', "jobs", "N", "threads (default: cores)",
	  LH_TOOL_FIELD(UINT, jobs, .min = 1, .max = 256, .verbs = V_VERIFY) },
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static const struct lh_op ops[] = {
	{ "keygen", "NAME", "make a private key", V_KEYGEN, .command = tlog_keygen,
	  .writes = true },
	{ "vkey", "KEY", "print the public key of a private one", V_VKEY, .command = tlog_vkey },
	{ "init", "DIR", "make an empty log", V_INIT, .command = tlog_init, .writes = true },
	{ "append", "DIR [FILE...]", "add an entry for each record", V_APPEND, .in = lh_op_any,
	  .out = append_out, .command = tlog_append, .writes = true },
	{ "checkpoint", "DIR", "sign the log as it is again", V_CHECKPOINT,
	  .command = tlog_checkpoint, .writes = true },
	{ "prove", "DIR [FILE...]", "add a proof to each record that names an entry", V_PROVE,
	  .in = prove_members, .out = prove_out, .command = tlog_prove },
	{ "verify", "[FILE...]", "check proofs by a policy, without a key", V_VERIFY,
	  .in = verify_members, .out = verify_out, .command = tlog_verify },
	{ "audit", "DIR", "compute the whole tree again, and compare", V_AUDIT,
	  .out = audit_out, .command = tlog_audit },
	{ "cosign", "DIR", "ask the witnesses of a policy to cosign the log", V_COSIGN,
	  .command = tlog_cosign, .writes = true },
	{ "note", "[FILE]", "print the text of a note that a key has signed", V_NOTE,
	  .command = tlog_note },
	LH_OP_END
};

/* Read a time such as 1s, 200ms or 2.5. */
static bool read_time(const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	if (strcmp(end, "ms") == 0)
		*seconds /= 1000;
	else if (strcmp(end, "m") == 0)
		*seconds *= 60;
	else if (*end && strcmp(end, "s") != 0)
		return false;
	return end > text && *seconds >= 0 && *seconds <= 86400;
}

static int check_append(struct lh_tool *tool, struct settings *s)
{
	if (!!s->field + !!s->base64 + s->line != 1)
		return lh_tool_usage(tool, "append needs one of --field, --base64 and --line");
	if ((s->field && !*s->field) || (s->base64 && !*s->base64))
		return lh_tool_usage(tool, "--%s: nothing is named", s->field ? "field" : "base64");
	if (s->every && !read_time(s->every, &s->seconds))
		return lh_tool_usage(tool, "--every must be a time up to a day, as 1s, not \"%s\"",
				     s->every);
	return 0;
}

static int read_signers(struct lh_tool *tool, struct settings *s);

static int check(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	const unsigned verb = tool->verb->bit, one = V_INIT | V_CHECKPOINT | V_AUDIT | V_COSIGN;

	if (verb & (one | V_KEYGEN | V_VKEY | V_NOTE) && tool->n_operands > 1)
		return lh_tool_unexpected(tool, 1, "%s takes one %s", tool->verb->name,
					  tool->verb->operands);
	if (verb & (one | V_APPEND | V_PROVE) && strcmp(tool->operands[0], "-") == 0)
		return lh_tool_no_stream(tool, "the folder of a log");
	if (verb == V_INIT && !s->origin)
		return lh_tool_usage(tool, "init needs --origin NAME");
	if (verb == V_APPEND && check_append(tool, s) < 0)
		return -1;
	return verb & SIGNED ? read_signers(tool, s) : 0;
}

/* Read the keys of --key-file, of which there must be one at least, into the settings, which are
 * freed at the end. */
static int read_signers(struct lh_tool *tool, struct settings *s)
{
	size_t i;

	if (!s->key_file.n)
		return lh_tool_usage(tool, "%s needs --key-file FILE", tool->verb->name);
	s->signer = lh_calloc(s->key_file.n, sizeof *s->signer);
	for (i = 0; i < s->key_file.n; i++, s->n_signers++)
		if (lh_signer_read(&s->signer[i], s->key_file.v[i], &tool->err) < 0)
			return -1;
	return 0;
}

static int free_settings(struct lh_tool *tool, void *settings, int rc)
{
	struct settings *s = settings;

	(void)tool;
	while (s->n_signers)
		lh_signer_free(s->signer[--s->n_signers]);
	free(s->signer);
	return rc;
}

int main(int argc, char **argv)
{
	struct settings s = { .timeout = 30, .retries = 2 };
	static const struct lh_tool_spec spec = {
		.name = "lh-tlog",
		.synopsis = "COMMAND [OPTION]... [OPERAND]...",
		.summary = "keep and prove logs that strangers can check",
		.example = "lh-tlog append tree --line --key-file log.key more.jsonl",
		.options = options,
		.check = check,
		.close = free_settings,
		.ops = ops,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
