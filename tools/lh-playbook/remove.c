/* remove.c - lh-playbook remove: delete entries. */
#include "playbook.h"

#include "index/index_tools.h"

struct remover {
	struct lh_index_change *c;
	struct lh_buf strings;
};

struct named {
	struct lh_str id;
};
const struct lh_bind remove_members[] = {
	{ LH_BIND_STRING("playbook_id", struct named, id), .about = "if not of the entry itself" },
	LH_BIND_END
};

/* Read the output of record or list, or an entry as it was recorded. */
static int on_record(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct remover *r = arg;
	struct lh_playbook_entry e;
	char made[LH_PLAYBOOK_ID_LEN];
	struct named named = { .id = { NULL, 0 } };

	(void)out;
	if (lh_bind(remove_members, rec, &named, &r->strings, err) < 0)
		return -1;
	if (named.id.p)
		return lh_index_change_delete(r->c, named.id.p, named.id.n, err);
	if (lh_playbook_read_key(rec, &r->strings, &e, err) < 0)
		return -1;
	lh_playbook_id(&e, made);
	return lh_index_change_delete(r->c, made, sizeof made, err);
}

static int drop_options(struct remover *r, const struct settings *s, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < s->id.n; i++)
		if (lh_index_change_delete(r->c, s->id.v[i], strlen(s->id.v[i]), err) < 0) {
			if (err->code == LH_EDATA)
				err->code = LH_EUSAGE;
			return lh_err_prefix(err, "--id");
		}
	return 0;
}

static int finish(struct remover *r, struct lh_tool *tool, unsigned jobs)
{
	const struct lh_index_tally *tally = lh_index_change_tally(r->c);
	bool fold;

	if (lh_index_change_commit(r->c, &fold, &tool->err) < 0)
		return -1;
	if (fold &&
	    lh_index_compact_unless_busy(tool->operands[0], jobs, tool->lock_timeout, &tool->err) <
		    0)
		return lh_err_prefix(&tool->err,
				     "the entries are removed, but the compaction failed");
	return lh_tool_out_counts(tool, (const char *const[]){ "removed", "unknown" },
				  (uint64_t[]){ tally->deleted, tally->unknown }, 2);
}

int playbook_remove(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	unsigned jobs = (unsigned)tool->jobs;
	struct remover r = { .c = NULL };
	struct lh_flow flow = { .map = on_record, .shared = &r };
	int rc;

	tool->jobs = 1;
	r.c = lh_index_change_open(tool->operands[0], tool->lock_timeout, &tool->err);
	rc = r.c ? lh_playbook_check(tool->operands[0], &tool->err) : -1;
	if (rc == 0)
		rc = drop_options(&r, s, &tool->err);
	if (rc == 0 && (!s->id.n || tool->n_operands > 1))
		rc = playbook_flow(tool, &flow);
	if (rc == 0)
		rc = finish(&r, tool, jobs);
	lh_index_change_close(r.c);
	lh_buf_free(&r.strings);
	return rc;
}
