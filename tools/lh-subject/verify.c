/*
 * verify.c - lh-subject verify: whether anything of a person is left.  See subject.h.
 *
 * It finds again, and searches the bytes of all places for the id and the other texts, or for
 * texts of which only hashes are known.  What is found in a row that find lists is not listed
 * twice.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <lh/digest.h>
#include <lh/subject.h>

#include "base/mem.h"
#include "base/table.h"
#include "bytes.h"
#include "erase.h"
#include "file/file.h"
#include "store/store.h"
#include "subject.h"

struct verify {
	struct lh_tool *tool;
	struct settings *s;
	struct person *who;		/* NULL: markers alone */
	bool print;
	struct remains *r;
	struct lh_err *err;
	struct hits hits;
	struct texts *hashes;		/* of --markers */
	struct byte_search *person, *markers;	/* NULL: nothing to search for */
	uint64_t bytes;			/* searched */
	bool incomplete;
	/* of the place at hand */
	size_t place;
	bool own, by_hash, journal;	/* journal: it is one, which was listed */
	bool opaque;			/* it has what cannot be read */
	int fd;
	uint64_t at, line;		/* an offset, and the lines before it */
};

enum rest { REST_LEFT, REST_LOOK, REST_BY_HAND, REST_KEPT };
static const char *const action_name[] = { NULL, "look", "by hand", "kept" };

static void count(struct verify *v, enum rest rest)
{
	uint64_t *const to[] = { &v->r->left, &v->r->look, &v->r->by_hand, &v->r->kept };

	++*to[rest];
}

static int print_line(struct verify *v, struct lh_writer *w, enum rest rest)
{
	count(v, rest);
	if (action_name[rest])
		lh_write_text(w, "action", action_name[rest]);
	lh_write_end(w);
	return v->print ? lh_tool_out_line(v->tool, w->out) : (lh_buf_free(w->out), 0);
}

/* ---- what find lists ---- */

static enum rest rest_of_hit(const struct verify *v, const struct hit *h)
{
	const struct place *p = &v->s->places.v[h->place];

	if (place_is_own(p, v->who->id))
		return REST_KEPT;
	if (h->by == HIT_TEXT && !v->s->text_too)
		return REST_LOOK;
	return hit_by_hand(p, h) ? REST_BY_HAND : REST_LEFT;
}

static int print_found(struct verify *v)
{
	size_t i;

	for (i = 0; i < v->hits.n; i++) {
		struct lh_buf out = { 0 };
		struct lh_writer w = lh_write_to(&out);
		const enum rest rest = rest_of_hit(v, &v->hits.v[i]);

		if (rest == REST_KEPT)
			continue;	/* listed as a file */
		hit_write(&w, v->s, v->who, &v->hits, i);
		w = lh_write_again(&out);
		if (print_line(v, &w, rest) < 0)
			return -1;
	}
	return 0;
}

/* Return the first hit of the place at hand in that line or after it; line 0: of the place. */
static const struct hit *hit_from(const struct verify *v, uint64_t line)
{
	const size_t i = hits_from(&v->hits, v->place, line);

	return i < v->hits.n && v->hits.v[i].place == v->place ? &v->hits.v[i] : NULL;
}

/* ---- bytes ---- */

static bool has_lines(enum place_kind kind)
{
	return kind != PLACE_INDEX && kind != PLACE_PLAYBOOK && kind != PLACE_INDEX_LOG &&
	       kind != PLACE_CACHE && kind != PLACE_TRACE_INDEX;
}

/* Set *line to that of an offset of the file at hand, which comes after earlier ones. */
static int line_at(struct verify *v, uint64_t offset, uint64_t *line)
{
	char block[16384];
	ssize_t n = 0;
	ssize_t i;

	if (offset < v->at)
		v->at = v->line = 0;
	for (; v->at < offset; v->at += (uint64_t)n) {
		const uint64_t left = offset - v->at;

		n = pread(v->fd, block, left < sizeof block ? left : sizeof block, (off_t)v->at);
		if (n <= 0)
			return lh_err_sys(v->err, "%s", v->s->places.v[v->place].path);
		for (i = 0; i < n; i++)
			v->line += block[i] == '\n';
	}
	*line = v->line + 1;
	return 0;
}

