/* chain_append.c - append rows to logs.  See chain.h. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain_parts.h"
#include "file/file.h"
#include "json/write.h"
#include "base/mem.h"
#include "audit/subject.h"
#include "base/xxh3.h"

#define OPEN_LOGS 256	/* kept open; the one used longest ago is closed for another */
#define SYNCS 31	/* threads that sync logs, besides the caller's */
#define KEEP ((size_t)1 << 20)	/* bytes of rows; a larger buffer is freed */
/* 64 spaces: the place of a MAC. */
#define NO_MAC "                                                                "

/* One log of the folder, and its end when it was read last. */
struct tail {
	char name[LH_SUBJECT_MAX + 1];	/* the id's own name, whatever the file's is */
	char *path;		/* NULL: closed */
	int fd;
	uint64_t used;		/* time of the last use, as a counter */
	int64_t size;		/* -1: unknown */
	char tip[LH_CHAIN_TIP];
	struct lh_buf id;	/* its candidate_id */
	bool held;		/* locked by this process */
	struct lh_buf out;	/* rows to be written under that lock */
	bool dirty;		/* has rows that may not be on disk */
	bool made;		/* has a name that may not be on disk */
};

struct lh_chain_log {
	char *dir;
	const struct lh_chain_keys *keys;
	enum lh_chain_sync sync;
	double lock_timeout;
	pthread_mutex_t mutex;
	struct lh_chain_reader reader;
	struct lh_buf line;
	struct tail tail[OPEN_LOGS];
	uint64_t hash[OPEN_LOGS];	/* of their names */
	size_t n;
	uint64_t clock;
	bool lost;		/* rows since the last flush may not be on disk */
};

/* ---- one log ---- */

/* Write the rows with one write(2).  A write cut short by a full disk is undone,
 * which the lock permits. */
static int write_rows(struct tail *t, struct lh_err *err)
{
	int64_t size = t->size - (int64_t)t->out.len;
	ssize_t got, rest;

	do
		got = write(t->fd, t->out.p, t->out.len);
	while (got < 0 && errno == EINTR);
	if (got >= 0 && (size_t)got < t->out.len) {
		rest = write(t->fd, t->out.p + got, t->out.len - (size_t)got);
		if (rest > 0)
			got += rest;
		else if (rest == 0)
			errno = EIO;
	}
	if (got == (ssize_t)t->out.len)
		return 0;
	t->size = -1;
	lh_err_sys(err, "%s: write failed", t->path);
	if (got > 0 && ftruncate(t->fd, size) < 0)
		return lh_err_prefix(err, "%s: a torn line is left at byte %lld", t->path,
				     (long long)size);
	return -1;
}

/* Write the collected rows and unlock the log. */
static int release_log(struct tail *t, struct lh_err *err)
{
	int rc = 0;

	if (!t->held)
		return 0;
	if (t->out.len) {
		t->dirty = true;
		rc = write_rows(t, err);
	}
	lh_buf_reset(&t->out);
	if (t->out.cap > KEEP)
		lh_buf_free(&t->out);
	t->held = false;
	flock(t->fd, LOCK_UN);
	return rc;
}

static int sync_rows(struct tail *t, struct lh_err *err)
{
	bool dirty = t->dirty;

	t->dirty = false;	/* another sync after a failure would prove nothing */
	return dirty && fdatasync(t->fd) < 0 ? lh_err_sys(err, "%s: cannot sync", t->path) : 0;
}

static int sync_tail(struct tail *t, struct lh_err *err)
{
	bool made = t->made;

	t->made = false;
	return sync_rows(t, err) < 0 ? -1 : made ? lh_sync_folder(t->path, err) : 0;
}

/* ---- all logs together ---- */

/* The logs of a flush.  The disk takes many syncs at one time for little more than one. */
struct syncing {
	struct lh_chain_log *log;
	size_t next;
	pthread_mutex_t mutex;
	struct lh_err *err;
	bool failed;
};

static void *sync_some(void *arg)
{
	struct syncing *s = arg;
	struct lh_err err;
	struct tail *t;

	for (;;) {
		pthread_mutex_lock(&s->mutex);
		while (s->next < s->log->n && !s->log->tail[s->next].dirty)
			s->next++;
		t = s->next < s->log->n ? &s->log->tail[s->next++] : NULL;
		pthread_mutex_unlock(&s->mutex);
		if (!t)
			return NULL;
		if (sync_rows(t, &err) == 0)
			continue;
		pthread_mutex_lock(&s->mutex);
		if (!s->failed)
			*s->err = err;
		s->failed = true;
		pthread_mutex_unlock(&s->mutex);
	}
}

