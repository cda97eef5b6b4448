/* roster.c - open a roster of JSON Lines or an index, and find workers.  See roster.h. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/table.h"
#include "base/utf8.h"
#include "crypto/digest.h"
#include "file/held.h"
#include "flow/flow.h"
#include "index/index.h"
#include "index/index_tools.h"
#include "json/bind.h"
#include "validate/roster.h"
#include "validate_parts.h"

/* ---- workers ---- */

/*
 * A packed worker is its folded id, its id, name, status, city, state and role, the
 * number of blacklisted clients and each of these.  A string is its length in
 * groups of seven bits, low ones first, and its bytes.  Zeros follow up to a
 * multiple of LH_ROSTER_ALIGN, so that the table can address 32 GiB of workers with
 * 32 bits.
 */
#define LH_ROSTER_ALIGN 8

/* Converts records to workers; one for each thread, which begins with zeros. */
struct lh_roster_reader {
	struct lh_buf plain;	/* unescaped strings */
	struct lh_record rec;	/* the metadata of a row, ... */
	struct lh_buf text;	/* ... copied, as LH_PAD bytes must follow it */
};

struct lh_roster_table {
	struct lh_growable packed;
	struct lh_table ids;	/* from the folded id to an offset / LH_ROSTER_ALIGN */
};

/* in the order in which they are packed, after the id */
enum { NAME, STATUS, CITY, STATE, ROLE };

static void lh_roster_reader_free(struct lh_roster_reader *rd)
{
	lh_record_free(&rd->rec);
	lh_buf_free(&rd->plain);
	lh_buf_free(&rd->text);
}

/* Write the form in which ids are compared; `to` has LH_ID_MAX bytes, n is at most
 * that. */
static void lh_roster_key(const char *id, size_t n, char *to)
{
	size_t i;

	for (i = 0; i < n; i++)
		to[i] = lh_fold(id[i]);
}

/* ---- packing ---- */

static void append_length(struct lh_buf *out, size_t n)
{
	for (; n >= 0x80; n >>= 7)
		lh_buf_putc(out, (char)(n | 0x80));
	lh_buf_putc(out, (char)n);
}

static void append_string(struct lh_buf *out, struct lh_str s)
{
	append_length(out, s.n);
	lh_buf_add(out, s.p, s.n);
}

/* The members of a roster's row; n = 0: absent. */
struct row {
	struct lh_str id, place[ROLE + 1];
	struct lh_value clients;
};

#define PLACE(name, i) { LH_BIND_STRING(name, struct row, place[i]) }
static const struct lh_bind members[] = {
	{ LH_BIND_STRING("candidate_id", struct row, id) },
	PLACE("name", NAME),
	PLACE("status", STATUS),
	PLACE("city", CITY),
	PLACE("state", STATE),
	PLACE("role", ROLE),
	{ LH_BIND_ARRAY("blacklisted_clients", struct row, clients),
	  .each = LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NULL) },
	LH_BIND_END
};

static bool is_blank(struct lh_str s)
{
	return !lh_trim(s.p, s.n).n;
}

static int append_id(struct lh_str own, struct lh_str row_id, struct lh_buf *out,
		     struct lh_err *err)
{
	struct lh_str id = is_blank(own) ? lh_trim(row_id.p, row_id.n) : lh_trim(own.p, own.n);
	char *to;

	if (!id.n)
		return lh_err_set(err, LH_EDATA, "missing \"candidate_id\" (string)");
	if (id.n > LH_ID_MAX)
		return lh_err_set(err, LH_EDATA, "\"candidate_id\" must be at most %d bytes",
				  LH_ID_MAX);
	append_length(out, id.n);
	to = lh_buf_room(out, id.n);
	if (to) {
		lh_roster_key(id.p, id.n, to);
		lh_buf_took(out, id.n);
	}
	append_string(out, id);
	return 0;
}

