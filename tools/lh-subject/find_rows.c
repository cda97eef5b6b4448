/*
 * find_rows.c - rows of files of lines, also by the key of a dataset, and what belongs to rows that
 * were found: what was made from them in a root, and rows of logs that name them.  See find.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit/subject_manifest.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "catalog/catalog.h"
#include "find.h"
#include "index/index_tools.h"
#include "lineage/lineage.h"

/* ---- rows that the manifest of the person names ---- */

/* Add a text with its NUL. */
static void add_text(struct find *f, struct lh_str s)
{
	lh_buf_add(&f->pairs, s.p, s.n);
	lh_buf_putc(&f->pairs, '\0');
}

/* Add the objects of the dataset that the manifest names, from a catalog that is a place. */
static int add_dataset(void *ctx, const struct lh_catalog_dataset *m, const char *folder,
		       struct lh_err *err)
{
	struct find *f = ctx;
	const struct lh_dataset *d = f->dataset;
	size_t k;

	(void)folder, (void)err;
	for (k = 0; lh_str_is(m->name, d->name.p, d->name.n) && k < m->n_objects + m->n_history;
	     k++) {
		add_text(f, k < m->n_objects ? m->object[k].key : m->history[k - m->n_objects].key);
		add_text(f, d->key_column);
		add_text(f, d->key_value);
	}
	return 0;
}

int find_datasets(struct find *f)
{
	struct lh_manifest m = { .n_datasets = 0 };
	size_t i, d;
	int rc = 0;

	for (i = 0; !rc && i < f->s->places.n; i++) {
		const struct place *p = &f->s->places.v[i];

		if (p->kind != PLACE_MANIFEST || !place_is_own(p, f->who->id))
			continue;
		rc = lh_manifest_read(&m, p->path, f->err);
		f->hits->erased |= !rc && lh_str_is(m.status, "erased", 6);
		for (d = 0; !rc && d < m.n_datasets; d++) {
			f->dataset = &m.dataset[d];
			if (f->dataset->key_column.n && f->dataset->key_value.p)
				rc = datasets_each(f->s, add_dataset, f, f->err);
		}
		lh_manifest_free(&m);
	}
	return rc < 0 ? -1 : 0;
}

/* Return whether a row of an object is one that the person's manifest names. */
static bool find_is_named(const struct find *f, const struct place *p, const struct lh_value *v)
{
	const char *at = f->pairs.p, *const end = at + f->pairs.len, *column, *value;
	struct lh_value cell;

	for (; v->type == LH_OBJECT && at < end; at = value + strlen(value) + 1) {
		column = at + strlen(at) + 1;
		value = column + strlen(column) + 1;
		if (!lh_ends_with(p->path, at) || strlen(p->path) <= strlen(at) ||
		    p->path[strlen(p->path) - strlen(at) - 1] != '/' ||
		    !lh_value_get(v, column, &cell))
			continue;
		if (cell.type == LH_STRING ? lh_value_is(&cell, value, strlen(value))
					   : lh_str_is((struct lh_str){ cell.p, cell.n }, value,
						       strlen(value)))
			return true;
	}
	return false;
}

/* ---- names in logs ---- */

#define NAME_LEAST 8		/* bytes of a name that is searched in logs */
#define UID "uid:"

/* Remember a name of a hit: an id of a row or a run, that of a session, or "uid:" and that of a
 * trace. */
static void find_name(struct find *f, size_t hit, struct lh_str name)
{
	uint32_t number;

	if (name.n < NAME_LEAST && strncmp(name.p, UID, name.n < 4 ? name.n : 4))
		return;
	if (lh_intern_add(&f->names, name.p, name.n, &number, f->err) < 0) {
		f->hits->incomplete = true;	/* there are 2^32 */
		return;
	}
	lh_grow(&f->named, &f->cap_named, f->names.n, sizeof hit);
	if (number + 1 == f->names.n)
		f->named[number] = hit;
}