/* Sync the rows of all logs, on several threads; fewer if they cannot be created. */
static int sync_all_rows(struct lh_chain_log *l, struct lh_err *err)
{
	struct syncing s = { .log = l, .err = err };
	pthread_t thread[SYNCS];
	size_t i, dirty = 0, n = 0;

	for (i = 0; i < l->n; i++)
		dirty += l->tail[i].dirty;
	pthread_mutex_init(&s.mutex, NULL);
	while (n + 1 < dirty && n < SYNCS && !pthread_create(&thread[n], NULL, sync_some, &s))
		n++;
	sync_some(&s);
	while (n)
		pthread_join(thread[--n], NULL);
	pthread_mutex_destroy(&s.mutex);
	return s.failed ? -1 : 0;
}

/* Write the rows of all logs, and have them on disk. */
static int flush_logs(struct lh_chain_log *l, struct lh_err *err)
{
	const char *made = NULL;
	struct lh_err later;
	size_t i;
	int rc = 0;

	for (i = 0; i < l->n; i++)
		if (release_log(&l->tail[i], rc ? &later : err) < 0)
			rc = -1;
	if (l->sync == LH_CHAIN_NONE)
		return rc;
	if (sync_all_rows(l, rc ? &later : err) < 0)
		rc = -1;
	for (i = 0; i < l->n; i++) {
		made = l->tail[i].path && l->tail[i].made ? l->tail[i].path : made;
		l->tail[i].made = false;
	}
	if (made && lh_sync_folder(made, rc ? &later : err) < 0)
		rc = -1;
	return rc;
}

/* ---- open logs ---- */

static int close_tail(struct tail *t, bool sync, struct lh_err *err)
{
	int rc;

	if (!t->path)
		return 0;
	rc = release_log(t, err);
	if (!rc && sync)
		rc = sync_tail(t, err);
	if (close(t->fd) < 0 && errno != EINTR && !rc)
		rc = lh_err_sys(err, "%s: close failed", t->path);
	t->dirty = t->made = false;
	free(t->path);
	t->path = NULL;
	return rc;
}

static int open_tail(struct lh_chain_log *l, struct tail *t, const char *name, struct lh_str id,
		     struct lh_err *err)
{
	char log[LH_SUBJECT_MAX + 1];
	struct stat st;

	memcpy(t->name, name, strlen(name) + 1);
	if (lh_chain_log_name(log, l->dir, id.p, id.n, err) < 0)
		return -1;
	t->path = lh_subject_path(l->dir, log, LH_SUBJECT_LOG);
	t->made = lstat(t->path, &st) < 0 && errno == ENOENT;
	t->size = -1;
	t->fd = lh_open_regular(t->path, O_RDWR | O_APPEND | O_CREAT, 0600, err);
	if (t->fd >= 0)
		return 0;
	free(t->path);
	t->path = NULL;
	return -1;
}

/* Return the entry of the log of that name, or one to open it in. */
static struct tail *find_place(struct lh_chain_log *l, const char *name)
{
	uint64_t hash = lh_xxh3(name, strlen(name));
	size_t i, at = 0;

	for (i = 0; i < l->n; i++) {
		if (l->hash[i] == hash && strcmp(l->tail[i].name, name) == 0)
			return &l->tail[i];
		if (l->tail[i].used < l->tail[at].used)
			at = i;
	}
	if (l->n < OPEN_LOGS)
		at = l->n++;
	l->hash[at] = hash;
	return &l->tail[at];
}

/* Return the log of the id of that name, open. */
static struct tail *find_tail(struct lh_chain_log *l, const char *name, struct lh_str id,
			      struct lh_err *err)
{
	struct tail *t = find_place(l, name);

	t->used = ++l->clock;
	if (t->path && strcmp(t->name, name) == 0)
		return t;
	if (t->path && l->sync == LH_CHAIN_BATCH && (t->out.len || t->dirty) &&
	    flush_logs(l, err) < 0) {
		l->lost = true;
		return NULL;
	}
	if (close_tail(t, l->sync != LH_CHAIN_NONE, err) < 0 || open_tail(l, t, name, id, err) < 0)
		return NULL;
	return t;
}

/* Check that the last line is a row of this chain; it has the tip and the subject. */
static int check_last_row(struct lh_chain_log *l, struct tail *t, int64_t at, const char *line,
			  size_t n, struct lh_err *err)
{
	const char *why = "invalid JSON";
	struct lh_chain_line row;
	size_t key = 0;

	if (lh_chain_line(&l->reader, line, n, &row, err) < 0) {
		if (err->code != LH_EDATA)
			return -1;
	} else if (!row.id.p) {
		why = "candidate_id mismatch";
	} else if (!lh_chain_mac_fits(l->keys, &row, &key)) {
		why = "row_hmac mismatch (or is it another key's?)";
	} else {
		memcpy(t->tip, row.mac.p, LH_CHAIN_HEX);
		t->tip[LH_CHAIN_HEX] = '\0';
		lh_buf_reset(&t->id);
		lh_buf_add(&t->id, row.id.p, row.id.n);
		return 0;
	}
	return lh_err_set(err, LH_EDATA,
			  "%s: the last row, at byte %lld, is not one of its chain: %s", t->path,
			  (long long)at, why);
}

