/* made.c - what stands where lh-index writes, and whether it is replaced. */
#include "file/file.h"
#include "index.h"
#include "index/hnswlib.h"
#include "index/index_tools.h"
#include <lh/playbook.h>

#define LINE_MAX ((size_t)1 << 20)	/* bytes in which a first line must end */

uint64_t length_of(const char *path)
{
	struct lh_index_stats st = { .live = 0 };
	struct lh_err unused;
	struct lh_index *ix = lh_index_open(path, &unused);

	if (ix)
		lh_index_get_stats(ix, &st);
	lh_index_close(ix);
	return st.live;
}

void show_stage(void *ctx, const char *stage, uint64_t done, uint64_t of)
{
	struct lh_tool *tool = ctx;

	lh_tool_doing(tool, stage);
	lh_tool_share(tool, done, of);
}

static bool is_hnswlib(const char *path)
{
	struct lh_err unused;
	struct lh_hnswlib *h = lh_hnswlib_load(path, LH_L2, &unused);

	lh_hnswlib_free(h);
	return h;
}

/* Copy the first line of a file. */
static bool read_line(const char *path, struct lh_buf *line)
{
	struct lh_mapped m;
	struct lh_err unused;
	const char *end;

	if (lh_mapped_open(&m, path, &unused) < 0)
		return false;
	end = memchr(m.p, '\n', m.n < LINE_MAX ? m.n : LINE_MAX);
	if (end)
		lh_buf_add(line, m.p, (size_t)(end - m.p));
	lh_mapped_close(&m);
	return end != NULL;
}

/* Return whether the first line has the id and metadata of a vector, and nothing else. */
static bool is_ids(const char *path)
{
	LH_SCOPED(lh_buf_free) struct lh_buf line = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_err unused;
	size_t i;
	bool is;

	is = read_line(path, &line) && lh_record_parse(&rec, line.p, line.len, &unused) == 0 &&
		lh_record_get(&rec, "id");
	for (i = 0; is && i < rec.n; i++)
		is = lh_value_is(&rec.member[i].key, "id", 2) ||
			lh_value_is(&rec.member[i].key, "label", 5) ||
			lh_value_is(&rec.member[i].key, "metadata", 8);
	return is;
}

static const struct lh_made made_index = { "an index", { LH_INDEX_MAGIC }, NULL };
const struct lh_made made_hnswlib = { "an index of hnswlib", { NULL }, is_hnswlib };
const struct lh_made made_ids = { "a list of ids", { NULL }, is_ids };

/* Return whether path is an index whose rows are entries of a playbook. */
static bool is_playbook(const char *path)
{
	struct lh_err unused;

	return length_of(path) && lh_playbook_check(path, &unused) == 0;
}

int index_replaces(struct lh_tool *tool, const char *path)
{
	if (lh_tool_replaces(tool, path, &made_index) < 0)
		return -1;
	if (!tool->force && is_playbook(path))
		return lh_tool_usage(tool, "%s: is a playbook, not an index: give another name, or "
				     "--force", path);
	return 0;
}
