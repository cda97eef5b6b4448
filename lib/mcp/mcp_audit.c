/* mcp_audit.c - rows on the chains of the persons that an answer shows.  See mcp_parts.h. */
#include "mcp_parts.h"

#include <stdio.h>

/* Start the process that appends, unless the owner has one. */
static int start(struct lh_mcp *m, struct lh_err *err)
{
	struct lh_pool_how how = { .loop = m->how.loop, .ended = m->how.warn,
				   .owner = m->how.owner };
	struct lh_pool *p;

	if (lh_persons_ready(m->how.persons))
		return 0;
	lh_persons_command(m->how.persons, &how);
	p = lh_mcp_pool(m, &how, err);
	if (!p)
		return -1;
	lh_persons_use(m->how.persons, p);
	return 0;
}

static void on_written(struct lh_persons_rows *rows, const char *withheld)
{
	struct lh_mcp_call *c = (struct lh_mcp_call *)((char *)rows -
		offsetof(struct lh_mcp_call, rows));

	c->waits = false;
	lh_mcp_call_audited(c, withheld);
}

int lh_mcp_audit(struct lh_mcp_call *c, const struct lh_record *rec, struct lh_err *err)
{
	struct lh_mcp *m = c->m;
	struct lh_persons_answer a = { .trace = *c->trace ? c->trace : c->peer->trace,
				       .token = c->peer->token, .route = c->route };
	const bool says = rec && c->route && lh_persons_attributed(c->route);
	const struct lh_value *v;
	char purpose[64];
	int rc;

	if (!m->how.persons)
		return 0;
	snprintf(purpose, sizeof purpose, "mcp_%s", c->tool->name);
	a.purpose = purpose;
	a.asked = (struct lh_str){ c->ask.line.p, c->ask.line.len ? c->ask.line.len - 1 : 0 };
	if (says && (v = lh_record_get(rec, "tables")) && v->type == LH_ARRAY) {
		a.tables = (struct lh_str){ v->p, v->n };
		a.unnamed = lh_record_get(rec, "unnamed");
	}
	if (says && (v = lh_record_get(rec, "persons")) && v->type == LH_ARRAY)
		a.used = (struct lh_str){ v->p, v->n };
	if (rec)
		a.body = c->tool->cuts ? (struct lh_str){ rec->line, rec->len }
				       : (struct lh_str){ m->text.p, m->text.len };
	c->rows.written = on_written;
	rc = start(m, err);
	if (!rc)
		rc = lh_persons_show(m->how.persons, &c->rows, &a, err);
	c->waits = rc > 0;
	if (rc > 0 && rec)
		lh_buf_add(&c->answer, m->out.p, m->out.len);
	return rc;
}
