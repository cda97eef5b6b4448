/* erase.c - lh-subject erase: the plan, and the rounds that carry it out.  See erase.h. */
#include "erase.h"

#include <stdlib.h>

#include "audit/subject_manifest.h"
#include "base/mem.h"
#include "index/index_tools.h"

#define ROUNDS 8

static const char another[] = "another person may have that name";
static const char unlisted[] = "not in the list";

/* ---- what is done with a place ---- */

static erase_fn *const cut_by[] = {
	[CUT_LINES] = erase_lines, [CUT_INDEX] = erase_index, [CUT_OBJECT] = erase_object,
	[CUT_FILE] = erase_file, [CUT_SPOOL] = erase_spool, [CUT_SECRET] = erase_secret
};

static void set_action(struct target *t, const char *action, const char *why)
{
	t->action = action;
	t->why = why;
	t->fn = NULL;
}

/* Choose for the person's own files: manifest, audit log and secret. */
static void choose_own(const struct erasure *e, const struct place *p, struct target *t)
{
	if (p->kind == PLACE_MANIFEST) {
		if (e->hits.erased)
			set_action(t, "kept", "it says that the person was erased");
	} else if (e->s->with_log) {
		t->action = "remove";
	} else {
		set_action(t, "kept", p->why);
	}
	if (p->linked && strcmp(t->action, "kept"))
		set_action(t, "by hand", "has another name");
}

/* Choose what is done with a place. */
static void choose(const struct erasure *e, struct target *t)
{
	const struct place *p = place_of(e, t);
	const bool proof = p->kind == PLACE_CHAIN || p->kind == PLACE_SECRET ||
			   p->kind == PLACE_ERASURE || p->kind == PLACE_TREE;

	t->action = place_is[p->kind].action;
	t->fn = cut_by[place_is[p->kind].cut];
	if (place_is_own(p, e->who.id))
		choose_own(e, p, t);
	else if (!t->rest[REST_LEFT] && t->n)
		set_action(t, proof ? "kept" : t->rest[REST_BY_HAND] ? "by hand" : "look",
			   proof ? p->why : t->rest[REST_BY_HAND] ? t->why
			   : e->s->list ? unlisted : another);
	else if (p->kind == PLACE_ROSTER && t->n && t->hit->id && !t->hit->line)
		t->fn = erase_index;
}

/* ---- the plan ---- */

static size_t depth_of(const struct hits *h, const struct hit *hit)
{
	size_t depth = 0;

	for (; hit->via != NO_HIT && depth < h->n; hit = &h->v[hit->via])
		depth++;
	return depth;
}

static struct target *add_target(struct erasure *e, size_t place)
{
	lh_grow(&e->target, &e->cap_targets, e->n_targets + 1, sizeof *e->target);
	e->target[e->n_targets] = (struct target){ .place = place };
	return &e->target[e->n_targets++];
}

/* Add the target of hits [from, to), which are of one place. */
static void add_hits(struct erasure *e, size_t from, size_t to)
{
	struct target *t;
	size_t i, depth;
	enum rest rest;
	const char *why;

	if (place_is_list(&e->s->places.v[e->hits.v[from].place]))
		return;
	t = add_target(e, e->hits.v[from].place);
	t->hit = &e->hits.v[from];
	t->n = to - from;
	for (i = from; i < to; i++) {
		const struct hit *h = &e->hits.v[i];

		depth = depth_of(&e->hits, h);
		t->depth = depth > t->depth ? depth : t->depth;
		t->others += h->others;
		rest = hit_rest(e->s, &e->who, h, &why);
		if (rest == REST_LEFT && !is_mine(e, h))
			rest = REST_LOOK;
		t->rest[rest]++;
		t->why = t->why ? t->why : why;
	}
	choose(e, t);
}

/* Return whether the round would change anything. */
static bool has_work(const struct erasure *e)
{
	size_t i;

	for (i = 0; i < e->n_targets; i++)
		if (e->target[i].fn)
			return true;
	return false;
}

/* Add what goes with an erasure though nothing is found in it: the cache of embeddings, whose keys
 * are hashes of texts, and the index of lh-trace. */