/* Return what is to be done with a text in bytes: the id, or another one, which others may have as
 * they may a number.  Without a line it is that of the rows that find lists in the place. */
static enum rest rest_of_bytes(const struct verify *v, bool id, bool attribute, uint64_t line)
{
	const struct place *p = &v->s->places.v[v->place];
	const struct hit of_id = { .place = v->place, .by = HIT_ID }, *h;
	enum rest rest = REST_LOOK, of;

	if (v->own)
		return REST_LEFT;
	if (attribute)
		return REST_BY_HAND;
	if (!v->by_hash && !v->s->text_too && (!id || v->who->number) && has_lines(p->kind))
		return REST_LOOK;
	h = line || v->by_hash ? NULL : hit_from(v, 0);
	if (!h)
		return hit_by_hand(p, &of_id) ? REST_BY_HAND : REST_LEFT;
	for (; h < v->hits.v + v->hits.n && h->place == v->place && rest != REST_LEFT; h++) {
		of = rest_of_hit(v, h);
		rest = of == REST_LOOK ? rest : of;
	}
	return rest;
}

static int list_kept(struct verify *v, const struct place *p)
{
	struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);

	lh_write_object(&w, NULL);
	if (v->who)
		lh_write_str(&w, "candidate_id", v->who->id);
	place_write(&w, p);
	return print_line(v, &w, REST_KEPT);
}

static void write_text(struct lh_writer *w, const struct verify *v, size_t number)
{
	char hex[2 * LH_HASH_SIZE];

	if (!v->by_hash) {
		lh_write_text(w, "text", number ? "also" : "id");
		if (number)
			lh_write_u64(w, "number", number);
		return;
	}
	lh_hex(texts_hash(v->hashes, number), LH_HASH_SIZE, hex);
	lh_write_str(w, "sha256", (struct lh_str){ hex, sizeof hex });
}

static int on_bytes(void *ctx, const struct byte_hit *hit, struct lh_err *err)
{
	struct verify *v = ctx;
	const struct place *p = &v->s->places.v[v->place];
	const size_t number = hit->text;
	const struct hit *listed = NULL;
	const bool attribute = !strcmp(hit->how, "attribute");
	const bool in_file = !hit->member && v->fd >= 0 && strcmp(hit->how, "name") &&
			     strcmp(hit->how, "ids");
	struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);
	uint64_t line = 0;

	(void)err;
	if (v->own && !v->by_hash && !number)
		return 0;
	if (v->journal)
		return 0;
	v->journal = place_is_journal(p);
	if (v->journal)		/* it is gone when the erasure that verifies is done */
		return v->print ? list_kept(v, p) : 0;
	if (p->kind == PLACE_TRACE_INDEX && !number && v->who && v->who->id.n < BYTE_BY_CHANCE)
		return 0;	/* of hashes and offsets */
	if (in_file && has_lines(p->kind) && line_at(v, hit->at, &line) < 0)
		return -1;
	if (line && !v->by_hash && !v->own)
		listed = hit_from(v, line);
	if (listed && listed->line == line)
		return 0;
	lh_write_object(&w, NULL);
	if (v->who)
		lh_write_str(&w, "candidate_id", v->who->id);
	place_write(&w, p);
	if (line)
		lh_write_u64(&w, p->kind == PLACE_OBJECT ? "row" : "line", line);
	lh_write_text(&w, "by", "bytes");
	write_text(&w, v, number);
	lh_write_text(&w, "encoding", hit->how);
	if (hit->member)
		lh_write_bytes(&w, "member", hit->member);
	lh_write_u64(&w, "offset", hit->at);
	return print_line(v, &w, rest_of_bytes(v, !number, attribute, line));
}

