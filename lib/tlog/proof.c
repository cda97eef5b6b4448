/* proof.c - print, parse and verify a tlog-proof.  See proof.h. */
#include "proof.h"

#include <lh/num.h>

#include "note_parts.h"

#define FIRST "c2sp.org/tlog-proof@v1"

static int bad_proof(struct lh_err *err, const char *why)
{
	return lh_err_set(err, LH_EDATA, "not a tlog-proof: %s", why);
}

static int read_extra(struct lh_entry_proof *p, struct lh_str text, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	char *to = lh_buf_room(&b, text.n);

	if (!to)
		return 0;
	p->extra = text;
	return lh_base64_read(text.p, text.n, to) < 0 ? bad_proof(err, "its extra data") : 0;
}

/* Take the lines of hashes before an empty one; return why they are none, or NULL. */
static const char *read_hashes(struct lh_tlog_proof *proof, struct lh_str *rest)
{
	struct lh_str line;

	for (proof->n = 0; ; proof->n++) {
		if (!lh_tlog_take_line(rest, &line))
			return "it has no checkpoint";
		if (!line.n)
			return NULL;
		if (proof->n == LH_TLOG_PROOF_MAX)
			return "it has too many hashes";
		if (!lh_tlog_hash_read(line, proof->hash[proof->n]))
			return "a line of it is not a hash";
	}
}

void lh_tlog_proof_print(const struct lh_tlog_proof *proof, struct lh_buf *out)
{
	size_t i;

	for (i = 0; i < proof->n; i++) {
		lh_buf_base64(out, proof->hash[i], LH_TLOG_HASH);
		lh_buf_putc(out, '\n');
	}
}

int lh_entry_proof_parse(struct lh_entry_proof *p, struct lh_str text, struct lh_err *err)
{
	struct lh_str line;
	const char *why;

	*p = (struct lh_entry_proof){ .index = 0 };
	if (!lh_tlog_take_line(&text, &line) || !lh_str_is(line, FIRST, sizeof FIRST - 1))
		return bad_proof(err, "it begins with another line");
	if (!lh_tlog_take_line(&text, &line))
		return bad_proof(err, "it has no index");
	if (lh_tlog_take_word(&line, "extra ")) {
		if (read_extra(p, line, err) < 0)
			return -1;
		if (!lh_tlog_take_line(&text, &line))
			return bad_proof(err, "it has no index");
	}
	if (!lh_tlog_take_word(&line, "index ") ||
	    !lh_tlog_size_read(line, LH_TLOG_SIZE_MAX, &p->index))
		return bad_proof(err, "it has no index");
	why = read_hashes(&p->path, &text);
	if (why)
		return bad_proof(err, why);
	p->text = text;
	if (lh_note_parse(&p->note, text, err) < 0)
		return -1;
	return lh_checkpoint_parse(&p->at, p->note.body, err);
}

void lh_entry_proof_free(struct lh_entry_proof *p)
{
	lh_note_free(&p->note);
}

void lh_entry_proof_print(const struct lh_entry_proof *p, struct lh_buf *out)
{
	lh_buf_puts(out, FIRST "\n");
	if (p->extra.p) {
		lh_buf_puts(out, "extra ");
		lh_buf_add(out, p->extra.p, p->extra.n);
		lh_buf_putc(out, '\n');
	}
	lh_buf_puts(out, "index ");
	lh_buf_u64(out, p->index);
	lh_buf_putc(out, '\n');
	lh_tlog_proof_print(&p->path, out);
	lh_buf_putc(out, '\n');
	lh_buf_add(out, p->text.p, p->text.n);
}

/* Report which witnesses are missing. */
static int no_quorum(const struct lh_policy *policy, const struct lh_cosigned *judged,
		     struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf names = { 0 };

	lh_policy_missing(policy, judged, &names);
	return lh_err_set(err, LH_EDATA, "too few witnesses cosigned its checkpoint; missing: %.*s",
			  (int)names.len, names.p);
}

int lh_entry_proof_verify(const struct lh_entry_proof *p, const uint8_t leaf[LH_TLOG_HASH],
			  const struct lh_policy *policy, struct lh_cosigned *judged,
			  struct lh_err *err)
{
	*judged = (struct lh_cosigned){ .quorum = false };
	if (lh_policy_judge(policy, &p->note, judged, err) < 0)
		return -1;
	if (!judged->quorum)
		return no_quorum(policy, judged, err);
	if (!lh_tlog_proves(leaf, p->index, p->at.size, &p->path, p->at.root))
		return lh_err_set(err, LH_EDATA, "its hashes do not lead from the entry to the "
				  "root of its checkpoint");
	return 0;
}
