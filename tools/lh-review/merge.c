/* merge.c - findings of all models into records.  See review.h. */
#include "review.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "base/mem.h"

/* Findings that are one: the first, and those near it. */
struct group {
	size_t first;		/* number of the finding */
	uint32_t models;	/* set of models */
	size_t last, n;		/* findings */
};

struct merge {
	struct review *r;
	const struct bundle *b;
	struct findings f;
	struct group *group;
	size_t *next;		/* by finding: the next one of its group, or 0 */
	size_t n;
};

/* ---- groups ---- */

static bool is_near(const struct finding *a, const struct finding *b)
{
	uint64_t apart = a->line < b->line ? b->line - a->line : a->line - b->line;

	return a->file == b->file && apart <= NEAR;
}

/* Put a finding into the first group that fits, or into a new one. */
static void group_finding(struct merge *m, size_t i)
{
	const struct finding *f = &m->f.v[i];
	struct group *g = m->group, *end = g + m->n;

	while (g < end && !(f->file >= 0 && is_near(&m->f.v[g->first], f)))
		g++;
	if (g == end) {
		*g = (struct group){ .first = i };
		m->n++;
	} else {
		m->next[g->last] = i;
	}
	g->last = i;
	g->n++;
	g->models |= 1u << f->model;
}

/* By file, then by line; findings without a place are last, in their order. */
static int compare(const void *a, const void *b, void *ctx)
{
	const struct group *g = a, *h = b;
	const struct finding *v = ctx, *x = &v[g->first], *y = &v[h->first];

	if (x->file != y->file)
		return (size_t)x->file < (size_t)y->file ? -1 : 1;
	if (x->file >= 0 && x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return g->first < h->first ? -1 : 1;
}

/* ---- a record ---- */

/* Return whether a model of the set before i has the name, or the lineage, of model i. */
static bool is_known(const struct review *r, uint32_t models, size_t i, bool lineage)
{
	size_t j;

	for (j = 0; j < i; j++) {
		const struct model *a = &r->model[i], *b = &r->model[j];

		if (!(models >> j & 1))
			continue;
		if (lineage ? lh_fold_equal(a->lineage.p, a->lineage.n, b->lineage.p, b->lineage.n)
			    : lh_str_is(a->name, b->name.p, b->name.n))
			return true;
	}
	return false;
}

/* Write the names, or the lineages, of a set of models; return their number. */
static size_t put_names(struct merge *m, struct lh_writer *w, uint32_t models, bool lineage)
{
	struct review *r = m->r;
	size_t i, n = 0;

	lh_write_array(w, lineage ? "lineages" : "models");
	for (i = 0; i < r->n_models; i++) {
		if (!(models >> i & 1) || is_known(r, models, i, lineage))
			continue;
		lh_write_str(w, NULL, lineage ? r->model[i].lineage : r->model[i].name);
		n++;
	}
	lh_write_end(w);
	return n;
}

static int put_place(struct merge *m, struct lh_writer *w, const struct finding *f,
		     struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	int rc;

	add_utf8(&path, f->file < 0 ? f->path : bundle_path(m->b, (size_t)f->file));
	rc = lh_buf_check(&path, err);
	if (!rc)
		lh_write_str(w, "path", (struct lh_str){ path.p, path.len });
	if (f->line)
		lh_write_u64(w, "line", f->line);
	else
		lh_write_null(w, "line");
	return rc;
}

static int put_group(struct merge *m, const struct group *g, struct lh_buf *out,
		     struct lh_err *err)
{
	const struct finding *f = &m->f.v[g->first];
	struct lh_writer w = lh_write_to(out);
	bool convergent, placed;
	size_t i;

	lh_write_object(&w, NULL);
	if (put_place(m, &w, f, err) < 0)
		return -1;
	put_names(m, &w, g->models, false);
	convergent = put_names(m, &w, g->models, true) > 1;
	lh_write_bool(&w, "convergent", convergent);
	lh_write_str(&w, "text", f->text);
	if (f->file < 0)
		lh_write_bool(&w, "unplaced", true);
	/* Write what the others of the group say. */
	if (g->n > 1) {
		lh_write_array(&w, "also");
		for (i = m->next[g->first]; i; i = m->next[i]) {
			lh_write_object(&w, NULL);
			lh_write_str(&w, "model", m->r->model[m->f.v[i].model].name);
			lh_write_u64(&w, "line", m->f.v[i].line);
			lh_write_str(&w, "text", m->f.v[i].text);
			lh_write_end(&w);
		}
		lh_write_end(&w);
	}
	lh_write_end(&w);
	lh_buf_putc(out, '\n');
	placed = f->file >= 0;
	m->r->findings += placed;
	m->r->unplaced += !placed;
	m->r->convergent += convergent;
	for (i = 0; placed && i < m->r->n_models; i++)
		if (g->models >> i & 1 && !is_known(m->r, g->models, i, false))
			m->r->model[m->r->model[i].counted].findings++;
	return 0;
}

static int put_groups(struct merge *m, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	size_t i;
	int rc = 0;

	qsort_r(m->group, m->n, sizeof *m->group, compare, m->f.v);
	for (i = 0; !rc && i < m->n; i++)
		rc = put_group(m, &m->group[i], &out, err);
	if (!rc)
		rc = lh_buf_check(&out, err);
	return rc ? rc : lh_tool_out(m->r->tool, out.p, out.len);
}

/* ---- the answers ---- */

/* Report a question that was not answered: -1 if the run must end. */
static int report(struct review *r, size_t i, const struct answer *a, struct lh_err *err)
{
	struct model *m = &r->model[r->model[i].counted];
	const char *why = a->failed.msg;
	char status[16] = "";

	if (a->failed.code == LH_ENOMEM || a->failed.code == LH_EINTR) {
		*err = a->failed;
		return -1;
	}
	if (a->failed.status)
		snprintf(status, sizeof status, "%u ", a->failed.status);
	if (!m->failed++)
		lh_tool_message(r->tool, "%s: %s%s", r->models.v[i], status, why);
	else
		lh_tool_verbose(r->tool, "%s: %s%s", r->models.v[i], status, why);
	return 0;
}

/* Read the answers; *answered is their number. */
static int read_answers(struct merge *m, size_t *answered, struct lh_err *err)
{
	struct review *r = m->r;
	size_t i;
	bool more;

	for (i = 0; i < r->n_models; i++) {
		const struct answer *a = &m->b->answer[i];

		r->model[r->model[i].counted].asked++;
		if (a->failed.code) {
			if (report(r, i, a, err) < 0)
				return -1;
			continue;
		}
		++*answered;
		if (findings_read(&m->f, m->b, i, (struct lh_str){ a->content.p, a->content.len },
				  &more, err) < 0)
			return -1;
		if (more)
			lh_tool_message(r->tool, "%s: more than %d findings in an answer",
					r->models.v[i], FINDINGS_MOST);
	}
	return 0;
}

static int merge(struct merge *m, struct lh_err *err)
{
	size_t n = m->f.n + 1, i;

	m->group = lh_calloc(n, sizeof *m->group, err);
	m->next = m->group ? lh_calloc(n, sizeof *m->next, err) : NULL;
	if (!m->next)
		return -1;
	for (i = 0; i < m->f.n; i++)
		group_finding(m, i);
	return put_groups(m, err);
}

int merge_bundle(struct review *r, const struct bundle *b, struct lh_err *err)
{
	struct merge m = { .r = r, .b = b };
	struct lh_str path = bundle_path(b, 0);
	size_t answered = 0;
	int rc = read_answers(&m, &answered, err);

	if (!rc && !answered) {
		lh_tool_warn(r->tool, "%.*s: not reviewed, no model answered",
			     (int)(path.n < 500 ? path.n : 500), path.p);
		lh_tool_failed(r->tool);
	}
	if (!rc)
		rc = merge(&m, err);
	free(m.group);
	free(m.next);
	free(m.f.v);
	lh_buf_free(&m.f.scratch);
	return rc;
}
