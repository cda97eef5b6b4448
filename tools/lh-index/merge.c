/* merge.c - lh-index merge, fetch and push: rows of other indexes, and copies of an index. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embed/hashv1.h"
#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "index.h"
#include "index/index_tools.h"
#include "json/write.h"
#include "store/store.h"

/* ---- shared with move ---- */

/* Return whether an index is of persons: it says so, or requests were told so. */
static bool index_of_persons(const char *path, const struct lh_list *named)
{
	const struct lh_str name = lh_index_name(path);
	struct lh_err unused;
	struct lh_index *ix;
	bool is = false;
	size_t i;

	for (i = 0; i < named->n && !is; i++)
		is = lh_str_is(name, named->v[i], strlen(named->v[i]));
	ix = is ? NULL : lh_index_open(path, &unused);	/* one that is damaged is reported later */
	is = is || (ix && lh_index_get_params(ix)->persons);
	lh_index_close(ix);
	return is;
}

int carry_persons(const char *dest, const char *src, const struct settings *s, unsigned jobs,
		  struct lh_err *err)
{
	const struct lh_list none = { .n = 0 };

	if (!index_of_persons(src, &s->persons) || index_of_persons(dest, &none))
		return 0;
	return lh_index_set_persons(dest, jobs, s->lock_timeout, err);
}

int transfer_open(struct transfer *t, const char *dest, const char *src, double lock_timeout,
		  struct lh_err *err)
{
	if (src && same_file(dest, src))
		return lh_err_set(err, LH_EUSAGE, "%s: is DEST itself", src);
	if (changes_open(&t->to, dest, lock_timeout, err) < 0 ||
	    (src && changes_open(&t->from, src, lock_timeout, err) < 0))
		return -1;
	t->vector = lh_calloc(lh_index_change_params(t->to.c)->dimension, sizeof *t->vector);
	return 0;
}

void transfer_close(struct transfer *t)
{
	lh_index_change_close(t->to.c);
	lh_index_change_close(t->from.c);
	metadata_free(&t->meta);
	free(t->vector);
}

static const char *or_none(const char *s)
{
	return *s ? s : "none";
}

/* Report two models.  Of those of hash, either index can be made anew. */
static int other_model(const char *has, const char *want, const char *label, struct lh_err *err)
{
	if (!lh_hash_knows(has) || !lh_hash_knows(want) || strchr(label, '"'))
		return lh_err_set(err, LH_EUSAGE, "%s: model %s, expected %s", label, or_none(has),
				  or_none(want));
	return lh_err_set(err, LH_EUSAGE, "%s: model %s, expected %s: make one of the two indexes "
			  "anew, by lh-index upgrade --model %s INDEX",
			  label, has, want, LH_HASH_MODEL);
}

/* Check that an index with parameters has fits one with those wanted. */
static int same_kind(const struct lh_index_params *has, const struct lh_index_params *want,
		     const char *label, struct lh_err *err)
{
	if (want->dimension != has->dimension)
		return lh_err_set(err, LH_EUSAGE, "%s: dimension %u, expected %u", label,
				  has->dimension, want->dimension);
	if (want->distance != has->distance)
		return lh_err_set(err, LH_EUSAGE, "%s: distance %s, expected %s", label,
				  lh_distance_name(has->distance),
				  lh_distance_name(want->distance));
	if (strcmp(want->model, has->model) != 0)
		return other_model(has->model, want->model, label, err);
	return 0;
}

/* Check that the rows of src, if there are any, fit an index of these parameters: one
 * without a row may have been made before its dimension and model were known. */
static int rows_fit(const struct lh_index *src, const struct lh_index_params *want,
		    const char *label, struct lh_err *err)
{
	struct lh_index_stats st;

	lh_index_get_stats(src, &st);
	return st.live ? same_kind(lh_index_get_params(src), want, label, err) : 0;
}

int transfer_fits(const struct transfer *t, const char *path, const char *label,
		  struct lh_err *err)
{
	struct lh_index *src = lh_index_open(path, err);
	int rc = src ? same_kind(lh_index_get_params(src), lh_index_change_params(t->to.c), label,
				 err) : -1;

	lh_index_close(src);
	return rc;
}

