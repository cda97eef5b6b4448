/*
 * roster_lines.c - a roster from JSON Lines, on several threads.
 *
 * The table has its workers in the order of the lines, so that it, and the first bad line,
 * do not depend on the number of threads.
 */
#include "flow/flow.h"
#include "roster_parts.h"

static void reader_free(void *reader)
{
	lh_roster_reader_free(reader);
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *reader, struct lh_err *err)
{
	return lh_roster_pack(reader, rec, (struct lh_str){ "", 0 }, out, err);
}

static int on_worker(const struct lh_output *o, void *table, struct lh_err *err)
{
	return lh_roster_add(table, o->text, o->n, err);
}

/* "workers.jsonl:17:3: reason"; of a file of another kind, what to do with it. */
static int on_rejected(void *owner, const struct lh_rejection *r, struct lh_err *err)
{
	const char *hint = r->opening ? lh_hint_of((struct lh_str){ r->record, r->n }) : NULL;

	(void)owner;
	if (hint) {
		lh_err_set(err, LH_EDATA, "%s", hint);
		return lh_err_prefix(err, "%s", r->file);
	}
	lh_err_set(err, LH_EDATA, "%s", r->why);
	if (r->column)
		return lh_err_prefix(err, "%s:%llu:%zu", r->file, (unsigned long long)r->line,
				     r->column);
	return lh_err_prefix(err, "%s:%llu", r->file, (unsigned long long)r->line);
}

int lh_roster_read(struct lh_roster_table *t, const char *path, int fd, unsigned jobs,
		   struct lh_err *err)
{
	static const struct lh_flow_hooks hooks = { .rejected = on_rejected };

	return lh_flow_fd(path, fd, &(struct lh_flow){
		.map = on_record, .sink = on_worker, .shared = t, .jobs = jobs, .tombstones = true,
		.context_size = sizeof(struct lh_roster_reader),
		.context_free = reader_free, .hooks = &hooks, .stop_at_reject = true }, err);
}
