/*
 * roster.c - open a roster, find workers, read an index as a roster.  See
 * lh/roster.h.
 */
#include "index/index_tools.h"
#include <lh/roster.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "file/held.h"
#include "base/mem.h"
#include "roster_parts.h"
#include "validate_parts.h"
#include <lh/digest.h>

struct lh_roster {
	atomic_uint extra_refs;		/* references, but one */
	struct lh_stamp stamp;		/* of lines */
	struct lh_roster_table table;	/* of an index: valid once whole is set */
	struct lh_index *index;		/* or NULL */
	char *path;
	pthread_mutex_t lock;		/* held to fill the table from the index */
	/* 1: the table is complete; -1: it cannot be made, see err */
	int table_state;
	struct lh_err err;
};

/* ---- open ---- */

static int open_input(const char *path, struct lh_err *err)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	struct stat st;

	if (fd < 0)
		return lh_err_sys(err, "%s: cannot open", path);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		if (fd != STDIN_FILENO)
			close(fd);
		return lh_err_set(err, LH_EIO, "%s: is a directory", path);
	}
	return fd;
}

/* Fill a new roster.  before: the index of the roster before it, or NULL. */
static int fill_roster(struct lh_roster *r, const char *path, struct lh_index *before,
		       unsigned jobs, struct lh_err *err)
{
	int fd, rc = 0;

	lh_stamp_take(&r->stamp, path);
	r->stamp.stream |= !strcmp(path, "-");
	r->path = lh_strndup(path, strlen(path));
	fd = open_input(path, err);
	if (fd < 0)
		return -1;
	if (fd != STDIN_FILENO && lh_index_is(fd))
		rc = (r->index = before ? lh_index_renew(before, err) : lh_index_open(path, err))
			? 0 : -1;
	else
		rc = lh_roster_read(&r->table, path, fd, jobs, err);
	if (fd != STDIN_FILENO)
		close(fd);
	return rc;
}

static struct lh_roster *open_after(const char *path, struct lh_index *before, unsigned jobs,
				    struct lh_err *err)
{
	struct lh_roster *r = lh_calloc(1, sizeof *r);

	pthread_mutex_init(&r->lock, NULL);
	if (fill_roster(r, path, before, jobs, err) < 0) {
		lh_roster_close(r);
		return NULL;
	}
	return r;
}

struct lh_roster *lh_roster_open(const char *path, unsigned jobs, struct lh_err *err)
{
	return open_after(path, NULL, jobs, err);
}

bool lh_roster_stale(const struct lh_roster *r)
{
	return r->index ? lh_index_stale(r->index) : !lh_stamp_fits(&r->stamp, r->path);
}

struct lh_roster *lh_roster_renew(struct lh_roster *r, unsigned jobs, struct lh_err *err)
{
	if (lh_roster_stale(r))
		return open_after(r->path, r->index, jobs, err);
	atomic_fetch_add(&r->extra_refs, 1);
	return r;
}

void lh_roster_close(struct lh_roster *r)
{
	if (!r || atomic_fetch_sub(&r->extra_refs, 1) > 0)
		return;
	pthread_mutex_destroy(&r->lock);
	lh_roster_table_free(&r->table);
	lh_index_close(r->index);
	free(r->path);
	free(r);
}

uint64_t lh_roster_count(const struct lh_roster *r)
{
	struct lh_index_stats st;

	if (!r->index)
		return r->table.ids.n;
	lh_index_get_stats(r->index, &st);
	return st.live;
}

static int hash_file(int fd, unsigned char hash[32], struct lh_err *err)
{
	struct lh_sha256 sum;
	char piece[65536];
	ssize_t n;

	lh_sha256_start(&sum);
	while ((n = read(fd, piece, sizeof piece)) != 0) {
		if (n > 0)
			lh_sha256_more(&sum, piece, (size_t)n);
		else if (errno != EINTR)
			return lh_err_sys(err, "cannot read");
	}
	lh_sha256_end(&sum, hash);
	return 0;
}

