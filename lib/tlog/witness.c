/* witness.c - cosign the checkpoints of logs that have grown.  See witness.h. */
#include "witness.h"

#include <lh/digest.h>
#include <lh/num.h>

#include "file/file.h"
#include "note_parts.h"
#include "proof.h"

/* ---- requests ---- */

int lh_witness_request_parse(struct lh_witness_request *r, struct lh_str text, struct lh_err *err)
{
	struct lh_str line;
	const char *why;

	*r = (struct lh_witness_request){ .old = 0 };
	if (!lh_tlog_take_line(&text, &line) || !lh_tlog_take_word(&line, "old ") ||
	    !lh_tlog_size_read(line, LH_TLOG_SIZE_MAX, &r->old))
		return lh_err_set(err, LH_EDATA, "the first line must be \"old SIZE\"");
	why = lh_tlog_proof_read(&r->proof, &text);
	if (why)
		return lh_err_set(err, LH_EDATA, "%s", why);
	r->text = text;
	if (lh_note_parse(&r->note, text, err) < 0)
		return -1;
	if (lh_checkpoint_parse(&r->at, r->note.body, err) == 0)
		return 0;
	lh_witness_request_free(r);
	return -1;
}

void lh_witness_request_free(struct lh_witness_request *r)
{
	lh_note_free(&r->note);
}

void lh_witness_request_print(const struct lh_witness_request *r, struct lh_buf *out)
{
	lh_buf_puts(out, "old ");
	lh_buf_u64(out, r->old);
	lh_buf_putc(out, '\n');
	lh_tlog_proof_print(&r->proof, out);
	lh_buf_putc(out, '\n');
	lh_buf_add(out, r->text.p, r->text.n);
}

/* ---- the record of a log ---- */

struct record {
	uint64_t size, time;
	uint8_t root[LH_TLOG_HASH];
};

/* Read what was cosigned last; a log without a record has an empty tree. */
static int read_record(const struct lh_witness *w, const char *path, struct lh_str origin,
		       struct record *is, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = 2 * LH_NOTE_MAX };
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
	struct lh_checkpoint c;
	int rc = lh_file_read(path, &text, err);
	size_t i;

	*is = (struct record){ .size = 0 };
	lh_tlog_empty(is->root);
	if (rc == 0)
		return 0;
	if (rc > 0)
		rc = lh_note_parse(&note, (struct lh_str){ text.p, text.len }, err);
	if (rc == 0)
		rc = lh_checkpoint_parse(&c, note.body, err);
	if (rc < 0 && err->code != LH_EDATA)
		return -1;
	for (i = 0; rc == 0 && lh_str_is(c.origin, origin.p, origin.n) && i < note.n; i++)
		switch (lh_note_check(&note, i, lh_signer_vkey(w->signer), &is->time)) {
		case LH_SIGNATURE_NOMEM:
			return lh_err_nomem(err);
		case LH_SIGNATURE_GOOD:
			is->size = c.size;
			memcpy(is->root, c.root, LH_TLOG_HASH);
			return 0;
		case LH_SIGNATURE_UNKNOWN:
		case LH_SIGNATURE_BAD:
			break;
		}
	return lh_err_set(err, LH_ECORRUPT, "%s: is not a checkpoint of this log that was cosigned "
			  "by this key; nothing is cosigned", path);
}

/* Append the lines of the log that are good. */
static int add_lines(const struct lh_witness *w, const struct lh_witness_request *r,
		     struct lh_buf *out, struct lh_err *err)
{
	const struct lh_vkey *key;
	enum lh_signature is;
	size_t i, j;

	for (i = 0; i < r->note.n; i++)
		for (j = 0; j < w->policy->n_logs; j++) {
			key = &w->policy->logs[j].key;
			if (!lh_str_is(r->at.origin, key->name, strlen(key->name)))
				continue;
			is = lh_note_check(&r->note, i, key, NULL);
			if (is == LH_SIGNATURE_NOMEM)
				return lh_err_nomem(err);
			if (is == LH_SIGNATURE_GOOD)
				lh_buf_add(out, r->note.lines[i].line.p, r->note.lines[i].line.n);
		}
	return 0;
}

/* ---- answers ---- */

