/* chain_verify.c - verify a chain.  See chain.h. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/subject.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "chain_parts.h"
#include "file/file.h"

/* ---- stripes: the parts of a log that threads verify ---- */

#define LH_CHAIN_STRIPE ((int64_t)256 << 10)	/* bytes; stays in a core's L2 */

/* A prev_chain_hash or row_hmac as a row states it. */
struct lh_chain_stated {
	char s[LH_CHAIN_HEX];
	size_t n;		/* more than s holds: then it equals no other */
	bool known;
};

static inline bool lh_chain_same(const struct lh_chain_stated *a, const struct lh_chain_stated *b)
{
	return a->n == b->n && a->n <= sizeof a->s && memcmp(a->s, b->s, a->n) == 0;
}

/* The result for the lines that begin in a stripe; rows count from its first. */
struct lh_chain_stripe {
	int64_t begin;			/* offset of the first line */
	uint64_t rows;
	struct lh_chain_stated first_prev;
	/* the first row's fault, apart from its link to the row before */
	enum lh_chain_fault first;
	struct lh_chain_broken {
		uint64_t row;
		enum lh_chain_fault fault;
	} *broken;			/* the others'; only one, if only the first is requested */
	size_t n, cap;
	struct lh_chain_stated before;	/* row_hmac before broken[0] */
	struct lh_chain_stated last;	/* of the last row */
	bool bare;			/* no row has a row_hmac */
	bool torn;			/* a line without LF follows them */
	bool done;
};

/* What all stripes of a log have in common. */
struct lh_chain_source {
	const struct lh_chain_keys *keys;
	const char *path;
	int fd;
	int64_t size;
	const char *id;		/* row 0's candidate_id; NULL: it has none */
	size_t id_n;
	bool id_bad;		/* it is not the subject that the file is named by */
	uint64_t max_row;
	double lock_timeout;
	bool all;		/* report every fault */
};

#define KEEP ((size_t)4 << 20)		/* a larger buffer is freed */

/* The memory of a thread. */
struct lh_chain_scanner {
	const struct lh_chain_source *src;
	struct lh_chain_reader reader;
	size_t key;			/* the key that verified last */
	char *p;
	size_t cap, len;
	struct lh_chain_stated prev;	/* row_hmac of the row before the next one */
	struct lh_chain_stated before;	/* the same, in the form in which it is stated */
};

static struct lh_chain_scanner *lh_chain_scanner_new(const struct lh_chain_source *src)
{
	struct lh_chain_scanner *w = lh_calloc(1, sizeof *w);

	w->src = src;
	return w;
}

/* The memory of a thread. */
static void lh_chain_scanner_free(struct lh_chain_scanner *w)
{
	if (!w)
		return;
	lh_chain_reader_free(&w->reader);
	free(w->p);
	free(w);
}

static void set_stated(struct lh_chain_stated *to, struct lh_str s)
{
	to->known = s.p != NULL;
	to->n = s.n;
	if (s.p)
		memcpy(to->s, s.p, s.n < sizeof to->s ? s.n : sizeof to->s);
}

static void add_broken(struct lh_chain_scanner *w, struct lh_chain_stripe *s, uint64_t row,
		       enum lh_chain_fault fault)
{
	if (!s->n)
		s->before = w->before;
	else if (!w->src->all)
		return;
	lh_grow(&s->broken, &s->cap, s->n + 1, sizeof *s->broken);
	s->broken[s->n++] = (struct lh_chain_broken){ row, fault };
}

static bool id_fits(const struct lh_chain_source *src, struct lh_str id)
{
	return id.p && !src->id_bad && (!src->id || lh_str_is(id, src->id, src->id_n));
}

/* Return the fault of a row, apart from its MAC. */
static enum lh_chain_fault find_fault(const struct lh_chain_scanner *w,
				      const struct lh_chain_line *l,
				      const struct lh_chain_stated *prev)
{
	if (!id_fits(w->src, l->id))
		return LH_CHAIN_ID;
	if (!prev->known || (w->prev.known && !lh_chain_same(&w->prev, prev)))
		return LH_CHAIN_PREV;
	return LH_CHAIN_WHOLE;
}

