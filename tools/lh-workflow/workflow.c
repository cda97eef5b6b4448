/* workflow.c - read and check a flow, and put its nodes in order.  See workflow.h. */
#include "workflow.h"

#include <stdlib.h>

#include "base/mem.h"
#include "file/file.h"
#include "json/bind.h"

#define ID_MAX 128		/* bytes */
#define CYCLE_SHOWN 10		/* nodes of a cycle that are named */
#define LONGEST_TIMEOUT 86400.0

static bool is_id(const struct lh_value *v, struct lh_str id)
{
	size_t i;

	(void)v;
	for (i = 0; i < id.n; i++)
		if (!(id.p[i] >= '0' && id.p[i] <= '9') && id.p[i] != '_' && id.p[i] != '-' &&
		    !((id.p[i] | 0x20) >= 'a' && (id.p[i] | 0x20) <= 'z'))
			return false;
	return id.n && id.p[id.n - 1] != '-' && !lh_str_is(id, "input", 5);
}

static const struct lh_bind node_members[] = {
	{ LH_BIND_STRING("id", struct lh_workflow_node, id), .required = true, .filled = true,
	  .longest = ID_MAX, .is = is_id,
	  .what = "name of letters, digits, \"_\" and \"-\" (not \"input\")",
	  .as_written = LH_BIND_FIELD(struct lh_workflow_node, id_at) },
	{ LH_BIND_STRING("mode", struct lh_workflow_node, mode), .filled = true },
	{ LH_BIND_STRING("prompt", struct lh_workflow_node, prompt),
	  .as_written = LH_BIND_FIELD(struct lh_workflow_node, prompt_at) },
	{ LH_BIND_OBJECT("inputs", struct lh_workflow_node, inputs) },
	{ LH_BIND_STRINGS("depends_on", struct lh_workflow_node, depends_on, n_depends_on) },
	{ LH_BIND_F64("timeout", struct lh_workflow_node, timeout, 0, LONGEST_TIMEOUT),
	  .above = true },
	LH_BIND_CLOSED
};

struct flow {
	struct lh_str name, description;
	struct lh_workflow_node *node;
	size_t n;
};

static const struct lh_bind flow_members[] = {
	{ LH_BIND_STRING("name", struct flow, name), .required = true, .filled = true },
	{ LH_BIND_STRING("description", struct flow, description) },
	{ LH_BIND_TABLES("nodes", struct flow, node, n, node_members), .required = true,
	  .filled = true },
	LH_BIND_CLOSED
};

/* Report an error about a node. */
static int wrong(struct lh_err *err, const struct lh_workflow_node *at, const char *base)
{
	err->column = base ? (size_t)(at->id_at.p - base) + 1 : 0;
	return -1;
}

#define NAME(s) (int)((s).n > 100 ? 100 : (s).n), (s).p

/* ---- ids and modes ---- */

static int check_nodes(struct lh_workflow *w, const char *base,
		       const struct lh_workflow_modes *modes, struct lh_err *err)
{
	uint32_t i;

	for (i = 0; i < w->n; i++) {
		struct lh_workflow_node *node = &w->node[i];

		if (!node->mode.p)
			node->mode = lh_str_of("llm.chat");
		if (lh_table_find(&w->ids, node->id, lh_workflow_id, w) >= 0) {
			lh_err_set(err, LH_EDATA, "node \"%.*s\" is there twice", NAME(node->id));
			return wrong(err, node, base);
		}
		if (lh_table_set(&w->ids, node->id, i, lh_workflow_id, w, err) < 0)
			return -1;
	}
	for (i = 0; i < w->n; i++)
		if (!modes->knows(modes->owner, w->node[i].mode)) {
			lh_err_set(err, LH_EDATA, "unknown mode \"%.*s\" of node \"%.*s\"",
				   NAME(w->node[i].mode), NAME(w->node[i].id));
			return wrong(err, &w->node[i], base);
		}
	return 0;
}

/* ---- edges ---- */

static int new_edges(struct lh_workflow_edges *e, size_t nodes, size_t edges, struct lh_err *err)
{
	e->at = lh_calloc(nodes + 2, sizeof *e->at, err);
	e->to = e->at ? lh_calloc(edges + 1, sizeof *e->to, err) : NULL;
	return e->to ? 0 : -1;
}

