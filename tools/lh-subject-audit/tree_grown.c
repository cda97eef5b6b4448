/* tree_grown.c - hold a transparency log against the checkpoint of an anchor. */
#include "audit.h"

#include "tlog/log.h"
#include "tlog/note.h"

/* Return whether the tree is one that an older checkpoint can have grown to: its tiles give the
 * roots of both. */
static int has_grown(struct lh_tlog *tree, const struct lh_checkpoint *old, struct lh_err *err)
{
	const struct lh_tlog_head *head = lh_tlog_head(tree);
	struct lh_tlog_nodes nodes = lh_tlog_nodes(tree);
	uint8_t root[LH_TLOG_HASH];

	if (lh_str_cmp(old->origin, head->origin) != 0 || old->size > head->size)
		return 0;
	if (lh_tlog_root(&nodes, old->size, root, err) < 0)
		return -1;
	if (memcmp(root, old->root, sizeof root) != 0)
		return 0;
	if (lh_tlog_root(&nodes, head->size, root, err) < 0)
		return -1;
	return memcmp(root, head->root, sizeof root) == 0;
}

static int compare(struct lh_tool *tool, const struct settings *s, const struct lh_checkpoint *old)
{
	struct lh_tlog *tree = lh_tlog_open(s->tlog, &tool->err);
	int grown = tree ? has_grown(tree, old, &tool->err) : -1;

	if (grown > 0)
		lh_tool_message(tool, "%s: its tree of %llu entries has grown from the anchor's, "
				"of %llu", s->tlog, (unsigned long long)lh_tlog_head(tree)->size,
				(unsigned long long)old->size);
	if (!grown) {
		lh_tool_warn(tool, "%s: its tree of %llu entries has not grown from the anchor's, "
			     "of %llu in the log %.*s", s->tlog,
			     (unsigned long long)lh_tlog_head(tree)->size,
			     (unsigned long long)old->size, (int)old->origin.n, old->origin.p);
		lh_tool_verdict_bad(tool);
	}
	lh_tlog_close(tree);
	return grown < 0 ? -1 : 0;
}

int tree_check(struct lh_tool *tool, const struct settings *s, const char *checkpoint)
{
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
	struct lh_checkpoint old;
	int rc;

	if (!checkpoint && !s->tlog)
		return 0;
	if (!checkpoint)
		return lh_err_set(&tool->err, LH_EIO, "%s: it has no checkpoint for --tlog",
				  s->against);
	if (!s->tlog)
		return lh_tool_usage(tool, "%s has a checkpoint: name its log by --tlog",
				     s->against);
	rc = lh_note_parse(&note, lh_str_of(checkpoint), &tool->err);
	if (!rc)
		rc = lh_checkpoint_parse(&old, note.body, &tool->err);
	if (rc < 0)
		return tool->err.code == LH_ENOMEM ? -1
						   : lh_err_prefix(&tool->err, "%s", s->against);
	return compare(tool, s, &old);
}