static int check_line(struct lh_chain_scanner *w, struct lh_chain_stripe *s, const char *p,
		      size_t n, struct lh_err *err)
{
	enum lh_chain_fault fault = LH_CHAIN_WHOLE;
	uint64_t row = s->rows++;
	struct lh_chain_stated prev;
	struct lh_chain_line l;

	if (lh_chain_line(&w->reader, p, n, &l, err) < 0) {
		if (err->code != LH_EDATA)
			return -1;
		l = (struct lh_chain_line){ .n = 0 };
		fault = !lh_trim(p, n).n ? LH_CHAIN_BLANK : lh_mark_len(p, n) ? LH_CHAIN_MARK
								   : LH_CHAIN_JSON;
	}
	s->bare = s->bare && l.bare;
	set_stated(&prev, l.prev);
	if (!row)
		s->first_prev = prev;
	if (!fault)
		fault = find_fault(w, &l, &prev);
	if (!fault && !lh_chain_mac_fits(w->src->keys, &l, &w->key))
		fault = LH_CHAIN_MAC;
	if (!row)
		s->first = fault;
	else if (fault)
		add_broken(w, s, row, fault);
	set_stated(&w->before, l.mac);
	w->prev = w->before;
	w->prev.known = w->prev.known && l.mac.n == LH_CHAIN_HEX;
	s->last = w->prev;
	return 0;
}

/* Read the n bytes from offset at into the buffer, after its contents. */
static int read_more(struct lh_chain_scanner *w, int64_t at, size_t n, struct lh_err *err)
{
	char *grown;

	if (w->cap < w->len + n) {
		grown = lh_realloc(w->p, w->len + n + LH_PAD, 1);
		w->p = grown;
		w->cap = w->len + n;
	}
	if (lh_chain_pread(w->src->fd, w->src->path, w->p + w->len, n, at, err) < 0)
		return -1;
	w->len += n;
	memset(w->p + w->len, 0, LH_PAD);
	return 0;
}

/* The last line continues after the stripe: read up to its end.  from: where it
 * begins in the buffer, at: the offset of the first byte not read. */
static int read_rest(struct lh_chain_scanner *w, size_t from, int64_t at, struct lh_err *err)
{
	const struct lh_chain_source *src = w->src;
	size_t n = 4096;

	while (at < src->size) {
		if ((int64_t)n > src->size - at)
			n = (size_t)(src->size - at);
		if (read_more(w, at, n, err) < 0)
			return -1;
		at += (int64_t)n;
		if (memchr(w->p + w->len - n, '\n', n))
			return 0;
		if (src->max_row && w->len - from > src->max_row)
			return lh_chain_too_long(src->path, at - (int64_t)(w->len - from),
						 src->max_row, err);
		n = w->len;
	}
	return 0;
}

/* Verify the lines that begin in stripe k; s keeps its memory. */
static int lh_chain_scan(struct lh_chain_scanner *w, int64_t k, struct lh_chain_stripe *s,
			 struct lh_err *err)
{
	int64_t base = k * LH_CHAIN_STRIPE - (k > 0), end = (k + 1) * LH_CHAIN_STRIPE;
	size_t at = 0, mine;
	const char *lf;

	s->rows = s->n = 0;
	s->first = LH_CHAIN_WHOLE;
	s->bare = true;
	s->torn = false;
	s->last.known = false;
	w->prev.known = false;
	w->before.known = false;
	w->len = 0;
	if (w->cap > KEEP) {
		free(w->p);
		w->p = NULL;
		w->cap = 0;
	}
	if (end > w->src->size)
		end = w->src->size;
	mine = (size_t)(end - base);
	if (read_more(w, base, mine, err) < 0)
		return -1;
	if (k > 0) {	/* the byte before the stripe may end the line before */
		lf = memchr(w->p, '\n', mine);
		at = lf ? (size_t)(lf - w->p) + 1 : mine;
	}
	s->begin = base + (int64_t)at;
	if (at < mine && w->p[mine - 1] != '\n') {
		lf = memrchr(w->p + at, '\n', mine - at);
		if (read_rest(w, lf ? (size_t)(lf - w->p) + 1 : at, end, err) < 0)
			return -1;
	}
	while (at < mine) {
		lf = memchr(w->p + at, '\n', w->len - at);
		if (!lf) {
			s->torn = true;
			break;
		}
		if (check_line(w, s, w->p + at, (size_t)(lf - w->p) - at, err) < 0)
			return -1;
		at = (size_t)(lf - w->p) + 1;
	}
	return 0;
}