/* Set what node i depends on, each once, in the order of the flow; mark has a number for each
 * node, and no i + 1. */
static int add_before(struct lh_workflow *w, uint32_t i, uint32_t *mark, const char *base,
		      struct lh_err *err)
{
	const struct lh_workflow_node *node = &w->node[i];
	size_t k, n = w->before.at[i];

	for (k = 0; k < node->n_depends_on; k++) {
		int64_t on = lh_table_find(&w->ids, node->depends_on[k], lh_workflow_id, w);

		if (on < 0) {
			lh_err_set(err, LH_EDATA,
				   "node \"%.*s\" depends on \"%.*s\", which is not there",
				   NAME(node->id), NAME(node->depends_on[k]));
			return wrong(err, node, base);
		}
		if (mark[on] == i + 1)
			continue;
		mark[on] = i + 1;
		w->before.to[n++] = (uint32_t)on;
		w->after.at[on + 2]++;
	}
	w->before.at[i + 1] = n;
	return 0;
}

static int add_edges(struct lh_workflow *w, const char *base, struct lh_err *err)
{
	size_t edges = 0, k;
	LH_SCOPED(lh_free_local) uint32_t *mark = lh_calloc(w->n, sizeof *mark, err);
	uint32_t i;
	int rc = mark ? 0 : -1;

	for (i = 0; i < w->n; i++)
		edges += w->node[i].n_depends_on;
	if (!rc && (new_edges(&w->before, w->n, edges, err) < 0 ||
		    new_edges(&w->after, w->n, edges, err) < 0))
		rc = -1;
	for (i = 0; !rc && i < w->n; i++)
		rc = add_before(w, i, mark, base, err);
	if (rc)
		return -1;
	for (i = 0; i < w->n; i++)
		w->after.at[i + 2] += w->after.at[i + 1];
	for (i = 0; i < w->n; i++)
		for (k = w->before.at[i]; k < w->before.at[i + 1]; k++)
			w->after.to[w->after.at[w->before.to[k] + 1]++] = i;
	return 0;
}

/* ---- order ---- */

/* Report a cycle: from a node that was not put in order, to one it waits for, until one comes
 * again. */
static int report_cycle(const struct lh_workflow *w, const size_t *waits, const char *base,
			struct lh_err *err)
{
	uint32_t i, first, n = 0;
	LH_SCOPED(lh_free_local) uint32_t *seen = lh_calloc(w->n, sizeof *seen, err);
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	size_t k;

	if (!seen)
		return -1;
	for (i = 0; !waits[i]; i++)
		;
	for (; !seen[i]; i = w->before.to[k]) {
		seen[i] = 1;
		for (k = w->before.at[i]; !waits[w->before.to[k]]; k++)
			;
	}
	for (first = i; !n || i != first; i = w->before.to[k]) {
		if (++n <= CYCLE_SHOWN)
			lh_buf_printf(&text, "\"%.*s\" on ", (int)w->node[i].id.n,
				      w->node[i].id.p);
		for (k = w->before.at[i]; !waits[w->before.to[k]]; k++)
			;
	}
	lh_err_set(err, LH_EDATA, "nodes depend on each other: %.*s%s\"%.*s\"", (int)text.len,
		   text.p ? text.p : "", n > CYCLE_SHOWN ? "... on " : "", NAME(w->node[first].id));
	return wrong(err, &w->node[first], base);
}

/* Set the order; waits is zeroed. */
static int put_in_order(struct lh_workflow *w, size_t *waits, const char *base, struct lh_err *err)
{
	size_t n = 0, done, k;
	uint32_t i;

	for (i = 0; i < w->n; i++) {
		waits[i] = w->before.at[i + 1] - w->before.at[i];
		if (!waits[i])
			w->order[n++] = i;
	}
	for (done = 0; done < n; done++) {
		i = w->order[done];
		for (k = w->after.at[i]; k < w->after.at[i + 1]; k++)
			if (--waits[w->after.to[k]] == 0)
				w->order[n++] = w->after.to[k];
	}
	return n == w->n ? 0 : report_cycle(w, waits, base, err);
}

