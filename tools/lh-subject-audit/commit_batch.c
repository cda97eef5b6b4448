/* commit_batch.c - entries of many logs into a tree, and their cursors.  See commit.h. */
#include "commit.h"

#include <stdlib.h>

#include "base/mem.h"
#include "json/write.h"

#define ENTRIES ((size_t)1 << 16)	/* of a batch */

/* ---- .tlog ---- */

struct state {
	struct lh_str origin;
	uint64_t size;
};
static const struct lh_bind state_members[] = {
	{ LH_BIND_STRING("origin", struct state, origin), .required = true },
	{ LH_BIND_U64("size", struct state, size, 0, INT64_MAX), .required = true },
	LH_BIND_END
};

/* Set b->size to that of .tlog: 1; 0 if there is none, or it is torn. */
static int read_state(struct batch *b, struct lh_err *err)
{
	const struct lh_tlog_head *head = lh_tlog_head(b->tree);
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = LH_TLOG_NOTE_MAX }, strings = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct state s = { .size = 0 };
	int rc = lh_file_read(b->state, &text, err);

	if (rc <= 0)
		return rc;
	if (lh_record_parse(&rec, text.p, text.len, err) < 0 ||
	    lh_bind(state_members, &rec, &s, &strings, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	if (!lh_str_is(head->origin, s.origin.p, s.origin.n))
		return lh_err_set(err, LH_EIO, "%s: its rows are in the log %.*s, not in %.*s",
				  b->state, (int)s.origin.n, s.origin.p, (int)head->origin.n,
				  head->origin.p);
	if (s.size > head->size)
		return lh_err_set(err, LH_ECORRUPT,
				  "%s: the log %.*s had %llu entries, and has %llu: an older "
				  "copy of it?", b->state, (int)s.origin.n, s.origin.p,
				  (unsigned long long)s.size, (unsigned long long)head->size);
	b->size = s.size;
	return 1;
}

static int write_state(struct batch *b, struct lh_err *err)
{
	const struct lh_tlog_head *head = lh_tlog_head(b->tree);
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(&text);

	lh_write_object(&w, NULL);
	lh_write_str(&w, "origin", head->origin);
	lh_write_u64(&w, "size", head->size);
	lh_write_end(&w);
	lh_buf_putc(&text, '\n');
	return lh_atomic_put(b->state, 0600, &text, err);
}

/* ---- open and close ---- */

int batch_open(struct batch *b, const char *dir, struct lh_tlog *tree, double lock_timeout,
	       struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *lock = lh_subject_path(dir, ".tlog", ".lock");

	*b = (struct batch){ .tree = tree, .lock = { .fd = -1 } };
	b->state = lh_subject_path(dir, ".tlog", "");
	b->entry = lh_calloc(ENTRIES, sizeof *b->entry);
	b->text = lh_calloc(ENTRIES, sizeof *b->text);
	if (lh_lock_take(&b->lock, lock, dir, lock_timeout, err) < 0)
		return -1;
	/* A batch publishes the tree that a killed writer signed. */
	return lh_tlog_begin(tree, err) < 0 ? -1 : lh_tlog_commit(tree, err);
}

int batch_look(struct batch *b, bool lost, bool none, struct lh_err *err)
{
	int rc = read_state(b, err);

	if (rc < 0)
		return -1;
	if (none)
		b->size = lh_tlog_head(b->tree)->size;
	else if (lost || !rc)
		b->size = 0;
	return lh_tlog_index(b->tree, b->size, &b->late, err);
}

static void free_log(struct committed_log *l)
{
	lh_commit_free(&l->at);
	free(l->path);
}

void batch_close(struct batch *b)
{
	while (b->n_logs)
		free_log(&b->log[--b->n_logs]);
	free(b->log);
	free(b->entry);
	free(b->text);
	lh_map_free(&b->late);
	lh_lock_drop(&b->lock);
	free(b->state);
}

/* ---- entries ---- */

/* Append the entries of the batch, then write the cursors of their logs. */
static int flush(struct batch *b, struct lh_err *err)
{
	uint64_t first = 0;
	size_t i;

	/* The names of logs and secrets are in the folder of .tlog. */
	if (b->n && (lh_sync_folder(b->state, err) < 0 ||
		     lh_tlog_append(b->tree, b->text, b->n, &first, err) < 0))
		return -1;
	b->appended += b->n;
	b->n = 0;
	for (i = 0; i < b->n_logs; i++) {
		struct committed_log *l = &b->log[i];

		if (l->rows)
			lh_commit_add(&l->at, first + l->first, l->rows, lh_str_of(l->tip));
		if ((l->rows || l->changed) && lh_commit_write(&l->at, l->path, err) < 0)
			return -1;
		l->rows = 0;
		l->changed = false;
	}
	for (i = 0; i + 1 < b->n_logs; i++)
		free_log(&b->log[i]);
	if (b->n_logs > 1)
		b->log[0] = b->log[b->n_logs - 1];
	b->n_logs = b->n_logs > 0;
	return 0;
}

void batch_begin_log(struct batch *b, const char *cursor, struct lh_commit *at)
{
	struct committed_log *l;

	lh_grow(&b->log, &b->cap, b->n_logs + 1, sizeof *b->log);
	l = &b->log[b->n_logs];
	*l = (struct committed_log){ .path = lh_strndup(cursor, strlen(cursor)) };
	l->at = *at;
	*at = (struct lh_commit){ .count = 0 };
	b->n_logs++;
}

/* Find a row that a killed run has appended; it comes after those in the batch. */
static int find_late(struct batch *b, const char entry[LH_COMMIT_ENTRY], struct lh_str row_hmac,
		     struct lh_err *err)
{
	uint8_t hash[LH_TLOG_HASH];
	uint64_t index;

	if (!b->late.n)
		return 0;
	lh_tlog_leaf(entry, LH_COMMIT_ENTRY, hash);
	if (!lh_tlog_index_find(&b->late, hash, &index))
		return 0;
	if (b->log[b->n_logs - 1].rows && flush(b, err) < 0)
		return -1;
	b->log[b->n_logs - 1].changed = true;
	lh_commit_add(&b->log[b->n_logs - 1].at, index, 1, row_hmac);
	return 1;
}

int batch_add(struct batch *b, const char entry[LH_COMMIT_ENTRY], struct lh_str row_hmac,
	      struct lh_err *err)
{
	struct committed_log *l;
	int rc = find_late(b, entry, row_hmac, err);

	if (rc)
		return rc < 0 ? -1 : 0;
	l = &b->log[b->n_logs - 1];
	if (!l->rows++)
		l->first = b->n;
	memcpy(l->tip, row_hmac.p, LH_CHAIN_TIP - 1);
	memcpy(b->entry[b->n], entry, LH_COMMIT_ENTRY);
	b->text[b->n] = (struct lh_str){ b->entry[b->n], LH_COMMIT_ENTRY };
	return ++b->n == ENTRIES ? flush(b, err) : 0;
}

int batch_end(struct batch *b, bool passed_over, struct lh_err *err)
{
	if (flush(b, err) < 0)
		return -1;
	if (passed_over || lh_tlog_head(b->tree)->size == b->size)
		return 0;
	/* A cursor that a killed run has renamed may not be on disk under that name. */
	return lh_sync_folder(b->state, err) < 0 ? -1 : write_state(b, err);
}