/* Refuse to go on behind the mark of an editor, after which no row is one of the chain. */
static int check_mark(const struct tail *t, struct lh_err *err)
{
	char first[3];
	const ssize_t n = pread(t->fd, first, sizeof first, 0);

	if (n < 0)
		return lh_err_sys(err, "%s", t->path);
	return lh_mark_len(first, (size_t)n) == 0 ? 0
		: lh_err_set(err, LH_EDATA, "%s: begins with the byte order mark of an editor; "
			     "remove its 3 bytes first", t->path);
}

/* Another process has written: read the end of the log. */
static int read_tail(struct lh_chain_log *l, struct tail *t, int64_t size, struct lh_err *err)
{
	const int64_t was = size;
	int64_t at;
	LH_SCOPED(lh_free_local) char *line = NULL;
	bool torn;
	size_t n;
	int rc;

	t->size = -1;
	if (lh_chain_end(t->fd, t->path, was, &size, err) < 0 ||
	    (size < was && lh_chain_cut(t->fd, t->path, size, err) < 0))
		return -1;
	if (!size) {
		memcpy(t->tip, LH_CHAIN_GENESIS, sizeof LH_CHAIN_GENESIS);
		lh_buf_reset(&t->id);
		t->size = 0;
		return 0;
	}
	if (check_mark(t, err) < 0 ||
	    lh_chain_last_line(t->fd, t->path, size, &at, &torn, err) < 0)
		return -1;
	if (torn)
		return lh_err_set(err, LH_EDATA,
				  "%s: the last line, at byte %lld, is torn; repair the log first",
				  t->path, (long long)at);
	if (lh_chain_read_line(t->fd, t->path, at, size, 0, &line, &n, err) < 0)
		return -1;
	rc = check_last_row(l, t, at, line, n, err);
	if (!rc)
		t->size = size;
	return rc;
}

/* Lock the log.  A thread that holds other logs must not wait. */
static int lock_tail(struct lh_chain_log *l, struct tail *t, struct lh_err *err)
{
	size_t i;

	if (flock(t->fd, LOCK_EX | LOCK_NB) == 0) {
		t->held = true;
		return 0;
	}
	for (i = 0; i < l->n; i++)
		if (release_log(&l->tail[i], err) < 0)
			return -1;
	if (lh_flock(t->fd, LOCK_EX, t->path, l->lock_timeout, err) < 0)
		return -1;
	t->held = true;
	return 0;
}

/* Lock the log and read its end if it changed: 1 if it is no longer the file that
 * its path leads to. */
static int hold_log(struct lh_chain_log *l, struct tail *t, struct lh_err *err)
{
	struct stat there, st;

	if (t->held)
		return 0;
	if (lock_tail(l, t, err) < 0)
		return -1;
	if (fstat(t->fd, &st) < 0)
		return lh_err_sys(err, "%s", t->path);
	if (stat(t->path, &there) < 0 || there.st_dev != st.st_dev || there.st_ino != st.st_ino)
		return 1;
	return st.st_size == t->size ? 0 : read_tail(l, t, st.st_size, err);
}

/* ---- a row ---- */

/* The line without its LF; row_hmac is not yet made. */
static void write_row(struct lh_buf *b, const struct lh_chain_row *r, const char *prev)
{
	struct lh_writer w = lh_write_to(b);
	size_t i;

	lh_buf_reset(b);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "schema", "subject_audit.v1");
	lh_write_str(&w, "ts", r->ts);
	lh_write_str(&w, "candidate_id", r->candidate_id);
	lh_write_object(&w, "accessor");
	lh_write_str(&w, "kind", r->accessor.kind);
	lh_write_str(&w, "daemon", r->accessor.daemon);
	lh_write_str(&w, "purpose", r->accessor.purpose);
	lh_write_str(&w, "trace_id", r->accessor.trace_id);
	if (r->accessor.token.p)
		lh_write_str(&w, "token", r->accessor.token);
	lh_write_end(&w);
	lh_write_array(&w, "fields_accessed");
	for (i = 0; i < r->n_fields; i++)
		lh_write_str(&w, NULL, r->field[i]);
	lh_write_end(&w);
	lh_write_text(&w, "result", r->result);
	lh_write_text(&w, "prev_chain_hash", prev);
	lh_write_str(&w, "row_hmac", (struct lh_str){ NO_MAC, LH_CHAIN_HEX });
	lh_write_end(&w);
}