/* ---- a chain ---- */

/*
 * Each row states the row_hmac before it, so rows can be hashed in any order: the
 * log is cut into stripes of equal size, a thread processes the lines that begin in
 * its stripe, and the links between stripes are checked when their results are
 * merged in order.  A row after one without row_hmac is verified by everything but
 * that link.
 */

#define JOBS_MAX 256
#define SLOTS 4			/* stripes in progress for each thread */

struct verify {
	const struct lh_chain_check *c;
	struct lh_chain_verdict *v;
	struct lh_chain_source src;
	struct lh_chain_scanner *scanner[JOBS_MAX];
	unsigned jobs;
	pthread_mutex_t mutex;
	pthread_cond_t slot_changed;
	struct lh_chain_stripe *ring;
	int64_t slots, stripes, next, merged;	/* counted from the start of the file */
	bool stop;
	struct lh_err err;	/* .code: a thread failed */
	/* of the stripes up to merged: */
	uint64_t rows;
	struct lh_chain_stated last;
	bool bare;
	int64_t anchor_begin;	/* of the stripe with the anchored row, or -1, */
	uint64_t anchor_skip;	/* and the rows before it there */
};

const char *lh_chain_fault_text(enum lh_chain_fault fault)
{
	static const char *const text[] = {
		"", "invalid JSON", "candidate_id mismatch", "prev_chain_hash mismatch",
		"row_hmac mismatch", "anchor mismatch", "torn", "no rows",
		"invalid JSON", "invalid JSON",
	};

	return text[fault];
}

const char *lh_chain_state_name(enum lh_chain_state state)
{
	static const char *const name[] = { "anchored", "intact", "torn", "tampered",
					    "unauthenticated", "empty" };

	return name[state];
}

void lh_chain_error(const struct lh_chain_verdict *v, char to[LH_CHAIN_ERROR])
{
	unsigned long long row = v->row;

	if (!v->fault)
		*to = '\0';
	else if (v->fault == LH_CHAIN_ANCHOR && !row)
		snprintf(to, LH_CHAIN_ERROR, "anchor: expected a log");
	else if (v->fault == LH_CHAIN_ANCHOR)
		snprintf(to, LH_CHAIN_ERROR, "anchor: expected %.40s", LH_N(row, "row"));
	else if (v->fault == LH_CHAIN_NO_ROWS)
		snprintf(to, LH_CHAIN_ERROR, "%s", lh_chain_fault_text(v->fault));
	else
		snprintf(to, LH_CHAIN_ERROR, "row %llu: %s", row, lh_chain_fault_text(v->fault));
}

/* ---- merge the stripes ---- */

static void set_tip(struct lh_chain_verdict *v, const struct lh_chain_stated *s)
{
	memcpy(v->tip, s->s, s->n);
	v->tip[s->n] = '\0';
}

/* Record a fault.  before: the row_hmac of the last good row, if this fault is the
 * first. */
static void record_fault(struct verify *x, uint64_t row, enum lh_chain_fault fault,
			 const struct lh_chain_stated *before)
{
	if (!x->v->fault) {
		x->v->fault = fault;
		x->v->row = x->v->count = row;
		set_tip(x->v, before);
	}
	if (x->c->broken)
		x->c->broken(x->c->ctx, row, fault);
}

