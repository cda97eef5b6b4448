/* find_print.c - lh-subject find: print what was found.  See subject.h. */
#include "audit/subject_manifest.h"
#include "subject.h"

const struct lh_bind places_out[] = {
	LH_OP_TEXT("place"), LH_OP_TEXT("kind"), LH_OP_TEXT("path"), LH_OP_COUNT("bytes"),
	LH_OP_BOOL("erasable"),
	{ LH_BIND_ONLY("why", LH_BIND_TO_STRING), .about = "why it is not erasable" },
	LH_BIND_END
};

#define COUNT(name) { LH_BIND_ONLY(name, LH_BIND_TO_WHOLE), .most = INT64_MAX }
#define TEXT(name) { LH_BIND_ONLY(name, LH_BIND_TO_STRING) }
const struct lh_bind find_out[] = {
	{ LH_BIND_ONLY("candidate_id", LH_BIND_TO_STRING), .person = true },
	TEXT("place"), TEXT("kind"), TEXT("path"), COUNT("line"),
	{ LH_BIND_ONLY("id", LH_BIND_TO_STRING), .person = true },
	TEXT("object"), COUNT("row"), TEXT("by"),
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
	place_write(w, p);
	if (h->by != HIT_BYTES)
		write_where(w, p, h);
	lh_write_text(w, "by", by[h->by]);
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
		lh_write_bytes(w, "path", s->places.v[via->place].path);
		write_where(w, &s->places.v[via->place], via);
		lh_write_end(w);
	}
	lh_write_end(w);
}

/* Return whether the person was erased: then what is kept does not count as found. */
static int was_erased(const struct settings *s, const struct person *who, struct lh_err *err)
{
	struct lh_manifest m = { .n_datasets = 0 };
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < s->places.n; i++) {
		const struct place *p = &s->places.v[i];

		if (p->kind != PLACE_MANIFEST || !place_is_own(p, who->id))
			continue;
		rc = lh_manifest_read(&m, p->path, err);
		if (rc >= 0)
			rc = !rc && lh_str_is(m.status, "erased", 6);
		lh_manifest_free(&m);
	}
	return rc;
}

/* Append all hits, and set *found to how many count: of a person who was erased, what is kept does
 * not. */
static int write_hits(struct lh_tool *tool, struct settings *s, struct person *who,
	       const struct hits *hits, struct lh_buf *out, size_t *found)
{
	const int erased = was_erased(s, who, &tool->err);
	struct lh_writer w = lh_write_to(out);
	size_t i;

	if (erased < 0)
		return -1;
	for (*found = i = 0; i < hits->n; i++) {
		*found += !(erased && place_is_own(&s->places.v[hits->v[i].place], who->id));
		w = lh_write_to(out);
		hit_write(&w, s, who, hits, i);
		lh_buf_putc(out, '\n');
	}
	return 0;
}

static int print_summary(struct lh_tool *tool, const struct settings *s, const struct person *who,
			 bool complete, size_t found)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sentence = { 0 };
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_write_object(&w, NULL);
	lh_write_bool(&w, "summary", true);
	lh_write_u64(&w, "places_searched", s->places.n);
	lh_write_u64(&w, "found", found);
	lh_write_bool(&w, "complete", complete && s->places.n);
	write_searched(&w, who, NULL);
	if (!s->places.n)
		lh_buf_puts(&sentence, "no place was searched; ");
	else if (found)
		lh_buf_printf(&sentence, "%zu row%s or record%s found in %zu place%s; ", found,
			      found == 1 ? "" : "s", found == 1 ? " was" : "s were", s->places.n,
			      s->places.n == 1 ? "" : "s");
	else
		lh_buf_printf(&sentence, "nothing was found in %zu place%s; ", s->places.n,
			      s->places.n == 1 ? "" : "s");
	put_searched(&sentence, who);
	return end_summary(tool, &w, &sentence);
}

static int find(struct lh_tool *tool, struct settings *s, struct person *who)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	LH_SCOPED(hits_free) struct hits hits = { .n = 0 };
	size_t found;

	if (find_person(tool, s, who, &hits, &tool->err) < 0 ||
	    write_hits(tool, s, who, &hits, &out, &found) < 0 ||
	    (found && looked(tool, s, who, &hits, "find") < 0))
		return -1;
	if (!found)
		lh_tool_verdict_bad(tool);
	if (hits.incomplete)
		lh_tool_failed(tool);
	if (out.len && lh_tool_out(tool, out.p, out.len) < 0)
		return -1;
	return print_summary(tool, s, who, !hits.incomplete, found);
}

int subject_find(struct lh_tool *tool, void *settings)
{
	return each_person(tool, settings, find);
}
