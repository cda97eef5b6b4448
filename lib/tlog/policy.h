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

/* Return whether a log of the policy has this origin as its name. */
bool lh_policy_knows(const struct lh_policy *p, struct lh_str origin);

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

#endif