static void merge_stripe(struct verify *x, const struct lh_chain_stripe *s)
{
	enum lh_chain_fault fault = s->first;
	size_t i;

	if (s->rows) {
		if ((!fault || fault == LH_CHAIN_MAC) && x->last.known &&
		    !lh_chain_same(&x->last, &s->first_prev))
			fault = LH_CHAIN_PREV;
		if (fault)
			record_fault(x, x->rows, fault, &x->last);
		for (i = 0; i < s->n; i++)
			record_fault(x, x->rows + s->broken[i].row, s->broken[i].fault, &s->before);
		x->bare = x->bare && s->bare;
		if (x->c->anchor && x->c->anchor->count - 1 - x->rows < s->rows) {
			x->anchor_begin = s->begin;
			x->anchor_skip = x->c->anchor->count - 1 - x->rows;
		}
		x->rows += s->rows;
		x->last = s->last;
	}
	if (s->torn) {
		x->v->torn = true;
		x->v->state = x->v->fault ? x->v->state : LH_CHAIN_TORN;
		record_fault(x, x->rows, LH_CHAIN_CUT, &x->last);
	}
	/* once everything requested is known, the rest need not be read */
	if (x->v->fault && !x->c->broken && !x->bare)
		x->stop = true;
}

/* Return the next stripe to scan, or -1. */
static int64_t next_stripe(struct verify *x)
{
	int64_t k = -1;

	pthread_mutex_lock(&x->mutex);
	while (!x->stop && x->next < x->stripes && x->next >= x->merged + x->slots)
		pthread_cond_wait(&x->slot_changed, &x->mutex);
	if (!x->stop && x->next < x->stripes)
		k = x->next++;
	pthread_mutex_unlock(&x->mutex);
	return k;
}

static void merge_ready(struct verify *x, int64_t k, int rc, const struct lh_err *err)
{
	struct lh_chain_stripe *s;

	pthread_mutex_lock(&x->mutex);
	if (rc < 0 && !x->err.code) {
		x->err = *err;
		x->stop = true;
	}
	x->ring[k % x->slots].done = true;
	while (!x->stop && (s = &x->ring[x->merged % x->slots])->done) {
		merge_stripe(x, s);
		s->done = false;
		x->merged++;
	}
	pthread_cond_broadcast(&x->slot_changed);
	pthread_mutex_unlock(&x->mutex);
}

struct worker {
	struct verify *x;
	unsigned i;
	pthread_t thread;
};

static void *scan_stripes(void *arg)
{
	struct worker *w = arg;
	struct verify *x = w->x;
	struct lh_err err;
	int64_t k;
	int rc;

	while ((k = next_stripe(x)) >= 0) {
		rc = lh_chain_scan(x->scanner[w->i], k, &x->ring[k % x->slots], &err);
		merge_ready(x, k, rc, &err);
	}
	return NULL;
}

/* ---- the log ---- */

/* Set the size of a log.  A writer makes a log, and then locks it for its first row: one that is
 * without rows and was made just now gets a little time for that. */