int lh_roster_version(const struct lh_roster *r, char to[LH_VERSION_MAX], struct lh_err *err)
{
	unsigned char hash[32];
	struct lh_stamp now;
	int fd, rc;

	*to = '\0';
	if (r->index) {
		lh_index_generation(r->index, to);
		return 0;
	}
	if (r->stamp.stream)
		return 0;
	fd = open(r->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return lh_err_sys(err, "%s: cannot open", r->path);
	rc = hash_file(fd, hash, err);
	close(fd);
	if (rc < 0)
		return lh_err_prefix(err, "%s", r->path);
	lh_stamp_take(&now, r->path);
	if (!lh_stamp_same(&r->stamp, &now))	/* that of before it was read */
		return 0;
	lh_hex(hash, sizeof hash, to);
	to[LH_SHA256_HEX] = '\0';
	return 0;
}

/* ---- an index ---- */

/* Append the worker of a row, packed. */
static int pack_row(const struct lh_roster *r, struct lh_roster_reader *rd,
		    const struct lh_row *row, struct lh_buf *out, struct lh_err *err)
{
	lh_buf_reset(&rd->text);
	lh_buf_add(&rd->text, row->meta.p, row->meta.n);
	if (!row->meta.n)
		lh_buf_puts(&rd->text, "{}");
	if (lh_record_parse(&rd->rec, rd->text.p, rd->text.len, err) == 0 &&
	    lh_roster_pack(rd, &rd->rec, row->id, out, err) == 0)
		return 0;
	if (err->code == LH_EDATA)
		err->code = LH_ECORRUPT;
	err->column = 0;
	return lh_err_prefix(err, "%s: metadata of id \"%.*s\"", r->path, (int)row->id.n,
			     row->id.p);
}

static int read_row(const struct lh_roster *r, uint64_t at, struct lh_row *row, struct lh_err *err)
{
	int got = lh_index_row(r->index, at, row, err);

	return got < 0 ? lh_err_prefix(err, "%s", r->path) : got;
}

static int fill_table(struct lh_roster *r, struct lh_err *err)
{
	uint64_t i, at, rows = lh_index_rows(r->index);
	LH_SCOPED(lh_roster_reader_free) struct lh_roster_reader rd = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf packed = { 0 };
	struct lh_row row;
	int rc = lh_index_check_texts(r->index, err);

	if (rc == 0)
		rc = lh_index_check_order(r->index, err);
	if (rc < 0)
		return lh_err_prefix(err, "%s", r->path);
	for (i = 0; rc == 0 && i < rows; i++) {
		rc = lh_index_nth_row(r->index, i, &at, &row, err);
		if (rc < 0)
			lh_err_prefix(err, "%s", r->path);
		if (rc <= 0)
			continue;
		lh_buf_reset(&packed);
		rc = pack_row(r, &rd, &row, &packed, err);
		if (rc == 0)
			rc = lh_roster_add(&r->table, packed.p, packed.len, err);
	}
	return rc;
}

/* Make the table, in the first thread that needs it. */
static int ensure_table(const struct lh_roster *shared, struct lh_err *err)
{
	struct lh_roster *r = (struct lh_roster *)shared;
	int table_state = __atomic_load_n(&r->table_state, __ATOMIC_ACQUIRE);

	if (!table_state) {
		pthread_mutex_lock(&r->lock);
		table_state = r->table_state;
		if (!table_state) {
			table_state = fill_table(r, &r->err) < 0 ? -1 : 1;
			__atomic_store_n(&r->table_state, table_state, __ATOMIC_RELEASE);
		}
		pthread_mutex_unlock(&r->lock);
	}
	if (table_state > 0)
		return 0;
	*err = r->err;
	return -1;
}

/* Find a row with exactly that id that is the worker: 1, 0, -1. */
static int find_row(const struct lh_roster *r, struct lh_str id, struct lh_buf *scratch,
		    struct lh_worker *w, struct lh_err *err)
{
	LH_SCOPED(lh_roster_reader_free) struct lh_roster_reader rd = { 0 };
	struct lh_row row;
	int64_t at = lh_index_find(r->index, id.p, id.n, err);
	int got;

	if (at < 0)
		return at < -1 ? lh_err_prefix(err, "%s", r->path) : 0;
	got = read_row(r, (uint64_t)at, &row, err);
	if (got <= 0)
		return got;
	lh_buf_reset(scratch);
	got = pack_row(r, &rd, &row, scratch, err);
	if (got < 0)
		return -1;
	lh_roster_unpack(scratch->p, w);
	return lh_fold_equal(w->candidate_id.p, w->candidate_id.n, id.p, id.n);
}

/* ---- find ---- */

int lh_roster_find(const struct lh_roster *r, const char *id, size_t n, struct lh_buf *scratch,
		   struct lh_worker *w, struct lh_err *err)
{
	struct lh_str is = lh_trim(id, n);
	char key[LH_ID_MAX];
	int got;

	if (!is.n || is.n > LH_ID_MAX)
		return 0;
	if (r->index) {
		got = find_row(r, is, scratch, w, err);
		if (got)
			return got;
		if (ensure_table(r, err) < 0)
			return -1;
	}
	lh_roster_key(is.p, is.n, key);
	return lh_roster_get(&r->table, (struct lh_str){ key, is.n }, w);
}
