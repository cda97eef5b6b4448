/* normalize.c - stored error rows in, each in the tagged form out. */
#include "validate.h"

#include <stdlib.h>

#include "base/mem.h"
#include <lh/validation_error.h>

static void *worker_new(void *ctx, struct lh_err *err)
{
	struct lh_buf *scratch = lh_calloc(1, sizeof *scratch, err);

	(void)ctx;
	if (scratch)
		lh_buf_init(scratch, LH_BUF_NOMAX);
	return scratch;
}

static void worker_free(void *worker)
{
	lh_buf_free(worker);
	free(worker);
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	struct lh_value row = { .p = rec->line, .n = rec->len, .type = LH_OBJECT };
	struct lh_validation_error e;

	lh_buf_reset(worker);
	if (lh_validation_error_read(&row, worker, &e, err) < 0)
		return -1;
	lh_validation_error_json(out, &e);
	return 0;
}

int normalize_run(struct lh_tool *tool)
{
	return lh_records_run(tool, &(struct lh_flow){ .map = on_record, .worker_new = worker_new, .worker_free = worker_free });
}