/* Append the line of a row after prev, with its row_hmac.  The signed text is read
 * from the line, as a verifier will read it. */
static int sign_row(struct lh_chain_log *l, const struct lh_chain_row *r, const char *prev,
		    struct lh_err *err)
{
	struct lh_chain_line line;

	write_row(&l->line, r, prev);
	if (lh_chain_line(&l->reader, l->line.p, l->line.len, &line, err) < 0)
		return -1;
	lh_chain_mac(l->keys, line.text, line.n, l->line.p + l->line.len - LH_CHAIN_HEX - 2);
	lh_buf_putc(&l->line, '\n');
	return 0;
}

/* Add a row to a log that is held. */
static int add_row(struct lh_chain_log *l, struct tail *t, const struct lh_chain_row *r,
		   struct lh_err *err)
{
	if (t->size && !lh_str_is(r->candidate_id, t->id.p, t->id.len))
		return lh_err_data(err, 409, "%s: it belongs to another candidate_id", t->path);
	if (sign_row(l, r, t->tip, err) < 0)
		return -1;
	if (!lh_buf_room(&t->out, l->line.len))
		return 0;
	if (!t->size) {
		lh_buf_reset(&t->id);
		lh_buf_add(&t->id, r->candidate_id.p, r->candidate_id.n);
	}
	lh_buf_add(&t->out, l->line.p, l->line.len);
	memcpy(t->tip, l->line.p + l->line.len - LH_CHAIN_HEX - 3, LH_CHAIN_HEX);
	t->tip[LH_CHAIN_HEX] = '\0';
	t->size += (int64_t)l->line.len;
	return 0;
}

static int append_row(struct lh_chain_log *l, const char *name, const struct lh_chain_row *r,
		      struct lh_err *err)
{
	struct lh_err later;
	struct tail *t;
	int rc;

	do {
		t = find_tail(l, name, r->candidate_id, err);
		if (!t)
			return -1;
		rc = hold_log(l, t, err);
		if (rc > 0 && close_tail(t, l->sync != LH_CHAIN_NONE, err) < 0)
			return -1;
	} while (rc > 0);
	if (!rc)
		rc = add_row(l, t, r, err);
	if ((l->sync == LH_CHAIN_EACH || !t->out.len) && release_log(t, rc ? &later : err) < 0)
		rc = -1;
	if (!rc && l->sync == LH_CHAIN_EACH)
		rc = sync_tail(t, err);
	return rc;
}

int lh_chain_append(struct lh_chain_log *l, const struct lh_chain_row *r, struct lh_buf *out,
		    struct lh_err *err)
{
	char name[LH_SUBJECT_MAX + 1];
	int rc;

	if (lh_subject_name(name, r->candidate_id.p, r->candidate_id.n, err) < 0)
		return -1;
	pthread_mutex_lock(&l->mutex);
	rc = append_row(l, name, r, err);
	if (!rc && out)
		lh_buf_add(out, l->line.p, l->line.len - 1);
	pthread_mutex_unlock(&l->mutex);
	return rc;
}

/* ---- the folder ---- */

struct lh_chain_log *lh_chain_log_open(const char *dir, const struct lh_chain_keys *keys,
				       enum lh_chain_sync sync, double lock_timeout,
				       struct lh_err *err)
{
	struct lh_chain_log *l;
	size_t i;

	if (lh_subject_make_dir(dir, err) < 0)
		return NULL;
	l = lh_calloc(1, sizeof *l);
	l->dir = lh_strndup(dir, strlen(dir));
	l->keys = keys;
	l->sync = sync;
	l->lock_timeout = lock_timeout;
	pthread_mutex_init(&l->mutex, NULL);
	for (i = 0; i < OPEN_LOGS; i++) {
	}
	return l;
}

int lh_chain_log_flush(struct lh_chain_log *l, struct lh_err *err)
{
	int rc;

	pthread_mutex_lock(&l->mutex);
	rc = flush_logs(l, err);
	if (!rc && l->lost)
		rc = lh_err_set(err, LH_EIO, "%s: cannot sync rows", l->dir);
	l->lost = false;
	pthread_mutex_unlock(&l->mutex);
	return rc;
}

int lh_chain_log_close(struct lh_chain_log *l, struct lh_err *err)
{
	struct lh_err later;
	size_t i;
	int rc = 0;

	if (!l)
		return 0;
	for (i = 0; i < l->n; i++) {
		if (close_tail(&l->tail[i], l->sync != LH_CHAIN_NONE, rc ? &later : err) < 0)
			rc = -1;
		lh_buf_free(&l->tail[i].id);
		lh_buf_free(&l->tail[i].out);
	}
	lh_chain_reader_free(&l->reader);
	lh_buf_free(&l->line);
	pthread_mutex_destroy(&l->mutex);
	free(l->dir);
	free(l);
	return rc;
}
