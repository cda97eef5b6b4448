/* fuzz_note - any bytes as a policy and a note, a checkpoint, a proof and a key:
 * no crash, no read out of bounds, and what is read is printed as it was. */
#include "fuzz.h"

#include "tlog/policy.h"

static struct lh_err err;

static bool same(struct lh_str a, struct lh_buf *b)
{
	return b->len == a.n && memcmp(b->p, a.p, a.n) == 0;
}

static void checkpoint(const struct lh_note *note)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { .len = 0 };
	struct lh_checkpoint c;

	if (lh_checkpoint_parse(&c, note->body, &err) < 0)
		return;
	must(c.size <= LH_TLOG_MAX && c.origin.n > 0);
	must(lh_checkpoint_print(&c, &out, &err) == 0 && same(note->body, &out));
}

static void judge(const struct lh_policy *p, const struct lh_note *note)
{
	struct lh_cosigned judged;

	if (p && lh_policy_judge(p, note, &judged, &err) == 0)
		must(judged.log < p->n_logs);
}

static void proof(const struct lh_policy *policy, struct lh_str text)
{
	static const uint8_t leaf[LH_TLOG_HASH];
	LH_SCOPED(lh_entry_proof_free) struct lh_entry_proof p = { .index = 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf out = { .len = 0 };
	struct lh_cosigned judged;

	if (lh_entry_proof_parse(&p, text, &err) < 0)
		return;
	lh_entry_proof_print(&p, &out);
	must(same(text, &out));
	must(!policy || lh_entry_proof_verify(&p, leaf, policy, &judged, &err) < 0);
}

static void vkey(struct lh_str text)
{
	LH_SCOPED(lh_vkey_free) struct lh_vkey key = { .name = NULL };
	LH_SCOPED(lh_buf_free) struct lh_buf out = { .len = 0 };

	if (lh_vkey_parse(&key, text, &err) == 0 && key.kind != LH_KEY_MLDSA)
		must(lh_vkey_print(&key, &out, &err) == 0 && same(text, &out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
	LH_SCOPED(lh_policy_free_local) struct lh_policy *p = NULL;
	const char *text = (const char *)data;
	const char *cut = memchr(data, '\1', n);
	struct lh_str policy = { text, cut ? (size_t)(cut - text) : n };
	struct lh_str rest = { cut ? cut + 1 : text, n - (cut ? policy.n + 1 : 0) };

	if (lh_policy_parse(&p, "policy", policy, &err) < 0)
		p = NULL;
	if (lh_note_parse(&note, rest, &err) == 0) {
		must(note.n > 0 && note.n <= LH_NOTE_LINES && note.body.p == rest.p);
		checkpoint(&note);
		judge(p, &note);
	}
	proof(p, rest);
	vkey(rest);
	return 0;
}
