/* accesses.c - lh-subject-audit accesses: who looked at anything, over all subjects. */
#include <stdlib.h>

#include "report.h"

/* Print a row as it is in its log. */
static int print_row(void *ctx, const struct lh_record *rec, struct lh_err *err)
{
	struct lh_tool *tool = ctx;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	(void)err;
	lh_buf_add(&b, rec->line, rec->len);
	lh_buf_putc(&b, '\n');
	return print(tool, &b);
}

struct accesses {
	struct key_check key;
	bool tried;		/* the other logs, by this key */
	uint64_t logs, rows;
};

/* List the rows of one log in the window; a log that is broken is reported. */
static int list_log(struct lh_tool *tool, const struct settings *s, const char *path,
		    const struct log *log, void *ctx)
{
	struct accesses *all = ctx;
	struct report r = { .tool = tool, .s = s, .log = (char *)path };
	struct lh_chain_check c = {
		.keys = &s->keys, .name = log->name, .jobs = (unsigned)tool->jobs,
		.max_row = tool->max_line, .lock_timeout = tool->lock_timeout,
		.anchor = log->anchor,
	};
	char error[LH_CHAIN_ERROR];

	if (lh_chain_verify(path, &c, &r.v, &tool->err) < 0)
		return -1;
	key_look(&all->key, &c, path, &r.v);
	if (key_is_wrong(&all->key) && !all->tried) {
		all->tried = true;
		if (key_try_others(&all->key, tool, s) < 0)
			return -1;
	}
	if (key_is_wrong(&all->key)) {
		lh_tool_verdict_bad(tool);
		return 0;
	}
	log_error(log, &r.v, error);
	if (*error) {
		log_say(tool, path, log, &r.v, error);
		lh_tool_verdict_bad(tool);
	}
	all->logs++;
	if (r.v.absent)
		return 0;
	if (report_rows(&r, print_row, tool) < 0)
		return -1;
	all->rows += r.in_window;
	return 0;
}

int audit_accesses(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(anchor_free) struct anchor a = { .n = 0 };
	struct accesses all = { .logs = 0 };
	int rc = anchor_for(&a, tool, s);

	if (!rc)
		rc = each_log(tool, s, &a, list_log, &all, NULL);
	if (!rc && key_is_wrong(&all.key))
		return key_error(&tool->err);
	if (!rc)
		lh_tool_message(tool, "%llu accesses to the data of %llu persons",
				(unsigned long long)all.rows, (unsigned long long)all.logs);
	return rc;
}
