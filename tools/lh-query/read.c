/* read.c - the records of a table, one after the other.  See query.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "flow/input.h"
#include "json/write.h"
#include "query.h"
#include <lh/index.h>

#define MESSAGES 20		/* about one table, unless -v */
#define CHECK_EVERY 1024	/* records */

struct reader {
	struct query *q;
	struct table *t;
	struct lh_record rec;
	size_t *at;		/* the place of each column's member in the last record */
	unsigned count;		/* of records, up to CHECK_EVERY */
	struct lh_buf text, id_text, json;

	/* lines */
	struct lh_input in;
	int fd;			/* or -1 */
	bool ready;		/* in is initialized */
	bool open, first, packed;
	struct lh_bytes block;
	const char *p, *end;
	uint64_t records;
	uint64_t line, total;	/* in this member of an archive; in all */

	/* an index */
	struct lh_index *ix;
	uint64_t row, rows;
	struct lh_row now;
	struct lh_value id;
	struct lh_buf from, to;
	bool has_from, has_to;
};

/* ---- rejected lines ---- */

/* Report a line that is not a record; a file that is scanned again reports it once. */
static int rejected(struct reader *r, const struct lh_err *why, struct lh_err *err)
{
	struct lh_tool *tool = r->q->tool;
	const char *name = r->ix || r->t->spooled >= 0 ? r->t->path : lh_input_name(&r->in);
	char place[32] = "";

	if (r->total <= r->t->line)
		return 0;
	r->t->line = r->total;
	r->t->rejected++;
	lh_tool_verdict_bad(tool);
	if (why->column)
		snprintf(place, sizeof place, ":%zu", why->column);
	r->q->stopped = tool->on_error == LH_ON_ERROR_STOP;
	if (r->q->stopped)
		return lh_err_set(err, LH_EIO, "%s:%llu%s: %s", name,
				  (unsigned long long)r->line, place, why->msg);
	if (++r->t->messages <= MESSAGES || tool->verbose)
		lh_tool_message(tool, "%s:%llu%s: %s", name, (unsigned long long)r->line,
				place, why->msg);
	else if (r->t->messages == MESSAGES + 1)
		lh_tool_message(tool, "%s: further messages suppressed (--verbose shows all)",
				r->t->path);
	return 0;
}

/* ---- lines ---- */

/* Open a copy by its descriptor anew, so that each reader has an offset of its own. */
static int reopen(int fd, struct lh_err *err)
{
	char path[64];
	int own;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	own = open(path, O_RDONLY | O_CLOEXEC);
	return own < 0 ? lh_err_sys(err, "cannot open") : own;
}

static int lines_open(struct reader *r, struct lh_err *err)
{
	lh_input_init(&r->in, &r->t->path, 1, r->q->tool->max_line);
	r->ready = true;
	if (r->t->spooled < 0)
		return 0;
	r->fd = r->in.opened = reopen(r->t->spooled, err);
	return r->fd < 0 ? -1 : 0;
}

static int too_long(struct reader *r, struct lh_err *err)
{
	struct lh_err why;

	lh_err_set(&why, LH_EDATA, "line longer than %llu bytes (--max-line)",
		   (unsigned long long)r->q->tool->max_line);
	return rejected(r, &why, err);
}

static int long_line(struct reader *r, struct lh_err *err)
{
	const char *p;
	ssize_t n;

	r->records++;
	r->line++;
	r->total++;
	while ((n = lh_lines_piece(&r->in.lines, &p, err)) > 0)
		if (query_check(r->q, err) < 0)
			return -1;
	if (n < 0)
		return -1;
	return too_long(r, err);
}

/* Begin the next file, or the next member of an archive: 1, 0 at the end, -1. */
static int next_file(struct reader *r, struct lh_err *err)
{
	int rc = lh_input_open(&r->in, err);

	r->open = rc > 0;
	r->first = true;
	r->line = 0;
	return rc;
}

