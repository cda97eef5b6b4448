/* audit.h - what the verbs of lh-subject-audit share. */
#ifndef AUDIT_H
#define AUDIT_H

#include "lh_chain.h"
#include "lh_flow.h"
#include "lh_subject.h"
#include "lh_subject_manifest.h"

enum {
	V_APPEND = 1, V_VERIFY = 2, V_REPAIR = 4, V_ANCHOR = 8, V_REPORT = 16, V_MANIFEST = 32, V_SWEEP = 64,
	V_KNOWN_ANSWER = 128,
};

struct settings {
	const char *dir;
	struct lh_list key_file;
	bool insecure_key, all, wire, apply;
	int sync;			/* enum lh_chain_sync */
	const char *against, *from, *to, *html, *as_of;
	struct lh_chain_keys keys;	/* read by main for the verbs that need them */
};

/* One command per function: the operands are tool->operands. */
int audit_append(struct lh_tool *tool, void *settings);
int audit_verify(struct lh_tool *tool, void *settings);
int audit_repair(struct lh_tool *tool, void *settings);
int audit_anchor(struct lh_tool *tool, void *settings);
int audit_report(struct lh_tool *tool, void *settings);
int audit_manifest(struct lh_tool *tool, void *settings);
int audit_sweep(struct lh_tool *tool, void *settings);
int audit_known_answer(struct lh_tool *tool, void *settings);

/* ---- anchor.c ---- */

struct anchor {
	struct anchor_log {
		char name[LH_SUBJECT_MAX + 1];
		struct lh_chain_anchor at;
	} *log;				/* sorted by name */
	size_t n, cap;
};
/* -1 when the file is no anchor, or is not signed by one of our keys. */
int anchor_read(struct anchor *a, const char *path, const struct lh_chain_keys *keys, struct lh_err *err);
void anchor_free(struct anchor *a);
/* NULL when there was no such log. */
const struct lh_chain_anchor *anchor_find(const struct anchor *a, const char *name);

/* ---- main.c ---- */

/* "name":"text" with a comma before it if asked for; what is no UTF-8 in text
 * becomes U+FFFD. */
void put_text(struct lh_buf *b, const char *name, const char *text);

/* Print what is in b and empty it. */
int print(struct lh_tool *tool, struct lh_buf *b);

/* Go on with the other operands, and remember that this one failed. */
void operand_failed(struct lh_tool *tool, int *rc);

#endif
