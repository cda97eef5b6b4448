/* log_swap.c - replace, reduce and remove INDEX-log.  See index_log.h. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "index_log.h"
#include "base/mem.h"

int lh_index_log_remove(const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *name = lh_index_sibling_path(path, LH_INDEX_LOG);
	int rc = 0;

	if (unlink(name) == 0)	/* a power loss must not bring it back */
		rc = lh_sync_folder(name, err);
	else if (errno != ENOENT)
		rc = lh_err_sys(err, "%s: cannot remove", name);
	return rc;
}

static int write_log(const char *path, const char *name, const struct lh_buf *a,
		     const struct lh_buf *b, struct lh_err *err)
{
	LH_SCOPED(lh_atomic_close) struct lh_atomic out;
	int rc;

	/* The log gets the permissions of the index. */
	rc = lh_atomic_open_beside(&out, name, path, 0600, err);
	if (rc == 0)
		rc = lh_write_all(out.fd, a->p, a->len, err);
	if (rc == 0)
		rc = lh_write_all(out.fd, b->p, b->len, err);
	return rc ? rc : lh_atomic_commit(&out, err);
}

int lh_log_replace(const char *path, const struct lh_buf *a, const struct lh_buf *b,
		   struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *name = NULL;

	if (a->len + b->len == 0)
		return lh_index_log_remove(path, err);
	name = lh_index_sibling_path(path, LH_INDEX_LOG);
	return write_log(path, name, a, b, err);
}

int lh_log_collect(const struct lh_buf *log, uint64_t checksum, bool others, uint64_t from,
		   struct lh_buf *out, struct lh_err *err)
{
	struct lh_log_frame f = { .next = 0 };
	struct lh_log_mark mark;
	enum lh_log_step step;
	bool ours = false, is_mark;

	while ((step = lh_log_next(log->p, log->len, true, &f)) == LH_LOG_FRAME) {
		is_mark = f.kind == LH_LOG_MARK || f.at == 0;
		if (is_mark && lh_log_get_mark(&f, &mark, err) < 0)
			return -1;
		if (is_mark)
			ours = mark.checksum == checksum;
		if (others ? !ours : ours && !is_mark && f.at >= from)
			lh_buf_add(out, log->p + f.at, f.next - f.at);
	}
	if (step == LH_LOG_DAMAGED)
		return lh_err_set(err, LH_ECORRUPT, "log: damaged at byte %llu",
				  (unsigned long long)f.at);
	return 0;
}

int lh_index_log_discard(const char *path, uint64_t checksum, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf log = { 0 }, others = { 0 };
	struct lh_buf nothing;
	int rc;

	lh_buf_init(&nothing, 1);
	rc = lh_log_read(path, &log, err);
	if (rc == 0 && lh_log_collect(&log, checksum, true, 0, &others, err) < 0) {
		/* It is unreadable, and a build is the way to recover from that. */
		rc = err->code == LH_ECORRUPT ? lh_index_log_remove(path, err) : -1;
	} else if (rc == 0 && others.len < log.len) {
		rc = lh_log_replace(path, &others, &nothing, err);
	}
	return rc;
}