/* Read the next block: 1, 0 at the end of the last file, -1. */
static int next_block(struct reader *r, struct lh_err *err)
{
	int rc = 1;

	while (rc >= 0) {
		if (!r->open && (rc = next_file(r, err)) <= 0)
			return rc;
		switch (lh_input_next(&r->in, &r->block, err)) {
		case LH_LINES_BLOCK:
			r->packed |= r->in.cat != NULL;
			r->p = r->block.p;
			r->end = r->block.p + r->block.n;
			return 1;
		case LH_LINES_WAIT:
			rc = lh_lines_wait(&r->in.lines, err);
			break;
		case LH_LINES_ROOM:
			lh_lines_allow(&r->in.lines);
			break;
		case LH_LINES_LONG:
			rc = long_line(r, err);
			break;
		case LH_LINES_END:
			r->open = false;
			break;
		default:
			rc = -1;
		}
	}
	return rc;
}

/* Take the next line of the block: 1 for a record, 0 for none, -1. */
static int take_line(struct reader *r, struct lh_err *err)
{
	const char *p = r->p, *lf = memchr(p, '\n', (size_t)(r->end - p));
	size_t n = (size_t)((lf ? lf : r->end) - p);
	struct lh_err why;

	r->p = lf ? lf + 1 : r->end;
	r->line++;
	r->total++;
	if (r->first && n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		p += 3;
		n -= 3;
	}
	r->first = false;
	if (lh_line_blank(p, n))
		return 0;
	r->records++;
	if (n > r->q->tool->max_line + (p[n - 1] == '\r'))
		return too_long(r, err);
	if (lh_record_parse(&r->rec, p, n, &why) == 0)
		return 1;
	if (why.code != LH_EDATA) {
		*err = why;
		return -1;
	}
	return rejected(r, &why, err);
}

static int next_line(struct reader *r, struct lh_err *err)
{
	int rc;

	for (;;) {
		while (r->p < r->end) {
			rc = take_line(r, err);
			if (rc)
				return rc;
		}
		rc = next_block(r, err);
		if (rc <= 0)
			return rc;
	}
}

/* ---- an index ---- */

static bool in_range(const struct reader *r, struct lh_str id)
{
	return (!r->has_from || lh_str_cmp(id, (struct lh_str){ r->from.p, r->from.len }) >= 0) &&
	       (!r->has_to || lh_str_cmp(id, (struct lh_str){ r->to.p, r->to.len }) <= 0);
}

void reader_only(struct reader *r, struct lh_str id)
{
	struct lh_err err;
	int64_t row = lh_index_find(r->ix, id.p, id.n, &err);

	r->row = row < 0 ? 0 : (uint64_t)row;
	r->rows = row < 0 ? 0 : r->row + 1;
}

void reader_range(struct reader *r, struct lh_str from, struct lh_str to)
{
	r->row = 0;
	r->has_from = from.p != NULL;
	r->has_to = to.p != NULL;
	lh_buf_reset(&r->from);
	lh_buf_reset(&r->to);
	lh_buf_add(&r->from, from.p, from.n);
	lh_buf_add(&r->to, to.p, to.n);
}

/* Parse a row's metadata. */
static int take_row(struct reader *r, struct lh_err *err)
{
	struct lh_str meta = r->now.meta.n ? r->now.meta : lh_str_of("{}");
	struct lh_err why;

	lh_buf_reset(&r->text);
	lh_buf_add(&r->text, meta.p, meta.n);
	lh_buf_reset(&r->id_text);
	lh_buf_json(&r->id_text, r->now.id.p, r->now.id.n);
	if (lh_buf_check(&r->text, err) < 0 || lh_buf_check(&r->id_text, err) < 0)
		return -1;
	r->id = (struct lh_value){ r->id_text.p, r->id_text.len, LH_STRING,
				   memchr(r->id_text.p, '\\', r->id_text.len) != NULL };
	r->records++;
	r->line = r->total = r->row;
	if (lh_record_parse(&r->rec, r->text.p, r->text.len, &why) == 0)
		return 1;
	return rejected(r, &why, err);
}