static void add_derived(struct erasure *e)
{
	const size_t n = e->n_targets;
	const bool works = has_work(e) || e->resumed;
	size_t i, k;

	for (i = 0; works && i < e->s->places.n; i++) {
		const struct place *p = &e->s->places.v[i];

		for (k = 0; k < n && e->target[k].place != i; k++)
			;
		if (k == n && (p->kind == PLACE_CACHE ||
			       (p->kind == PLACE_TRACE_INDEX && !person_is_quick(&e->who))))
			choose(e, add_target(e, i));
	}
}

static int by_path(const void *a, const void *b)
{
	const struct target *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

/* Find the person in the places that are listed, and set the targets of the round, by path. */
static int plan(struct erasure *e)
{
	struct lh_err *err = &e->tool->err;
	size_t i, from;

	hits_free(&e->hits);
	e->n_targets = 0;
	if (find_person(e->tool, e->s, &e->who, &e->hits, err) < 0)
		return -1;
	for (from = 0; from < e->hits.n; from = i) {
		for (i = from; i < e->hits.n && e->hits.v[i].place == e->hits.v[from].place; i++)
			;
		add_hits(e, from, i);
	}
	add_derived(e);
	if (e->n_targets)
		qsort(e->target, e->n_targets, sizeof *e->target, by_path);
	return 0;
}

/* ---- print ---- */

static int print_target(struct erasure *e, const struct target *t, const char *action,
			const char *why, size_t rows)
{
	const struct place *p = place_of(e, t);
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_write_object(&w, NULL);
	place_write(&w, p);
	lh_write_text(&w, "action", action);
	lh_write_u64(&w, "rows", rows);
	if (t->others)
		lh_write_u64(&w, "others", t->others);
	if (why)
		lh_write_text(&w, "why", why);
	lh_write_end(&w);
	return lh_tool_out_line(e->tool, &line);
}

/* Print the plan, and set the verdict if some of it is by hand. */
static int print_plan(struct erasure *e)
{
	size_t i, by_hand, look;
	int rc = 0;

	for (i = 0; !rc && i < e->n_targets; i++) {
		const struct target *t = &e->target[i];
		const size_t *rest = t->rest;

		by_hand = rest[REST_BY_HAND];
		look = rest[REST_LOOK];
		if (is_by_hand(t))
			lh_tool_verdict_bad(e->tool);
		if (t->fn || rest[REST_LEFT] || rest[REST_KEPT])
			rc = print_target(e, t, t->action, t->fn ? NULL : t->why,
					  rest[REST_LEFT] + rest[REST_KEPT]);
		else if (!strcmp(t->action, "kept"))
			rc = print_target(e, t, t->action, t->why, by_hand + look);
		if (!rc && by_hand && strcmp(t->action, "kept"))
			rc = print_target(e, t, "by hand", t->why, by_hand);
		if (!rc && look && strcmp(t->action, "kept"))
			rc = print_target(e, t, "look", e->s->list ? unlisted : another, look);
	}
	return rc;
}

/* Print the summary; left is of an erasure that was done now, or NULL. */
static int print_summary(struct erasure *e, const char *receipt, const char *state,
			 const struct remains *left, struct lh_buf *sentence)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_write_object(&w, NULL);
	lh_write_bool(&w, "summary", true);
	lh_write_str(&w, "candidate_id", e->who.id);
	lh_write_text(&w, "receipt", receipt);
	lh_write_text(&w, "state", state);
	if (left) {
		lh_write_u64(&w, "look", left->look);
		lh_write_u64(&w, "by_hand", left->by_hand);
		lh_write_u64(&w, "opaque", left->opaque);
	}
	write_searched(&w, &e->who, NULL);
	put_searched(sentence, &e->who);
	return end_summary(e->tool, &w, sentence);
}

/* End with a sentence, which begins with that, on what was searched for. */
static int end_with(struct erasure *e, const char *receipt, const char *state, const char *says)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sentence = { 0 };

	lh_buf_printf(&sentence, "%s; ", says);
	return print_summary(e, receipt, state, NULL, &sentence);
}

/* ---- rounds ---- */

