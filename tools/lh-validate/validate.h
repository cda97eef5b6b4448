/*
 * How lh-validate is put together.
 *
 * It runs in one of three ways, which main.c chooses: artifacts.c judges
 * artifacts, schema.c checks records against a schema, normalize.c rewrites
 * stored errors.  audit.c tells the workers' logs who was looked up.
 */
#ifndef VALIDATE_H
#define VALIDATE_H

#include "tool/records.h"
#include "tool/tool.h"

struct settings {
	const char *roster, *rules;
	int kind;		/* enum lh_kind */
	bool wire;
	const char *schema;	/* a name, or "list" */
	bool normalize;
	const char *audit_log;
	bool audit_required;
	struct lh_list key_file;
	bool insecure_key;
};

int artifacts_run(struct lh_tool *tool, const struct settings *s);
int schema_run(struct lh_tool *tool, const struct settings *s);
int normalize_run(struct lh_tool *tool);

/* --wire: the status as last member of the object that out ends with. */
void put_status(struct lh_buf *out, int status);

/*
 * --audit-log.  Look-ups are gathered; audit_write lets their rows reach the
 * disk, which the verdicts they led to must wait for.  A row that cannot be
 * appended is reported, and counted by audit_close; to be out of memory, or
 * interrupted while waiting for a lock, ends the run.  audit_renew, while nothing
 * is gathered, reads keys again that changed; where it cannot, what there was
 * stays.  One thread.
 */
struct audit;
struct audit *audit_open(struct lh_tool *tool, const struct settings *s);
void audit_looked_up(void *audit, const char *id, size_t n, bool found);
int audit_write(struct audit *a, struct lh_err *err);
uint64_t audit_lost(const struct audit *a);	/* look-ups without a row up to now */
bool audit_stale(const struct audit *a);
int audit_renew(struct audit *a, struct lh_err *err);
void audit_close(struct audit *a);

#endif
