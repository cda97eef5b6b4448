/*
 * verify.c - lh-subject verify: a find that must be empty.  See subject.h.
 *
 * It is thorough: it searches what is in no row, too.  What is found is left, or to be looked at,
 * by hand, or kept; an erasure goes by the same.
 */
#include <lh/subject.h>

#include "base/mem.h"
#include "subject.h"

/* ---- what is to be done with a hit ---- */

/* Return why a hit in a place that is not the person's own can be taken out by hand alone; NULL: it
 * can be erased. */
static const char *by_hand(const struct place *p, const struct hit *h)
{
	if (h->in == HIT_ATTRIBUTE)
		return "in an extended attribute";
	if (p->why)
		return p->why;
	if (h->in == HIT_NAME)
		return "in its name";
	if (h->in == HIT_PACKED)
		return "packed again in what is packed";
	if (h->in == HIT_RAW && (p->kind == PLACE_CURSOR || p->kind == PLACE_ERASURE))
		return "not rows";
	if (p->kind == PLACE_OBJECT && h->id)
		return "packed with others";
	return p->kind == PLACE_MANIFEST || ((h->by != HIT_LINEAGE || h->names) &&
			(p->kind == PLACE_RECEIPT || p->kind == PLACE_DATASET))
		? "it names the person" : NULL;
}

/* Return whether others may have what was found, too: it is to be looked at. */
static bool is_common(const struct settings *s, const struct person *who, const struct hit *h)
{
	/* nothing is lost with a file of the cache of lh-search */
	const bool text_too = s->text_too ||
			      (place_is_kept(&s->places.v[h->place]) && !s->list);

	if (h->by == HIT_BYTES)
		return !text_too && (h->in == HIT_NAME || h->in == HIT_RAW) &&
		       (h->text || who->number) && !h->deleted;
	return (h->by == HIT_NUMBER || (h->by == HIT_TEXT && !text_too)) &&
	       is_listed(s, h) <= 0;
}

enum rest hit_rest(const struct settings *s, const struct person *who, const struct hit *h,
		   const char **why)
{
	const struct place *p = &s->places.v[h->place];

	*why = NULL;
	if (place_is_list(p))
		return REST_KEPT;
	if (h->by != HIT_BYTES && place_is_own(p, who->id) && !is_common(s, who, h))
		return h->also ? REST_LEFT : REST_KEPT;
	if (is_common(s, who, h))
		return REST_LOOK;
	*why = by_hand(p, h);
	return *why ? REST_BY_HAND : REST_LEFT;
}

/* ---- what is printed ---- */

/* Print a hit; of what is kept only the place. */
static int print_hit(struct lh_tool *tool, const struct settings *s, const struct person *who,
		     const struct hits *hits, size_t i, enum rest rest)
{
	static const char *const action[RESTS] = { NULL, "look", "by hand", "kept" };
	struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);

	if (rest == REST_KEPT) {
		lh_write_object(&w, NULL);
		lh_write_str(&w, "candidate_id", who->id);
		place_write(&w, &s->places.v[hits->v[i].place]);
	} else {
		hit_write(&w, s, who, hits, i);
		w = lh_write_again(&out);
	}
	if (action[rest])
		lh_write_text(&w, "action", action[rest]);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &out);
}

void put_remains(struct lh_buf *out, const struct remains *r)
{
	static const char *const one[] = {
		"row or text is to be looked at", "has to be taken out by hand",
		"place cannot be read, and was not searched"
	}, *const more[] = {
		"rows or texts are to be looked at", "have to be taken out by hand",
		"places cannot be read, and were not searched"
	};
	const uint64_t n[] = { r->look, r->by_hand, r->opaque };
	size_t i;

	for (i = 0; i < 3; i++) {
		lh_buf_puts(out, n[i] ? "; " : "");
		put_count(out, n[i], one[i], more[i]);
	}
	lh_buf_puts(out, "; ");
}

/* Print the summary, with the verdict for people. */
static int print_summary(struct lh_tool *tool, struct settings *s, struct person *who,
			 const struct remains *r, bool incomplete)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sentence = { 0 }, out = { 0 };
	struct lh_writer w = lh_write_to(&out);
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < s->places.n; i++)
		bytes += s->places.v[i].bytes;
	lh_write_object(&w, NULL);
	lh_write_bool(&w, "summary", true);
	lh_write_u64(&w, "places_searched", s->places.n);
	lh_write_u64(&w, "bytes_searched", bytes);
	lh_write_u64(&w, "left", r->left);
	lh_write_u64(&w, "look", r->look);
	lh_write_u64(&w, "by_hand", r->by_hand);
	lh_write_u64(&w, "kept", r->kept);
	lh_write_u64(&w, "opaque", r->opaque);
	lh_write_bool(&w, "complete", !incomplete && s->places.n);
	put_count(&sentence, r->left, "row or text is left", "rows or texts are left");
	if (!s->places.n) {
		lh_buf_puts(&sentence, "no place was searched");
	} else if (!r->left) {
		lh_buf_printf(&sentence, "%s in ", incomplete ? "nothing was found" :
			      r->look || r->by_hand ? "nothing that an erasure takes out is left"
			      : "nothing is left");
		put_count(&sentence, s->places.n, "place", "places");
	}
	put_remains(&sentence, r);
	put_searched(&sentence, who);
	write_searched(&w, who, NULL);
	if (erasure_compare(tool, s, who, &w, &sentence) < 0)
		return -1;
	return end_summary(tool, &w, &sentence);
}

int verify_person(struct lh_tool *tool, struct settings *s, struct person *who, bool print,
		  struct remains *r, struct lh_err *err)
{
	LH_SCOPED(hits_free) struct hits hits = { .n = 0 };
	uint64_t *const to[] = { &r->left, &r->look, &r->by_hand, &r->kept };
	const char *why;
	size_t i;
	int rc;

	*r = (struct remains){ 0 };
	who->thorough = true;
	rc = find_person(tool, s, who, &hits, err);
	for (i = 0; !rc && i < hits.n; i++) {
		const struct hit *h = &hits.v[i];
		const enum rest rest = hit_rest(s, who, h, &why);

		/* a list is gone when the erasure that verifies is done; what is kept is kept
		 * whole */
		if ((place_is_list(&s->places.v[h->place]) && !print) ||
		    (rest == REST_KEPT && i && h[-1].place == h->place))
			continue;
		++*to[rest];
		rc = print ? print_hit(tool, s, who, &hits, i, rest) : 0;
	}
	r->opaque = hits.opaque;
	if (!rc && print)
		rc = print_summary(tool, s, who, r, hits.incomplete);
	if (!rc && hits.incomplete)
		rc = lh_err_set(err, LH_EIO, "not everything could be searched");
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
	return each_person(tool, settings, verify);
}
