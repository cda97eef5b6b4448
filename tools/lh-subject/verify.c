/*
 * verify.c - lh-subject find, and verify, a find that must be empty: what they print.  See
 * subject.h.
 *
 * Verify is thorough: it searches what is in no row, too.  What is found is left, or to be looked
 * at, by hand, or kept; an erasure goes by the same.
 */
#include "audit/subject.h"

#include "base/mem.h"
#include "subject.h"

const char *const rest_name[RESTS] = { "kept", "look", "by hand", "erase", "look" };

/* ---- a hit ---- */

const struct lh_bind places_out[] = {
	LH_OP_TEXT("place"), LH_OP_TEXT("kind"), LH_OP_TEXT("path"), LH_OP_COUNT("bytes"),
	LH_OP_BOOL("erasable"),
	{ LH_BIND_ONLY("source", LH_BIND_TO_STRING), .about = "what lh-search made it of" },
	{ LH_BIND_ONLY("why", LH_BIND_TO_STRING), .about = "why it is not erasable" },
	LH_BIND_END
};

#define COUNT(name) { LH_BIND_ONLY(name, LH_BIND_TO_WHOLE), .most = INT64_MAX }
#define TEXT(name) { LH_BIND_ONLY(name, LH_BIND_TO_STRING) }
const struct lh_bind find_out[] = {
	{ LH_BIND_ONLY("candidate_id", LH_BIND_TO_STRING), .person = true },
	TEXT("place"), TEXT("kind"), TEXT("path"),
	{ LH_BIND_ONLY("snapshot", LH_BIND_TO_STRING), .about = "the time of it" },
	{ LH_BIND_ONLY("file", LH_BIND_TO_STRING), .about = "the path in a snapshot" },
	TEXT("source"), COUNT("line"),
	{ LH_BIND_ONLY("id", LH_BIND_TO_STRING), .person = true },
	TEXT("object"), COUNT("row"), TEXT("by"),
	{ LH_BIND_ONLY("certainty", LH_BIND_TO_STRING),
	  .about = "why the text may be another's; absent: it is the person's" },
	{ LH_BIND_ONLY("broken", LH_BIND_TO_BOOL),
	  .about = "true: some of the text is in another line" },
	{ LH_BIND_ONLY("members", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY),
	  .about = "in which members of the row the person is" },
	{ LH_BIND_ONLY("sha256", LH_BIND_TO_STRING), .about = "of the row" },
	{ LH_BIND_ONLY("via", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_OBJECT),
	  .about = "the row that it was made from" },
	{ LH_BIND_ONLY("summary", LH_BIND_TO_BOOL), .about = "true in the last line" },
	COUNT("places_searched"), COUNT("found"),
	{ LH_BIND_ONLY("complete", LH_BIND_TO_BOOL) },
	{ LH_BIND_ONLY("searched", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_OBJECT),
	  .about = "which kinds of texts were searched for" },
	TEXT("sentence"),
	LH_BIND_END
};

/* Write where in the file, and in no row of it, a text is. */
static void write_bytes(struct lh_writer *w, const struct hit *h)
{
	static const char *const in[] = { NULL, "name", "attribute", "ids", "raw", "packed" };

	if (h->in != HIT_PACKED)
		lh_write_text(w, "text", h->text ? "also" : "id");
	if (h->text)
		lh_write_u64(w, "number", h->text);
	lh_write_text(w, "encoding", in[h->in]);
	if (h->id)
		lh_write_bytes(w, "member", h->id);
}

/* Write where in its place a hit is. */
static void write_where(struct lh_writer *w, const struct place *p, const struct hit *h)
{
	if (p->kind == PLACE_OBJECT && h->id)
		lh_write_text(w, "object", h->id);
	if (h->line)
		lh_write_u64(w, p->kind == PLACE_OBJECT ? "row" : "line", h->line);
	else if (h->id)
		lh_write_text(w, "id", h->id);
}

void hit_write(struct lh_writer *w, const struct settings *s, const struct person *who,
	       const struct hits *hits, size_t i)
{
	static const char *const by[] = { "id", "lineage", "text", "text", "bytes" };
	const struct hit *h = &hits->v[i], *via;
	const struct place *p = &s->places.v[h->place];
	char hex[2 * LH_HASH_SIZE];

	lh_write_object(w, NULL);
	lh_write_str(w, "candidate_id", who->id);
	place_write(w, s, p);
	if (h->by != HIT_BYTES)
		write_where(w, p, h);
	lh_write_text(w, "by", by[h->by]);
	if (h->by == HIT_TEXT && h->how != LH_TEXT_SURE)
		lh_write_text(w, "certainty", "perhaps");
	if (h->broken)
		lh_write_bool(w, "broken", true);
	if (h->by == HIT_BYTES)
		write_bytes(w, h);
	else
		lh_write_raw(w, "members", lh_str_of(h->members));
	if (h->hashed) {
		lh_hex(h->sha256, LH_HASH_SIZE, hex);
		lh_write_str(w, "sha256", (struct lh_str){ hex, sizeof hex });
	}
	if (h->via != NO_HIT) {
		via = &hits->v[h->via];
		lh_write_object(w, "via");
		place_write_path(w, s, s->places.v[via->place].path);
		write_where(w, &s->places.v[via->place], via);
		lh_write_end(w);
	}
	lh_write_end(w);
}