/* Set which nodes each depends on, also indirectly. */
static int add_above(struct lh_workflow *w, struct lh_err *err)
{
	const size_t words = (w->n + 63) / 64;
	size_t done, k, word;

	w->above = lh_calloc(w->n * words, sizeof *w->above, err);
	for (done = 0; w->above && done < w->n; done++) {
		const uint32_t i = w->order[done];

		for (k = w->before.at[i]; k < w->before.at[i + 1]; k++) {
			const uint32_t on = w->before.to[k];

			for (word = 0; word < words; word++)
				w->above[i * words + word] |= w->above[on * words + word];
			w->above[i * words + on / 64] |= UINT64_C(1) << on % 64;
		}
	}
	return w->above ? 0 : -1;
}

/* ---- reading ---- */

int lh_workflow_read(struct lh_workflow *w, const struct lh_value *v, const char *base,
		     const struct lh_workflow_modes *modes, struct lh_err *err)
{
	struct flow flow = { .n = 0 };
	size_t *waits;
	int rc = -1;

	if ((base ? lh_bind_file(flow_members, v, base, &flow, &w->text, err)
		  : lh_bind_part(flow_members, "flow", v, &flow, &w->text, err)) < 0)
		return -1;
	w->name = flow.name;
	w->node = flow.node;
	w->n = flow.n;
	if (w->n > LH_WORKFLOW_NODES)
		return lh_err_set(err, LH_EDATA, "more than %u nodes", LH_WORKFLOW_NODES);
	waits = lh_calloc(w->n, sizeof *waits, err);
	w->order = waits ? lh_calloc(w->n, sizeof *w->order, err) : NULL;
	if (w->order && check_nodes(w, base, modes, err) == 0 && add_edges(w, base, err) == 0 &&
	    put_in_order(w, waits, base, err) == 0)
		rc = add_above(w, err);
	free(waits);
	return rc;
}

/* Put "file:line: " before an error in the text of a file. */
static int place(const struct lh_workflow *w, const char *path, bool yaml, struct lh_err *err)
{
	const size_t at = err->column ? err->column - 1 : 0;

	if (err->code != LH_EDATA)
		return -1;
	err->column = 0;
	return lh_err_prefix(err, "%s:%zu", path,
			     yaml ? lh_yaml_line(&w->yaml, at)
			     : lh_bind_line(w->yaml.json.p, w->yaml.json.p + at));
}

static int read_yaml(struct lh_workflow *w, const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = LH_WORKFLOW_FILE };
	int rc = lh_file_read(path, &text, err);

	if (rc > 0 && lh_yaml_read(&w->yaml, text.p, text.len, err) < 0)
		rc = err->code == LH_EDATA ? lh_err_prefix(err, "%s:%zu", path, w->yaml.line) : -1;
	return rc;
}

static bool ends_with(const char *path, const char *end)
{
	const size_t n = strlen(path), k = strlen(end);

	return n > k && strcmp(path + n - k, end) == 0;
}

int lh_workflow_open(struct lh_workflow *w, const char *path, const struct lh_workflow_modes *modes,
		     struct lh_err *err)
{
	const bool yaml = ends_with(path, ".yaml") || ends_with(path, ".yml");
	struct lh_buf *text = &w->yaml.json;
	struct lh_value v;
	int rc;

	if (!yaml)
		text->max = LH_WORKFLOW_FILE;
	rc = yaml ? read_yaml(w, path, err) : lh_file_read(path, text, err);
	if (rc == 0)
		return lh_err_set(err, LH_EIO, "%s: no such file", path);
	if (rc < 0)
		return -1;
	lh_record_init(&w->rec);
	if (!text->len)
		return lh_err_set(err, LH_EDATA, "%s:1: is empty", path);
	if (lh_json_parse(&w->rec, text->p, text->len, &v, err) < 0 ||
	    lh_workflow_read(w, &v, text->p, modes, err) < 0)
		return place(w, path, yaml, err);
	return 0;
}

void lh_workflow_free(struct lh_workflow *w)
{
	free(w->before.at);
	free(w->before.to);
	free(w->after.at);
	free(w->after.to);
	free(w->order);
	free(w->above);
	lh_table_free(&w->ids);
	lh_yaml_free(&w->yaml);
	lh_record_free(&w->rec);
	lh_buf_free(&w->text);
	memset(w, 0, sizeof *w);
}