static void append_clients(struct lh_roster_reader *rd, const struct lh_value *v,
			   struct lh_buf *out)
{
	struct lh_iter it;
	struct lh_str s;
	size_t n = 0;

	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		n++;
	append_length(out, n);
	for (lh_iter_init(&it, v); n--; ) {
		lh_iter_next(&it);
		s = (struct lh_str){ "", 0 };
		lh_buf_reset(&rd->plain);
		if (it.val.type == LH_STRING)
			lh_value_str(&it.val, &rd->plain, &s);
		append_string(out, lh_trim(s.p, s.n));
	}
}

static int pack_worker(struct lh_roster_reader *rd, const struct lh_record *rec,
		       struct lh_str row_id, struct lh_buf *out, struct lh_err *err)
{
	struct row row = { .id = { "", 0 }, .clients = { .p = "[]", .n = 2, .type = LH_ARRAY } };
	size_t i, start = out->len;

	if (lh_bind(members, rec, &row, &rd->plain, err) < 0 ||
	    append_id(row.id, row_id, out, err) < 0)
		return -1;
	if (is_blank(row.place[NAME]))
		return lh_err_set(err, LH_EDATA,
				  row.place[NAME].p ? "\"name\" must not be empty"
						    : "missing \"name\" (string)");
	for (i = NAME; i <= ROLE; i++)
		append_string(out, is_blank(row.place[i]) ? (struct lh_str){ "", 0 }
			      : row.place[i]);
	append_clients(rd, &row.clients, out);
	while ((out->len - start) % LH_ROSTER_ALIGN)
		lh_buf_putc(out, '\0');
	return 0;
}

/* Append the worker of a record, packed.  row_id replaces an absent candidate_id, or is
 * empty.  LH_EDATA, with a column; out is then unchanged. */
static int lh_roster_pack(struct lh_roster_reader *rd, const struct lh_record *rec,
			  struct lh_str row_id, struct lh_buf *out, struct lh_err *err)
{
	size_t start = out->len;

	if (pack_worker(rd, rec, row_id, out, err) == 0)
		return 0;
	out->len = start;
	return -1;
}

/* ---- unpacking ---- */

static inline size_t get_length(const char **p)
{
	size_t n = 0;
	unsigned shift;

	for (shift = 0; *(*p)++ & 0x80; shift += 7)
		n |= (size_t)((*p)[-1] & 0x7f) << shift;
	return n | (size_t)(*p)[-1] << shift;
}

static inline struct lh_str unpack_string(const char **p)
{
	struct lh_str s;

	s.n = get_length(p);
	s.p = *p;
	*p += s.n;
	return s;
}

/* Unpack a worker; return where the next one begins. */
static const char *lh_roster_unpack(const char *p, struct lh_worker *w)
{
	const char *from = p;
	size_t i;

	unpack_string(&p);
	w->candidate_id = unpack_string(&p);
	w->name = unpack_string(&p);
	w->status = unpack_string(&p);
	w->city = unpack_string(&p);
	w->state = unpack_string(&p);
	w->role = unpack_string(&p);
	w->blacklist_n = get_length(&p);
	w->blacklist = p;
	for (i = 0; i < w->blacklist_n; i++)
		unpack_string(&p);
	return from + ((size_t)(p - from) + LH_ROSTER_ALIGN - 1) / LH_ROSTER_ALIGN *
		LH_ROSTER_ALIGN;
}

bool lh_worker_blacklisted(const struct lh_worker *w, const char *client, size_t n)
{
	struct lh_str want = lh_trim(client, n), is;
	const char *p = w->blacklist;
	size_t i;

	for (i = 0; want.n && i < w->blacklist_n; i++) {
		is = unpack_string(&p);
		if (lh_fold_equal(is.p, is.n, want.p, want.n))
			return true;
	}
	return false;
}

/* ---- the table ---- */

static struct lh_str key_at(const void *ctx, uint32_t i)
{
	const struct lh_roster_table *t = ctx;
	const char *p = t->packed.p + (size_t)i * LH_ROSTER_ALIGN;

