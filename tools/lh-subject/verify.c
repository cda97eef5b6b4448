/*
 * verify.c - lh-subject verify: a find that must be empty.  See subject.h.
 *
 * It is thorough: it searches what is in no row, too.  What is found is left, or to be looked at,
 * by hand, or kept; an erasure goes by the same.
 */
#include <lh/subject.h>

#include "base/mem.h"
#include "subject.h"

struct verify {
	struct lh_tool *tool;
	struct settings *s;
	struct person *who;
	struct remains *r;
	struct hits hits;
	uint64_t bytes;			/* searched */
};

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

static int count_hit(struct verify *v, size_t i, bool print)
{
	static const char *const action[RESTS] = { NULL, "look", "by hand", "kept" };
	uint64_t *const to[] = { &v->r->left, &v->r->look, &v->r->by_hand, &v->r->kept };
	const struct hit *h = &v->hits.v[i];
	const struct place *p = &v->s->places.v[h->place];
	struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);
	const char *why;
	const enum rest rest = hit_rest(v->s, v->who, h, &why);

	/* a list is gone when the erasure that verifies is done; what is kept is kept whole */
	if ((place_is_list(p) && !print) ||
	    (rest == REST_KEPT && i && h[-1].place == h->place))
		return 0;
	++*to[rest];
	if (!print)
		return 0;
	if (rest == REST_KEPT) {
		lh_write_object(&w, NULL);
		lh_write_str(&w, "candidate_id", v->who->id);
		place_write(&w, p);
	} else {
		hit_write(&w, v->s, v->who, &v->hits, i);
		w = lh_write_again(&out);
	}
	if (action[rest])
		lh_write_text(&w, "action", action[rest]);
	lh_write_end(&w);
	return lh_tool_out_line(v->tool, &out);
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
		lh_buf_printf(sentence, "%s in %zu place%s",
			      v->hits.incomplete ? "nothing was found" :
			      r->look || r->by_hand ? "nothing that an erasure takes out is left"
			      : "nothing is left", v->s->places.n,
			      v->s->places.n == 1 ? "" : "s");
	put_remains(sentence, r);
	put_searched(sentence, v->who);
}

static int print_summary(struct verify *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sentence = { 0 };
	struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);

	lh_write_object(&w, NULL);
	lh_write_bool(&w, "summary", true);
	lh_write_u64(&w, "places_searched", v->s->places.n);
	lh_write_u64(&w, "bytes_searched", v->bytes);
	lh_write_u64(&w, "left", v->r->left);
	lh_write_u64(&w, "look", v->r->look);
	lh_write_u64(&w, "by_hand", v->r->by_hand);
	lh_write_u64(&w, "kept", v->r->kept);
	lh_write_u64(&w, "opaque", v->r->opaque);
	lh_write_bool(&w, "complete", !v->hits.incomplete && v->s->places.n);
	put_verdict(v, &sentence);
	if (write_searched(&w, v->who, NULL) < 0 ||
	    erasure_compare(v->tool, v->s, v->who, &w, &sentence) < 0) {
		lh_buf_free(&out);
		return -1;
	}
	return end_summary(v->tool, &w, &sentence);
}

int verify_person(struct lh_tool *tool, struct settings *s, struct person *who, bool print,
		  struct remains *r, struct lh_err *err)
{
	struct verify v = { .tool = tool, .s = s, .who = who, .r = r };
	size_t i;
	int rc;

	*r = (struct remains){ 0 };
	who->thorough = true;
	rc = find_person(tool, s, who, &v.hits, err);
	for (i = 0; !rc && i < v.hits.n; i++)
		rc = count_hit(&v, i, print);
	for (i = 0; i < s->places.n; i++)
		v.bytes += s->places.v[i].bytes;
	r->opaque = v.hits.opaque;
	if (!rc && print)
		rc = print_summary(&v);
	if (!rc && v.hits.incomplete)
		rc = lh_err_set(err, LH_EIO, "not everything could be searched");
	hits_free(&v.hits);
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