static int refuse(unsigned status, const char *why, unsigned *to, struct lh_buf *body,
		  struct lh_err *err)
{
	*to = status;
	lh_buf_reset(body);
	lh_buf_puts(body, why);
	lh_buf_putc(body, '\n');
	return lh_buf_check(body, err);
}

/* Cosign the checkpoint, and replace the record. */
static int cosign(const struct lh_witness *w, const struct lh_witness_request *r, const char *path,
		  uint64_t time, unsigned *status, struct lh_buf *body, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };

	lh_buf_reset(body);
	if (lh_signer_sign(w->signer, r->note.body, time, body, err) < 0) {
		err->code = err->code == LH_EDATA ? LH_EUSAGE : err->code;
		return -1;
	}
	lh_buf_add(&text, r->note.body.p, r->note.body.n);
	lh_buf_putc(&text, '\n');
	if (add_lines(w, r, &text, err) < 0)
		return -1;
	lh_buf_add(&text, body->p, body->len);
	if (lh_buf_check(&text, err) < 0)
		return -1;
	/* With the cosignature it may be too long to be read again. */
	if (lh_note_parse(&note, (struct lh_str){ text.p, text.len }, err) < 0)
		return err->code == LH_EDATA ? refuse(400, err->msg, status, body, err) : -1;
	*status = 200;
	return lh_atomic_put(path, 0600, &text, err);
}

/* Judge a request of a log that the policy names and that signed it; the lock is held. */
static int settle(const struct lh_witness *w, const struct lh_witness_request *r, const char *path,
		  uint64_t now, unsigned *status, struct lh_buf *body, struct lh_err *err)
{
	struct record last;
	char size[24];

	if (read_record(w, path, r->at.origin, &last, err) < 0)
		return -1;
	if (r->old != last.size) {
		snprintf(size, sizeof size, "%llu", (unsigned long long)last.size);
		return refuse(409, size, status, body, err);
	}
	if (!lh_tlog_proves_growth(last.size, last.root, r->at.size, &r->proof, r->at.root))
		return refuse(422, "the proof does not show that the tree has grown from the one "
			      "that was cosigned last", status, body, err);
	return cosign(w, r, path, now > last.time ? now : last.time, status, body, err);
}

/* Make the path of the record of a log, and of its lock. */
static int make_paths(const struct lh_witness *w, struct lh_str origin, struct lh_buf *path,
		      struct lh_buf *lock, struct lh_err *err)
{
	uint8_t sum[LH_TLOG_HASH];
	char hex[LH_SHA256_HEX];

	lh_sha256(origin.p, origin.n, sum);
	lh_hex(sum, sizeof sum, hex);
	lh_buf_printf(path, "%s/%.*s", w->state, LH_SHA256_HEX, hex);
	lh_buf_add(lock, path->p, path->len);
	lh_buf_add(path, "", 1);
	lh_buf_add(lock, ".lock", sizeof ".lock");
	return lh_buf_check(path, err) < 0 ? -1 : lh_buf_check(lock, err);
}

int lh_witness_answer(const struct lh_witness *w, struct lh_str request, uint64_t now,
		      unsigned *status, struct lh_buf *body, struct lh_err *err)
{
	LH_SCOPED(lh_witness_request_free) struct lh_witness_request r;
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 }, lock_path = { 0 };
	LH_SCOPED(lh_lock_drop) struct lh_lock lock = { .fd = -1 };
	struct lh_cosigned judged;

	if (lh_witness_request_parse(&r, request, err) < 0)
		return err->code == LH_EDATA ? refuse(400, err->msg, status, body, err) : -1;
	if (lh_policy_judge(w->policy, &r.note, &judged, err) < 0)
		return err->code == LH_EDATA
			? refuse(lh_err_status(err), err->msg, status, body, err) : -1;
	if (r.old > r.at.size)
		return refuse(400, "the tree is smaller than \"old\"", status, body, err);
	if (make_paths(w, r.at.origin, &path, &lock_path, err) < 0 ||
	    lh_lock_take(&lock, lock_path.p, path.p, w->lock_timeout, err) < 0)
		return -1;
	return settle(w, &r, path.p, now, status, body, err);
}
