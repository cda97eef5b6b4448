/* audit.h - what the commands of lh-subject-audit share. */
#ifndef AUDIT_H
#define AUDIT_H

#include "audit/chain.h"
#include "audit/subject.h"
#include "audit/subject_manifest.h"
#include "json/bind.h"
#include "json/write.h"
#include "tool/op.h"

enum {
	V_APPEND = 1, V_VERIFY = 2, V_REPAIR = 4, V_ANCHOR = 8, V_REPORT = 16, V_MANIFEST = 32,
		V_SWEEP = 64,
	V_KNOWN_ANSWER = 128, V_REQUESTS = 256, V_ACCESSES = 512, V_COMMIT = 1024, V_PROVE = 2048,
};

#define WINDOW_TIME 64		/* bytes of a time, with its NUL */

struct settings {
	const char *dir;
	struct lh_list key_file;
	bool insecure_key, all, wire, apply, forbid_return;
	enum lh_chain_sync sync;
	const char *against, *accept, *from, *to, *html, *as_of, *config;
	const char *tlog, *proofs;
	struct lh_list tlog_key, row;
	char from_time[WINDOW_TIME], to_time[WINDOW_TIME];	/* of days and months */
	struct lh_chain_keys keys;	/* read by main for the commands that need them */
	bool seen;			/* dir was there */
};

/* The commands; the operands are tool->operands. */
lh_op_command audit_append, audit_verify, audit_repair, audit_anchor, audit_report, audit_manifest,
	audit_sweep, audit_accesses, audit_requests, audit_commit, audit_prove;

/* The operations of requests, and their records. */
lh_op_fn answer_report, answer_health;
struct wanted {
	struct lh_str id, from, to;
};
extern const struct lh_bind append_members[], report_members[], report_out[], health_members[];
/* A log or manifest that cannot be read costs its request, not the process. */
int refuse_request(const struct lh_call *call, struct lh_err *err);

/* ---- logs.c ---- */

#define ANCHOR_SCHEMA "subject_anchor.v1"

struct anchor {
	struct anchor_log {
		char name[LH_SUBJECT_MAX + 1], *id;
		size_t id_n;
		bool named;		/* from its line; otherwise from its id */
		struct lh_chain_anchor at;
	} *log;				/* sorted by name */
	size_t n, cap;
	char *checkpoint;		/* of a transparency log, or NULL */
};
/* Read an anchor.  Logs have their names in dir; NULL: there is no folder.  -1 if
 * the file is not an anchor, or is not signed by one of the keys. */
int anchor_read(struct anchor *a, const char *path, const char *dir,
		const struct lh_chain_keys *keys, struct lh_err *err);
void anchor_free(struct anchor *a);
/* Read the anchor that --against names, else anchor.jsonl in --dir, else the newest of
 * LH_ANCHORS; none of them is an anchor without logs. */
int anchor_for(struct anchor *a, struct lh_tool *tool, const struct settings *s);
/* Return the anchor of a log, NULL if it has none; by its id, if name is NULL or
 * the one that other programs give the id's log. */
const struct lh_chain_anchor *anchor_find(const struct anchor *a, const char *name);
const struct lh_chain_anchor *anchor_find_id(const struct anchor *a, const char *id, size_t n,
					     const char *name);

/* A log that is in the folder, or that an anchor or a manifest names. */
struct log {
	char *name;
	const struct lh_chain_anchor *anchor;	/* or NULL */
	/* does not exist, although one of its rows is a manifest's root */
	bool has_root;
};
typedef int (*log_fn)(struct lh_tool *tool, const struct settings *s, const char *path,
		      const struct log *log, void *ctx);

/* Return the id of an operand, which is an id or a log of the folder as it is listed, with or
 * without the folder and the ending; the log of an operand, which is a file or such an id.  The
 * caller frees them. */
char *operand_id(struct lh_tool *tool, const struct settings *s, const char *operand);
char *operand_log(struct lh_tool *tool, const struct settings *s, const char *operand);

/* Call fn for each log in the order of names; a log that fails is reported, and the
 * next follows.  Unless failures is NULL, logs that fail and manifests that cannot be read
 * are counted there. */
