/*
 * How lh-validate is put together.
 *
 * It runs in one of three ways, which main.c chooses: artifacts.c judges
 * artifacts, schema.c checks records against a schema, normalize.c rewrites
 * stored errors.  audit.c writes down whom the first of these looked up.
 */
#ifndef VALIDATE_H
#define VALIDATE_H

#include "lh_flow.h"
#include "lh_tool.h"

struct settings {
	const char *roster, *rules;
	int kind;		/* enum lh_kind */
	bool wire;
	const char *schema;	/* a name, or "list" */
	bool normalize;
	const char *audit_log;	/* a folder */
	struct lh_list key_file;
	bool insecure_key;
};

int artifacts_run(struct lh_tool *tool, const struct settings *s);
int schema_run(struct lh_tool *tool, const struct settings *s);
int normalize_run(struct lh_tool *tool);

/* A row for each look-up, in the logs of --audit-log.  What cannot be written is
 * reported, and changes nothing else. */
struct audit;
struct audit *audit_open(struct lh_tool *tool, const struct settings *s);
void audit_looked_up(void *ctx, const char *candidate_id, size_t n, bool found);
void audit_close(struct audit *a);

#endif