/* Verify the checksums of a file, but once only if all batches of a move read it. */
static int check_sums(struct transfer *t, struct lh_index *src, struct lh_err *err)
{
	struct lh_index_identity is = lh_index_identity(src);

	if (lh_index_same(&t->verified, &is))
		return 0;
	if (lh_index_check_sums(src, err) < 0)
		return -1;
	t->verified = is;
	return 0;
}

struct lh_index *transfer_source(struct transfer *t, const char *path, struct lh_err *err)
{
	struct lh_index *src = lh_index_open(path, err);
	int rc = src ? rows_fit(src, lh_index_change_params(t->to.c), path, err) : -1;

	if (rc == 0 && (check_sums(t, src, err) < 0 || lh_index_check_order(src, err) < 0))
		rc = lh_err_prefix(err, "%s", path);
	if (rc == 0)
		return src;
	lh_index_close(src);
	return NULL;
}

int transfer_row(struct transfer *t, transfer_fn *put, const struct lh_index *src, uint64_t at,
		 const struct lh_row *row, struct lh_err *err)
{
	const char *meta;

	if (lh_index_check_row_meta(&t->meta.scan, &t->meta.copy, row->meta, at, err) < 0)
		return -1;
	meta = row->meta.n ? t->meta.copy.p : "{}";
	lh_index_vector(src, at, t->vector);
	if (put(t->to.c, row->id.p, row->id.n, t->vector,
		lh_index_change_params(t->to.c)->dimension, meta, row->meta.n ? row->meta.n : 2,
		err) == 0)
		return 1;
	if (!t->lenient || err->code != LH_EDATA)
		return lh_err_prefix(err, "row %llu", (unsigned long long)at);
	t->failed++;
	return 0;
}

/* ---- merge ---- */

/* Gather the rows of an open index that DEST lacks, and store most of them. */
static int merge_source(struct transfer *t, const struct lh_index *src, const char *path,
			struct lh_err *err)
{
	uint64_t i, at, n = lh_index_rows(src);
	struct lh_row row;
	int rc = 0;

	for (i = 0; rc == 0 && i < n && !lh_stopping(); i++) {
		rc = lh_index_nth_row(src, i, &at, &row, err);
		if (rc > 0)
			rc = transfer_row(t, lh_index_change_put_new, src, at, &row, err);
		if (rc > 0)
			rc = changes_store_some(&t->to, err);
		if (rc < 0)
			lh_err_prefix(err, "%s", path);
	}
	return rc;
}

int merge_rows(struct transfer *t, const char *path, struct lh_err *err)
{
	struct lh_index *src = transfer_source(t, path, err);
	int rc = src ? merge_source(t, src, path, err) : -1;

	lh_index_close(src);
	return rc;
}

/* Print the counts of a merge. */
static int merge_counts(struct lh_tool *tool, uint64_t merged, uint64_t skipped)
{
	return lh_tool_out_counts(tool, (const char *const[]){ "merged", "skipped" },
				  (uint64_t[]){ merged, skipped }, 2);
}

/* Check that the sources fit, and are what was written. */
static int check_sources(struct lh_tool *tool, struct lh_index **src,
			 const struct lh_index_params *want)
{
	struct lh_err *err = &tool->err;
	size_t i;

	for (i = 0; i + 1 < tool->n_operands; i++) {
		if (rows_fit(src[i], want, tool->operands[1 + i], err) < 0)
			return -1;
		if (lh_index_check_sums(src[i], err) < 0 || lh_index_check_order(src[i], err) < 0)
			return lh_err_prefix(err, "%s", tool->operands[1 + i]);
		if (not_stopped(tool) < 0)
			return -1;
	}
	return 0;
}

/* Merge all sources, if all are good and fit, into the DEST that is there. */
static int merge_into(struct lh_tool *tool, const struct settings *s, struct lh_index **src)
{
	LH_SCOPED(transfer_close) struct transfer t = { .vector = NULL };
	char **path = tool->operands;
	const struct lh_index_tally *tally;
	size_t i, n = tool->n_operands;
	int rc = 0;

	for (i = 1; !rc && i < n; i++)
		rc = carry_persons(path[0], path[i], s, (unsigned)tool->jobs, &tool->err);
	if (rc || transfer_open(&t, path[0], NULL, s->lock_timeout, &tool->err) < 0 ||
	    check_sources(tool, src, lh_index_change_params(t.to.c)) < 0)
		return -1;
	for (i = 1; i < n; i++)
		if (merge_source(&t, src[i - 1], path[i], &tool->err) < 0 || not_stopped(tool) < 0)
			return -1;
	if (changes_finish(&t.to, tool, s) < 0)
		return -1;
	tally = lh_index_change_tally(t.to.c);
	return merge_counts(tool, tally->added, tally->existing);
}

