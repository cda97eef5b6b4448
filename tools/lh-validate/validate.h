/*
 * validate.h - the parts of lh-validate.
 *
 * It has three modes, chosen by main.c: artifacts.c validates artifacts or rewrites stored errors,
 * schema.c checks records against a schema.  audit.c appends look-ups to the workers' logs, and
 * verdicts to the log of decisions.
 */
#ifndef VALIDATE_H
#define VALIDATE_H

#include "observe/observe.h"
#include "tool/op.h"
#include "store/store.h"
#include "validate/validate_parts.h"

#include "validate/validate.h"

struct settings {
	struct lh_list roster;
	bool roster_later;
	const char *rules;
	int kind;		/* enum lh_kind */
	bool wire;
	int sms_length;		/* 0: units, 1: chars; -1: as --wire has it */
	const char *schema;	/* a name, "list", or a file */
	bool normalize;
	const char *audit_log;
	bool audit_required;
	struct lh_list key_file;
	bool insecure_key;
	struct lh_decisions_how decisions;
	struct lh_object_copies copies;	/* of what is in S3 */
};

lh_op_command artifacts_run, schema_run, normalize_run;
/* The members of a request; those with --wire and without --kind. */
extern const struct lh_bind artifact_members[], wire_members[];

/* --wire: insert the status as the last member of the object at the end of out. */
void put_status(struct lh_buf *out, int status);

/*
 * --audit-log.  Look-ups are collected; audit_write writes their rows to disk, and
 * the verdicts wait for it.  A row that cannot be appended is reported, and counted
 * by audit_close; an interruption while waiting for a lock ends the run.  audit_renew,
 * while nothing is collected, reads changed keys again; if that fails, the old ones
 * remain.  One thread.
 */
struct audit;
struct audit *audit_open(struct lh_tool *tool, const struct settings *s);
/* Set the request id of the look-ups that follow, n 0: that of the process; and the name of the
 * token of who asks, n 0: none. */
void audit_trace(struct audit *a, struct lh_str trace, struct lh_str token);
void audit_looked_up(void *audit, const char *id, size_t n, bool found);
int audit_write(struct audit *a, struct lh_err *err);
uint64_t audit_lost(const struct audit *a);	/* look-ups without a row so far */
uint64_t audit_unfit(const struct audit *a);	/* those whose id no log can have, ... */
struct lh_str audit_why_unfit(const struct audit *a);	/* ... and why, of the last one */
bool audit_stale(const struct audit *a);
int audit_renew(struct audit *a, struct lh_err *err);
void audit_close(struct audit *a);

/* --decisions: what a verdict is about, ... */
struct judged {
	struct lh_str kind, trace;
	const struct lh_value *artifact, *context;	/* or NULL */
	const struct lh_verdict *verdict;
};

/* ... and its row. */
struct decision {
	const struct lh_judged_by *by;
	struct lh_buf ids, asked, row;
};
void decision_clear(struct decision *d);
int decision_write(struct decision *d, struct lh_decisions *log, const struct judged *j,
		   struct lh_err *err);
void decision_free(struct decision *d);

#endif
