/* committed.c - receipts as entries of a transparency log. */
#include "distill.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "file/file.h"
#include "tlog/log.h"
#include <lh/digest.h>

#define RECEIPT_MAX ((size_t)256 << 20)

int committed_open(struct lh_tlog_keyed *tree, struct lh_tool *tool, const struct settings *s)
{
	return s->tlog ? lh_tlog_keyed_open(tree, s->tlog, s->tlog_key.v, s->tlog_key.n,
					    tool->lock_timeout, &tool->err) : 0;
}

struct committed {
	const struct lh_root *root;
	struct lh_buf entries, file;
};

/* Add the entry of one receipt, if it exists. */
static int add_receipt(struct committed *c, const char *id, enum lh_stage stage,
		       struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = NULL;
	char relpath[256], entry[LH_RECEIPT_ENTRY];
	unsigned char sum[32];
	int rc;

	snprintf(relpath, sizeof relpath, "%s/%s/%s.json", LH_ROOT_REPORTS, id,
		 lh_stage_name(stage));
	path = lh_root_join(c->root, relpath);
	rc = lh_file_read(path, &c->file, err);
	if (rc <= 0)
		return rc;
	lh_sha256(c->file.p, c->file.len, sum);
	lh_receipt_entry(sum, entry);
	lh_buf_add(&c->entries, entry, sizeof entry);
	return 0;
}

static int add_run(void *ctx, const char *id, struct lh_err *err)
{
	int stage, rc = 0;

	for (stage = 0; stage < LH_STAGES && !rc; stage++)
		rc = add_receipt(ctx, id, (enum lh_stage)stage, err);
	return rc;
}

/* Append the entries.  Those of earlier runs are among them: of a run that was killed before it
 * came here, they are appended now. */
static int append(struct lh_tlog *log, const struct lh_buf *entries, struct lh_err *err)
{
	size_t i, n = entries->len / LH_RECEIPT_ENTRY;
	LH_SCOPED(lh_free_local) struct lh_str *entry = lh_calloc(n + 1, sizeof *entry);
	LH_SCOPED(lh_free_local) uint64_t *index = lh_calloc(n + 1, sizeof *index);

	for (i = 0; i < n; i++)
		entry[i] = (struct lh_str){ entries->p + i * LH_RECEIPT_ENTRY, LH_RECEIPT_ENTRY };
	return lh_tlog_append_once(log, entry, n, index, err);
}

int committed_append(struct lh_tlog_keyed *tree, struct lh_tool *tool, const struct lh_root *root)
{
	struct committed c = { .root = root };
	int rc = 0;

	if (!tree->log)
		return 0;
	lh_buf_init(&c.file, RECEIPT_MAX);
	rc = lh_run_each(root, add_run, &c, &tool->err);
	if (!rc)
		rc = append(tree->log, &c.entries, &tool->err);
	lh_buf_free(&c.entries);
	lh_buf_free(&c.file);
	return rc;
}
