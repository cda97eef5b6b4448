/*
 * policy - which logs and witnesses are trusted, and how many witnesses are enough: C2SP's
 * tlog-policy.
 *
 *     log example.com/log+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
 *     witness alice alice.example/w1+d3c1...+BH0C... https://alice.example/witness
 *     witness bob bob.example/w+7a90...+BOmM... https://bob.example
 *     group both all alice bob
 *     quorum both
 *
 *     LH_SCOPED(lh_policy_free_local) struct lh_policy *p = NULL;
 *
 *     if (lh_policy_read(&p, path, err) < 0 || lh_note_parse(&note, text, err) < 0 ||
 *         lh_policy_judge(p, &note, &judged, err) < 0)
 *             return -1;
 *     if (!judged.quorum) ...
 *
 * A checkpoint is valid if a log of the policy whose name is the origin signed it, and the
 * witnesses that cosigned it make the quorum.  Lines of keys that the policy does not have are
 * ignored; a bad signature of one that it has refuses the checkpoint.  A log's key is of type
 * 0x01, a witness's of 0x04; those of type 0x06 are read and never count.
 *
 * A name is the member of one group at most, so that a party has one parent, and a witness counts
 * once.  Names are bytes without control characters, not always UTF-8.
 *
 * Limits:  1 MiB of text, 4,096 logs, 64 witnesses and groups each.
 * Owner:   a policy owns all it has.
 * Errors:  of a policy's text LH_EUSAGE, "PATH:LINE: ..."; of a checkpoint LH_EDATA.
 * Threads: any number may read one policy.
 */
#ifndef LH_POLICY_H
#define LH_POLICY_H

#include "note.h"
#include "tree.h"

#define LH_POLICY_BYTES (1u << 20)
#define LH_POLICY_LOGS 4096
#define LH_POLICY_WITNESSES 64
#define LH_POLICY_PARTIES (2 * LH_POLICY_WITNESSES)

struct lh_policy {
	struct lh_policy_log {
		struct lh_vkey key;	/* its name is the origin */
		char *url;		/* or NULL */
	} *logs;
	struct lh_policy_party {	/* a witness or a group, in the order of the text */
		char *name;
		struct lh_vkey key;	/* of a group: no name */
		char *url;		/* or NULL */
		int parent;		/* the group that it is a member of, or -1 */
		unsigned need;		/* of a group */
	} *parties;
	size_t n_logs, n_parties, logs_cap;
	int quorum;			/* a party; -1: none is needed */
};

int lh_policy_read(struct lh_policy **p, const char *path, struct lh_err *err);
/* Read a text; path: what messages call it. */
int lh_policy_parse(struct lh_policy **p, const char *path, struct lh_str text,
		    struct lh_err *err);
void lh_policy_free(struct lh_policy *p);
void lh_policy_free_local(struct lh_policy **p);

static inline bool lh_policy_is_witness(const struct lh_policy_party *party)
{
	return party->key.name != NULL;
}

struct lh_cosigned {
	struct lh_checkpoint checkpoint;
	size_t log;		/* the first log that signed; n_logs: none */
	bool cosigned[LH_POLICY_PARTIES];	/* by this witness; by enough of this group */
	uint64_t time[LH_POLICY_PARTIES];	/* the latest of a witness */
	bool quorum;
};

/* Judge a note.  -1: it is not a checkpoint, no log of its origin signed it, or a signature of a
 * known key is bad; err->status is then 400, 404 (the origin is unknown) or 403. */
int lh_policy_judge(const struct lh_policy *p, const struct lh_note *note,
		    struct lh_cosigned *judged, struct lh_err *err);

/* Append the names, divided by ", ", of the witnesses without a good cosignature. */
void lh_policy_missing(const struct lh_policy *p, const struct lh_cosigned *judged,
		       struct lh_buf *names);

/* ---- one entry of a log, shown to a stranger: the text of tlog-proof ---- */

/*
 *     c2sp.org/tlog-proof@v1
 *     extra BASE64                       opaque, and seldom there
 *     index 73894
 *     HASH                               base64, from the leaf's sibling up to the root's child
 *     ...
 *                                        an empty line
 *     CHECKPOINT                         the signed note, up to the end
 *
 *     LH_SCOPED(lh_entry_proof_free) struct lh_entry_proof p = { .index = 0 };
 *     struct lh_cosigned judged;
 *
 *     if (lh_entry_proof_parse(&p, text, err) == 0 &&
 *         lh_entry_proof_verify(&p, leaf, policy, &judged, err) == 0)
 *             ... the entry is in the log ...
 *
 * A proof holds if its checkpoint is signed by a log of the policy, no known signature of it
 * is wrong, the witnesses that cosigned it make the quorum, and the hashes lead from the leaf
 * hash to the root of the checkpoint.  That needs no key of the log's owner and no network.
 *
 * Parsing is strict: no CR, no white space at the ends of lines, numbers without leading zeros,
 * canonical base64, at most LH_TLOG_PROOF_MAX hashes, and a note that is a checkpoint.
 *
 * Owner:   a parsed proof points into the text.
 * Errors:  LH_EDATA, with the reason, for a text that is not a proof and for a proof that does
 *          not hold.
 * Threads: any number at once.
 */

struct lh_entry_proof {
	struct lh_str extra;	/* base64, as written; p NULL: none */
	uint64_t index;
	struct lh_tlog_proof path;
	struct lh_str text;	/* of the checkpoint, with its signatures */
	struct lh_note note;	/* the same, parsed */
	struct lh_checkpoint at;
};

int lh_entry_proof_parse(struct lh_entry_proof *p, struct lh_str text, struct lh_err *err);
void lh_entry_proof_free(struct lh_entry_proof *p);

/* Append the text of a proof of which extra, index, path and text are set. */
void lh_entry_proof_print(const struct lh_entry_proof *p, struct lh_buf *out);

/* Append the hashes of a proof, a line of base64 each. */
void lh_tlog_proof_print(const struct lh_tlog_proof *proof, struct lh_buf *out);

/* Verify a parsed proof of the entry with that leaf hash.  *judged is set in any case. */
int lh_entry_proof_verify(const struct lh_entry_proof *p, const uint8_t leaf[LH_TLOG_HASH],
			  const struct lh_policy *policy, struct lh_cosigned *judged,
			  struct lh_err *err);

#endif