/* Print a hit; of what is kept only the place. */
static int print_hit(struct lh_tool *tool, struct settings *s, const struct person *who,
		     const struct hits *hits, size_t i, enum rest rest)
{
	struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);

	if (rest == REST_KEPT) {
		lh_write_object(&w, NULL);
		lh_write_str(&w, "candidate_id", who->id);
		place_write(&w, s, &s->places.v[hits->v[i].place]);
	} else {
		hit_write(&w, s, who, hits, i);
		w = lh_write_again(&out);
	}
	if (rest < REST_LEFT)
		lh_write_text(&w, "action", rest_name[rest]);
	lh_write_end(&w);
	return print_line(tool, s, &out);
}

/* ---- find ---- */

/* Begin a summary of what was looked at. */
static void begin_summary(struct lh_writer *w, const struct settings *s, const struct extent *in)
{
	lh_write_object(w, NULL);
	lh_write_bool(w, "summary", true);
	lh_write_u64(w, "places_searched", in->places);
	if (s->snapshots.n)
		lh_write_u64(w, "snapshots_searched", in->snapshots);
}

/* Append for people in how many places something is, and whether snapshots are among them. */
static void put_places(struct lh_buf *out, const struct settings *s, const struct extent *in)
{
	if (in->places)
		lh_buf_printf(out, " in %s", LH_N(in->places, "place"));
	put_snapshots(out, s, in);
}

static int print_found(struct lh_tool *tool, struct settings *s, const struct person *who,
		       const struct extent *in)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sentence = { 0 };
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	begin_summary(&w, s, in);
	lh_write_u64(&w, "found", in->found);
	lh_write_bool(&w, "complete", !in->incomplete && in->places);
	write_searched(&w, who, NULL);
	lh_buf_puts(&sentence, !in->places ? "no place was searched" : in->found
		    ? LH_N(in->found, "row or record was found|rows or records were found")
		    : "nothing was found");
	put_places(&sentence, s, in);
	lh_buf_puts(&sentence, "; ");
	put_searched(&sentence, who);
	return end_summary(tool, s, &w, &sentence);
}

/* Print the lines of a command in snapshots. */
static int print_lines(struct lh_tool *tool, struct settings *s, const struct lh_buf *lines)
{
	struct lh_str rest = { lines->p, lines->len }, text;
	struct lh_buf line = { 0 };
	int rc = 0;

	while (!rc && lh_next_line(&rest, &text)) {
		lh_buf_add(&line, text.p, text.n);
		rc = print_line(tool, s, &line);
	}
	lh_buf_free(&line);
	return rc;
}

