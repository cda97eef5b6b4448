/* proofs.c - lh-subject-audit prove: rows with what a stranger needs to check them. */
#include <stdlib.h>

#include "audit.h"
#include "audit/commitment.h"
#include "base/mem.h"
#include "tlog/note.h"

struct wanted_rows {
	struct lh_tool *tool;
	struct lh_row_proofs proofs;
	uint64_t *row;			/* in order, each once; n 0: all */
	size_t n, next;
	struct lh_buf out;
};

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Read the values of --row, and name those that are not committed. */
static void read_wanted(struct wanted_rows *w, const struct settings *s)
{
	size_t i, n = 0;

	w->row = lh_calloc(s->row.n + 1, sizeof *w->row);
	for (i = 0; i < s->row.n; i++)
		lh_tlog_size_read(lh_str_of(s->row.v[i]), INT64_MAX, &w->row[i]);
	qsort(w->row, s->row.n, sizeof *w->row, by_number);
	for (i = 0; i < s->row.n; i++) {
		if (i && w->row[i] == w->row[i - 1])
			continue;
		if (w->row[i] >= w->proofs.at.count) {
			lh_tool_warn(w->tool, "row %llu is not committed: %llu are",
				     (unsigned long long)w->row[i],
				     (unsigned long long)w->proofs.at.count);
			lh_tool_verdict_bad(w->tool);
			continue;
		}
		w->row[n++] = w->row[i];
	}
	w->n = n;
}

static int prove_row(void *ctx, uint64_t row, struct lh_str line, struct lh_str row_hmac,
		     struct lh_err *err)
{
	struct wanted_rows *w = ctx;

	if (w->n && w->row[w->next] != row)
		return 0;
	if (lh_row_proofs_add(&w->proofs, row, line, row_hmac, &w->out, err) < 0 ||
	    print(w->tool, &w->out) < 0)
		return -1;
	w->next++;
	return 0;
}

static int prove_wanted(struct wanted_rows *w, const struct settings *s, const char *name)
{
	struct lh_err *err = &w->tool->err;
	LH_SCOPED(lh_free_local) char *log = lh_subject_path(s->dir, name, LH_SUBJECT_LOG);
	uint64_t to;

	read_wanted(w, s);
	if (!s->row.n && !w->proofs.at.count) {
		lh_tool_warn(w->tool, "%s: no row of it is committed", log);
		lh_tool_verdict_bad(w->tool);
	}
	to = !s->row.n ? w->proofs.at.count : w->n ? w->row[w->n - 1] + 1 : 0;
	return to ? lh_commit_rows(log, w->n ? w->row[0] : 0, to, prove_row, w, err) : 0;
}

int audit_prove(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	const char *id = tool->operands[0];
	struct wanted_rows w = { .tool = tool };
	char name[LH_SUBJECT_MAX + 1];
	int rc = lh_chain_log_name(name, s->dir, id, strlen(id), &tool->err);

	if (!rc)
		rc = lh_row_proofs_open(&w.proofs, s->dir, name, s->tlog, &tool->err);
	if (!rc)
		rc = prove_wanted(&w, s, name);
	lh_row_proofs_close(&w.proofs);
	free(w.row);
	lh_buf_free(&w.out);
	return rc;
}