int each_log(struct lh_tool *tool, const struct settings *s, const struct anchor *a, log_fn fn,
	     void *ctx, uint64_t *failures);

/* Return how a log of that name, NULL: any, is verified; anchor may be NULL. */
struct lh_chain_check check_of(const struct lh_tool *tool, const struct settings *s,
			       const char *name, const struct lh_chain_anchor *anchor);

/* Print the contents of b and empty it. */
int print(struct lh_tool *tool, struct lh_buf *b);

/* Report that this operand failed, so that the others follow and the status is kept. */
void operand_failed(struct lh_tool *tool, int *rc);

/* ---- verify.c ---- */

#define WRONG_KEY "no row verifies with this key: is it the right one?"

/* Whether a key is that of the logs is seen by the rows of all of them. */
struct key_check {
	bool good;		/* a row of some log verifies */
	bool suspect;		/* a log has rows, of which none verifies */
	bool tried;		/* the other logs */
};
/* Add the verdict of a log; how is what it was verified by. */
void key_look(struct key_check *k, const struct lh_chain_check *how, const char *path,
	      const struct lh_chain_verdict *v);
/* The same; if the key seems to be wrong, look at the other logs, once. */
int key_settle(struct key_check *k, struct lh_tool *tool, const struct settings *s,
	       const struct lh_chain_check *how, const char *path,
	       const struct lh_chain_verdict *v);
bool key_is_wrong(const struct key_check *k);
int key_error(struct lh_err *err);	/* -1 */
/* Look at the other logs of the folder until a row verifies. */
int key_try_others(struct key_check *k, struct lh_tool *tool, const struct settings *s);

/* ---- logs.c ---- */

/* Read a time, a day or a month; of a day or a month its beginning, or its end. */
bool window_read(const char *text, size_t n, bool end, char to[WINDOW_TIME]);
bool window_is_backwards(const char *from, const char *to);
/* Make times of --from and --to. */
int window_settle(struct lh_tool *tool, struct settings *s);

/* Run a flow of one thread, of requests without a map, for which changed keys are read again. */
int run_with_keys(struct lh_tool *tool, void *settings, struct lh_flow *flow);

/* ---- verify.c ---- */

#define TIME_WHAT "time like 2026-05-03T12:00:00Z"

#define ROOT_MISMATCH "audit_log_chain_root mismatch"

/* Write what is wrong with the log of this verdict, "" if nothing is. */
void log_error(const struct log *log, const struct lh_chain_verdict *v, char error[LH_CHAIN_ERROR]);

/* Say on standard error what is wrong with a log, and what to do. */
void log_say(struct lh_tool *tool, const char *path, const struct log *log,
	     const struct lh_chain_verdict *v, const char *error);

/* ---- the contents of a report ---- */

struct report {
	struct lh_tool *tool;
	const struct settings *s;
	const char *id, *generated_at;
	char *log;			/* its path */
	char *second;			/* another log of the same subject, or NULL */
	bool has_manifest;
	struct lh_manifest manifest;
	struct lh_chain_verdict v;
	uint64_t anchored;		/* rows of the anchor that contradicts the log */
	char error[LH_CHAIN_ERROR];	/* "" if the chain is intact */
	bool wrong_key;			/* why report_find failed */
	uint64_t rows, in_window;
	char root[LH_CHAIN_TIP];	/* the row that is the manifest's root, or "" */
	bool root_seen;
};

/* Find the subject's manifest and log, and verify the log: 1; 0 if there is neither.  s, id and
 * generated_at are set.  The caller frees r in any case. */
int report_find(struct report *r);
void report_free(struct report *r);

/* Append the report as JSON; flush is called between its parts, and may empty the buffer. */
int report_json(struct report *r, struct lh_buf *out,
		int (*flush)(struct report *r, struct lh_buf *out));

/* What is wrong, after all rows were read. */
enum report_fault { REPORT_GOOD, REPORT_CHAIN, REPORT_MISSING, REPORT_SECOND, REPORT_ANCHOR };

/* Call fn for every row of the log in the window, in order, up to the verified
 * length; text is the line, rec the object on it. */
typedef int (*row_fn)(void *ctx, const struct lh_record *rec, struct lh_err *err);
int report_rows(struct report *r, row_fn fn, void *ctx);

#endif