	return unpack_string(&p);
}

/* Add n bytes of packed workers, which replace earlier ones of the same id. */
static int lh_roster_add(struct lh_roster_table *t, const char *p, size_t n, struct lh_err *err)
{
	size_t at = t->packed.n;
	struct lh_worker w;
	struct lh_str key;

	if ((at + n) / LH_ROSTER_ALIGN >= UINT32_MAX)
		return lh_err_set(err, LH_EDATA, "more than 32 GiB of workers");
	lh_growable_add(&t->packed, p, n);
	t->packed.huge = true;
	while (at < t->packed.n) {
		key = key_at(t, (uint32_t)(at / LH_ROSTER_ALIGN));
		lh_table_set(&t->ids, key, (uint32_t)(at / LH_ROSTER_ALIGN), key_at, t);
		at = (size_t)(lh_roster_unpack(t->packed.p + at, &w) - t->packed.p);
	}
	return 0;
}

static bool lh_roster_get(const struct lh_roster_table *t, struct lh_str key, struct lh_worker *w)
{
	int64_t i = lh_table_find(&t->ids, key, key_at, t);

	if (i < 0)
		return false;
	lh_roster_unpack(t->packed.p + (size_t)i * LH_ROSTER_ALIGN, w);
	return true;
}

static void lh_roster_table_free(struct lh_roster_table *t)
{
	lh_growable_free(&t->packed);
	lh_table_free(&t->ids);
}

/* ---- JSON Lines ---- */

/*
 * The table has its workers in the order of the lines, so that it, and the first bad line,
 * do not depend on the number of threads.
 */

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

/* Read the lines from fd, which stays the caller's; messages begin with path. */
static int lh_roster_read(struct lh_roster_table *t, const char *path, int fd, unsigned jobs,
		   struct lh_err *err)
{
	static const struct lh_flow_hooks hooks = { .rejected = on_rejected };

	return lh_flow_fd(path, fd, &(struct lh_flow){
		.map = on_record, .sink = on_worker, .shared = t, .jobs = jobs, .tombstones = true,
		.context_size = sizeof(struct lh_roster_reader),
		.context_free = reader_free, .hooks = &hooks, .stop_at_reject = true }, err);
}

/* ---- rosters ---- */

/*
 * See
 * roster.h.
 */

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

/* Return whether its file has changed or is gone; false for a pipe. */
static bool lh_roster_stale(const struct lh_roster *r)
{
	return r->index ? lh_index_stale(r->index) : !lh_stamp_fits(&r->stamp, r->path);
}

/* Open the roster again if its file changed; NULL with *err.  Without a change it
 * returns r itself, which must then be closed once more.  r stays open. */
static struct lh_roster *lh_roster_renew(struct lh_roster *r, unsigned jobs, struct lh_err *err)
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

/* ---- the first of several ---- */

const char *lh_roster_first(const struct lh_roster_choice *c)
{
	struct stat st;
	size_t i;

	for (i = 0; i < c->n; i++)
		if (!strcmp(c->path[i], "-") || stat(c->path[i], &st) == 0)
			return c->path[i];
	return c->n && !c->later ? c->path[0] : NULL;
}

int lh_roster_choose(const struct lh_roster_choice *c, const struct lh_chosen_roster *was,
		     struct lh_chosen_roster *now, unsigned jobs, struct lh_err *err)
{
	now->path = lh_roster_first(c);
	if (!now->path)
		return 0;
	if (was && was->roster && was->path == now->path)
		now->roster = lh_roster_renew(was->roster, jobs, err);
	else
		now->roster = lh_roster_open(now->path, jobs, err);
	return now->roster ? 0 : -1;
}

bool lh_roster_choice_stale(const struct lh_roster_choice *c, const struct lh_chosen_roster *is)
{
	return lh_roster_first(c) != is->path || (is->roster && lh_roster_stale(is->roster));
}
