/* note.c - lh-tlog note: the text of a note that a key has signed. */
#include "tlog.h"

#include <unistd.h>

#include "file/file.h"

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