/* Lock the roots before the person is found: no run makes rows from what is found meanwhile. */
static int hold_roots(struct erasure *e)
{
	size_t i;

	for (i = 0; i < e->s->places.n; i++)
		if (e->s->places.v[i].root && !erase_hold_root(e, e->s->places.v[i].root))
			return -1;
	return 0;
}

static int by_order(const void *a, const void *b, void *context)
{
	const struct target *x = a, *y = b;
	const struct erasure *e = context;
	const unsigned r = place_is[place_of(e, x)->kind].rank,
		       s = place_is[place_of(e, y)->kind].rank;

	if (x->depth != y->depth)
		return x->depth > y->depth ? -1 : 1;
	return r != s ? r < s ? -1 : 1 : x->place < y->place ? -1 : x->place > y->place;
}

static int apply(struct erasure *e)
{
	size_t i;

	qsort_r(e->target, e->n_targets, sizeof *e->target, by_order, e);
	for (i = 0; i < e->n_targets; i++) {
		const struct target *t = &e->target[i];

		if (!t->fn)
			continue;
		if ((t->fn != erase_lines && erasure_note(e, t, NULL) < 0) || t->fn(e, t) < 0)
			return -1;
		lh_tool_verbose(e->tool, "%s: done", place_of(e, t)->path);
	}
	return erasure_settle(e);
}

/* Carry out the plan, and what is found after it; the list is there. */
static int carry_out(struct erasure *e)
{
	struct lh_err *err = &e->tool->err;
	int rc = erasure_settle(e), round;
	size_t i;

	for (round = 0; !rc && has_work(e) && round < ROUNDS; round++) {
		rc = apply(e);
		if (!rc)
			rc = places_list(e->s, err);
		if (!rc)
			rc = plan(e);
	}
	if (!rc && has_work(e))
		rc = lh_err_set(err, LH_ELOCKED, "others wrote data of the person %d times "
				"meanwhile; run it again", ROUNDS);
	for (i = 0; !rc && i < e->n_was; i++)
		rc = place_settle(e, &e->was[i]);
	while (e->n_held)
		lh_root_close(e->held[--e->n_held].root);
	return rc ? rc : erase_end_log(e);
}

/* Finish if nothing is left. */
static int finish(struct erasure *e)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sentence = { 0 };
	struct remains left = { .left = 0 };

	erasure_list_by_hand(e);
	if (places_list(e->s, &e->tool->err) < 0 ||
	    verify_person(e->tool, e->s, &e->who, false, &left, &e->tool->err) < 0)
		return -1;
	if (left.left)
		return lh_err_set(&e->tool->err, LH_EDATA, "%llu rows or texts are left, and no "
				  "receipt was written: lh-subject verify lists them",
				  (unsigned long long)left.left);
	if (erasure_finish(e, &left) < 0)
		return -1;
	if (left.look || left.by_hand || e->old_versions.len)
		lh_tool_verdict_bad(e->tool);
	lh_buf_printf(&sentence, "erased, as the receipt %s says", e->id);
	put_remains(&sentence, &left);
	return print_summary(e, e->id, "erased", &left, &sentence);
}

/* ---- the command ---- */

/* End for a person who was erased before: what is left then and now is said again, since the roster
 * with the texts may be gone. */
static int end_before(struct erasure *e, const char *receipt)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sentence = { 0 };
	struct remains left = { .left = 0 };

	if (verify_person(e->tool, e->s, &e->who, false, &left, &e->tool->err) < 0 ||
	    erasure_left_before(e, &left) < 0)
		return -1;
	if (left.left || left.look || left.by_hand)
		lh_tool_verdict_bad(e->tool);
	lh_buf_puts(&sentence, "the person was erased before");
	if (left.left)
		lh_buf_printf(&sentence, "; %llu rows or texts are left",
			      (unsigned long long)left.left);
	put_remains(&sentence, &left);
	return print_summary(e, receipt, "erased", &left, &sentence);
}