/* Set *uid to "uid:" and the uid of the trace that an event of a pathway is about, or to "". */
static void set_uid(const struct lh_value *v, struct lh_buf *uid)
{
	struct lh_value op, trace, is;
	struct lh_str text;

	lh_buf_reset(uid);
	if (v->type != LH_OBJECT || !lh_value_get(v, "op", &op))
		return;
	if (!(lh_value_get(v, "trace", &trace) && trace.type == LH_OBJECT &&
	      lh_value_get(&trace, "uid", &is)) && !lh_value_get(v, "uid", &is))
		return;
	if (is.type != LH_STRING)
		return;
	lh_buf_puts(uid, UID);
	if (!is.escaped)
		lh_buf_add(uid, is.p + 1, is.n - 2);
	else
		lh_value_str(&is, uid, &text);
}

/* Remember the names of a row of a log that was found. */
static void find_names_of(struct find *f, const struct lh_value *v, size_t hit)
{
	LH_SCOPED(lh_buf_free) struct lh_buf uid = { 0 };
	struct lh_value id;

	set_uid(v, &uid);
	if (uid.len)
		find_name(f, hit, (struct lh_str){ uid.p, uid.len });
	if (v->type == LH_OBJECT && lh_value_get(v, "session_id", &id) && id.type == LH_STRING &&
	    !id.escaped)
		find_name(f, hit, (struct lh_str){ id.p + 1, id.n - 2 });
}

struct naming {
	struct find *f;
	struct lh_writer w;
	int64_t name;			/* that was found; -1: none */
};

static int on_name(void *ctx, const struct lh_person_at *at, const struct lh_value *v, bool id,
		   struct lh_err *err)
{
	struct naming *n = ctx;
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	struct lh_str text;
	int64_t name;

	(void)id;
	lh_buf_reset(&n->f->text);
	if (v->type != LH_STRING || v->n < NAME_LEAST)
		return 0;
	lh_value_str(v, &n->f->text, &text);
	name = lh_intern_find(&n->f->names, text.p, text.n);
	if (name < 0)
		return 0;
	n->name = name;
	lh_person_path(at, &path, err);
	lh_write_str(&n->w, NULL, (struct lh_str){ path.p, path.len });
	return 0;
}

/* Look for names in a row, and make the hit of it, with its members in f->m: whether it has one. */
static bool find_named_row(struct find *f, const struct lh_value *v, struct hit *h)
{
	LH_SCOPED(lh_buf_free) struct lh_buf members = { 0 }, uid = { 0 };
	struct naming n = { f, lh_write_to(&members), -1 };

	lh_write_array(&n.w, NULL);
	lh_person_walk(v, false, on_name, &n, f->err);
	lh_write_end(&n.w);
	set_uid(v, &uid);
	if (uid.len && n.name < 0)
		n.name = lh_intern_find(&f->names, uid.p, uid.len);
	if (n.name < 0)
		return false;
	person_match(f->who, v, false, &f->m);
	*h = hit_of_match(f, h->place, h->line, (struct lh_str){ v->p, v->n });
	h->by = HIT_LINEAGE;
	h->via = f->named[n.name];
	h->also = false;
	free(h->members);
	h->members = lh_strndup(members.p, members.len);
	return true;
}

/* ---- what is no text ---- */

#define ENCODED 16		/* characters of an encoding, which are not taken for a word */

/* What a file may be, besides text. */
struct judge {
	bool opaque;		/* a member before this one is no text */
	bool binary, plain;	/* plain: it is no encoding */
	bool brief;		/* a line before has fewer characters than ENCODED */
	uint64_t n;
};

static void judge_end(struct judge *j)
{
	*j = (struct judge){ .opaque = j->opaque || j->binary || (j->n >= ENCODED && !j->plain) };
}

