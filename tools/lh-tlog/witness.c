/* witness.c - lh-tlog witness, a filter for a bridge, and lh-tlog note. */
#include "tlog.h"

#include <unistd.h>

#include "file/file.h"
#include "tlog/policy.h"
#include "tlog/witness.h"
#include <lh/time.h>

/* ---- witness ---- */

const struct lh_bind witness_members[] = {
	{ LH_BIND_STRING("body", struct witness_asked, body), .required = true,
	  .about = "the body of the request" },
	LH_BIND_END
};
const struct lh_bind witness_out[] = {
	{ LH_BIND_ONLY("status", LH_BIND_TO_WHOLE), .required = true, .least = 200, .most = 599,
	  .about = "of HTTP" },
	{ LH_BIND_ONLY("body", LH_BIND_TO_STRING), .required = true,
	  .about = "a cosignature, a size, or why it is refused" },
	LH_OP_TEXT("content_type"),
	LH_BIND_END
};

int witness_answer(const struct lh_call *call, const void *in, struct lh_buf *out,
		   struct lh_err *err)
{
	static const char *const added[] = { "status", "body", "content_type" };
	const struct witness_asked *asked = in;
	struct settings *s = call->settings;
	struct lh_writer w;
	unsigned status;
	char now[32];
	int64_t ms;

	lh_tool_time(call->tool, now);
	if (lh_time_read(now, strlen(now), &ms) < 0)
		ms = 0;
	if (lh_witness_answer(s->witness, asked->body, ms < 0 ? 0 : (uint64_t)ms / 1000, &status,
			      &s->reply, err) < 0)
		return call->tool->on_error != LH_ON_ERROR_EMIT ? -1
			: lh_records_unavailable(call->tool, &s->failing, "the witness cannot be "
						 "used at present", err);
	s->failing = false;
	lh_buf_putc(&s->reply, '\0');
	if (lh_buf_check(&s->reply, err) < 0)
		return -1;
	w = lh_write_record(out, call->rec, added, sizeof added / sizeof *added);
	lh_write_u64(&w, "status", status);
	lh_write_bytes(&w, "body", s->reply.p);
	lh_write_text(&w, "content_type",
		      status == 409 ? "text/x.tlog.size" : "text/plain; charset=utf-8");
	lh_write_end(&w);
	return 0;
}

int tlog_witness(struct lh_tool *tool, void *settings)
{
	LH_SCOPED(lh_policy_free_local) struct lh_policy *policy = NULL;
	struct settings *s = settings;
	struct lh_witness witness;

	if (!s->state || !*s->state)
		return lh_tool_usage(tool, "witness needs --state DIR");
	if (!s->policy)
		return lh_tool_usage(tool, "no policy: name its file by --policy");
	if (s->n_signers > 1 || lh_signer_vkey(s->signer[0])->kind != LH_KEY_COSIGNER)
		return lh_tool_usage(tool, "witness needs one --key-file, of a witness: "
				     "lh-tlog keygen --cosigner");
	if (lh_policy_read(&policy, s->policy, &tool->err) < 0)
		return -1;
	if (!policy->n_logs)
		return lh_tool_usage(tool, "%s: it names no log", s->policy);
	if (lh_own_mkdirs(s->state, 0700, &tool->err) < 0)
		return -1;
	witness = (struct lh_witness){ s->state, policy, s->signer[0], tool->lock_timeout };
	s->witness = &witness;
	return lh_op_run(tool, settings);
}

/* ---- note ---- */

/* Judge a note by the keys of --vkey: 1 if one has signed it, 0 and why not. */
static int judge(const struct lh_note *note, const struct lh_list *vkey, struct lh_err *why,
		 struct lh_err *err)
{
	struct lh_vkey key;
	int good = 0, bad = 0;
	size_t i, j;

	for (i = 0; i < vkey->n && !bad; i++) {
		if (lh_vkey_parse(&key, lh_str_of(vkey->v[i]), err) < 0) {
			err->code = err->code == LH_EDATA ? LH_EUSAGE : err->code;
			return lh_err_prefix(err, "--vkey");
		}
		for (j = 0; j < note->n && bad >= 0; j++)
			switch (lh_note_check(note, j, &key, NULL)) {
			case LH_SIGNATURE_NOMEM:
				bad = lh_err_nomem(err);
				break;
			case LH_SIGNATURE_BAD:
				bad = 1;
				lh_err_set(why, LH_EDATA, "the signature of %s is wrong", key.name);
				break;
			case LH_SIGNATURE_GOOD:
				good = 1;
				break;
			case LH_SIGNATURE_UNKNOWN:
				break;
			}
		lh_vkey_free(&key);
	}
	if (!good && !bad)
		lh_err_set(why, LH_EDATA, "no key of --vkey has signed it");
	return bad < 0 ? -1 : good && !bad;
}

int tlog_note(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	const char *file = tool->n_operands ? tool->operands[0] : "-";
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = 2 * LH_NOTE_MAX };
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
	struct lh_err why;
	int rc;

	if (!s->vkey.n)
		return lh_tool_usage(tool, "note needs --vkey VKEY");
	rc = strcmp(file, "-") == 0 ? lh_read_rest(dup(STDIN_FILENO), "stdin", &text, &tool->err)
				    : lh_file_read(file, &text, &tool->err);
	if (rc == 0)
		return lh_err_set(&tool->err, LH_EIO, "%s: no such file", file);
	if (rc < 0)
		return -1;
	rc = lh_note_parse(&note, (struct lh_str){ text.p, text.len }, &why);
	if (rc < 0 && why.code != LH_EDATA) {
		tool->err = why;
		return -1;
	}
	rc = rc < 0 ? 0 : judge(&note, &s->vkey, &why, &tool->err);
	if (rc > 0)
		return lh_tool_out(tool, note.body.p, note.body.n);
	if (rc == 0) {
		lh_tool_warn(tool, "%s: %s", file, why.msg);
		lh_tool_verdict_bad(tool);
	}
	return rc;
}
