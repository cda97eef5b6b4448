/* normalize.c - stored error rows in, each in the tagged form out. */
#include "validate.h"

#include <lh/validation_error.h>

static void scratch_free(void *scratch)
{
	lh_buf_free(scratch);
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

int normalize_run(struct lh_tool *tool, void *settings)
{
	(void)settings;
	return lh_records_run(tool, &(struct lh_flow){
		.map = on_record,
		.context_size = sizeof(struct lh_buf),
		.context_free = scratch_free });
}
