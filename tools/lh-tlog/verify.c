/* verify.c - lh-tlog verify: proofs, held against a policy alone. */
#include "tlog.h"

#include "audit/commitment.h"
#include "json/write.h"
#include "tlog/policy.h"
#include <lh/digest.h>
#include <lh/num.h>

/* What is asked: an entry in one of three forms, or with --row a row and its opening too. */
struct asked {
	struct lh_str entry, base64, leaf, proof, row, opening;
};

const struct lh_bind verify_members[] = {
	{ LH_BIND_STRING("entry", struct asked, entry), .about = "the entry as text" },
	{ LH_BIND_STRING("entry_base64", struct asked, base64), .about = "the entry's bytes" },
	{ LH_BIND_STRING("leaf_hash", struct asked, leaf), .about = "the hash of its leaf" },
	{ LH_BIND_STRING("proof", struct asked, proof), .required = true,
	  .about = "the text of a tlog-proof" },
	LH_BIND_END
};
static const struct lh_bind row_members[] = {
	{ LH_BIND_STRING("row", struct asked, row), .required = true },
	{ LH_BIND_STRING("opening", struct asked, opening), .required = true,
	  .is = lh_bind_is_sha256, .what = "string of 64 lowercase hex digits" },
	{ LH_BIND_STRING("entry", struct asked, entry), .required = true },
	{ LH_BIND_STRING("proof", struct asked, proof), .required = true },
	LH_BIND_END
};
const struct lh_bind verify_out[] = {
	LH_OP_BOOL("verified"),
	{ LH_BIND_ONLY("reason", LH_BIND_TO_STRING), .about = "why it does not hold" },
	{ LH_BIND_ONLY("index", LH_BIND_TO_WHOLE), .most = INT64_MAX },
	{ LH_BIND_ONLY("size", LH_BIND_TO_WHOLE), .most = INT64_MAX },
	{ LH_BIND_ONLY("origin", LH_BIND_TO_STRING) },
	{ LH_BIND_ONLY("witnesses", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY),
	  .about = "names of those that cosigned, in the order of the policy" },
	LH_BIND_END
};

/* The memory of a thread. */
struct verify {
	struct lh_tool *tool;
	const struct lh_policy *policy;
	bool row;
	uint64_t *proofs;		/* that were judged, by all threads */
	struct lh_buf strings, bytes;	/* of one record */
};

static int verify_init(void *context, void *shared, struct lh_err *err)
{
	(void)err;
	*(struct verify *)context = *(const struct verify *)shared;
	return 0;
}

static void verify_free(void *context)
{
	struct verify *v = context;

	lh_buf_free(&v->strings);
	lh_buf_free(&v->bytes);
}

/* ---- the leaf ---- */

/* Hash bytes that are given in base64. */
static int hash_base64(struct verify *v, struct lh_str text, uint8_t leaf[LH_TLOG_HASH],
		       struct lh_err *err)
{
	char *to;
	long n;

	lh_buf_reset(&v->bytes);
	to = lh_buf_room(&v->bytes, text.n + 1);
	n = lh_base64_read(text.p, text.n, to);
	if (n < 0)
		return lh_err_set(err, LH_EDATA, "\"entry_base64\" is not base64");
	lh_tlog_leaf(to, (size_t)n, leaf);
	return 0;
}

static int find_leaf(struct verify *v, const struct asked *a, uint8_t leaf[LH_TLOG_HASH],
		     struct lh_err *err)
{
	if ((a->entry.p != NULL) + (a->base64.p != NULL) + (a->leaf.p != NULL) != 1)
		return lh_err_set(err, LH_EDATA, "one of \"entry\", \"entry_base64\" and "
				  "\"leaf_hash\" is needed");
	if (a->base64.p)
		return hash_base64(v, a->base64, leaf, err);
	if (a->entry.p)
		lh_tlog_leaf(a->entry.p, a->entry.n, leaf);
	else if (!lh_tlog_hash_read(a->leaf, leaf))
		return lh_err_set(err, LH_EDATA, "\"leaf_hash\" is not a hash in base64");
	return 0;
}