/* ---- merge to a new index ---- */

/*
 * The rows are gathered as those of a build, under the lock of DEST, and the file is put into
 * place at the end.  A merge that is killed leaves no DEST.  Of two at once, the second waits,
 * and then merges into the DEST of the first.
 */

/* Return 1 if there is a file of that name, of any kind, 0 if not, or -1. */
static int exists(const char *path, struct lh_err *err)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return 1;
	return errno == ENOENT ? 0 : lh_err_sys(err, "%s", path);
}

/* Choose the parameters of the first source that has a record; one without may have been made
 * before its dimension and model were known. */
static struct lh_index_params choose_params(struct lh_tool *tool, struct lh_index **src)
{
	struct lh_index_stats st = { .live = 0 };
	size_t i, n = tool->n_operands - 1;
	struct lh_index_params p;

	for (i = 0; i < n; i++) {
		lh_index_get_stats(src[i], &st);
		if (st.live)
			break;
	}
	p = *lh_index_get_params(src[i < n ? i : 0]);
	p.repaired = 0;
	lh_tool_time(tool, p.created_at);
	for (i = 0; i < n; i++)
		p.persons |= lh_index_get_params(src[i])->persons;
	return p;
}

/* Gather the rows of a source; tally: merged, skipped. */
static int take_rows(struct lh_tool *tool, struct lh_index_writer *w, const struct lh_index *src,
		     uint64_t tally[2])
{
	uint64_t i, at, n = lh_index_rows(src);
	struct lh_row row;
	int rc;

	for (i = 0; i < n && !lh_stopping(); i++) {
		rc = lh_index_nth_row(src, i, &at, &row, &tool->err);
		if (!rc)
			continue;
		rc = rc < 0 ? -1 : lh_index_writer_take(w, src, at, &row, &tool->err);
		if (rc < 0)
			return -1;
		tally[!rc]++;
	}
	return not_stopped(tool);
}

static int write_dest(struct lh_tool *tool, struct lh_index_writer *w, struct lh_index **src)
{
	uint64_t tally[2] = { 0, 0 };
	size_t i;

	for (i = 1; i < tool->n_operands; i++)
		if (take_rows(tool, w, src[i - 1], tally) < 0)
			return lh_err_prefix(&tool->err, "%s", tool->operands[i]);
	lh_index_writer_watch(w, show_stage, tool);
	if (lh_index_commit(w, (unsigned)tool->jobs, &tool->err) < 0)
		return -1;
	return merge_counts(tool, tally[0], tally[1]);
}

/* Make DEST from the records of all sources, unless it is there meanwhile: 1, 0, -1. */
static int merge_new(struct lh_tool *tool, const struct settings *s, struct lh_index **src)
{
	struct lh_index_params p = choose_params(tool, src);
	const char *dest = tool->operands[0];
	struct lh_index_writer *w;
	int there, rc;

	if (check_sources(tool, src, &p) < 0)
		return -1;
	w = lh_index_writer_new(dest, &p, s->lock_timeout, &tool->err);
	there = w ? exists(dest, &tool->err) : -1;
	rc = there < 0 ? -1 : there ? 0 : write_dest(tool, w, src) < 0 ? -1 : 1;
	lh_index_writer_free(w);
	return rc;
}

int index_merge(struct lh_tool *tool, void *settings)
{
	const size_t n = tool->n_operands - 1;
	LH_SCOPED(lh_free_local) struct lh_index **src = lh_calloc(n, sizeof *src);
	int there = exists(tool->operands[0], &tool->err), rc = there < 0 ? -1 : 0;
	size_t i;

	/* what was checked is what is read, whatever the paths lead to later */
	for (i = 0; !rc && i < n; i++) {
		src[i] = lh_index_open(tool->operands[1 + i], &tool->err);
		rc = src[i] ? 0 : -1;
	}
	if (!rc && !there)
		rc = merge_new(tool, settings, src);
	if (!rc)
		rc = merge_into(tool, settings, src);
	for (i = 0; i < n; i++)
		lh_index_close(src[i]);
	return rc < 0 ? -1 : 0;
}