/* Refuse to search for the id alone, unless that is asked for. */
static int check_texts(struct erasure *e, const char *receipt)
{
	if (e->who.n_also || e->s->id_only || e->resumed || (receipt && !has_work(e)))
		return 0;
	if (e->s->apply)
		return lh_tool_usage(e->tool, "no roster has the person, so that names, e-mail "
				     "addresses and telephones would not be searched: --also TEXT "
				     "names them, --id-only erases by the id alone");
	lh_tool_message(e->tool, "no roster has the person: --apply needs --also TEXT or "
			"--id-only");
	return 0;
}

static int run(struct erasure *e, const char *receipt)
{
	struct lh_err *err = &e->tool->err;

	if (e->s->apply && (hold_roots(e) < 0 || places_list(e->s, err) < 0))
		return -1;
	if (erasure_check(e) < 0 || plan(e) < 0 || check_texts(e, receipt) < 0)
		return -1;
	/* who erases leaves the row `erased` */
	if (!e->s->apply && has_work(e) &&
	    looked(e->tool, e->s, &e->who, &e->hits, "erase, a plan") < 0)
		return -1;
	if (print_plan(e) < 0)
		return -1;
	if (!has_work(e) && !e->resumed && (receipt || !e->n_targets)) {
		if (receipt)
			return end_before(e, receipt);
		lh_tool_verdict_bad(e->tool);
		return end_with(e, receipt, "not found", "nothing of the person was found");
	}
	if (!e->s->apply)
		return e->resumed ? end_with(e, receipt, "begun", "an erasure was begun, and "
					     "goes on with --apply")
			: end_with(e, receipt, "planned", "this is a plan, and nothing was "
				   "changed");
	if (receipt && !e->resumed)
		lh_tool_message(e->tool, "the person was erased before, by %s, and is there again",
				receipt);
	if (!e->resumed && erasure_begin(e) < 0)
		return -1;
	return carry_out(e) < 0 ? -1 : finish(e);
}

/* Refuse a reason that would leave the person in the receipt. */
static int check_reason(struct erasure *e)
{
	struct match m = { .others = 0 };
	const char *reason = e->s->reason ? e->s->reason : "";
	const bool named = person_match_bytes(&e->who, reason, strlen(reason), &m);

	lh_buf_free(&m.members);
	if (named && (m.by_text || !e->who.number))
		return lh_tool_usage(e->tool, "--reason: names the person, whom the receipt must "
				     "not have");
	return 0;
}

static int erase_person(struct lh_tool *tool, struct settings *s, struct person *who)
{
	struct erasure e = { .tool = tool, .s = s, .log = { .fd = -1 }, .lock = { .fd = -1 } };
	LH_SCOPED(lh_buf_free) struct lh_buf receipt = { 0 };
	const bool text_too = s->text_too, with_log = s->with_log;
	int rc = lh_chain_keys_read(&e.keys, s->key_file.v, s->key_file.n, s->insecure_key,
				    &tool->err);

	e.who.id = who->id;
	e.who.thorough = true;
	e.who.logged = who->logged;
	e.who.n_unused = who->n_unused;
	if (!rc && s->apply)
		rc = erasure_lock(&e);
	if (!rc)
		rc = erasure_open(&e, who);
	if (!rc)
		rc = check_reason(&e);
	if (!rc)
		rc = erasure_receipt_id(&e, &receipt);
	if (rc >= 0)
		rc = run(&e, receipt.p);
	erasure_close(&e);
	s->text_too = text_too;
	s->with_log = with_log;
	return rc;
}

int subject_erase(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	if (s->apply && (!s->reason || !*s->reason))
		return lh_tool_usage(tool, "--apply needs --reason TEXT, for the receipt");
	if (s->id_only && (s->from_roster || s->also.n))
		return lh_tool_usage(tool, "--id-only searches for no texts, which --from-roster "
				     "and --also name");
	if (!s->key_file.n)
		return lh_tool_usage(tool, "erase needs --key-file FILE, the key of the audit log");
	if (!s->subjects)
		return lh_tool_usage(tool, "erase needs --subjects DIR, where receipts are");
	if (!s->tlog != !s->tlog_key.n)
		return lh_tool_usage(tool, "--tlog DIR and --key-file-tlog FILE go together");
	return read_listed(s, &tool->err) < 0 ? -1 : each_person(tool, settings, erase_person);
}