static int measure_log(const struct lh_chain_source *src, struct stat *st, struct lh_err *err)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int tries;

	for (tries = 0; tries < 20; tries++) {
		if (lh_flock(src->fd, LOCK_SH, src->path, src->lock_timeout, err) < 0)
			return -1;
		if (fstat(src->fd, st) < 0)
			return lh_err_sys(err, "%s", src->path);
		flock(src->fd, LOCK_UN);
		if (st->st_size || time(NULL) - st->st_ctime > 1)
			break;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* Open the log and read its length, locked, so that no row is half written.  1 if
 * there is none. */
static int open_log(struct lh_chain_source *src, bool locked, struct lh_err *err)
{
	struct stat st;

	src->fd = open(src->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (src->fd < 0)
		return errno == ENOENT ? 1 : lh_err_sys(err, "%s", src->path);
	if (fstat(src->fd, &st) < 0)
		return lh_err_sys(err, "%s", src->path);
	if (!S_ISREG(st.st_mode))
		return lh_not_regular(src->path, st.st_mode, err);
	if (locked && measure_log(src, &st, err) < 0)
		return -1;
	return lh_chain_end(src->fd, src->path, st.st_size, &src->size, err);
}

/* Read the candidate_id of row 0: 1, or 0 if it has none. */
static int read_subject(const struct lh_chain_source *src, struct lh_buf *id, struct lh_err *err)
{
	LH_SCOPED(lh_chain_reader_free) struct lh_chain_reader r = { 0 };
	struct lh_chain_line l;
	LH_SCOPED(lh_free_local) char *line = NULL;
	size_t n;
	int rc;

	if (lh_chain_read_line(src->fd, src->path, 0, src->size, src->max_row, &line, &n, err) < 0)
		return -1;
	rc = lh_chain_line(&r, line, n, &l, err);
	if (rc == 0 && l.id.p) {
		lh_buf_add(id, l.id.p, l.id.n);
		rc = 1;
	} else if (rc < 0 && err->code == LH_EDATA) {
		rc = 0;
	}
	return rc;
}

static int subject_of(struct lh_chain_source *src, bool locked, struct lh_buf *id,
		      struct lh_err *err)
{
	int rc = open_log(src, locked, err);

	if (rc == 0)
		rc = src->size ? read_subject(src, id, err) : 0;
	else if (rc > 0)
		rc = 0;
	if (src->fd >= 0)
		close(src->fd);
	return rc;
}

int lh_chain_subject(const char *path, uint64_t max_row, double lock_timeout, struct lh_buf *id,
		     struct lh_err *err)
{
	struct lh_chain_source src = { .path = path, .max_row = max_row,
				       .lock_timeout = lock_timeout };

	return subject_of(&src, true, id, err);
}

int lh_chain_log_name(char name[LH_SUBJECT_MAX + 1], const char *dir, const char *id, size_t n,
		      struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf theirs = { 0 };
	char *path;
	int rc;

	if (!lh_subject_plain_name(name, id, n))
		return lh_subject_name(name, id, n, err);
	path = lh_subject_path(dir, name, LH_SUBJECT_LOG);
	/* Without a lock: row 0 does not change, and this process may hold the log
	 * itself. */
	rc = subject_of(&(struct lh_chain_source){ .path = path }, false, &theirs, err);
	free(path);
	if (rc == 0 || (rc > 0 &&
			!lh_str_is((struct lh_str){ id, n }, theirs.p ? theirs.p : "", theirs.len)))
		rc = lh_subject_name(name, id, n, err);
	return rc < 0 ? -1 : 0;
}

/* Set the id that every row must have: row 0's, which must be one that the file is
 * named by. */
static int expect_id(struct verify *x, struct lh_buf *id, struct lh_err *err)
{
	int rc = read_subject(&x->src, id, err);

	if (rc <= 0)
		return rc;
	x->src.id = id->p ? id->p : "";
	x->src.id_n = id->len;
	x->src.id_bad = x->c->name && !lh_subject_named(x->c->name, x->src.id, id->len);
	return 0;
}

/* Check that the last row when the anchor was made states the anchored tip. */
static int check_anchor(struct verify *x, bool *yes, struct lh_err *err)
{
	const struct lh_chain_anchor *a = x->c->anchor;
	LH_SCOPED(lh_chain_reader_free) struct lh_chain_reader r = { 0 };
	struct lh_chain_line l;
	int64_t at = x->anchor_begin;
	uint64_t skip = x->anchor_skip;
	char *line;
	size_t n;
	int rc = 0;

	*yes = !a->count && strcmp(a->tip, LH_CHAIN_GENESIS) == 0 && !x->v->absent;
	if (!a->count || x->v->count < a->count)
		return 0;
	for (;;) {
		if (lh_chain_read_line(x->src.fd, x->src.path, at, x->src.size, x->src.max_row,
				       &line, &n, err) < 0)
			return -1;
		if (!skip--)
			break;
		at += (int64_t)n + 1;
		free(line);
	}
	rc = lh_chain_line(&r, line, n, &l, err);
	*yes = rc == 0 && lh_str_is(l.mac, a->tip, strlen(a->tip));
	free(line);
	return rc;
}

static void start_verify(struct verify *x)
{
	unsigned i, jobs = x->c->jobs ? x->c->jobs : 1;

	x->stripes = (x->src.size + LH_CHAIN_STRIPE - 1) / LH_CHAIN_STRIPE;
	if (jobs > JOBS_MAX)
		jobs = JOBS_MAX;
	x->jobs = x->stripes < (int64_t)jobs ? (unsigned)x->stripes : jobs;
	x->slots = x->jobs * SLOTS;
	x->ring = lh_calloc((size_t)x->slots, sizeof *x->ring);
	for (i = 0; i < x->jobs; i++) {
		x->scanner[i] = lh_chain_scanner_new(&x->src);
	}
}

/* Verify the rows of a log that is not empty. */
static int verify_rows(struct verify *x, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf id = { 0 };
	int rc = expect_id(x, &id, err);
	int64_t slot;

	if (rc == 0)
		start_verify(x);
	if (rc == 0) {
		/* Run this thread and jobs - 1 others; fewer if they cannot be created. */
		struct worker w[JOBS_MAX];
		unsigned i, n = 1;

		for (i = 0; i < x->jobs; i++)
			w[i] = (struct worker){ .x = x, .i = i };
		while (n < x->jobs && pthread_create(&w[n].thread, NULL, scan_stripes, &w[n]) == 0)
			n++;
		scan_stripes(&w[0]);
		for (i = 1; i < n; i++)
			pthread_join(w[i].thread, NULL);
		if (x->err.code) {
			*err = x->err;
			rc = -1;
		}
	}
	for (slot = 0; x->ring && slot < x->slots; slot++)
		free(x->ring[slot].broken);
	free(x->ring);
	for (slot = 0; slot < x->jobs; slot++)
		lh_chain_scanner_free(x->scanner[slot]);
	if (rc == 0 && !x->v->fault) {
		x->v->count = x->rows;
		set_tip(x->v, &x->last);
	}
	return rc;
}

static int judge_chain(struct verify *x, struct lh_err *err)
{
	struct lh_chain_verdict *v = x->v;
	bool yes;

	if (v->fault && x->rows && x->bare) {
		v->state = LH_CHAIN_UNAUTHENTICATED;
		v->fault = LH_CHAIN_MAC;
		v->row = v->count = 0;
	} else if (v->fault && v->state != LH_CHAIN_TORN) {
		v->state = LH_CHAIN_TAMPERED;
	} else if (!x->rows && !v->absent && !v->fault && !x->c->anchor) {
		v->fault = LH_CHAIN_NO_ROWS;
		v->state = LH_CHAIN_EMPTY;
	}
	if (!x->c->anchor || (v->fault && v->state != LH_CHAIN_TORN))
		return 0;
	if (check_anchor(x, &yes, err) < 0)
		return -1;
	if (!yes) {
		v->fault = LH_CHAIN_ANCHOR;
		v->row = x->c->anchor->count;
		v->state = LH_CHAIN_TAMPERED;
	} else if (!v->fault) {
		v->state = LH_CHAIN_ANCHORED;
	}
	return 0;
}

int lh_chain_verify(const char *path, const struct lh_chain_check *c, struct lh_chain_verdict *v,
		    struct lh_err *err)
{
	struct verify x = {
		.c = c, .v = v, .bare = true, .anchor_begin = -1,
		.src = { .keys = c->keys, .path = path, .max_row = c->max_row,
			 .lock_timeout = c->lock_timeout, .all = c->broken != NULL },
		.last = { LH_CHAIN_GENESIS, sizeof LH_CHAIN_GENESIS - 1, true },
	};
	int rc;

	*v = (struct lh_chain_verdict){ .tip = LH_CHAIN_GENESIS, .state = LH_CHAIN_INTACT };
	pthread_mutex_init(&x.mutex, NULL);
	pthread_cond_init(&x.slot_changed, NULL);
	rc = open_log(&x.src, true, err);
	v->absent = rc > 0;
	v->bytes = (uint64_t)x.src.size;
	if (rc == 0 && x.src.size)
		rc = verify_rows(&x, err);
	if (rc >= 0)
		rc = judge_chain(&x, err);
	if (x.src.fd >= 0)
		close(x.src.fd);
	pthread_cond_destroy(&x.slot_changed);
	pthread_mutex_destroy(&x.mutex);
	return rc;
}
