/* mcp_audit.c - rows on the chains of the persons that an answer shows.  See mcp_parts.h. */
#include "mcp_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "proc/coproc.h"

#define WITHHELD "the audit log cannot be written, and there is no answer without it"

struct lh_mcp_row {
	struct lh_ask ask;
	struct lh_mcp_call *call;
};

/* Return the pool of lh-subject-audit, whose one process appends. */
static struct lh_pool *auditor(struct lh_mcp *m, struct lh_err *err)
{
	const struct lh_mcp_audit *a = m->how.audit;
	size_t n = 0, i;
	char **argv = lh_calloc(11 + 2 * a->keys, sizeof *argv, err);
	struct lh_pool_how how = {
		.argv = argv, .keys = LH_KEYS_AUDIT, .processes = 1, .depth = 256,
		.loop = m->how.loop, .ended = m->how.warn, .owner = m->how.owner,
	};
	struct lh_pool *p;

	if (!argv)
		return NULL;
	argv[n++] = "lh-subject-audit";
	argv[n++] = "append";
	argv[n++] = "--dir";
	argv[n++] = (char *)a->folder;
	for (i = 0; i < a->keys; i++) {
		argv[n++] = "--key-file";
		argv[n++] = (char *)a->key[i];
	}
	argv[n++] = "-j1";
	argv[n++] = "-q";
	argv[n++] = "--on-error";
	argv[n++] = "emit";
	p = lh_mcp_pool(m, &how, err);
	free(argv);
	return p;
}

static void end_rows(struct lh_mcp_call *c)
{
	struct lh_mcp *m = c->m;
	char text[200];

	if (c->missing) {
		snprintf(text, sizeof text, "audit log: %zu of %zu rows of a call of %s not "
			 "written", c->missing, c->rows, c->tool->name);
		m->how.warn(m->how.owner, text);
	}
	lh_mcp_call_audited(c, c->missing && m->how.audit->required ? WITHHELD : NULL);
}

static void on_row(struct lh_ask *a, enum lh_asked how, const struct lh_record *rec)
{
	struct lh_mcp_row *row = (struct lh_mcp_row *)((char *)a -
		offsetof(struct lh_mcp_row, ask));
	struct lh_mcp_call *c = row->call;

	c->missing += how != LH_ASKED_ANSWERED || lh_record_get(rec, "error");
	if (!--c->open)
		end_rows(c);
}

static void write_row(struct lh_mcp_row *row, struct lh_str id)
{
	const struct lh_mcp_call *c = row->call;
	struct lh_writer w = lh_write_to(&row->ask.line);

	lh_write_object(&w, NULL);
	lh_write_str(&w, "candidate_id", id);
	lh_write_object(&w, "accessor");
	lh_write_text(&w, "kind", "mcp");
	lh_write_text(&w, "daemon", c->m->how.program);
	lh_write_text(&w, "purpose", c->tool->name);
	if (*c->trace)
		lh_write_text(&w, "trace_id", c->trace);
	lh_write_end(&w);
	lh_write_raw(&w, "fields_accessed", lh_str_of("[\"record\"]"));
	lh_write_text(&w, "result", "success");
	lh_write_end(&w);
	lh_buf_putc(&row->ask.line, '\n');
}

/* Return the next id of a list in which each ends with NUL, that is not in it before. */
static bool next_id(struct lh_str list, size_t *at, struct lh_str *id)
{
	struct lh_str one;
	size_t i;

	while (*at < list.n) {
		*id = lh_str_of(list.p + *at);
		for (i = 0; i < *at; i += one.n + 1) {
			one = lh_str_of(list.p + i);
			if (lh_str_is(*id, one.p, one.n))
				break;
		}
		i = i < *at;
		*at += id->n + 1;
		if (!i)
			return true;
	}
	return false;
}

static int make_rows(struct lh_mcp_call *c, struct lh_str shown, struct lh_err *err)
{
	struct lh_str id;
	size_t at = 0;

	while (next_id(shown, &at, &id))
		c->rows++;
	c->row = lh_calloc(c->rows, sizeof *c->row, err);
	if (!c->row)
		return -1;
	for (at = 0, c->rows = 0; next_id(shown, &at, &id); c->rows++) {
		c->row[c->rows].call = c;
		write_row(&c->row[c->rows], id);
		if (lh_buf_check(&c->row[c->rows].ask.line, err) < 0)
			return -1;
	}
	lh_buf_add(&c->answer, c->m->out.p, c->m->out.len);
	return lh_buf_check(&c->answer, err);
}

int lh_mcp_audit(struct lh_mcp_call *c, struct lh_str shown, struct lh_err *err)
{
	struct lh_mcp *m = c->m;
	struct lh_pool *p;
	size_t i;

	if (!shown.n || !m->how.audit)
		return 0;
	p = auditor(m, err);
	if (make_rows(c, shown, err) < 0)
		return -1;
	c->open = 1;
	for (i = 0; i < c->rows; i++) {
		c->row[i].ask.timeout = m->how.timeout;
		c->row[i].ask.answered = on_row;
		if (p && lh_pool_ask(p, &c->row[i].ask) == 0)
			c->open++;
		else
			c->missing++;
	}
	if (!--c->open)
		end_rows(c);
	return 1;
}

void lh_mcp_audit_free(struct lh_mcp_call *c)
{
	size_t i;

	for (i = 0; i < c->rows && c->row; i++)
		lh_buf_free(&c->row[i].ask.line);
	free(c->row);
}