/* Return whether the entry is the commitment of the row under that opening. */
static bool is_of_row(const struct asked *a)
{
	char entry[LH_COMMIT_ENTRY];
	uint8_t opening[LH_OPENING];

	return lh_unhex(a->opening.p, a->opening.n, opening) &&
		(lh_commit_entry(opening, a->row, entry),
		 lh_str_is(a->entry, entry, sizeof entry));
}

/* ---- the verdict ---- */

/* Write what the proof says, whether or not it holds. */
static void write_proof(struct lh_writer *w, const struct verify *v,
			const struct lh_entry_proof *p, const struct lh_cosigned *judged)
{
	size_t i;

	lh_write_u64(w, "index", p->index);
	lh_write_u64(w, "size", p->at.size);
	lh_write_str(w, "origin", p->at.origin);
	lh_write_array(w, "witnesses");
	for (i = 0; i < v->policy->n_parties; i++)
		if (lh_policy_is_witness(&v->policy->parties[i]) && judged->cosigned[i])
			lh_write_bytes(w, NULL, v->policy->parties[i].name);
	lh_write_end(w);
}

/* Verify a proof: 0, or -1 with the reason; *parsed: it is a proof. */
static int judge(const struct verify *v, const struct asked *a, const uint8_t leaf[LH_TLOG_HASH],
		 struct lh_entry_proof *p, struct lh_cosigned *judged, bool *parsed,
		 struct lh_err *err)
{
	int rc;

	*parsed = lh_entry_proof_parse(p, a->proof, err) == 0;
	if (!*parsed)
		return -1;
	rc = lh_entry_proof_verify(p, leaf, v->policy, judged, err);
	if (!rc && v->row && !is_of_row(a))
		rc = lh_err_set(err, LH_EDATA, "the entry is not that of the row and its opening");
	return rc;
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	static const char *const added[] = { "verified", "reason", "index", "size", "origin",
					     "witnesses" };
	LH_SCOPED(lh_entry_proof_free) struct lh_entry_proof p = { .index = 0 };
	struct verify *v = context;
	struct lh_cosigned judged;
	struct asked a = { .entry = { NULL, 0 } };
	uint8_t leaf[LH_TLOG_HASH];
	struct lh_writer w;
	bool parsed;
	int rc;

	lh_buf_reset(&v->strings);
	if (lh_bind(v->row ? row_members : verify_members, rec, &a, &v->strings, err) < 0 ||
	    find_leaf(v, &a, leaf, err) < 0)
		return -1;
	__atomic_add_fetch(v->proofs, 1, __ATOMIC_RELAXED);
	rc = judge(v, &a, leaf, &p, &judged, &parsed, err);
	if (rc < 0 && err->code != LH_EDATA)
		return -1;
	w = lh_write_record(out, rec, added, sizeof added / sizeof *added);
	lh_write_bool(&w, "verified", !rc);
	if (rc < 0)
		lh_write_bytes(&w, "reason", err->msg);
	if (parsed)
		write_proof(&w, v, &p, &judged);
	lh_write_end(&w);
	if (rc < 0)
		lh_tool_verdict_bad(v->tool);
	return 0;
}

int tlog_verify(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(lh_policy_free_local) struct lh_policy *policy = NULL;
	uint64_t proofs = 0;
	struct verify v = { .tool = tool, .row = s->row, .proofs = &proofs };
	int rc;

	if (!s->policy)
		return lh_tool_usage(tool, "no policy: name its file by --policy");
	if (lh_policy_read(&policy, s->policy, &tool->err) < 0)
		return -1;
	if (!policy->n_logs)
		return lh_tool_usage(tool, "%s: it names no log", s->policy);
	v.policy = policy;
	rc = lh_records_run(tool, &(struct lh_flow){
		.map = on_record, .context_size = sizeof v, .context_init = verify_init,
		.context_free = verify_free, .shared = &v });
	if (!rc)
		lh_tool_verdict_over(tool, proofs, "proofs", NULL);
	return rc;
}