static int next_row(struct reader *r, struct lh_err *err)
{
	int rc;

	while (r->row < r->rows) {
		rc = lh_index_row(r->ix, r->row++, &r->now, err);
		if (rc > 0 && in_range(r, r->now.id))
			rc = take_row(r, err);
		else if (rc > 0)
			rc = 0;
		if (rc)
			return rc;
		if (++r->count % CHECK_EVERY == 0 && query_check(r->q, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- any ---- */

struct reader *reader_open(struct query *q, struct table *t, struct lh_err *err)
{
	struct reader *r = lh_calloc(1, sizeof *r, err);
	int rc;

	if (!r)
		return NULL;
	r->q = q;
	r->t = t;
	r->fd = -1;
	lh_record_init(&r->rec);
	r->at = lh_calloc(t->columns.n + 1, sizeof *r->at, err);
	if (t->is == TABLE_INDEX) {
		r->ix = r->at ? lh_index_open(t->path, err) : NULL;
		r->rows = r->ix ? lh_index_rows(r->ix) : 0;
		rc = r->ix ? 0 : -1;
	} else {
		rc = r->at ? lines_open(r, err) : -1;
	}
	if (rc == 0)
		return r;
	reader_close(r);
	return NULL;
}

void reader_close(struct reader *r)
{
	if (!r)
		return;
	if (r->records > r->t->records)
		r->t->records = r->records;
	if (r->ready)
		lh_input_free(&r->in);
	if (r->fd >= 0)
		close(r->fd);
	free(r->block.p);
	lh_index_close(r->ix);
	lh_record_free(&r->rec);
	lh_buf_free(&r->text);
	lh_buf_free(&r->id_text);
	lh_buf_free(&r->json);
	lh_buf_free(&r->from);
	lh_buf_free(&r->to);
	free(r->at);
	free(r);
}

int reader_next(struct reader *r, struct lh_err *err)
{
	if (++r->count % CHECK_EVERY == 0 && query_check(r->q, err) < 0)
		return -1;
	return r->ix ? next_row(r, err) : next_line(r, err);
}

const struct lh_record *reader_record(const struct reader *r)
{
	return &r->rec;
}

bool reader_packed(const struct reader *r)
{
	return r->packed;
}

static inline bool is_member(const struct lh_member *m, struct lh_str name)
{
	if (!m->key.escaped)
		return m->key.n == name.n + 2 && memcmp(m->key.p + 1, name.p, name.n) == 0;
	return lh_value_is(&m->key, name.p, name.n);
}

bool reader_value(struct reader *r, size_t column, struct lh_value *v)
{
	const struct lh_record *rec = &r->rec;
	struct lh_str name = r->t->columns.v[column].member;
	size_t i, at = r->at[column];

	if (r->ix && column == 0) {
		*v = r->id;
		return true;
	}
	if (at < rec->n && is_member(&rec->member[at], name)) {
		*v = rec->member[at].val;
		return true;
	}
	for (i = 0; i < rec->n; i++) {
		if (is_member(&rec->member[i], name)) {
			r->at[column] = i;
			*v = rec->member[i].val;
			return true;
		}
	}
	return false;
}

int reader_json(struct reader *r, struct lh_str *json, struct lh_err *err)
{
	struct lh_writer w;

	*json = (struct lh_str){ r->rec.line, r->rec.len };
	if (!r->ix)
		return 0;
	lh_buf_reset(&r->json);
	w = lh_write_to(&r->json);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "id", r->now.id);
	if (r->rec.n) {
		lh_buf_putc(&r->json, ',');
		lh_buf_add(&r->json, r->rec.line + 1, r->rec.len - 1);
	} else {
		lh_write_end(&w);
	}
	*json = (struct lh_str){ r->json.p, r->json.len };
	return lh_buf_check(&r->json, err);
}
