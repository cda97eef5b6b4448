/*
 * lineage_keys.c - the keys of all rows of a file, read on threads.
 *
 * Memory:  8 bytes for each key; a row has one to four.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "flow/flow.h"
#include "lineage_parts.h"

struct mapper {
	struct lh_row_ids ids;
	enum lh_place place;
};

static int mapper_init(void *context, void *shared, struct lh_err *err)
{
	(void)err;
	((struct mapper *)context)->place = ((const struct lh_lineage_file *)shared)->place;
	return 0;
}

static void mapper_free(void *context)
{
	lh_row_ids_free(&((struct mapper *)context)->ids);
}

/* The result of a row is whether it is a record. */
static int fill(struct lh_record *rec, void *bad, struct lh_buf *out, void *context,
		struct lh_err *err)
{
	struct mapper *m = context;

	(void)bad;
	return lh_row_keys(&m->ids, m->place, rec, out, err) < 0 ||
	       lh_row_person_keys(rec, &m->ids.scratch, out, err) < 0 ? -1 : 1;
}

static void on_bad(const struct lh_bad_line *line, void *bad, struct lh_buf *out, void *context)
{
	(void)line;
	(void)out;
	(void)context;
	*(bool *)bad = true;
}

static int sink(const struct lh_output *o, void *shared, struct lh_err *err)
{
	struct lh_lineage_file *f = shared;
	uint32_t key;
	size_t i;

	if (o->line > UINT32_MAX)
		return lh_err_set(err, LH_EIO, "%s: more than 2^32 lines", o->file);
	f->others |= *(const bool *)o->result;
	lh_grow(&f->key, &f->cap_keys, f->n_keys + o->n / sizeof key, sizeof *f->key);
	for (i = 0; i + sizeof key <= o->n; i += sizeof key) {
		memcpy(&key, o->text + i, sizeof key);
		f->key[f->n_keys++] = (uint64_t)key << 32 | o->line;
	}
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int lh_lineage_keys(struct lh_lineage *l, size_t i, struct lh_err *err)
{
	struct lh_lineage_file *f = &l->file[i];
	const struct lh_flow flow = {
		.plain = true, .tombstones = true, .jobs = l->how.jobs, .fill = fill,
		.result_size = sizeof(bool), .bad = on_bad, .sink = sink, .shared = f,
		.context_size = sizeof(struct mapper), .context_init = mapper_init,
		.context_free = mapper_free,
	};
	int fd = lh_lineage_open_file(l, i, err);

	if (fd < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "%s", f->path);
	if (lh_flow_fd(f->path, fd, &flow, err) < 0)
		return -1;
	if (lh_stopping())
		return lh_err_set(err, LH_EINTR, "interrupted");
	if (f->n_keys)
		qsort(f->key, f->n_keys, sizeof *f->key, by_key);
	f->keyed = true;
	return 0;
}
