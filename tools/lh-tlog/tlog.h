/* tlog.h - what the commands of lh-tlog share. */
#ifndef TLOG_H
#define TLOG_H

#include "json/bind.h"
#include "json/write.h"
#include "tlog/log.h"
#include "tlog/note.h"
#include "tool/op.h"

enum {
	V_KEYGEN = 1, V_VKEY = 2, V_INIT = 4, V_APPEND = 8, V_CHECKPOINT = 16, V_PROVE = 32,
	V_VERIFY = 64, V_AUDIT = 128, V_COSIGN = 256, V_NOTE = 512,
};

struct settings {
	/* of keys */
	const char *out, *public;
	bool cosigner;
	/* of logs */
	struct lh_list key_file;
	const char *origin, *field, *base64, *every, *from;
	bool no_entries, line, recover;
	double seconds;			/* of every */
	struct lh_signer **signer;	/* read from key_file by read_signers */
	size_t n_signers;
	const char *policy, *consistency;
	bool row;
	/* of witnesses */
	struct lh_list vkey;
	double timeout;
	uint64_t retries;
};

/* The commands; the operands are tool->operands. */
lh_op_command tlog_keygen, tlog_vkey, tlog_init, tlog_append, tlog_checkpoint, tlog_audit,
	tlog_prove, tlog_verify, tlog_cosign, tlog_note;
extern const struct lh_bind append_out[], audit_out[], prove_members[], prove_out[],
	verify_members[], verify_out[];

#endif