static int find(struct lh_tool *tool, struct settings *s, struct person *who)
{
	LH_SCOPED(hits_free) struct hits hits = { .n = 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf lines = { 0 };
	struct extent in;
	bool in_snapshots;
	size_t i;
	int rc = 0;

	if (find_person(tool, s, who, &hits, &tool->err) < 0 ||
	    snapshots_search(tool, s, who, subject_find, &lines, &in) < 0)
		return -1;
	in_snapshots = in.found > 0;
	for (i = 0; i < hits.n; i++)	/* of a person who was erased, what is kept does not */
		in.found += !(hits.erased &&
			      place_is_own(&s->places.v[hits.v[i].place], who->id));
	in.places += s->places.n;
	in.incomplete |= hits.incomplete;
	if (in.found && looked(tool, s, who, &hits, in_snapshots, "find") < 0)
		return -1;
	if (!in.found)
		set_status(tool, s, 1);
	if (in.incomplete)
		set_status(tool, s, 2);
	for (i = 0; !rc && i < hits.n; i++)
		rc = print_hit(tool, s, who, &hits, i, REST_LEFT);
	if (s->snapshot)
		s->snapshot->is = in;
	if (!rc && !s->snapshot)
		rc = print_lines(tool, s, &lines) < 0 ? -1 : print_found(tool, s, who, &in);
	return rc;
}

int subject_find(struct lh_tool *tool, void *settings)
{
	return each_person(tool, settings, V_FIND, find);
}

/* ---- verify ---- */

void put_remains(struct lh_buf *out, const struct remains *r)
{
	static const char *const what[] = {
		"row or text is to be looked at|rows or texts are to be looked at",
		"has to be taken out by hand|have to be taken out by hand",
		"place cannot be read, and was not searched|"
		"places cannot be read, and were not searched",
	};
	const uint64_t n[] = { r->look, r->by_hand, r->opaque };
	size_t i;

	for (i = 0; i < 3; i++)
		if (n[i])
			lh_buf_printf(out, "; %s", LH_N(n[i], what[i]));
	lh_buf_puts(out, "; ");
}

/* Return whether all was read, and nobody has to look at anything. */
static bool is_complete(const struct extent *in)
{
	const struct remains *r = &in->remains;

	return !in->incomplete && in->places && !r->look && !r->by_hand && !r->opaque;
}

/* Print the summary, with the verdict for people. */
static int print_summary(struct lh_tool *tool, struct settings *s, struct person *who,
			 const struct extent *in)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sentence = { 0 }, out = { 0 };
	struct lh_writer w = lh_write_to(&out);
	const struct remains *r = &in->remains;

	begin_summary(&w, s, in);
	lh_write_u64(&w, "bytes_searched", in->bytes);
	lh_write_u64(&w, "left", r->left);
	lh_write_u64(&w, "look", r->look);
	lh_write_u64(&w, "by_hand", r->by_hand);
	lh_write_u64(&w, "kept", r->kept);
	lh_write_u64(&w, "opaque", r->opaque);
	lh_write_bool(&w, "complete", is_complete(in));
	lh_buf_puts(&sentence, !in->places ? "no place was searched"
		    : r->left ? LH_N(r->left, "row or text is left|rows or texts are left")
		    : in->incomplete ? "nothing was found"
		    : r->look || r->by_hand ? "nothing that an erasure takes out is left"
		    : "nothing is left");
	put_places(&sentence, s, in);
	put_remains(&sentence, r);
	put_searched(&sentence, who);
	write_searched(&w, who, NULL);
	if (erasure_compare(tool, s, who, &w, &sentence) < 0)
		return -1;
	return end_summary(tool, s, &w, &sentence);
}

int remains_of(struct lh_tool *print, struct settings *s, const struct person *who,
	       const struct hits *hits, struct remains *r)
{
	uint64_t *const to[] = { &r->kept, &r->look, &r->by_hand, &r->left, &r->left };
	size_t i;
	int rc = 0;

	*r = (struct remains){ .opaque = hits->opaque };
	for (i = 0; !rc && i < hits->n; i++) {
		const struct hit *h = &hits->v[i];

		/* a list is gone when the erasure that verifies is done; what is kept is kept
		 * whole */
		if ((place_is_list(&s->places.v[h->place]) && !print) ||
		    (h->rest == REST_KEPT && i && h[-1].place == h->place))
			continue;
		++*to[h->rest];
		rc = print ? print_hit(print, s, who, hits, i, h->rest) : 0;
	}
	return rc;
}

int check_complete(const struct hits *hits, struct lh_err *err)
{
	return hits->incomplete ? lh_err_set(err, LH_EIO, "not everything could be searched") : 0;
}

static int verify(struct lh_tool *tool, struct settings *s, struct person *who)
{
	LH_SCOPED(hits_free) struct hits hits = { .n = 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf lines = { 0 };
	struct extent in;
	struct remains r;
	size_t i;

	who->thorough = true;
	if (find_person(tool, s, who, &hits, &tool->err) < 0 ||
	    remains_of(tool, s, who, &hits, &r) < 0 ||
	    snapshots_search(tool, s, who, subject_verify, &lines, &in) < 0)
		return -1;
	in.places += s->places.n;
	for (i = 0; i < s->places.n; i++)
		in.bytes += s->places.v[i].bytes;
	in.incomplete |= hits.incomplete;
	remains_add(&in.remains, &r);
	if (s->snapshot) {
		s->snapshot->is = in;
		return 0;
	}
	if (print_lines(tool, s, &lines) < 0 || print_summary(tool, s, who, &in) < 0)
		return -1;
	if (in.incomplete)
		return lh_err_set(&tool->err, LH_EIO, "not everything could be searched");
	r = in.remains;
	if (r.left || r.look || r.by_hand || !in.places || (s->snapshots.n && !in.snapshots))
		set_status(tool, s, 1);
	return 0;
}

int subject_verify(struct lh_tool *tool, void *settings)
{
	return each_person(tool, settings, V_VERIFY, verify);
}
