/*
 * How lh-validate is put together.
 *
 * It runs in one of three ways, which main.c chooses: artifacts.c judges
 * artifacts, schema.c checks records against a schema, normalize.c rewrites
 * stored errors.
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
};

int artifacts_run(struct lh_tool *tool, const struct settings *s);
int schema_run(struct lh_tool *tool, const struct settings *s);
int normalize_run(struct lh_tool *tool);

#endif
