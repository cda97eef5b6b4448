/* recorded.c - the nodes of an interrupted run, from the rows of its log.  See flow.h. */
#include "flow.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/table.h"
#include "base/mem.h"
#include "json/bind.h"

static const struct lh_bind members[] = {
	{ LH_BIND_STRING("run", struct recorded_node, run), .required = true },
	{ LH_BIND_STRING("node", struct recorded_node, node), .required = true },
	{ LH_BIND_STRING("status", struct recorded_node, status), .required = true },
	{ LH_BIND_STRING("started_at", struct recorded_node, started_at) },
	{ LH_BIND_STRING("error", struct recorded_node, error) },
	{ LH_BIND_STRING("request_sha256", struct recorded_node, digest) },
	{ LH_BIND_OBJECT("output", struct recorded_node, output) },
	{ LH_BIND_U64("duration_ms", struct recorded_node, duration_ms, 0, INT64_MAX) },
	LH_BIND_END
};

/* Parse a row: 0, -1 if it is none of a node, or out of memory. */
static int parse(struct recorded *r, size_t at, size_t n, struct recorded_node *to,
		 struct lh_err *err)
{
	*to = (struct recorded_node){ .duration_ms = 0 };
	lh_buf_reset(&r->line);
	lh_buf_add(&r->line, r->log.p + at, n);
	if (lh_buf_check(&r->line, err) < 0 ||
	    lh_record_parse(&r->rec, r->line.p, r->line.len, err) < 0)
		return -1;
	return lh_bind(members, &r->rec, to, &r->text, err);
}

/* Return whether id is base, or base with a number added. */
static bool is_of(struct lh_str id, const char *base)
{
	const size_t n = strlen(base);

	return id.n >= n && !memcmp(id.p, base, n) && (id.n == n || id.p[n] == '.');
}

static int add_row(struct recorded *r, size_t at, size_t n, const char *base, struct lh_err *err)
{
	struct recorded_node node;
	LH_SCOPED(lh_buf_free) struct lh_buf key = { 0 };
	uint32_t number;
	int rc;

	if (!n || !memmem(r->log.p + at, n, r->quoted.p, r->quoted.len))
		return 0;
	if (parse(r, at, n, &node, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	if (!is_of(node.run, base))
		return 0;
	lh_buf_printf(&key, "%.*s\n%.*s", (int)node.run.n, node.run.p, (int)node.node.n,
		      node.node.p);
	rc = lh_buf_check(&key, err);
	if (!rc)
		rc = lh_intern_add(r->keys, key.p, key.len, &number, err);
	if (!rc)
		rc = lh_grow(&r->row, &r->cap, (size_t)number + 1, sizeof *r->row, err);
	if (!rc)
		r->row[number] = (struct recorded_row){ at, n };
	return rc;
}

int recorded_open(struct recorded *r, const char *log, const char *run, struct lh_err *err)
{
	struct lh_str rest, row;
	int rc = 0;

	*r = (struct recorded){ .cap = 0 };
	r->keys = lh_calloc(1, sizeof *r->keys, err);
	if (!r->keys)
		return -1;
	lh_buf_json(&r->quoted, run, strlen(run));
	if (lh_buf_check(&r->quoted, err) < 0)
		return -1;
	r->quoted.len--;	/* a number may follow */
	if (access(log, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (lh_mapped_open(&r->log, log, err) < 0)
		return -1;
	rest = (struct lh_str){ r->log.p, r->log.n };
	while (!rc && lh_next_line(&rest, &row))
		rc = add_row(r, (size_t)(row.p - r->log.p), row.n, run, err);
	return rc;
}

void recorded_close(struct recorded *r)
{
	if (r->keys)
		lh_intern_free(r->keys);
	free(r->keys);
	free(r->row);
	lh_mapped_close(&r->log);
	lh_record_free(&r->rec);
	lh_buf_free(&r->quoted);
	lh_buf_free(&r->line);
	lh_buf_free(&r->text);
}

int recorded_find(struct recorded *r, const char *run, struct lh_str node,
		  struct recorded_node *found, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf key = { 0 };
	int64_t i = -1;
	int rc;

	lh_buf_printf(&key, "%s\n%.*s", run, (int)node.n, node.p);
	rc = lh_buf_check(&key, err);
	if (!rc)
		i = lh_intern_find(r->keys, key.p, key.len);
	if (rc || i < 0)
		return rc;
	return parse(r, r->row[i].at, r->row[i].n, found, err) < 0 ? -1 : 1;
}