/* ---- places ---- */

/* Return the name of a place that says something about whom it is of: below its root, or the key
 * of an object. */
static const char *name_of(const struct place *p)
{
	const char *slash = strrchr(p->path, '/');

	if (p->store)
		return place_key(p);
	return p->root ? p->path + p->rel : slash ? slash + 1 : p->path;
}

/* Set that the place at hand has bytes that cannot be read, unless they are of these tools. */
static void set_opaque(struct verify *v, const struct place *p)
{
	switch (p->kind) {
	case PLACE_INDEX: case PLACE_PLAYBOOK: case PLACE_INDEX_LOG: case PLACE_CACHE:
	case PLACE_TREE: case PLACE_TRACE_INDEX: case PLACE_SECRET:
		return;
	default:
		v->opaque = true;
	}
}

/* Search the bytes of the place at hand, and its name unless that is known to have the id.  What
 * cannot be unpacked is reported, and the other places follow. */
static int search(struct verify *v, struct byte_search *b, bool named)
{
	const struct place *p = &v->s->places.v[v->place];
	int rc = 0;

	if (!b)
		return 0;
	v->at = v->line = 0;
	v->by_hash = b == v->markers;
	if (!named)
		rc = byte_search_text(b, lh_str_of(name_of(p)), NULL, "name", v->err);
	if (!rc && v->fd >= 0)
		rc = byte_search_attributes(b, v->fd, v->err);
	if (!rc && v->fd >= 0)
		rc = byte_search_fd(b, v->fd, v->err);
	if (!rc && v->fd >= 0 && byte_search_is_opaque(b))
		set_opaque(v, p);
	if (rc >= 0 || v->err->code != LH_EIO)
		return rc;
	lh_tool_warn(v->tool, "%s: %s", p->path, v->err->msg);
	v->incomplete = true;
	return 0;
}

static int search_place(struct verify *v)
{
	const struct place *p = &v->s->places.v[v->place];
	int rc;

	v->own = v->who && place_is_own(p, v->who->id);
	v->journal = v->opaque = false;
	rc = v->own ? list_kept(v, p) : 0;
	if (rc < 0 || (v->own && p->kind == PLACE_SECRET))
		return rc;
	v->fd = p->kind == PLACE_SPECIAL ? -1 : place_open(p, v->err);
	if (v->fd < 0 && p->kind != PLACE_SPECIAL)	/* a temporary file may just have gone */
		return p->kind == PLACE_SPOOL && errno == ENOENT ? 0 : -1;
	rc = search(v, v->person, v->who && place_is_named_after(v->s, p->path, v->who->id));
	if (!rc)
		rc = search(v, v->markers, false);
	if (v->fd >= 0)
		close(v->fd);
	v->bytes += p->bytes;
	v->r->opaque += v->opaque;
	lh_tool_progress(v->tool, v->place + 1);
	return rc;
}

/* Prepare the searches, for the person's texts and for the markers. */
static int prepare(struct verify *v)
{
	if (v->who)
		v->person = byte_search_new(v->who->texts, on_bytes, v);
	if (!v->s->markers)
		return 0;
	v->hashes = texts_of_hashes(v->s->markers, v->err);
	if (!v->hashes)
		return -1;
	v->markers = byte_search_new(v->hashes, on_bytes, v);
	return 0;
}

static void put_count(struct lh_buf *out, uint64_t n, const char *one, const char *more)
{
	if (n == 1)
		lh_buf_puts(out, one);
	else if (n)
		lh_buf_printf(out, "; %llu %s", (unsigned long long)n, more);
}