static void judge_line(struct judge *j, struct lh_str line)
{
	size_t i, n = 0;

	j->binary |= !lh_utf8_valid(line.p, line.n);
	for (i = 0; i < line.n; i++) {
		const unsigned char c = (unsigned char)line.p[i], low = c | 0x20;

		if (c == '\n' || c == '\r')
			continue;
		j->plain |= j->brief || !((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') ||
					  strchr("+/=", c));
		j->binary |= c < 0x20 && c != '\t' && c != '\f' && c != '\v' && c != '\b' &&
			     c != 0x1b;
		n++;
	}
	j->brief |= n && n < ENCODED;
	j->n += n;
}

/* ---- lines ---- */

#define LINES_BEFORE 8		/* in which a text may be that goes on in a line */

/* The last lines that are not JSON, of which a text may go on in the next. */
struct before {
	struct lh_buf text;		/* their ends, joined */
	struct {
		uint64_t line;
		size_t end;		/* in text */
		struct lh_buf row;
	} v[LINES_BEFORE];
	size_t n;
};

struct lines {
	struct find *f;
	size_t place;
	bool judges, parquet, json;	/* json: the line at hand is */
	struct judge judge;
	size_t reach;			/* bytes of a line that are joined with those of the next */
	struct before before;
	struct lh_buf joined;
};

/* The border of two lines in a text that was joined. */
struct border {
	const struct person *who;
	const struct lh_buf *text;
	size_t end, begin;		/* of the line before, and of the next */
	bool glued;			/* with nothing between them */
	size_t from;			/* where the first text over it begins */
	struct seen seen;
};

static void on_alone(void *ctx, size_t number, size_t at, size_t len, enum lh_text_how how)
{
	size_t *sought = ctx;

	(void)at, (void)len, (void)how;
	*sought = number == *sought ? SIZE_MAX : *sought;
}

/* Return whether a text is found in bytes by themselves. */
static bool is_alone(const struct person *who, size_t number, const char *p, size_t n)
{
	lh_texts_find(who->texts, (const unsigned char *)p, n, on_alone, &number);
	return number == SIZE_MAX;
}

/* Take a text over the border.  Digits of the line before may be read with a number that is all
 * in the next one, and say nothing; a blank joins numbers, too, so that they are not glued. */
static void on_border(void *ctx, size_t number, size_t at, size_t len, enum lh_text_how how)
{
	struct border *b = ctx;
	const bool telephone = number && b->who->known[number].kind == LH_TEXT_TELEPHONE;

	if (at >= b->end || at + len <= b->begin || (b->glued && telephone) ||
	    (!number && b->who->number))
		return;
	if (telephone && (is_alone(b->who, number, b->text->p, b->end) ||
			  is_alone(b->who, number, b->text->p + b->begin,
				   b->text->len - b->begin)))
		return;
	b->from = at < b->from ? at : b->from;
	b->seen.how = !b->seen.text || how < b->seen.how ? how : b->seen.how;
	b->seen.text = number ? number : b->seen.text;
	b->seen.id |= !number;
}

/* Look for texts that begin in the lines before and end in this one.  A hyphen at the end of a line
 * may be of the text or of the line; and a line may just be full, as the = of a mail says. */
static bool look_over(struct lines *l, struct lh_str s, bool glued, struct border *b)
{
	const struct lh_buf *text = &l->before.text;
	const char last = text->p[text->len - 1];
	const bool hyphen = !glued && last == '-';

	*b = (struct border){ .who = l->f->who, .text = &l->joined, .glued = glued,
			      .from = SIZE_MAX };
	lh_buf_reset(&l->joined);
	lh_buf_add(&l->joined, text->p, text->len - (hyphen || (glued && last == '=')));
	b->end = l->joined.len;
	lh_buf_puts(&l->joined, glued ? "" : hyphen ? "\u00ad" : " ");
	b->begin = l->joined.len;
	lh_buf_add(&l->joined, s.p, s.n < l->reach ? s.n : l->reach);
	lh_texts_find(b->who->texts, (const unsigned char *)l->joined.p, l->joined.len, on_border,
		      b);
	return b->from != SIZE_MAX;
}

static int add_broken(struct lines *l, const struct place_lines *from, const struct border *b,
		      uint64_t line, struct lh_str row)
{
	struct hit h = { .place = l->place, .line = line, .by = b->seen.id ? HIT_ID : HIT_TEXT,
			 .also = b->seen.text > 0, .how = b->seen.how, .broken = true,
			 .via = NO_HIT, .hashed = true,
			 .id = from->member ? lh_strndup(from->member, strlen(from->member))
					    : NULL };

	row_hash(row, h.sha256);
	return hit_add(l->f, h, row);
}

static void forget_first(struct before *b)
{
	struct lh_buf row = b->v[0].row;
	const size_t gone = b->v[0].end;
	size_t i;

	lh_buf_reset(&row);
	memmove(b->text.p, b->text.p + gone, b->text.len - gone);
	b->text.len -= gone;
	for (i = 1; i < b->n; i++) {
		b->v[i - 1] = b->v[i];
		b->v[i - 1].end -= gone;
	}
	b->v[--b->n].row = row;
}

/* Keep a line for the next one: s of it is joined. */
static void keep_line(struct lines *l, uint64_t line, struct lh_str row, struct lh_str s)
{
	struct before *b = &l->before;
	const size_t n = s.n < l->reach ? s.n : l->reach;

	while (b->n && (b->n == LINES_BEFORE || b->text.len - b->v[0].end + n >= l->reach))
		forget_first(b);
	if (b->n && b->text.p[b->text.len - 1] == '-') {
		b->text.len--;
		lh_buf_puts(&b->text, "\u00ad");
	} else if (b->n) {
		lh_buf_putc(&b->text, ' ');
	}
	lh_buf_add(&b->text, s.p + s.n - n, n);
	b->v[b->n].line = line;
	b->v[b->n].end = b->text.len;
	lh_buf_reset(&b->v[b->n].row);
	lh_buf_add(&b->v[b->n++].row, row.p, row.n);
}

/* Find what is broken over the end of a line, and make hits of all lines that it is in.  s is the
 * line without white space at its ends; the signs of a quotation are no part of the text. */
static int look_at_borders(struct lines *l, const struct place_lines *from, struct lh_str row,
			   struct lh_str s)
{
	struct before *b = &l->before;
	struct border is;
	bool found;
	size_t i;

	while (s.n && (*s.p == '>' || *s.p == '#' || *s.p == ' '))
		s = (struct lh_str){ s.p + 1, s.n - 1 };
	if (!s.n)
		return 0;
	found = b->n && (look_over(l, s, false, &is) || look_over(l, s, true, &is));
	for (i = 0; found && i < b->n; i++)
		if (b->v[i].end > is.from &&
		    add_broken(l, from, &is, b->v[i].line,
			       (struct lh_str){ b->v[i].row.p, b->v[i].row.len }) < 0)
			return -1;
	if (found && add_broken(l, from, &is, from->line, row) < 0)
		return -1;
	keep_line(l, from->line, row, s);
	return 0;
}

static void lines_free(struct lines *l)
{
	size_t i;

	for (i = 0; i < LINES_BEFORE; i++)
		lh_buf_free(&l->before.v[i].row);
	lh_buf_free(&l->before.text);
	lh_buf_free(&l->joined);
}

static void forget_lines(struct before *b)
{
	lh_buf_reset(&b->text);
	b->n = 0;
}

/* Return whether a line has the person, and make the hit of it. */
static bool match_line(struct lines *l, const struct place *p, struct lh_str s, struct hit *h)
{
	struct find *f = l->f;
	const bool pairs = p->kind == PLACE_OBJECT && f->pairs.len;
	struct lh_err unread;
	struct lh_value v;
	bool json, pair, is;

	l->json = *s.p == '{';
	if (!f->by_name && !pairs && person_is_quick(f->who) && !person_may_be_in(f->who, s.p, s.n))
		return false;
	json = (*s.p == '{' || *s.p == '[') && lh_json_parse(&f->rec, s.p, s.n, &v, &unread) == 0;
	l->json = json;
	if (f->by_name)
		return json && find_named_row(f, &v, h);
	pair = json && pairs && find_is_named(f, p, &v);
	is = json ? person_match(f->who, &v, p->kind == PLACE_ROSTER, &f->m)
		  : person_match_bytes(f->who, s.p, s.n, &f->m);
	if (!is && !pair)
		return false;
	*h = hit_of_match(f, h->place, h->line, s);
	h->by = pair ? HIT_ID : h->by;
	if (json && p->kind == PLACE_LOG && h->by == HIT_ID)
		find_names_of(f, &v, f->hits->n);
	return true;
}

static int on_line(struct place_lines *from, struct lh_str line, struct lh_err *err)
{
	struct lines *l = from->ctx;
	const struct place *p = &l->f->s->places.v[l->place];
	struct hit h = { .place = l->place, .line = from->line };
	struct lh_str s;
	size_t mark;

	(void)err;		/* it is that of the search */
	if (l->judges && from->line == 1)
		judge_end(&l->judge);
	if (l->judges)
		judge_line(&l->judge, line);
	line.n -= line.p[line.n - 1] == '\n';
	mark = from->line == 1 ? lh_mark_len(line.p, line.n) : 0;
	line = (struct lh_str){ line.p + mark, line.n - mark };
	s = lh_trim(line.p, line.n);
	if (from->line == 1)
		forget_lines(&l->before);
	if (!s.n || l->parquet)
		return 0;
	if (match_line(l, p, s, &h)) {
		h.id = from->member ? lh_strndup(from->member, strlen(from->member)) : NULL;
		if (hit_add(l->f, h, line) < 0)
			return -1;
	}
	if (!l->json && !l->f->by_name && p->kind != PLACE_ROSTER)
		return look_at_borders(l, from, line, s);
	forget_lines(&l->before);
	return 0;
}

/* Take what is packed again in what is packed, which is not undone: it is a hit of a search of all
 * bytes. */
static void take_packed(struct find *f, size_t i, const struct place_lines *l)
{
	const struct hit hit = { .place = i, .by = HIT_BYTES, .in = HIT_PACKED, .via = NO_HIT };

	if (f->who->thorough && l->packed)
		hit_add(f, hit, NO_ROW);
	else if (l->again.code)
		lh_tool_warn(f->tool, "%s", l->again.msg);
	f->hits->incomplete |= !f->who->thorough && l->again.code;
}

/* Return how far a text may be from the end of a line over which it is broken. */
static size_t reach_of(const struct person *who)
{
	size_t i, most = who->id.n;

	for (i = 0; i < who->n_also; i++)
		most = who->also[i].n > most ? who->also[i].n : most;
	return 2 * most + 64;	/* a telephone may be written with more than the roster has */
}

/* Search the lines of a file that may be of any program. */
static int search_lines(struct find *f, size_t i, int fd)
{
	const struct place *p = &f->s->places.v[i];
	LH_SCOPED(lines_free) struct lines l = {
		.f = f, .place = i, .reach = reach_of(f->who),
		.judges = !f->by_name && f->who->thorough &&
			  place_is[p->kind].bytes == BYTES_TEXT && !lh_index_is(fd)
	};
	struct place_lines from = { .path = p->path, .fn = on_line, .ctx = &l };
	char head[4] = "";

	l.parquet = (p->kind == PLACE_OBJECT || p->kind == PLACE_OTHER) &&
		    pread(fd, head, 4, 0) == 4 && !memcmp(head, "PAR1", 4);
	if (l.parquet) {
		lh_tool_warn(f->tool, "%s: is Parquet, which is not searched (lh-ingest makes JSON "
			     "Lines of it)", p->path);
		f->hits->incomplete = true;
	}
	if (place_lines(&from, fd, f->err) < 0)
		return -1;
	take_packed(f, i, &from);
	judge_end(&l.judge);
	f->hits->opaque += l.judges && (l.judge.opaque || from.office) && !from.packed;
	return 0;
}

int find_lines(struct find *f, size_t i)
{
	const struct place *p = &f->s->places.v[i];
	int fd = place_open(p, f->err), rc;

	if (fd < 0)	/* a temporary file that has just been removed */
		return p->kind == PLACE_SPOOL && errno == ENOENT ? 0 : -1;
	rc = p->kind == PLACE_ROSTER && lh_index_is(fd) ? find_index(f, i) : search_lines(f, i, fd);
	close(fd);
	return rc;
}

int find_named(struct find *f)
{
	size_t i;
	int rc = 0;

	f->by_name = true;
	for (i = 0; !rc && f->names.n && i < f->s->places.n; i++)
		if (f->s->places.v[i].kind == PLACE_LOG)
			rc = find_lines(f, i);
	return rc;
}

/* ---- what was made from rows ---- */

/* A root that is searched. */
struct root {
	struct find *f;
	const char *path;		/* as it was given */
	size_t *from, n_from, cap_from;	/* the hits that rows are made from */
	struct lh_err unreadable;	/* why a file could not be read */
};

static void on_warn(void *ctx, bool unreadable, const char *text)
{
	struct root *r = ctx;

	if (!unreadable)
		lh_tool_verbose(r->f->tool, "%s", text);
	else if (!r->unreadable.code)
		lh_err_set(&r->unreadable, LH_EIO, "%s", text);
}

/* Return the number of the place with this path in a root; NO_HIT: it is in none. */
static size_t place_of(const struct root *r, const char *rel)
{
	LH_SCOPED(lh_free_local) char *path = NULL;
	const struct place *found;
	size_t n = strlen(r->path);

	while (n > 1 && r->path[n - 1] == '/')
		n--;
	path = lh_format("%.*s%s%s", (int)n, r->path, r->path[n - 1] == '/' ? "" : "/", rel);
	found = place_named(r->f->s, path);
	return found ? (size_t)(found - r->f->s->places.v) : NO_HIT;
}

/* Add a row that was made from others, or a receipt, which has no record. */
static int on_made(void *ctx, const struct lh_lineage_made *made, struct lh_err *err)
{
	struct root *r = ctx;
	struct find *f = r->f;
	struct hit hit = { .place = place_of(r, made->row.file), .by = HIT_LINEAGE,
			   .line = made->row.line, .via = r->from[made->via] };
	struct lh_str row = NO_ROW;
	const struct lh_row_ids *ids = made->rec ? made->ids : NULL;
	struct lh_value v;
	size_t i;

	(void)err;
	if (hit.place == NO_HIT)
		return 0;
	if (made->rec) {
		row = (struct lh_str){ made->rec->line, made->rec->len };
		v = (struct lh_value){ row.p, row.n, LH_OBJECT, false };
		person_match(f->who, &v, false, &f->m);
		hit.others = f->m.others;
		hit.hashed = true;
		row_hash(row, hit.sha256);
	} else if (f->hits->row) {
		if (find_read(f, hit.place) < 0)
			return -1;
		row = (struct lh_str){ f->text.p, f->text.len };
		hit.whole = true;
	}
	if (hit_add(f, hit, row) < 0)
		return -1;
	/* logs may have its id, and that of its run */
	if (ids && ids->id.p)
		find_name(f, f->hits->n - 1, ids->id);
	for (i = 0; ids && i < ids->n_sides; i++)
		if (ids->side[i].run.p)
			find_name(f, f->hits->n - 1, ids->side[i].run);
	return 0;
}

/* List the hits in the root from which rows are made: of a text alone only if these are erased
 * too. */
static void list_from(struct root *r, struct lh_lineage_row **rows)
{
	const struct find *f = r->f;
	size_t i;

	r->n_from = 0;
	for (i = 0; i < f->hits->n; i++) {
		const struct hit *h = &f->hits->v[i];
		const struct place *p = &f->s->places.v[h->place];

		if (p->root != r->path || p->kind < PLACE_SOURCE || p->kind > PLACE_REPLAYS ||
		    h->by == HIT_LINEAGE || (h->by == HIT_TEXT && !f->s->want.text_too))
			continue;
		lh_grow(&r->from, &r->cap_from, r->n_from + 1, sizeof i);
		r->from[r->n_from++] = i;
	}
	*rows = lh_calloc(r->n_from + 1, sizeof **rows);
	for (i = 0; i < r->n_from; i++) {
		const struct hit *h = &f->hits->v[r->from[i]];
		const struct place *p = &f->s->places.v[h->place];

		(*rows)[i] = (struct lh_lineage_row){ p->path + p->rel, h->line };
	}
}

static int find_in_root(struct find *f, const char *path)
{
	struct root r = { .f = f, .path = path };
	const struct lh_list none = { NULL, 0 };
	const struct lh_lineage_how how = {
		.root = path, .subjects = f->s->subjects, .decisions = &none, .every = true,
		.jobs = f->tool->jobs, .most = UINT64_MAX, .warn = on_warn, .ctx = &r,
	};
	struct lh_lineage *lineage = lh_lineage_open(&how, f->err);
	LH_SCOPED(lh_free_local) struct lh_lineage_row *rows = NULL;
	int rc = -1;

	if (lineage) {
		list_from(&r, &rows);
		rc = lh_lineage_made(lineage, rows, r.n_from, on_made, &r, f->err);
	}
	if (!rc && r.unreadable.code) {
		*f->err = r.unreadable;
		rc = -1;
	}
	lh_lineage_close(lineage);
	free(r.from);
	return rc;
}

int find_in_roots(struct find *f)
{
	const struct settings *s = f->s;
	size_t i;
	int rc = s->state ? find_in_root(f, s->state) : 0;

	for (i = 0; !rc && i < s->root.n; i++)
		if (!s->state || strcmp(s->state, s->root.v[i]))
			rc = find_in_root(f, s->root.v[i]);
	return rc;
}
