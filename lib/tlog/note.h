/*
 * note - signed texts, the keys that sign them, and checkpoints: C2SP's signed-note,
 * tlog-checkpoint and tlog-cosignature.
 *
 * A note is a body, an empty line, and signature lines:
 *
 *     example.com/log                              the body of a checkpoint: origin,
 *     3                                            size of the tree,
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=    its root
 *
 *     — example.com/log Az3grlgtzPICa5OS8npV...    of the log: type 0x01, Ed25519
 *     — witness.example/w1 jWbPPwAAAABkGFDL...     of a witness: type 0x04, with a time
 *
 * Reading one, and checking who signed it:
 *
 *     LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
 *
 *     if (lh_note_parse(&note, text, err) < 0 || lh_checkpoint_parse(&c, note.body, err) < 0)
 *             return -1;
 *     for (i = 0; i < note.n; i++)
 *             if (lh_note_check(&note, i, &key, &time) == LH_SIGNATURE_GOOD) ...
 *
 * tlog/policy.h does that with all the keys of a policy.
 *
 * A public key is written as a vkey, NAME+ID+BASE64, a private one in the form that Go's
 * sumdb/note has, PRIVATE+KEY+NAME+ID+BASE64 and one LF.  Name and id identify a key: a line
 * of another name or id is of an unknown key, and a line of a known key that does not verify
 * makes the whole note worthless.  Keys of type 0x06 (ML-DSA-44) are read, and their lines are
 * those of unknown keys.
 *
 * Owner:   the caller owns the structs; a note, its lines and a checkpoint point into the text
 *          that was parsed.
 * Errors:  LH_EDATA for a text that is not what it should be.
 * Threads: any number may read one key, signer or note.
 */
#ifndef LH_NOTE_H
#define LH_NOTE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

#include "crypto/secret.h"

#define LH_TLOG_HASH 32			/* bytes of a hash */
#define LH_TLOG_MAX (1ull << 48)	/* entries of a tree */
#define LH_NOTE_MAX (1u << 20)		/* bytes of a note */
#define LH_NOTE_LINES 64		/* signature lines of a note */
#define LH_EM_DASH "\xe2\x80\x94"	/* what a signature line begins with */

enum lh_vkey_kind {
	LH_KEY_ED25519 = 1,	/* of a log */
	LH_KEY_COSIGNER = 4,	/* of a witness: Ed25519 over the body and a time */
	LH_KEY_MLDSA = 6	/* of either; never verified here */
};

struct lh_vkey {
	char *name;
	uint32_t id;
	enum lh_vkey_kind kind;
	uint8_t key[32];	/* the SHA-256 of one of kind LH_KEY_MLDSA */
};

/* Read a vkey; its id must be the hash of its name and key. */
int lh_vkey_parse(struct lh_vkey *k, struct lh_str text, struct lh_err *err);
void lh_vkey_free(struct lh_vkey *k);
/* Append the vkey, without LF; not of a key of kind LH_KEY_MLDSA. */
int lh_vkey_print(const struct lh_vkey *k, struct lh_buf *out, struct lh_err *err);

/* A private key.  Its file must be of mode 0600 or less, and not a symbolic link: LH_EIO. */
struct lh_signer;
int lh_signer_read(struct lh_signer **s, const char *path, struct lh_err *err);
/* Make a new key of kind LH_KEY_ED25519 or LH_KEY_COSIGNER. */
int lh_signer_make(struct lh_signer **s, struct lh_str name, enum lh_vkey_kind kind,
		   struct lh_err *err);
/* Write the text of its file. */
void lh_signer_text(const struct lh_signer *s, struct lh_secret *text);
const struct lh_vkey *lh_signer_vkey(const struct lh_signer *s);
void lh_signer_free(struct lh_signer *s);
void lh_signer_free_local(struct lh_signer **s);

/* Append the signature line, with LF, of a body, which ends with LF.  A cosigner states that the
 * tree was the largest known at the time now, in seconds since 1970. */
int lh_signer_sign(const struct lh_signer *s, struct lh_str body, uint64_t now, struct lh_buf *out,
		   struct lh_err *err);

struct lh_note {
	struct lh_str body;		/* with its last LF */
	struct lh_note_line {
		struct lh_str name;
		struct lh_str line;	/* with its LF */
		uint32_t id;
		uint8_t *signature;	/* after the id */
		size_t n;
	} *lines;
	size_t n;
};
int lh_note_parse(struct lh_note *note, struct lh_str text, struct lh_err *err);
/* Read signature lines alone, such as an answer of a witness, as those of that body. */
int lh_note_parse_lines(struct lh_note *note, struct lh_str body, struct lh_str lines,
			struct lh_err *err);
void lh_note_free(struct lh_note *note);

enum lh_signature {
	LH_SIGNATURE_UNKNOWN,		/* the line is of another key, or of kind LH_KEY_MLDSA */
	LH_SIGNATURE_GOOD,
	LH_SIGNATURE_BAD
};
/* Check a line by a key.  *time: that of a good line of a cosigner, else 0; time may be NULL. */
enum lh_signature lh_note_check(const struct lh_note *note, size_t line, const struct lh_vkey *key,
				uint64_t *time);

struct lh_checkpoint {
	struct lh_str origin;
	uint64_t size;
	uint8_t root[LH_TLOG_HASH];
	struct lh_str extensions;	/* further lines, each with its LF */
};
int lh_checkpoint_parse(struct lh_checkpoint *c, struct lh_str body, struct lh_err *err);
/* Append the body of a checkpoint; LH_EDATA unless it can be read again. */
int lh_checkpoint_print(const struct lh_checkpoint *c, struct lh_buf *out, struct lh_err *err);

/* Read decimal digits as the specifications write a size: no sign, no leading zero, at most
 * most.  Read a hash in base64. */
bool lh_tlog_size_read(struct lh_str text, uint64_t most, uint64_t *size);
bool lh_tlog_hash_read(struct lh_str text, uint8_t hash[LH_TLOG_HASH]);

#endif