/* ---- fetch and push ---- */

#define TRIES 5		/* while the index changes */

struct fetched {
	struct lh_tool *tool;
	uint64_t bytes;
};

static void on_moved(void *context, uint64_t n)
{
	struct fetched *f = context;

	f->bytes += n;
	lh_tool_bytes(f->tool, f->bytes, 0);
}

/* Print what was moved: the object, the size of the index and that of its log. */
static int print_moved(struct lh_tool *tool, const char *how, const char *object,
		       const struct lh_transfer *done, bool log)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_write_object(&w, NULL);
	lh_write_text(&w, how, object);
	lh_write_u64(&w, "size", done[0].size);
	lh_write_u64(&w, "log_size", log ? done[1].size : 0);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &line);
}

/* Set the tag of an object; "": there is none, if that is allowed. */
static int look(struct lh_store *store, const char *key, bool needed, char etag[LH_ETAG_MAX],
		struct lh_err *err)
{
	struct lh_object o;
	int rc = lh_store_head(store, key, &o, err);

	if (rc < 0 && (needed || err->status != 404))
		return -1;
	snprintf(etag, LH_ETAG_MAX, "%s", rc < 0 ? "" : o.etag);
	return 0;
}

/* Copy the index and its log: 1 if one of them has changed meanwhile. */
static int fetch(struct lh_store *store, const char *const key[2], const char *const path[2],
		 struct lh_transfer done[2], struct lh_err *err)
{
	char etag[2][LH_ETAG_MAX];
	int i;

	for (i = 0; i < 2; i++)
		if (look(store, key[i], !i, etag[i], err) < 0)
			return -1;
	unlink(path[1]);
	for (i = 1; i >= 0; i--) {	/* the index last, which makes the copy complete */
		if (!*etag[i])
			continue;
		if (lh_store_get_file(store, key[i], path[i], &done[i], err) < 0)
			return err->status == 404 ? 1 : -1;
		if (strcmp(done[i].etag, etag[i]) != 0)
			return 1;
	}
	return 0;
}

int index_fetch(struct lh_tool *tool, void *settings)
{
	struct lh_store_opts opts = LH_STORE_DEFAULTS;
	struct fetched fetched = { .tool = tool };
	const char *object = tool->operands[0], *path = tool->operands[1], *key;
	LH_SCOPED(lh_free_local) char *log = NULL, *log_key = NULL;
	struct lh_transfer done[2] = { { .size = 0 } };
	struct lh_store *store;
	int rc = 1, tries;

	(void)settings;
	opts.moved = on_moved;
	opts.context = &fetched;
	store = lh_store_of(object, &opts, &key, &tool->err);
	if (!store)
		return -1;
	log = lh_format("%s-log", path);
	log_key = lh_format("%s-log", key);
	for (tries = 0; rc > 0 && tries < TRIES; tries++)
		rc = fetch(store, (const char *const[]){ key, log_key },
			   (const char *const[]){ path, log }, done, &tool->err);
	lh_store_close(store);
	if (rc > 0)
		rc = lh_err_set(&tool->err, LH_ENET, "%s: changes all the time", object);
	return rc ? -1 : print_moved(tool, "fetched", object, done, done[1].size > 0);
}

int index_push(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	const char *path = tool->operands[0], *object = tool->operands[1], *key;
	struct lh_store_opts opts = LH_STORE_DEFAULTS;
	struct lh_transfer done[2];
	struct lh_store *store;
	int fd[2], rc = -1;

	if (!lh_store_is_s3(object))
		return lh_tool_usage(tool, "push: \"%s\" is not s3://BUCKET/KEY", object);
	store = lh_store_of(object, &opts, &key, &tool->err);
	if (store && lh_index_open_files(path, s->lock_timeout, fd, &tool->err) == 0) {
		const struct lh_put put = { .fd = fd[0] };

		rc = lh_index_is(fd[0]) ?
			lh_store_put_two(store, key, &put, "-log", fd[1], done, &tool->err) :
			lh_err_set(&tool->err, LH_ECORRUPT, "%s: is not an index", path);
		close(fd[0]);
		if (fd[1] >= 0)
			close(fd[1]);
	}
	lh_store_close(store);
	return rc ? -1 : print_moved(tool, "pushed", object, done, fd[1] >= 0);
}