void put_remains(struct lh_buf *out, const struct remains *r)
{
	put_count(out, r->look, "; 1 row or text is to be looked at",
		  "rows or texts are to be looked at");
	put_count(out, r->by_hand, "; 1 has to be taken out by hand",
		  "have to be taken out by hand");
	put_count(out, r->opaque, "; 1 place cannot be read, and was not searched",
		  "places cannot be read, and were not searched");
	lh_buf_puts(out, "; ");
}

/* Append the verdict for people. */
static void put_verdict(const struct verify *v, struct lh_buf *sentence)
{
	const struct remains *r = v->r;

	if (!v->s->places.n)
		lh_buf_puts(sentence, "no place was searched");
	else if (r->left == 1)
		lh_buf_puts(sentence, "1 row or text is left");
	else if (r->left)
		lh_buf_printf(sentence, "%llu rows or texts are left",
			      (unsigned long long)r->left);
	else
		lh_buf_printf(sentence, "%s in %zu place%s", v->incomplete ? "nothing was found" :
			      r->look || r->by_hand ? "nothing that an erasure takes out is left"
			      : "nothing is left", v->s->places.n,
			      v->s->places.n == 1 ? "" : "s");
	put_remains(sentence, r);
	if (v->who)
		put_searched(sentence, v->who);
	else
		lh_buf_puts(sentence, "searched for the texts of --markers alone");
}

static int print_summary(struct verify *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sentence = { 0 };
	struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);

	if (!v->print)
		return 0;

	lh_write_object(&w, NULL);
	lh_write_bool(&w, "summary", true);
	lh_write_u64(&w, "places_searched", v->s->places.n);
	lh_write_u64(&w, "bytes_searched", v->bytes);
	lh_write_u64(&w, "left", v->r->left);
	lh_write_u64(&w, "look", v->r->look);
	lh_write_u64(&w, "by_hand", v->r->by_hand);
	lh_write_u64(&w, "kept", v->r->kept);
	lh_write_u64(&w, "opaque", v->r->opaque);
	lh_write_bool(&w, "complete", !v->incomplete && v->s->places.n);
	put_verdict(v, &sentence);
	if (v->who && (write_searched(&w, v->who, NULL) < 0 ||
		       erasure_compare(v->tool, v->s, v->who, &w, &sentence) < 0)) {
		lh_buf_free(&out);
		return -1;
	}
	return end_summary(v->tool, &w, &sentence);
}

static int run(struct verify *v)
{
	int rc;

	if (v->who && (find_person(v->tool, v->s, v->who, &v->hits, v->err) < 0 ||
		       print_found(v) < 0))
		return -1;
	v->incomplete = v->hits.incomplete;
	rc = prepare(v);
	for (v->place = 0; !rc && v->place < v->s->places.n; v->place++)
		rc = search_place(v);
	if (!rc)
		rc = print_summary(v);
	if (!rc && v->incomplete)
		rc = lh_err_set(v->err, LH_EIO, "not everything could be searched");
	return rc;
}

int verify_person(struct lh_tool *tool, struct settings *s, struct person *who, bool print,
		  struct remains *r, struct lh_err *err)
{
	struct verify v = { .tool = tool, .s = s, .who = who, .print = print, .r = r, .err = err };
	int rc;

	*r = (struct remains){ 0 };
	if (who)
		who->thorough = true;
	rc = run(&v);
	hits_free(&v.hits);
	byte_search_free(v.person);
	byte_search_free(v.markers);
	texts_free(v.hashes);
	return rc;
}

/* ---- the command ---- */

static int verify(struct lh_tool *tool, struct settings *s, struct person *who)
{
	struct remains r;

	if (verify_person(tool, s, who, true, &r, &tool->err) < 0)
		return -1;
	if (r.left || r.look || r.by_hand || !s->places.n)
		lh_tool_verdict_bad(tool);
	return 0;
}

int subject_verify(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	if (!s->markers || tool->n_operands)
		return each_person(tool, s, verify);
	if (places_list(s, &tool->err) < 0)
		return -1;
	return verify(tool, s, NULL);
}
